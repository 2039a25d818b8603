"""Rows of X: direct messages and media."""

from __future__ import annotations

import base64

from .x_rig import ACCOUNT, PNG, Rig, Table

MEGABYTE = 1024 * 1024
TABLE = Table()
row = TABLE.row


@row("x.dm.first")
async def only_who_wrote_first_is_written_to(rig: Rig) -> None:
    send = {"text": "hello"}
    problem = await rig.refused(403, lambda sdk: sdk.direct_messages.create_by_participant_id(rig.ann, send))
    assert problem["detail"] == "You do not have permission to DM one or more participants."
    assert rig.posts == []
    await rig.x.write(ACCOUNT, rig.ann, "hi")
    await rig.message(rig.ann, "hello")
    assert [(post.place, post.to, post.text) for post in rig.posts] == [("direct", rig.ann, "hello")]


@row("x.dm.blocked")
async def who_blocked_the_brand_is_not_written_to(rig: Rig) -> None:
    await rig.x.write(ACCOUNT, rig.ann, "hi")
    await rig.x.block(ACCOUNT, rig.ann)
    assert await rig.x.write(ACCOUNT, rig.ann, "hi") is None
    send = {"text": "hello"}
    await rig.refused(403, lambda sdk: sdk.direct_messages.create_by_participant_id(rig.ann, send), "permission")


@row("x.dm.once")
async def each_message_earns_one_answer(rig: Rig) -> None:
    for number in range(2):
        await rig.x.write(ACCOUNT, rig.ann, f"hi {number}")
        await rig.message(rig.ann, f"hello {number}")
    send = {"text": "still there?"}
    await rig.refused(403, lambda sdk: sdk.direct_messages.create_by_participant_id(rig.ann, send), "automated")


@row("x.dm.length")
async def a_message_has_10000_characters(rig: Rig) -> None:
    for _ in range(2):
        await rig.x.write(ACCOUNT, rig.ann, "hi")
    await rig.message(rig.ann, "a" * 10_000)
    send = {"text": "a" * 10_001}
    await rig.refused(400, lambda sdk: sdk.direct_messages.create_by_participant_id(rig.ann, send), "10000")


@row("x.dm.empty")
async def a_message_is_not_empty(rig: Rig) -> None:
    await rig.x.write(ACCOUNT, rig.ann, "hi")
    await rig.refused(400, lambda sdk: sdk.direct_messages.create_by_participant_id(rig.ann, {"text": ""}))


@row("x.dm.attachments")
async def a_message_carries_one_picture_for_messages(rig: Rig) -> None:
    for _ in range(2):
        await rig.x.write(ACCOUNT, rig.ann, "hi")
    good, public = await rig.upload(category="dm_image"), await rig.upload()
    await rig.message(rig.ann, "look", attachments=[{"media_id": good}])
    for ids in ([public], [good, good], ["1"]):
        send = {"text": "look", "attachments": [{"media_id": item} for item in ids]}
        await rig.refused(400, lambda sdk, send=send: sdk.direct_messages.create_by_participant_id(rig.ann, send))


@row("x.dm.page")
async def a_page_of_messages_has_1_to_100(rig: Rig) -> None:
    for number in (0, 101):
        await rig.refused(
            400,
            lambda sdk, number=number: next(sdk.direct_messages.get_events(max_results=number)),
            "between 1 and 100",
        )
    written = [await rig.x.write(ACCOUNT, rig.ann, f"hi {number}") for number in range(205)]
    await rig.x.write(ACCOUNT, rig.bob, "hi")
    pages = await rig.call(lambda sdk: list(sdk.direct_messages.get_events_by_participant_id(rig.ann, max_results=100)))
    assert [len(page.data) for page in pages] == [100, 100, 5]
    for more, count in (({}, 100), ({"max_results": 1}, 1)):
        page = await rig.call(lambda sdk, more=more: next(sdk.direct_messages.get_events(**more)))
        assert len(page.data) == count
    assert [item["id"] for page in pages for item in page.model_dump()["data"]] == written[::-1]


@row("x.dm.history")
async def messages_are_kept_30_days(rig: Rig) -> None:
    await rig.x.write(ACCOUNT, rig.ann, "old")
    rig.clocks.skip(1)
    await rig.x.write(ACCOUNT, rig.ann, "new")
    rig.clocks.skip(30 * 24 * 3600)
    page = await rig.call(lambda sdk: next(sdk.direct_messages.get_events()))
    assert [event["text"] for event in page.model_dump()["data"]] == ["new"]
    page = await rig.call(lambda sdk: next(sdk.direct_messages.get_events_by_participant_id(rig.ann)))
    assert [event["text"] for event in page.model_dump()["data"]] == ["new"]


@row("x.dm.participants")
async def a_message_names_its_sender_only(rig: Rig) -> None:
    await rig.x.write(ACCOUNT, rig.ann, "hi")
    asked = "participant_ids,sender_id,created_at,dm_conversation_id"
    _, _, found = await rig.raw("GET", f"/2/dm_events?dm_event.fields={asked}&expansions=sender_id")
    event = found["data"][0]
    assert set(event) == {"id", "event_type", "text", "sender_id", "created_at", "dm_conversation_id"}
    assert event["sender_id"] == rig.ann
    assert found["includes"]["users"][0]["id"] == rig.ann


async def announced(rig: Rig, total: int = len(PNG), kind: str = "image/png", category: str = "tweet_image") -> str:
    body = {"media_type": kind, "media_category": category, "total_bytes": total}
    begun = await rig.call(lambda sdk: sdk.media.initialize_upload(body))
    return str(begun.model_dump()["data"]["id"])


async def appended(rig: Rig, media: str, place: int, content: bytes) -> None:
    body = {"media": base64.b64encode(content).decode(), "segment_index": place}
    await rig.call(lambda sdk: sdk.media.append_upload(media, body))


@row("x.media.type")
async def a_picture_is_of_a_kind_that_fits_its_use(rig: Rig) -> None:
    await announced(rig, kind="image/gif", category="tweet_gif")
    for kind, category in (("image/gif", "tweet_image"), ("image/svg+xml", "tweet_image"), ("image/png", "avatar")):
        body = {"media_type": kind, "media_category": category, "total_bytes": 10}
        await rig.refused(400, lambda sdk, body=body: sdk.media.initialize_upload(body), "not supported")
    gif = base64.b64encode(b"GIF89a").decode()
    body = {"media": gif, "media_category": "tweet_gif", "media_type": "image/gif"}
    await rig.refused(400, lambda sdk: sdk.media.upload(body), "segments")


@row("x.media.size")
async def a_picture_has_5_megabytes(rig: Rig) -> None:
    await announced(rig, total=5 * MEGABYTE)
    body = {"media_type": "image/png", "media_category": "tweet_image", "total_bytes": 5 * MEGABYTE + 1}
    await rig.refused(400, lambda sdk: sdk.media.initialize_upload(body), "total_bytes")
    await announced(rig, total=15 * MEGABYTE, kind="image/gif", category="tweet_gif")
    body = {"media_type": "image/gif", "media_category": "tweet_gif", "total_bytes": 15 * MEGABYTE + 1}
    await rig.refused(400, lambda sdk: sdk.media.initialize_upload(body), "total_bytes")


@row("x.media.segments")
async def a_segment_has_a_number_below_1000_and_5_megabytes(rig: Rig) -> None:
    media = await announced(rig)
    await appended(rig, media, 999, bytes(5 * MEGABYTE))
    await appended(rig, media, 0, bytes(1))
    unnumbered = await rig.raw("POST", f"/2/media/upload/{media}/append", json={"media": "AAAA"})
    assert unnumbered[0] == 400
    for place, content in ((1000, PNG), (1, bytes(5 * MEGABYTE + 1)), (1, b"")):
        body = {"media": base64.b64encode(content).decode(), "segment_index": place}
        await rig.refused(400, lambda sdk, body=body: sdk.media.append_upload(media, body), "segment_index")


@row("x.media.content")
async def an_upload_is_whole_and_what_it_says(rig: Rig) -> None:
    media = await announced(rig)
    await appended(rig, media, 0, PNG[:20])
    await rig.refused(400, lambda sdk: sdk.media.finalize_upload(media))
    await appended(rig, media, 1, PNG[20:])
    done = await rig.call(lambda sdk: sdk.media.finalize_upload(media))
    assert done.model_dump()["data"]["size"] == len(PNG)
    await rig.post("look", media={"media_ids": [media]})
    fake = await announced(rig, total=3)
    await appended(rig, fake, 0, b"abc")
    await rig.refused(400, lambda sdk: sdk.media.finalize_upload(fake))


@row("x.media.expiry")
async def an_upload_is_kept_a_day(rig: Rig) -> None:
    media = await rig.upload()
    rig.wire.now += 24 * 3600 - 1
    await rig.post("look", media={"media_ids": [media]})
    rig.wire.now += 1
    body = {"text": "look again", "media": {"media_ids": [media]}}
    await rig.refused(400, lambda sdk: sdk.posts.create(body), "media IDs")
    await rig.refused(404, lambda sdk: sdk.media.finalize_upload(media))
