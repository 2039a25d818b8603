"""Golden payloads: what each kind of update means.

``payloads/<case>.json`` is an update as the official documentation shows or specifies it, ``<case>.answer.json`` what
we read from it. Sources: https://core.telegram.org/bots/webhooks#testing-your-bot-with-updates (the examples, completed
by the fields that became obligatory since) and https://core.telegram.org/bots/api#update.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Update

from bots.telegram.read import KINDS, read
from core.events import Consent, ConsentKind, Event, Reply, Totals, Via
from sandbox.server import Exchange
from tests.specs.telegram import SPEC_PRESENT, check

PAYLOADS = Path(__file__).parent / "payloads"
CASES = sorted(path.stem for path in PAYLOADS.glob("*.json") if not path.stem.endswith(".answer"))
ME = 123456
ARRIVED = datetime(2015, 9, 7, 17, 10, tzinfo=UTC)


def expected(fields: dict[str, Any]) -> Event:
    """An event from its JSON, the type by name, times and enums by value."""
    fields = dict(fields)
    kinds: dict[str, type[Reply] | type[Consent] | type[Totals]] = {
        "Reply": Reply,
        "Consent": Consent,
        "Totals": Totals,
    }
    kind = kinds[fields.pop("event")]
    for name, make in {
        "at": datetime.fromisoformat,
        "as_of": datetime.fromisoformat,
        "written_at": datetime.fromisoformat,
        "via": Via,
    }.items():
        if name in fields:
            fields[name] = make(fields[name])
    if "kind" in fields:
        fields["kind"] = ConsentKind(fields["kind"])
    if "totals" in fields:
        fields["totals"] = tuple(fields["totals"])
    return kind(**fields)


def update(case: str) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads((PAYLOADS / f"{case}.json").read_text())
    return payload


@pytest.mark.parametrize("case", CASES)
def test_an_update_is_read_as_its_answer_says(case: str) -> None:
    answer = json.loads((PAYLOADS / f"{case}.answer.json").read_text())
    events = read(Update.de_json(update(case), None), me=ME, order=7, arrived=ARRIVED)
    assert events == tuple(expected(fields) for fields in answer)


def test_every_case_has_its_answer_and_every_kind_its_case() -> None:
    assert {path.name for path in PAYLOADS.iterdir()} == {
        f"{c}{end}" for c in CASES for end in (".json", ".answer.json")
    }
    assert set(KINDS) <= {kind for case in CASES for kind in update(case)}


@pytest.mark.skipif(not SPEC_PRESENT, reason="the Bot API's specification is not here")
@pytest.mark.parametrize("case", CASES)
def test_a_case_is_an_update_as_specified(case: str) -> None:
    answer = json.dumps({"ok": True, "result": [update(case)]}).encode()
    assert check(Exchange("telegram", "POST", "/bot1:a/getUpdates", {}, {}, b"", 200, {}, answer)) == []


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner: list[tuple[Any, ...]] = []
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            inner += paths(item, (*at, key))
    return [at, *inner] if at else inner


JUNK = st.one_of(
    st.none(), st.integers(-3, 3), st.text(max_size=3), st.just([]), st.just({}), st.just([None]), st.booleans()
)


@given(st.sampled_from(CASES), st.data())
def test_a_spoiled_update_is_refused_or_read_as_well_typed_events(case: str, data: st.DataObject) -> None:
    payload = update(case)
    path = data.draw(st.sampled_from(paths(payload)))
    holder = payload
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = data.draw(JUNK)
    try:
        events = read(Update.de_json(payload, None), me=ME, order=7, arrived=ARRIVED)
    except Exception:  # the stream sets it aside
        return
    for event in events:
        if isinstance(event, Totals):
            assert all(isinstance(count, int) for count in event.totals)
            continue
        assert isinstance(event, Reply | Consent)
        assert event.person == str(int(event.person))
        assert event.at.tzinfo is not None
        assert event.language is None or isinstance(event.language, str)
        if isinstance(event, Reply):
            assert isinstance(event.text, str)
            assert event.option is None or isinstance(event.option, int)
            assert event.token is None or isinstance(event.token, str)
