"""Rows of X: posts, polls, replies, look-up and lists."""

from __future__ import annotations

from .x_rig import ACCOUNT, Rig, Table

TABLE = Table()
row = TABLE.row


@row("x.post.length")
async def a_post_has_280_weighted_characters(rig: Rig) -> None:
    fits = [
        "a" * 280,
        "評" * 140,
        "\U0001f600" * 140,
        "\U0001f469\u200d\U0001f4bb" * 140,
        "https://example.org/" + "a" * 400,
        "a" * 256 + " example.org",
        "\U0001f1e9\U0001f1ea" * 140,
        *("a" * 278 + light + "b" for light in "\u10ff\u2002\u200d\u2010\u201f\u2032\u2037"),
    ]
    too_long = [
        "a" * 281,
        "評" * 140 + "a",
        "\U0001f600" * 141,
        "a" * 257 + " example.org",
        "\U0001f1e9\U0001f1ea" * 141,
        *("a" * 278 + heavy + "b" for heavy in "\u1100\u1fff\u200e\u200f\u2020\u2031\u2038"),
        "a\ufeff",
    ]
    for text in fits:
        await rig.post(text)
    for text in too_long:
        problem = await rig.refused(400, lambda sdk, text=text: sdk.posts.create({"text": text}))
        assert "too long" in problem["errors"][0]["message"]


@row("x.post.empty")
async def a_post_is_not_empty(rig: Rig) -> None:
    await rig.refused(400, lambda sdk: sdk.posts.create({"text": " "}))
    await rig.refused(400, lambda sdk: sdk.posts.create({}))


@row("x.post.links")
async def a_link_comes_back_shortened(rig: Rig) -> None:
    post = await rig.post("see https://example.org/a?b=c and example.org.")
    found = await rig.call(lambda sdk: sdk.posts.get_by_id(post, post_fields=["entities"]))
    text = found.model_dump()["data"]["text"]
    words = text.removesuffix(".").split()
    assert [len(word) for word in words] == [3, 23, 3, 23]
    assert words[1].startswith("https://t.co/")
    assert rig.posts[0].text == "see https://example.org/a?b=c and example.org."
    _, _, raw = await rig.raw("GET", f"/2/tweets/{post}?tweet.fields=entities")
    url = raw["data"]["entities"]["urls"][0]
    assert raw["data"]["text"][url["start"] : url["end"]] == url["url"] == words[1]
    assert url["expanded_url"] == "https://example.org/a?b=c"
    await rig.x.write(ACCOUNT, rig.ann, "hi")
    await rig.message(rig.ann, "see https://example.org/a")
    _, _, raw = await rig.raw("GET", f"/2/dm_conversations/with/{rig.ann}/dm_events?dm_event.fields=entities")
    (url,) = raw["data"][0]["urls"]
    assert raw["data"][0]["text"] == f"see {url['url']}"
    assert (url["expanded_url"], len(url["url"])) == ("https://example.org/a", 23)


@row("x.post.escaped")
async def markup_comes_back_escaped(rig: Rig) -> None:
    post = await rig.post("a < b & c")
    found = await rig.call(lambda sdk: sdk.posts.get_by_id(post))
    assert found.model_dump()["data"]["text"] == "a &lt; b &amp; c"


@row("x.post.duplicate")
async def the_same_text_is_refused_for_a_while(rig: Rig) -> None:
    await rig.post("hello")
    for pause_s in (0, 24 * 3600 - 1):
        rig.clocks.skip(pause_s)
        problem = await rig.refused(403, lambda sdk: sdk.posts.create({"text": "hello"}))
        assert problem["detail"] == "You are not allowed to create a Tweet with duplicate content."
    rig.clocks.skip(1)
    await rig.post("hello")


@row("x.post.exclusive")
async def a_poll_has_no_picture(rig: Rig) -> None:
    media = {"media_ids": [await rig.upload()]}
    poll = {"options": ["a", "b"], "duration_minutes": 60}
    await rig.refused(400, lambda sdk: sdk.posts.create({"text": "hello", "poll": poll, "media": media}), "exclusive")


@row("x.post.media")
async def a_picture_was_uploaded_for_a_post_by_this_brand(rig: Rig) -> None:
    good, direct = await rig.upload(), await rig.upload(category="dm_image")
    await rig.post("look", media={"media_ids": [good]})
    await rig.post("look at all", media={"media_ids": [good] * 4})
    moving = await rig.upload_in_segments(b"GIF89a" + bytes(9), "tweet_gif", "image/gif")
    await rig.post("look, it moves", media={"media_ids": [moving]})
    for number, ids in enumerate(([direct], ["1"], [], [good] * 5, [moving, good])):
        body = {"text": f"look {number}", "media": {"media_ids": ids}}
        await rig.refused(400, lambda sdk, body=body: sdk.posts.create(body))


async def poll_refused(rig: Rig, options: list[str], minutes: int = 60) -> None:
    poll = {"options": options, "duration_minutes": minutes}
    problem = await rig.refused(400, lambda sdk: sdk.posts.create({"text": "hello", "poll": poll}))
    assert problem["type"].endswith("/invalid-request")
    assert rig.posts == []


@row("x.post.poll.options")
async def a_poll_has_two_to_four_options(rig: Rig) -> None:
    await poll_refused(rig, ["a"])
    await poll_refused(rig, list("abcde"))
    for options in ("ab", "abcd"):
        await rig.post(options, poll={"options": list(options), "duration_minutes": 60})


@row("x.post.poll.label")
async def an_option_has_1_to_25_characters(rig: Rig) -> None:
    await poll_refused(rig, ["a", ""])
    await poll_refused(rig, ["a", "b" * 26])
    await rig.post("hello", poll={"options": ["a", "b" * 25], "duration_minutes": 60})


@row("x.post.poll.duration")
async def a_poll_lasts_five_minutes_to_seven_days(rig: Rig) -> None:
    await poll_refused(rig, ["a", "b"], 4)
    await poll_refused(rig, ["a", "b"], 10_081)
    for minutes in (5, 10_080):
        await rig.post(f"hello {minutes}", poll={"options": ["a", "b"], "duration_minutes": minutes})


@row("x.post.reply.visible")
async def a_deleted_post_cannot_be_answered(rig: Rig) -> None:
    body = {"text": "thanks", "reply": {"in_reply_to_tweet_id": "123"}}
    await rig.refused(403, lambda sdk: sdk.posts.create(body), "deleted or not visible")


async def mention(rig: Rig, text: str = "9") -> str:
    post = await rig.x.write(ACCOUNT, rig.ann, text, place="timeline")
    assert post is not None
    return post


@row("x.post.reply.mentioned")
async def only_who_mentioned_the_brand_is_answered(rig: Rig) -> None:
    own = await rig.post("hello")
    body = {"text": "more", "reply": {"in_reply_to_tweet_id": own}}
    await rig.refused(403, lambda sdk: sdk.posts.create(body), "have not been mentioned")
    await rig.post("thanks", reply={"in_reply_to_tweet_id": await mention(rig)})
    assert rig.posts[-1].text == "thanks"


@row("x.post.reply.once")
async def a_mention_is_answered_once(rig: Rig) -> None:
    reply = {"in_reply_to_tweet_id": await mention(rig)}
    await rig.post("thanks", reply=reply)
    await rig.refused(403, lambda sdk: sdk.posts.create({"text": "and", "reply": reply}), "automated")


@row("x.post.reply.blocked")
async def who_has_blocked_the_brand_is_not_answered(rig: Rig) -> None:
    reply = {"in_reply_to_tweet_id": await mention(rig)}
    await rig.x.block(ACCOUNT, rig.ann)
    await rig.refused(403, lambda sdk: sdk.posts.create({"text": "thanks", "reply": reply}), "blocked")


@row("x.delete.own")
async def only_own_posts_are_deleted(rig: Rig) -> None:
    own, other = await rig.post("hello"), await mention(rig)
    assert (await rig.call(lambda sdk: sdk.posts.delete(own))).model_dump()["data"] == {"deleted": True}
    await rig.refused(403, lambda sdk: sdk.posts.delete(other))


@row("x.delete.missing")
async def what_is_not_there_is_not_deleted(rig: Rig) -> None:
    await rig.refused(404, lambda sdk: sdk.posts.delete("123"))


@row("x.lookup.ids")
async def a_look_up_takes_1_to_100_ids(rig: Rig) -> None:
    ids = [str(number) for number in range(1, 102)]
    for most in (1, 100):
        await rig.call(lambda sdk, most=most: sdk.posts.get_by_ids(ids[:most]))
    assert (await rig.raw("GET", "/2/tweets?ids="))[0] == 400
    problem = await rig.refused(400, lambda sdk: sdk.posts.get_by_ids(ids))
    assert "between 1 and 100" in problem["errors"][0]["message"]


@row("x.lookup.missing")
async def a_lost_post_is_a_partial_error(rig: Rig) -> None:
    post = await rig.post("hello")
    found = (await rig.call(lambda sdk: sdk.posts.get_by_ids([post, "123"]))).model_dump(exclude_none=True)
    assert [item["id"] for item in found["data"]] == [post]
    assert [error["resource_id"] for error in found.get("errors", ())] == ["123"]


async def poll_of(rig: Rig) -> None:
    await rig.post("hello", poll={"options": ["a", "b"], "duration_minutes": 60})


@row("x.poll.once")
async def a_vote_is_cast_once(rig: Rig) -> None:
    await poll_of(rig)
    assert await rig.x.vote(rig.ann, rig.posts[0], 0)
    assert not await rig.x.vote(rig.ann, rig.posts[0], 1)
    assert not await rig.x.vote(rig.ann, rig.posts[0], None)
    assert await votes(rig) == [1, 0]


async def votes(rig: Rig) -> list[int]:
    post = rig.posts[0].id
    found = await rig.call(lambda sdk: sdk.posts.get_by_id(post, expansions=["attachments.poll_ids"]))
    return [option["votes"] for option in found.model_dump()["includes"]["polls"][0]["options"]]


@row("x.poll.ends")
async def a_poll_ends_on_the_calendar(rig: Rig) -> None:
    await poll_of(rig)
    assert rig.posts[0].closes_at is not None
    rig.clocks.skip(3599)
    assert await rig.x.vote(rig.ann, rig.posts[0], 0)
    rig.clocks.skip(1)
    assert not await rig.x.vote(rig.bob, rig.posts[0], 0)
    fields = "expansions=attachments.poll_ids&poll.fields=voting_status,end_datetime,duration_minutes"
    _, _, found = await rig.raw("GET", f"/2/tweets/{rig.posts[0].id}?{fields}")
    poll = found["includes"]["polls"][0]
    assert (poll["voting_status"], poll["duration_minutes"]) == ("closed", 60)
    assert await votes(rig) == [1, 0]


@row("x.poll.hidden")
async def nobody_sees_the_result_before_voting(rig: Rig) -> None:
    await poll_of(rig)
    await rig.x.vote(rig.ann, rig.posts[0], 1)
    assert rig.x.visible_totals(rig.posts[0]) is None
    rig.clocks.skip(3600)
    assert rig.x.visible_totals(rig.posts[0]) == (0, 1)


@row("x.mentions.page")
async def a_page_of_posts_has_5_to_100(rig: Rig) -> None:
    for number in (5, 100):
        await rig.call(lambda sdk, number=number: next(sdk.users.get_mentions(rig.brand, max_results=number)))
    for number in range(11):
        await mention(rig, str(number))
    assert len((await rig.call(lambda sdk: next(sdk.users.get_mentions(rig.brand)))).data) == 10
    for number in (4, 101):
        problem = await rig.refused(
            400, lambda sdk, number=number: next(sdk.users.get_mentions(rig.brand, max_results=number))
        )
        assert problem["errors"][0]["parameters"] == {"max_results": [str(number)]}
        await rig.refused(400, lambda sdk, number=number: next(sdk.users.get_posts(rig.brand, max_results=number)))


@row("x.mentions.depth")
async def mentions_go_back_800(rig: Rig) -> None:
    written = [await mention(rig, str(number)) for number in range(801)]
    pages = await rig.call(lambda sdk: list(sdk.users.get_mentions(rig.brand, max_results=100)))
    found = [item["id"] for page in pages for item in page.model_dump()["data"]]
    assert found == written[:0:-1]


@row("x.timeline.depth")
async def timelines_go_back_3200(rig: Rig) -> None:
    written = [await mention(rig, str(number)) for number in range(3201)]
    pages = await rig.call(lambda sdk: list(sdk.users.get_posts(rig.ann, max_results=100)))
    found = [item["id"] for page in pages for item in page.model_dump()["data"]]
    assert found == written[:0:-1]


@row("x.timeline.start")
async def a_timeline_begins_at_a_given_second(rig: Rig) -> None:
    ids = []
    for number in range(3):
        ids.append(await rig.post(f"hello {number}"))
        rig.clocks.skip(60)
    start = (rig.posts[1].at).strftime("%Y-%m-%dT%H:%M:%SZ")
    page = await rig.call(lambda sdk: next(sdk.users.get_posts(rig.brand, start_time=start)))
    assert [item["id"] for item in page.model_dump()["data"]] == [ids[2], ids[1]]
    _, _, shown = await rig.raw(
        "GET", f"/2/users/{rig.brand}/tweets?start_time={start}&tweet.fields=created_at&max_results=5"
    )
    assert shown["meta"] == {"result_count": 2, "newest_id": ids[2], "oldest_id": ids[1]}
