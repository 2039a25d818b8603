"""What is answered: in the brand's words where it has some, a reward for every answer, a referral for promoters."""

from __future__ import annotations

import pytest

from core.buttons import Purpose, Seal
from core.dialogue import KnownWeek, Meaning, Situation, react, why
from core.message import Quote
from core.nps import Group
from core.survey import Survey
from core.words import languages

SEAL = Seal(b"s" * 32)
OWN = {
    "thanks_promoter": {"en": "Ace!", "fr": "Bravo !"},
    "reason_detractor": {"en": "Léa reads this today."},
    "reward": {"en": "CODE10 at {brand} is yours."},
    "referral": {"en": "Friends get 10 % with ACME-FRIEND."},
    "help": {"en": "{brand} asks, you answer."},
    "stop": {"en": "Gone."},
    "privacy": {"en": "All is kept in Lyon."},
}
PLAIN = Survey(name="s", brand="Acme", languages=languages())
BRANDED = Survey(name="s", brand="Acme", languages=("en", "fr"), texts=OWN)


def situation(meaning: Meaning, survey: Survey = PLAIN, language: str = "en", **more: object) -> Situation:
    fields: dict[str, object] = {"tapped": False, "direct": True, "private_answers": False, "post_chars": 1_000, **more}
    return Situation(meaning=meaning, survey=survey, language=language, **fields)  # type: ignore[arg-type]


def said(found: Situation) -> str:
    later = react(found, SEAL).later
    assert later is not None
    return later.plain


@pytest.mark.parametrize("group", Group)
def test_a_reward_is_for_every_answer_and_a_referral_for_promoters(group: Group) -> None:
    words = why(BRANDED, group, "en")
    assert "CODE10 at Acme is yours." in words
    assert ("ACME-FRIEND" in words) is (group is Group.PROMOTER)
    assert ("Léa reads this today." in words) is (group is Group.DETRACTOR)


def test_the_brands_words_go_before_ours_in_a_language_that_it_has() -> None:
    assert why(BRANDED, Group.PROMOTER, "fr") == "Bravo !"
    assert why(BRANDED, Group.PASSIVE, "fr") == why(PLAIN, Group.PASSIVE, "fr")
    assert said(situation(Meaning.STOPPED, BRANDED)) == "Gone."
    assert said(situation(Meaning.HELP, BRANDED)) == "Acme asks, you answer.\nAll is kept in Lyon."


@pytest.mark.parametrize("language", languages())
def test_help_says_who_asks_how_to_stop_and_what_is_kept(language: str) -> None:
    words = said(situation(Meaning.HELP, language=language))
    assert "Acme" in words
    for each in ("STOP", "/mydata", "/forget"):
        assert each in words


@pytest.mark.parametrize("language", languages())
def test_why_differs_by_group_in_every_language(language: str) -> None:
    assert len({why(PLAIN, group, language) for group in Group}) == 3


def test_leave_to_quote_is_asked_where_a_tap_can_answer() -> None:
    asked = react(situation(Meaning.COMMENTED, buttons=20, wave="w" * 8, person="tg:ann"), SEAL).later
    assert asked is not None
    yes, no = (SEAL.open(button.token, "tg:ann") for button in asked.buttons)
    assert yes is not None
    assert no is not None
    assert [(each.purpose, each.score) for each in (yes, no)] == [(Purpose.QUOTE, 1), (Purpose.QUOTE, 0)]
    assert SEAL.open(asked.buttons[0].token, "tg:bob") is None
    assert react(situation(Meaning.COMMENTED), SEAL).later is None  # no buttons: X
    assert react(situation(Meaning.COMMENTED, buttons=20, quotable=False), SEAL).later is None
    assert react(situation(Meaning.COMMENTED, buttons=20, direct=False), SEAL).later is None


def test_after_a_form_it_is_asked_in_private() -> None:
    form = situation(Meaning.COMMENTED, tapped=True, direct=False, private_answers=True, buttons=25, wave="w" * 8)
    reaction = react(form, SEAL)
    assert reaction.later is None
    assert reaction.now.message is not None
    assert len(reaction.now.message.buttons) == 2


def test_what_is_kept_of_somebody_fits_into_one_message_the_newest_first() -> None:
    weeks = tuple(KnownWeek(f"2026-W{n:02}", (n % 11, n % 11), ("late again " * 9,)) for n in range(1, 50))
    message = react(situation(Meaning.MY_DATA, known=weeks, post_chars=4_000), SEAL).later
    assert message is not None
    assert len(message.plain) <= 2_200
    assert "2026-W49: 5" in message.plain
    assert "2026-W01" not in message.plain
    assert any(isinstance(part, Quote) for part in message.parts)


def test_a_vote_for_a_band_is_shown_as_the_band_and_a_vote_taken_back_as_none() -> None:
    known = (KnownWeek("2026-W01", (0, 1), ()), KnownWeek("2026-W02", None, ("hello",)))
    words = said(situation(Meaning.MY_DATA, known=known))
    assert "2026-W01: 0–1" in words
    assert "2026-W02: –" in words
