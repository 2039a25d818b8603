"""Rows of X: who may enter, how often, and what is asked for."""

from __future__ import annotations

from typing import Any

from .x_rig import Rig, Table

TABLE = Table()
row = TABLE.row
ME = "/2/users/me"


@row("x.auth.required")
async def credentials_are_required(rig: Rig) -> None:
    status, headers, problem = await rig.raw("GET", ME, headers={})
    assert status == 401
    assert headers["content-type"].startswith("application/problem+json")
    assert problem == {"title": "Unauthorized", "detail": "Unauthorized", "type": "about:blank", "status": 401}


@row("x.auth.signature")
async def a_signature_covers_method_query_and_canonical_host(rig: Rig) -> None:
    path = f"{ME}?user.fields=created_at"
    for host in ("https://api.twitter.com", "https://api.x.com"):
        assert (await rig.raw("GET", path, headers=rig.signed("GET", path, host=host)))[0] == 200
    forged = [
        rig.signed("POST", path),
        rig.signed("GET", ME),
        rig.signed("GET", path, host="http://127.0.0.1"),
        rig.signed("GET", f"{ME}?user.fields=name"),
    ]
    for headers in forged:
        assert (await rig.raw("GET", path, headers=headers))[0] == 401


@row("x.auth.timestamp")
async def a_signature_lives_five_minutes(rig: Rig) -> None:
    for age, status in ((300, 200), (-300, 200), (301, 401), (-301, 401)):
        headers = rig.signed("GET", ME, timestamp=str(int(rig.wire.now) - age))
        assert (await rig.raw("GET", ME, headers=headers))[0] == status


@row("x.auth.nonce")
async def a_signature_is_good_for_one_request(rig: Rig) -> None:
    headers = rig.signed("GET", ME)
    assert (await rig.raw("GET", ME, headers=headers))[0] == 200
    assert (await rig.raw("GET", ME, headers=headers))[0] == 401


@row("x.auth.bearer")
async def an_unknown_bearer_is_refused(rig: Rig) -> None:
    rig.sdk.access_token = "AAAAforged"
    await rig.refused(401, lambda sdk: sdk.users.get_me())


@row("x.auth.user_context")
async def an_app_alone_neither_posts_nor_reads_messages(rig: Rig) -> None:
    rig.sdk.access_token = rig.credentials["bearer_token"]
    assert (await rig.call(lambda sdk: sdk.users.get_by_id(rig.brand))).data.id == rig.brand
    problem = await rig.refused(403, lambda sdk: sdk.posts.create({"text": "hello"}))
    assert problem["type"].endswith("/unsupported-authentication")
    await rig.refused(403, lambda sdk: next(sdk.direct_messages.get_events()))
    await rig.refused(403, lambda sdk: sdk.users.get_me())


@row("x.credits")
async def without_credits_nothing_works(rig: Rig) -> None:
    rig.x.faults.out_of_credits = True
    problem = await rig.refused(402, lambda sdk: sdk.posts.create({"text": "hello"}))
    assert problem["title"] == "CreditsDepleted"
    assert rig.posts == []


@row("x.outage")
async def an_outage_is_a_page_of_html(rig: Rig) -> None:
    rig.x.faults.outage = True
    status, headers, text = await rig.raw("GET", ME)
    assert status == 503
    assert headers["content-type"].startswith("text/html")
    assert "<html>" in text


async def used_up(rig: Rig, name: str, limit: int, lasts_s: int, method: str, path: str, **more: Any) -> None:
    """``limit`` calls pass, the next is 429, until the window that ``name`` heads has passed on the calendar."""
    assert 429 not in await rig.times(limit, method, path, **more)
    status, headers, problem = await rig.raw(method, path, **more)
    assert status == 429
    assert problem["title"] == "Too Many Requests"
    assert (headers[f"{name}-limit"], headers[f"{name}-remaining"]) == (str(limit), "0")
    resets_in_s = int(headers[f"{name}-reset"]) - rig.clocks.now().timestamp()
    assert lasts_s - 1 < resets_in_s <= lasts_s
    rig.clocks.skip(resets_in_s - 0.5)
    assert (await rig.raw(method, path, **more))[0] == 429
    rig.clocks.skip(0.5)
    assert (await rig.raw(method, path, **more))[0] != 429


RATES: dict[str, tuple[int, int, str, str]] = {
    "x.rate.me": (75, 0, "GET", ME),
    "x.rate.users": (900, 300, "GET", "/2/users/by/username/Acme"),
    "x.rate.posts": (100, 0, "POST", "/2/tweets"),
    "x.rate.delete": (50, 0, "DELETE", "/2/tweets/1"),
    "x.rate.lookup": (900, 3500, "GET", "/2/tweets?ids=1"),
    "x.rate.mentions": (300, 450, "GET", "/2/users/{brand}/mentions"),
    "x.rate.timeline": (900, 10_000, "GET", "/2/users/{brand}/tweets"),
    "x.rate.dms": (15, 0, "POST", "/2/dm_conversations/with/{ann}/messages"),
    "x.rate.dm_events": (15, 0, "GET", "/2/dm_events"),
    "x.rate.dm_events_with": (15, 0, "GET", "/2/dm_conversations/with/{ann}/dm_events"),
    "x.rate.media": (500, 0, "POST", "/2/media/upload/initialize"),
}
"""How often in 15 minutes the brand may call, and the app alone; 0 where the app alone may not."""


def _rate(as_brand: int, as_app: int, method: str, path: str) -> Any:
    async def check(rig: Rig) -> None:
        more = {"json": {}} if method == "POST" else {}
        where = path.format(brand=rig.brand, ann=rig.ann)
        await used_up(rig, "x-rate-limit", as_brand, 900, method, where, **more)
        if as_app:
            _, headers, _ = await rig.raw(method, where, bearer="bearer_token")
            assert int(headers["x-rate-limit-limit"]) == int(headers["x-rate-limit-remaining"]) + 1 == as_app

    return check


for _name, _limit in RATES.items():
    row(_name)(_rate(*_limit))


@row("x.rate.dms_day")
async def direct_messages_are_counted_by_the_day_too(rig: Rig) -> None:
    path = f"/2/dm_conversations/with/{rig.ann}/messages"
    rig.rules.off = {*rig.rules.off, "x.rate.dms"}  # whose windows, one after the other, never exceed the day's
    await used_up(rig, "x-user-limit-24hour", 1440, 24 * 3600, "POST", path, json={})


@row("x.query.known")
async def an_unknown_parameter_is_refused(rig: Rig) -> None:
    status, _, problem = await rig.raw("GET", "/2/dm_events?since_id=1")
    assert status == 400
    assert problem["type"].endswith("/invalid-request")
    assert problem["errors"][0]["parameters"] == {"since_id": ["1"]}
    assert "since_id" in problem["errors"][0]["message"]


@row("x.fields.known")
async def an_unknown_field_is_refused(rig: Rig) -> None:
    problem = await rig.refused(400, lambda sdk: sdk.users.get_me(user_fields=["shoe_size"]))
    assert problem["errors"][0]["parameters"] == {"user.fields": ["shoe_size"]}


@row("x.fields.asked")
async def only_what_was_asked_for_is_there(rig: Rig) -> None:
    for query, more in (("", set()), ("?user.fields=created_at", {"created_at"})):
        _, _, found = await rig.raw("GET", f"{ME}{query}")
        assert set(found["data"]) == {"id", "name", "username", *more}
    post = await rig.post("hello")
    _, _, found = await rig.raw("GET", f"/2/tweets/{post}")
    assert set(found["data"]) == {"id", "text", "edit_history_tweet_ids"}


@row("x.page.token")
async def a_token_belongs_to_its_list(rig: Rig) -> None:
    for number in range(2):
        await rig.x.write("acme-x", rig.ann, f"hello {number}")
        await rig.x.write("acme-x", rig.ann, f"hello {number}", place="timeline")
    first = await rig.call(lambda sdk: next(sdk.direct_messages.get_events(max_results=1)))
    token = first.meta.next_token
    after = await rig.call(lambda sdk: next(sdk.direct_messages.get_events(max_results=1, pagination_token=token)))
    assert [event["text"] for event in after.model_dump()["data"]] == ["hello 0"]
    await rig.refused(400, lambda sdk: next(sdk.users.get_mentions(rig.brand, pagination_token=token)))
    await rig.refused(400, lambda sdk: next(sdk.direct_messages.get_events(pagination_token="0" * 21)))


@row("x.body.json")
async def a_body_says_that_it_is_json(rig: Rig) -> None:
    sent = {**(await _bearer(rig)), "Content-Type": "text/plain"}
    status, _, problem = await rig.raw("POST", "/2/tweets", headers=sent, data='{"text":"hello"}')
    assert status == 400
    assert problem["type"].endswith("/invalid-request")


async def _bearer(rig: Rig) -> dict[str, str]:
    return {"Authorization": f"Bearer {rig.credentials['user_bearer_token']}"}


@row("x.body.known")
async def an_unknown_key_is_refused(rig: Rig) -> None:
    await rig.refused(400, lambda sdk: sdk.posts.create({"text": "hello", "sound": "loud"}), "$.sound")
    poll = {"options": ["a", "b"], "duration_minutes": 60, "anonymous": True}
    await rig.refused(400, lambda sdk: sdk.posts.create({"text": "hello", "poll": poll}), "$.poll.anonymous")


@row("x.user.missing")
async def a_user_who_is_not_there_is_a_partial_error(rig: Rig) -> None:
    status, _, found = await rig.raw("GET", "/2/users/by/username/nobody_here")
    assert status == 200
    assert found.get("errors", [{}])[0].get("resource_type") == "user"
    assert (await rig.call(lambda sdk: sdk.users.get_by_username("acme"))).data.id == rig.brand
