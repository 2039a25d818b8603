"""A post with its picture on X."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bots.x import XAccount
from core.account import Look, Place, Receipt
from core.message import Line, Link, Message
from tests.bots.pictures import PNG, REPORT, SHOWN

from .place import X, begin
from .test_look import account as account
from .test_look import timeline as timeline
from .test_look import x as x


async def test_a_post_has_its_picture(x: X, account: XAccount, timeline: Place) -> None:
    await account.say(timeline, REPORT, "k", begin=begin)
    post = x.posts[-1]
    assert post.text.replace("\u200b", "") == SHOWN
    assert [picture[:8] for picture in post.pictures] == [PNG]
    assert timeline.limits.caption_chars


@pytest.mark.parametrize("body", [REPORT, replace(REPORT, parts=(Line("see"), Link("us", "http://x.example/y")))])
async def test_a_post_with_a_picture_is_found_again(x: X, account: XAccount, timeline: Place, body: Message) -> None:
    since = x.clock.now()
    said = await account.say(timeline, body, "k", begin=begin)
    async with x.account() as again:
        found = await again.look(timeline, body, "k", since)
    assert isinstance(found, Receipt)
    assert (found.message, found.refs) == (said.message, said.refs)


async def test_a_post_without_a_picture_is_not_taken_for_one_with_other_words(
    x: X, account: XAccount, timeline: Place
) -> None:
    since = x.clock.now()
    await account.say(timeline, REPORT, "k", begin=begin)
    other = replace(REPORT, parts=(*REPORT.parts, Line("and more")))
    async with x.account() as again:
        assert await again.look(timeline, other, "other", since) is Look.NOT_SAID


async def test_words_are_posted_alone_where_the_picture_is_lost(x: X, account: XAccount, timeline: Place) -> None:
    x.stand_in.faults.lose_answers = 1
    await account.say(timeline, REPORT, "k", begin=begin)
    assert x.posts[-1].text.replace("\u200b", "") == SHOWN
    assert x.posts[-1].pictures == ()
