"""X's documented answers, read: one page (``<case>.json``) beside the events that it means (``<case>.answer.json``)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.x import read
from core.events import Event, Reply

PAYLOADS = Path(__file__).parent / "payloads"
CASES = sorted(path.stem for path in PAYLOADS.glob("*.json") if not path.stem.endswith(".answer"))
AS_OF = datetime(2019, 11, 29, tzinfo=UTC)
ME = "17"


def _mentions(page: read.Json, me: str) -> Iterable[Event]:
    return [reply for item in read.items(page, "data") if (reply := read.mention(item, me)) is not None]


def _directs(page: read.Json, me: str) -> Iterable[Event]:
    return [event for item in read.items(page, "data") for event in read.direct(item, me)]


def _polls(page: read.Json, me: str) -> Iterable[Event]:
    polls = read.items(page, "includes", "polls")
    return [read.poll_totals(item, polls, AS_OF) for item in read.items(page, "data")]


READERS: dict[str, Callable[[read.Json, str], Iterable[Event]]] = {
    "mentions": _mentions,
    "directs": _directs,
    "polls": _polls,
}


def _post(**changed: Any) -> dict[str, Any]:
    fields = {"id": "900", "author_id": "5", "created_at": "2026-11-21T10:00:00.000Z", "text": "@brand 9"} | changed
    return {name: value for name, value in fields.items() if value is not None}


def _direct(**changed: Any) -> dict[str, Any]:
    fields = {
        "id": "901",
        "event_type": "MessageCreate",
        "sender_id": "5",
        "dm_conversation_id": "5-17",
        "created_at": "2026-11-21T10:00:00.000Z",
        "text": "9",
    } | changed
    return {name: value for name, value in fields.items() if value is not None}


def test_there_are_payloads_of_every_kind() -> None:
    assert {case.split("_")[0] for case in CASES} == set(READERS)


@pytest.mark.parametrize("case", CASES)
def test_documented_page(case: str) -> None:
    page = json.loads((PAYLOADS / f"{case}.json").read_text("utf-8"))
    answer = json.loads((PAYLOADS / f"{case}.answer.json").read_text("utf-8"))
    events = [_as_json(event) for event in READERS[case.split("_")[0]](page, answer["me"])]
    assert len(events) == len(answer["events"])
    for event, expected in zip(events, answer["events"], strict=True):
        ((kind, fields),) = expected.items()
        assert event[0] == kind
        assert {name: event[1][name] for name in fields} == fields


def _as_json(event: Event) -> tuple[str, dict[str, Any]]:
    return type(event).__name__, json.loads(json.dumps(asdict(event), default=lambda value: value.isoformat()))


def test_quotation_refers_to_the_quoted_post() -> None:
    reply = read.mention(_post(referenced_tweets=[{"type": "quoted", "id": "800"}], conversation_id="900"), ME)
    assert reply is not None
    assert reply.ref == "post:800"
    assert reply.ref_at == read.made_at("800")


def test_an_edited_post_is_known_by_its_first_id() -> None:
    first = read.mention(_post(id="999"), ME)
    edited = read.mention(_post(id="1001", edit_history_tweet_ids=["999", "1001"]), ME)
    assert first is not None
    assert edited is not None
    assert (first.message, first.edited) == ("post:999", False)
    assert (edited.message, edited.edited) == ("post:999", True)
    assert first.id != edited.id


def test_the_id_of_a_post_tells_when_it_was_made() -> None:
    documented = json.loads((PAYLOADS / "mentions_conversation.json").read_text("utf-8"))["data"]
    for post in documented:
        assert abs(read.made_at(post["id"]) - read.at(post)) < timedelta(seconds=1)


def test_reply_without_conversation_refers_to_what_it_answers() -> None:
    reply = read.mention(_post(referenced_tweets=[{"type": "replied_to", "id": "800"}]), ME)
    assert reply is not None
    assert reply.ref == "post:800"


def test_retweet_is_nobodys_answer() -> None:
    assert read.mention(_post(referenced_tweets=[{"type": "retweeted", "id": "800"}]), ME) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@brand 9", "9"),
        ("@brand @other_1  9 good", "9 good"),
        ("@brand", ""),
        ("9 @brand", "9 @brand"),
        ("@brand, 9", ", 9"),
        ("me@brand 9", "me@brand 9"),
        ("\uff20brand 10", "10"),
        ("@brand I &lt;3 it &amp; you &gt; them", "I <3 it & you > them"),
        ("@brand &amp;lt;", "&lt;"),
    ],
)
def test_words_of_a_post(text: str, words: str) -> None:
    assert read.words(text) == words


def test_options_are_counted_in_their_order() -> None:
    options = [{"position": 2, "label": "b", "votes": 5}, {"position": 1, "label": "a", "votes": 3}]
    poll = {"id": "7", "options": options, "voting_status": "open"}
    totals = read.poll_totals({"id": "900", "attachments": {"poll_ids": ["7"]}}, [poll], AS_OF)
    assert totals.totals == (3, 5)
    assert not totals.final


@pytest.mark.parametrize(
    "post",
    [
        _post(id=None),
        _post(id=900),
        _post(id="nine"),
        _post(author_id=None),
        _post(created_at="yesterday"),
        _post(created_at="2026-11-21T10:00:00"),
        _post(text=None),
        _post(text=["9"]),
        _post(referenced_tweets={"type": "quoted"}),
        _post(referenced_tweets=[{"type": "replied_to"}]),
    ],
)
def test_malformed_post(post: dict[str, Any]) -> None:
    with pytest.raises(read.Malformed):
        read.mention(post, ME)


@pytest.mark.parametrize(
    "event",
    [
        _direct(id=None),
        _direct(event_type=7),
        _direct(sender_id=None),
        _direct(dm_conversation_id=None),
        _direct(text=9),
    ],
)
def test_malformed_direct(event: dict[str, Any]) -> None:
    with pytest.raises(read.Malformed):
        read.direct(event, ME)


@pytest.mark.parametrize(
    ("post", "poll"),
    [
        ({"id": "900"}, {"id": "7", "options": []}),
        ({"id": "900", "attachments": {"poll_ids": ["8"]}}, {"id": "7", "options": []}),
        ({"id": "900", "attachments": {"poll_ids": ["7"]}}, {"id": "7", "options": None}),
        ({"id": "900", "attachments": {"poll_ids": ["7"]}}, {"id": "7", "options": [{"position": 1, "votes": True}]}),
        ({"id": "900", "attachments": {"poll_ids": ["7"]}}, {"id": "7", "options": [{"position": 1, "votes": -1}]}),
    ],
)
def test_malformed_poll(post: dict[str, Any], poll: dict[str, Any]) -> None:
    with pytest.raises(read.Malformed):
        read.poll_totals(post, [poll], AS_OF)


def test_malformed_text_names_no_words_of_the_person() -> None:
    with pytest.raises(read.Malformed) as caught:
        read.mention(_post(text="secret words", created_at="secret time"), ME)
    assert "secret" not in str(caught.value)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["900", "replied_to"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "type"]), inner, max_size=2),
    max_leaves=6,
)


@settings(deadline=None)
@given(changed=st.dictionaries(st.sampled_from([*_post(), *_direct(), "referenced_tweets"]), _values))
def test_whatever_comes_is_an_event_or_malformed(changed: dict[str, Any]) -> None:
    for reader, item in ((read.mention, _post()), (read.direct, _direct())):
        try:
            reader(item | changed, ME)
        except read.Malformed:
            continue


@settings(deadline=None)
@given(st.text())
def test_a_post_keeps_every_word_but_its_handles(text: str) -> None:
    reply = read.mention(_post(text=f"@brand {text.replace('&', '')}"), ME)
    assert isinstance(reply, Reply)
    assert text.replace("&", "").endswith(reply.text)
