"""What an edited post is to the ledger: the same post with other words."""

from __future__ import annotations

from dataclasses import replace

from sandbox.seam import Post
from tests.sandbox.test_ledger import BUTTONS, MONDAY, new_ledger, post


def test_an_edited_post_stands_where_it_was_and_asks_nothing_new() -> None:
    ledger = new_ledger()
    asked, soon = post(BUTTONS, MONDAY), Post("telegram", "tg", "-99", None, "1", "The report comes soon", MONDAY)
    report = replace(soon, text="NPS 40", edited=True)
    for seen in (soon, asked, report, replace(asked, edited=True)):
        ledger.see(seen)
    assert ledger.posts == [report, replace(asked, edited=True)]
    assert [asked.n for asked in ledger.asks()] == [1]
    assert ledger.doubled == []
    unseen = replace(report, id="7")
    ledger.see(unseen)
    assert ledger.posts[-1] is unseen
