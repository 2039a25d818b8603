"""What stands behind a button: sealed when we make it, checked when it comes back.

A token is ``1`` + purpose + subject (8) + score (1 hex digit, ``-`` for none) + seal (22): 33 bytes of ASCII, so it
fits Telegram's 64 bytes and Discord's 100 characters. The seal is HMAC-SHA256 cut to 16 bytes, over the rest and, where
the button was meant for one person, over that person's id. Source of the cut: RFC 2104, section 5.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

_VERSION = "1"
_LENGTH = 33


class Purpose(StrEnum):
    """What a button is for. The first two carry a score."""

    SCORE = "s"
    """A score under a public ask: anybody may tap."""
    INVITED = "i"
    """A score under an invitation: only the person who was invited."""
    WHY = "w"
    """Opens the "tell us why" form; only the person who was asked."""
    DIRECT = "d"
    """"Ask me by direct message": anybody may tap."""
    QUOTE = "q"
    """Whether the team may quote them: a score of 1 is yes, 0 is no; only the person who was asked."""
    OWN = "o"
    """In a team's place: "I own it", the fix that the post of a wave proposes."""
    DONE = "f"
    """That fix is done."""
    TAKE = "t"
    """Take a case: the subject is its number, 0 for the one that waits longest."""
    REPLY = "r"
    """Opens the form for an answer to the customer of a case."""
    CLOSE = "c"
    """A case is closed."""


DESK = frozenset({Purpose.OWN, Purpose.DONE, Purpose.TAKE, Purpose.REPLY, Purpose.CLOSE})
"""What works in a team's own place only; who may is asked when it is carried out."""

_PERSONAL = frozenset({Purpose.INVITED, Purpose.WHY, Purpose.QUOTE})


@dataclass(frozen=True, slots=True)
class Tapped:
    """What a genuine token says."""

    purpose: Purpose
    wave: str
    """Code of the wave, see ``wave_code``; of a case its number, see ``case_code``."""
    score: int | None


def wave_code(survey: str, key: str) -> str:
    """Eight characters that stand for a wave of a survey (48 bits of BLAKE2s)."""
    digest = hashlib.blake2s(f"{survey}:{key}".encode(), digest_size=6).digest()
    return base64.urlsafe_b64encode(digest).decode()


def case_code(number: int) -> str:
    """Eight characters that stand for a case; 0 for whichever waits longest."""
    return f"{number:08d}"


class Seal:
    """Makes and checks tokens with one secret key (at least 32 bytes of randomness, kept in the store)."""

    def __init__(self, key: bytes) -> None:
        self._hmac = hmac.new(key, digestmod=hashlib.sha256)

    def token(self, purpose: Purpose, wave: str, score: int | None = None, person: str = "") -> str:
        """A token; ``person`` is their id on the account, as ``account:id``, for the purposes that are personal."""
        body = f"{_VERSION}{purpose}{wave}{'-' if score is None else format(score, 'x')}"
        return body + self._mark(body, person if purpose in _PERSONAL else "")

    def open(self, token: str, person: str) -> Tapped | None:
        """What the token says, or ``None`` when it is not genuine or was meant for somebody else."""
        if len(token) != _LENGTH or not token.isascii() or token[0] != _VERSION:
            return None
        body, mark = token[:11], token[11:]
        try:
            purpose = Purpose(body[1])
            score = None if body[10] == "-" else int(body[10], 16)
        except ValueError:
            return None
        if not hmac.compare_digest(mark, self._mark(body, person if purpose in _PERSONAL else "")):
            return None
        return Tapped(purpose, body[2:10], score)

    def fingerprint(self, name: str) -> str:
        """The same for the same name, and nobody without the key can tell from it which one it is."""
        return self._mark("fingerprint", name)

    def _mark(self, body: str, person: str) -> str:
        mac = self._hmac.copy()
        mac.update(f"{body}\x00{person}".encode())
        return base64.urlsafe_b64encode(mac.digest()[:16]).decode().rstrip("=")


def opens_form(token: str) -> tuple[Purpose, str] | None:
    """Purpose and subject of a token that asks for a form, without checking it: the form's answer is checked."""
    opens = len(token) == _LENGTH and token[0] == _VERSION and token[1] in (Purpose.WHY, Purpose.REPLY)
    return (Purpose(token[1]), token[2:10]) if opens else None
