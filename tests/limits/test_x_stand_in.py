"""What the stand-in of X does where no limit is hit: tweepy's signed calls, paging, prices, and the people's side."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oauthlib.oauth1 import Client as Signer
from tweepy.asynchronous import AsyncClient
from tweepy.errors import Unauthorized
from yarl import URL

from sandbox.seam import PostButton
from sandbox.x.text import has_link, weighted_length, with_short_links

from .x_rig import ACCOUNT, PNG, Rig, rig

SIGNED = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")


@pytest.fixture
async def ready() -> AsyncIterator[Rig]:
    async with rig() as made:
        made.wire.now = time.time()
        yield made


class Redirected:
    """A session that sends tweepy's calls to the sandbox, after tweepy has signed them for X."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session, self._base = session, base

    def request(self, method: str, url: object, **more: Any) -> Any:
        moved = str(url).replace("https://api.twitter.com", self._base)
        return self._session.request(method, URL(moved, encoded=True), **more)


def tweepy_client(ready: Rig, **wrong: str) -> AsyncClient:
    client = AsyncClient(**{**{name: ready.credentials[name] for name in SIGNED}, **wrong})
    client.session = Redirected(ready.http, ready.base)
    return client


async def test_tweepy_asks_is_answered_and_thanks(ready: Rig) -> None:
    client = tweepy_client(ready)
    me = (await client.get_me(user_auth=True)).data
    assert (str(me.id), me.username) == (ready.brand, "Acme")
    labels = ["9–10", "7–8", "4–6", "0–3"]
    asked = await client.create_tweet(text="How likely, 0–10?", poll_options=labels, poll_duration_minutes=10_080)
    await ready.x.vote(ready.ann, ready.posts[0], 0)
    assert await ready.x.write(ACCOUNT, ready.bob, "8 & rising", place="timeline", reply_to=ready.posts[0])
    found = await client.get_tweets([asked.data["id"]], expansions="attachments.poll_ids", user_auth=True)
    assert [option["votes"] for option in found.includes["polls"][0].options] == [1, 0, 0, 0]
    since = ready.clocks.now() - timedelta(hours=1)
    fields = ["referenced_tweets", "in_reply_to_user_id", "author_id"]
    mentions = await client.get_users_mentions(me.id, start_time=since, tweet_fields=fields, user_auth=True)
    reply = mentions.data[0]
    assert (reply.text, str(reply.author_id), reply.in_reply_to_user_id) == ("@Acme 8 &amp; rising", ready.bob, me.id)
    assert str(reply.referenced_tweets[0].id) == asked.data["id"]
    thanks = await client.create_tweet(text="Thank you!", in_reply_to_tweet_id=reply.id)
    assert thanks.data["text"] == "@follower2 Thank you!"
    assert [post.reply_to for post in ready.posts] == [None, str(reply.id)]


async def test_tweepy_with_a_wrong_secret_stays_outside(ready: Rig) -> None:
    for name in SIGNED:
        with pytest.raises(Unauthorized):
            await tweepy_client(ready, **{name: "wrong"}).get_me(user_auth=True)


async def test_a_signature_covers_a_form(ready: Rig) -> None:
    url, kind = "/2/tweets", "application/x-www-form-urlencoded"
    more = {"body": "text=hello", "headers": {"Content-Type": kind}}
    signer = Signer(*(ready.credentials[name] for name in SIGNED))
    _, headers, _ = signer.sign(f"https://api.x.com{url}", "POST", **more)
    assert (await ready.raw("POST", url, headers=dict(headers), data="text=goodbye"))[0] == 401
    _, headers, _ = signer.sign(f"https://api.x.com{url}", "POST", **more)
    assert (await ready.raw("POST", url, headers=dict(headers), data="text=hello"))[0] == 400  # X wants JSON


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("plain – “quoted” …", 19),
        ("é", 1),
        ("e\u0301", 1),
        ("Привет", 6),
        ("日本語", 6),
        ("\U0001f600", 2),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", 2),
        ("\U0001f44d\U0001f3fd", 2),
        ("\U0001f1eb\U0001f1f7\U0001f1e9\U0001f1ea", 4),
        ("1\ufe0f\u20e3", 2),
        ("https://example.org", 23),
        ("example.org/a-very-long-path?with=a&query=too", 23),
        ("see example.org, and https://a.example.co.uk/b.", 4 + 23 + 6 + 23 + 1),
        ("ann@example.org", 15),
        ("@example.org", 12),
        ("3.14 e.g. file.pyx", 18),
        ("file.py", 23),
    ],
)
def test_text_is_weighed_as_x_weighs_it(text: str, weight: int) -> None:
    assert weighted_length(text) == weight
    assert has_link(text) == (with_short_links(text) != text)


@given(st.text(max_size=400))
def test_no_text_weighs_more_than_two_a_character_and_23_a_link(text: str) -> None:
    links = sum(1 for word in with_short_links(text).split("https://t.co/")[1:] if word)
    assert weighted_length(text) <= 2 * len(text) + 23 * links


@settings(max_examples=15, deadline=None)
@given(early=st.integers(0, 40), late=st.integers(0, 20), page=st.integers(1, 15))
async def test_pages_neither_lose_nor_double_while_messages_arrive(early: int, late: int, page: int) -> None:
    async with rig() as ready:
        written = [await ready.x.write(ACCOUNT, ready.ann, f"hi {number}") for number in range(early)]
        token, found = "", list[str]()
        while True:
            _, _, answer = await ready.raw("GET", f"/2/dm_events?max_results={page}{token}")
            if answer.get("status") == 429:
                ready.clocks.skip(900)
                continue
            found += [event["id"] for event in answer.get("data", ())]
            for number in range(late):
                await ready.x.write(ACCOUNT, ready.bob, f"late {number}")
            if "next_token" not in answer["meta"]:
                break
            token = f"&pagination_token={answer['meta']['next_token']}"
        assert found == written[::-1]


async def test_since_until_and_times_bound_the_mentions(ready: Rig) -> None:
    written = []
    for number in range(6):
        written.append(str(await ready.x.write(ACCOUNT, ready.ann, str(number), place="timeline")))
        ready.clocks.skip(60)
    moments = [await _created(ready, post) for post in written]

    async def found(query: str) -> list[str]:
        _, _, answer = await ready.raw("GET", f"/2/users/{ready.brand}/mentions?{query}")
        return [written.index(post["id"]) for post in answer.get("data", ())]

    assert await found(f"since_id={written[2]}") == [5, 4, 3]
    assert await found(f"until_id={written[2]}") == [1, 0]
    assert await found(f"start_time={moments[3]}") == [5, 4, 3]
    assert await found(f"end_time={moments[3]}") == [2, 1, 0]
    assert await found(f"since_id={written[5]}") == []
    await ready.raw("DELETE", f"/2/tweets/{written[4]}")
    assert await found(f"since_id={written[2]}") == [5, 4, 3], "only its author may delete a post"


async def _created(ready: Rig, post: str) -> str:
    _, _, answer = await ready.raw("GET", f"/2/tweets/{post}?tweet.fields=created_at")
    return str(answer["data"]["created_at"])


async def test_ids_rise_over_posts_and_messages_and_keep_their_time(ready: Rig) -> None:
    ids = []
    for number in range(3):
        ids.append(await ready.post(f"hello {number}"))
        ids.append(str(await ready.x.write(ACCOUNT, ready.ann, "hi")))
        ids.append(str(await ready.x.write(ACCOUNT, ready.ann, "hi", place="timeline")))
    assert [int(item) for item in ids] == sorted({int(item) for item in ids})
    milliseconds = (int(ids[0]) >> 22) + 1288834974657
    assert milliseconds == int(ready.posts[0].at.timestamp() * 1000)


async def test_calls_are_priced_and_a_day_bills_an_item_once(ready: Rig) -> None:
    post = await ready.post("hello")
    await ready.post("see example.org")
    for _ in range(2):
        await ready.raw("GET", f"/2/tweets/{post}")
    assert ready.x.bill(ACCOUNT) == {"post.create": 1, "post.create.link": 1, "post.read.own": 1}
    assert ready.x.cost_usd(ACCOUNT) == Decimal("0.216")
    ready.clocks.skip(24 * 3600)
    await ready.raw("GET", f"/2/tweets/{post}")
    assert ready.x.cost_usd(ACCOUNT) == Decimal("0.217")


async def test_a_lost_answer_is_a_post_all_the_same(ready: Rig) -> None:
    ready.x.faults.lose_answers = 1
    with pytest.raises(aiohttp.ClientError):
        await ready.raw("POST", "/2/tweets", json={"text": "hello"})
    _, _, timeline = await ready.raw("GET", f"/2/users/{ready.brand}/tweets")
    assert [post["text"] for post in timeline["data"]] == ["hello"]
    assert [post.text for post in ready.posts] == ["hello"]


async def test_people_have_neither_buttons_nor_forms(ready: Rig) -> None:
    await ready.post("hello")
    post, button = ready.posts[0], PostButton("9", "9")
    assert not await ready.x.tap(ready.ann, post, button)
    assert not await ready.x.fill(ready.ann, post, button, "9")
    assert not await ready.x.vote(ready.ann, post, 0)
    assert ready.x.visible_totals(post) is None
    assert await ready.x.open_direct(ACCOUNT, ready.ann)


async def test_people_write_where_they_may(ready: Rig) -> None:
    await ready.post("hello")
    assert await ready.x.write(ACCOUNT, ready.ann, "a" * 281, place="timeline") is None
    assert await ready.x.write(ACCOUNT, ready.ann, "") is None
    assert await ready.x.write(ACCOUNT, ready.ann, "9", place="timeline", reply_to=ready.posts[0])
    await ready.raw("DELETE", f"/2/tweets/{ready.posts[0].id}")
    assert await ready.x.write(ACCOUNT, ready.bob, "9", place="timeline", reply_to=ready.posts[0]) is None
    await ready.x.block(ACCOUNT, ready.bob)
    assert await ready.x.write(ACCOUNT, ready.bob, "9", place="timeline") is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["text", "poll", "media", "reply", "attachments", "total_bytes", "segment_index"])
ROUTES = ["/2/tweets", "/2/dm_conversations/with/{ann}/messages", "/2/media/upload", "/2/media/upload/initialize"]


@settings(max_examples=60, deadline=None)
@given(body=st.dictionaries(KEYS, anything, max_size=3) | anything, route=st.sampled_from(ROUTES))
async def test_nothing_that_is_sent_breaks_the_stand_in(body: object, route: str) -> None:
    async with rig() as ready:
        sent = json.dumps(body)
        bearer = {"Authorization": f"Bearer {ready.credentials['user_bearer_token']}"}
        headers = {**bearer, "Content-Type": "application/json"}
        status, _, _ = await ready.raw("POST", route.format(ann=ready.ann), headers=headers, data=sent)
        assert status in (200, 201, 400, 403)


async def test_a_picture_comes_as_a_signed_multipart_form(ready: Rig) -> None:
    content = PNG + b"\r\n--\r\n\x00\xff\r\n"
    body = {"media_type": "image/png", "media_category": "tweet_image", "total_bytes": len(content)}
    path = "/2/media/upload/initialize"
    _, _, begun = await ready.raw("POST", path, headers=ready.signed("POST", path), json=body)
    media = begun["data"]["id"]
    for place, part in enumerate((content[:70], content[70:])):
        form = aiohttp.FormData({"segment_index": str(place)})
        form.add_field("media", part, filename="chart.png", content_type="application/octet-stream")
        path = f"/2/media/upload/{media}/append"
        assert (await ready.raw("POST", path, headers=ready.signed("POST", path), data=form))[0] == 200
    path = f"/2/media/upload/{media}/finalize"
    _, _, done = await ready.raw("POST", path, headers=ready.signed("POST", path))
    assert done["data"]["size"] == len(content)
    await ready.post("look", media={"media_ids": [media]})
    shown = "expansions=attachments.media_keys&media.fields=url"
    _, _, found = await ready.raw("GET", f"/2/tweets/{ready.posts[0].id}?{shown}")
    assert found["includes"]["media"][0]["media_key"] == done["data"]["media_key"]
