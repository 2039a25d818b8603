"""What is put into the outbox comes out as it was."""

from __future__ import annotations

import json
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from core.account import Poll, Receipt
from core.envelope import dump, dump_receipt, load, load_receipt
from core.message import Button, Line, Link, Message, Quote, Strong

WORDS = st.text(max_size=30)
TIMES = st.datetimes(timezones=st.just(UTC))
PARTS = st.one_of(
    st.builds(Line, WORDS), st.builds(Strong, WORDS), st.builds(Quote, WORDS), st.builds(Link, WORDS, WORDS)
)
BUTTONS = st.builds(Button, WORDS, WORDS, st.booleans())
MESSAGES = st.builds(Message, st.lists(PARTS).map(tuple), st.lists(BUTTONS).map(tuple))
POLLS = st.builds(Poll, question=WORDS, options=st.lists(WORDS).map(tuple), closes_at=TIMES)
RECEIPTS = st.builds(Receipt, place=WORDS, message=WORDS, refs=st.lists(WORDS).map(tuple), sent_at=TIMES)


@given(MESSAGES | POLLS)
def test_messages_and_polls(body: Message | Poll) -> None:
    assert load(dump(body)) == body
    assert json.loads(dump(body))


@given(RECEIPTS)
def test_receipts(receipt: Receipt) -> None:
    assert load_receipt(dump_receipt(receipt)) == receipt
