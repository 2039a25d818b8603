"""The tokens of a text with their roles in the languages that it seems to be in; nobody says which: the words vote."""

from __future__ import annotations

from collections.abc import Collection

from core.reading import kinds, roles
from core.reading.lexicon import Lexicon, Senses
from core.reading.shapes import Token, cut


def tokens(text: str, lexicon: Lexicon, expected: Collection[int] = ()) -> tuple[list[Token], bool]:
    """The tokens of a folded text, with their roles in the languages that it seems to be in; and whether what is said
    of a number comes after it there. Where several languages fit as well, it is one of those ``expected``."""
    found = cut(text, lexicon)
    votes = _votes(found, len(lexicon.languages))
    if expected:
        most = max(votes)
        for language in expected:
            votes[language] += votes[language] == most > 0
    _join_phrases(found, lexicon, votes)
    return found, _settle(found, votes, lexicon) in lexicon.verb_last


def _join_phrases(found: list[Token], lexicon: Lexicon, votes: list[int]) -> None:
    """Make the tokens of a phrase one: phrases of languages that the single words do not speak against."""
    phrases, most = lexicon.phrases, -1
    at, last = 0, len(found) - 1
    while at < last:
        token = found[at]
        begun = token.begins if token.kind is kinds.WORD else phrases.get(token.text)
        at += 1
        if begun is None:
            continue
        following = begun.after(found, at)
        if following and most < 0:
            most = max(votes)
        for width, phrase in following:
            senses = lexicon.meaning(phrase)
            its = [entry for entry in senses.entries if 2 * (votes[entry.language] + 1 + width) > most]
            if its:
                said = senses if len(its) == len(senses.entries) else Senses(its)
                first, end = found[at - 1], at + width
                found[at - 1 : end] = (Token(kinds.WORD, first.start, found[end - 1].end, phrase, senses=said),)
                last -= width
                for language in said.languages:
                    votes[language] += 1 + width
                break


def _votes(found: list[Token], languages: int) -> list[int]:
    """How many words speak for each language. The last is nobody's: of endings that fit everywhere."""
    votes = [0] * (languages + 1)
    for token in found:
        if token.senses is not None and not token.glued:
            if (only := token.senses.only) >= 0:
                votes[only] += 1
                continue
            for language in token.senses.languages:
                votes[language] += 1
    return votes


def _settle(found: list[Token], votes: list[int], lexicon: Lexicon) -> int:
    """Give each word the roles that it has in the language that most words speak for; if that one does not know it, in
    those that more than half as many speak for. Returns that language, the first of them; -1: nobody knows."""
    most = max(votes)
    main = votes.index(most) if most else -1
    tied = votes.count(most) > 1
    for token in found:
        senses = token.senses
        if senses is None:
            if token.glued:
                token.kind = kinds.COUNT
            continue
        only = senses.only
        if only >= 0:
            if 2 * votes[only] > most or token.glued or _is_lent(senses, main, lexicon):
                token.roles |= senses.roles
                token.value = senses.value if senses.value >= 0 else token.value
        elif not tied and (entry := senses.by_language.get(main)) is not None:
            token.roles |= entry.roles
            token.value = entry.value if entry.value >= 0 else token.value
        else:
            _choose(token, senses, votes, most)
            if not token.roles and _is_lent(senses, main, lexicon):
                token.roles, token.value = roles.NUMBER, senses.value
        if token.glued:
            if token.roles & roles.UNIT or not token.roles:
                token.kind = kinds.COUNT
        elif token.roles & roles.NUMBER and token.kind is kinds.WORD:
            token.kind = kinds.NUMBER
    return main


def _is_lent(senses: Senses, main: int, lexicon: Lexicon) -> int:
    """Whether it is an English number in a text of another script, where it can be nothing else."""
    lent = main in lexicon.other_script and main not in senses.languages and lexicon.english in senses.languages
    return lent and senses.roles & roles.NUMBER


def _choose(token: Token, senses: Senses, votes: list[int], most: int) -> None:
    its = [entry for entry in senses.entries if votes[entry.language] == most]
    its = its or [entry for entry in senses.entries if 2 * votes[entry.language] > most]
    if token.glued and not its:  # an ending that no language of the text knows
        its = list(senses.entries)
    all_say = -1
    for entry in its:
        token.roles |= entry.roles
        all_say &= entry.roles
        if entry.value >= 0:
            token.value = entry.value
    token.roles &= ~_TAKES_AWAY | all_say


_TAKES_AWAY = roles.LABEL | roles.UNIT | roles.PAST | roles.HYP | roles.OTHER
"""What keeps a number from being the score holds only where all the languages agree that it may be in."""
