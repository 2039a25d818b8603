"""Buttons: what was sealed opens, and nothing else does."""

from __future__ import annotations

import random
import string

from hypothesis import given
from hypothesis import strategies as st

from core.buttons import DESK, Purpose, Seal, Tapped, opens_form, wave_code

SEAL = Seal(bytes(range(32)))
CODE = wave_code("acme", "2026-W47")
PERSONS = st.sampled_from(("tg:1", "tg:2", "x:1", "tg:11"))
ANYWHERE = st.text(string.printable, max_size=40) | st.text(max_size=40)


@given(purpose=st.sampled_from(Purpose), score=st.none() | st.integers(0, 10), person=PERSONS)
def test_a_token_says_what_was_sealed(purpose: Purpose, score: int | None, person: str) -> None:
    token = SEAL.token(purpose, CODE, score, person)
    assert SEAL.open(token, person) == Tapped(purpose, CODE, score)
    assert token.isascii()
    assert len(token.encode()) <= 64
    forms = (Purpose.WHY, Purpose.REPLY)
    assert opens_form(token) == ((purpose, CODE) if purpose in forms else None)


@given(purpose=st.sampled_from(Purpose), meant_for=PERSONS, tapped_by=PERSONS)
def test_personal_buttons_are_for_their_person_only(purpose: Purpose, meant_for: str, tapped_by: str) -> None:
    token = SEAL.token(purpose, CODE, 10, meant_for)
    anybody = purpose in (Purpose.SCORE, Purpose.DIRECT, *DESK)
    assert (SEAL.open(token, tapped_by) is not None) is (anybody or meant_for == tapped_by)


def test_no_mutation_of_ten_thousand_is_accepted() -> None:
    chance = random.Random(11)
    alphabet = string.ascii_letters + string.digits + "-_=:é\x00"
    genuine = {SEAL.token(purpose, CODE, score, "tg:1") for purpose in Purpose for score in (None, *range(11))}
    accepted: list[str] = []
    tried = 0
    while tried < 10_000:
        token = list(chance.choice(sorted(genuine)))
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            at = chance.randrange(len(token))
            match chance.randrange(4):
                case 0:
                    token[at] = chance.choice(alphabet)
                case 1:
                    token.insert(at, chance.choice(alphabet))
                case 2:
                    del token[at]
                case _:
                    other = chance.randrange(len(token))
                    token[at], token[other] = token[other], token[at]
        mutated = "".join(token)
        if mutated in genuine:
            continue
        tried += 1
        if SEAL.open(mutated, "tg:1") is not None:
            accepted.append(mutated)
    assert accepted == []


def test_halves_of_two_tokens_are_no_token() -> None:
    tokens = [SEAL.token(purpose, CODE, score, "tg:1") for purpose in Purpose for score in (None, *range(11))]
    mixed = {one[:cut] + other[cut:] for one in tokens for other in tokens if one != other for cut in (1, 2, 10, 11)}
    assert {token for token in mixed - set(tokens) if SEAL.open(token, "tg:1")} == set()


@given(token=ANYWHERE, person=ANYWHERE)
def test_whatever_comes_is_taken_without_a_fault(token: str, person: str) -> None:
    assert SEAL.open(token, person) is None
    assert opens_form(token) is None or token[1] == Purpose.WHY


def test_another_key_opens_nothing() -> None:
    assert Seal(b"x" * 32).open(SEAL.token(Purpose.SCORE, CODE, 9), "") is None


def test_waves_have_codes_of_their_own() -> None:
    codes = {
        wave_code(survey, f"20{year}-W{week:02}") for survey in "ab" for year in range(10, 60) for week in range(53)
    }
    assert len(codes) == 2 * 50 * 53
    assert {len(code) for code in codes} == {8}
