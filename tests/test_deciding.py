"""One fix, one owner, one date: proposed by the post, taken by a tap, told by the next; and what is told between."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sandbox.seam import Post
from tests.desk_stage import DESK, Stage, staged
from tests.test_cases import TEAM, all_say, button, lea, many, says, told

DAY = 24 * 60.0


async def posted(stage: Stage, place: str = TEAM) -> Post:
    """The first message of this week's post in a team's place, as it stands there at last."""
    before = len(stage.posts)
    for team in stage.parts.desk.teams:
        await stage.parts.service.post.publish(stage.survey, stage.wave, team)
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(stage.said, "report:"):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)
    return [post for post in stage.posts[before:] if post.place == place and "Followers who chose" in post.text][-1]


async def test_a_fix_from_its_proposal_to_the_next_post(tmp_path: Path) -> None:
    async with staged(tmp_path, ["admin"]) as stage:
        await stage.parts.service.open(stage.survey, stage.wave)
        await many(stage, *(f"{n}, the parcel came late" for n in range(4)))
        one, other = await lea(stage), await lea(stage, "Max")
        post = await posted(stage)
        assert "People who wait for our answer: 4; the first for 0 h." in post.text
        assert "This week: who owns Delivery? Choose by Thursday noon." in post.text
        assert [each.label for each in post.buttons] == ["Take a case", "I own it"]

        await tapped(stage, other, post, "Take a case")
        (owned,) = await tapped(stage, one, post, "I own it")
        assert owned.text == "Léa owns it: Delivery. Tell us when it is done."
        (no,) = await tapped(stage, other, post, "I own it")
        assert no.text == "Léa owns it already: Delivery."
        (again,) = await says(stage, one, f"{stage.order('own')} tracking message", TEAM)
        assert again.text == "Léa owns it: tracking message. Tell us when it is done."
        assert [each for each in await told(stage, DAY) if "Nobody owns" in each.text] == []

        (done,) = await tapped(stage, other, again, "Done")
        assert done.text == "Done: tracking message. The next post says so."
        (twice,) = await tapped(stage, one, again, "Done")
        assert twice.text == "It was done before: tracking message."
        await told(stage, 7 * DAY)
        await stage.parts.service.open(stage.survey, stage.wave)
        await many(stage, *(f"{n}, the parcel came late" for n in range(3)))
        assert "Last week: Léa, tracking message, done on Wednesday." in (await posted(stage)).text


async def test_the_lead_is_told_once_that_nobody_owns_it(tmp_path: Path) -> None:
    async with staged(tmp_path, ["admin"]) as stage:
        await stage.parts.service.open(stage.survey, stage.wave)
        await many(stage, *(f"{n}, the parcel came late" for n in range(3)))
        await told(stage)
        assert "Choose by Thursday noon" in (await posted(stage, DESK)).text
        assert await told(stage, 2 * DAY - 10, DESK) == []
        (reminder,) = await told(stage, 20, DESK)
        assert reminder.text == "Nobody owns this week's fix yet: Delivery.\nFor you to choose: @77"
        assert isinstance(reminder.raw, dict)
        assert reminder.raw["allowed_mentions"]["users"] == [77]
        assert [each.label for each in reminder.buttons] == ["I own it"]
        assert await told(stage, DAY, DESK) == []
        await told(stage, 5 * DAY, DESK)
        await stage.parts.service.open(stage.survey, stage.wave)
        await many(stage, "9")
        assert "Last week: nobody took Delivery." in (await posted(stage, DESK)).text


async def test_a_fall_is_told_between_two_posts_and_chance_is_not(tmp_path: Path) -> None:
    async with staged(tmp_path, ["admin"]) as stage:
        await stage.parts.service.open(stage.survey, stage.wave)
        people = await many(stage, *["9"] * 40)
        await told(stage, 7 * DAY)
        await stage.parts.service.open(stage.survey, stage.wave)
        await all_say(stage, dict.fromkeys(people[:29], "3"))
        assert [post for post in await told(stage, 90) if "hardly ever" in post.text] == []
        await all_say(stage, dict.fromkeys(people[29:32], "3"))
        (fall,) = [post for post in await told(stage, 90) if "hardly ever" in post.text]
        assert fall.text.startswith("Acme: NPS -100 so far this week, down 200. Chance alone hardly ever does this.")
        assert [post for post in await told(stage, 90) if "hardly ever" in post.text] == []


async def tapped(stage: Stage, person: str, post: Post, label: str) -> list[Post]:
    """What appears in the place when somebody taps a button there."""
    before = len(stage.posts)
    await stage.telegram.tap(person, post, button(post, label))
    await stage.settled()
    return [one for one in stage.posts[before:] if one.to is None and one.place == TEAM]
