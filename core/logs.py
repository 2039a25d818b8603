"""Logging that cannot leak a secret or be forged by what people write.

The formatter of the root handler redacts, so everything passes through it, tracebacks of libraries included. Sources:
OWASP ASVS 5.0, 16.2.5 (no credentials in logs) and 16.4.1 (log injection).
"""

from __future__ import annotations

import json
import logging
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TextIO
from urllib.parse import quote, quote_plus

from core.clock import steady

QUIET = ("httpx", "httpcore", "telegram", "tweepy", "discord", "aiohttp", "asyncio", "oauthlib", "requests_oauthlib")
"""Libraries that print requests, with tokens in them, at INFO or DEBUG."""

_SHAPES = re.compile(
    r"(?<!\d)\d{6,12}(?::|%3[Aa])[A-Za-z0-9_-]{30,}"  # Telegram: <bot id>:<35 characters>, after "bot" in an address
    r"|\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}"  # Discord: three base64 parts
    r"|\b(?:Bearer|Bot|OAuth) +[^\s'\"]{8,}[^\r\n]*"
    r"|\boauth_(?:token|signature|consumer_key)=\"[^\"]*\""
)


AGAIN_S = 60.0
"""How often, in seconds, the same warning is written: whoever is down for an hour is down for an hour."""

_PAUSE = re.compile(r"(?<=again in )\d+(?:\.\d+)?(?= s)|(?<=next try in )\d+(?:\.\d+)?(?= s)")
"""How long something waits before it tries again: warnings that differ only in that are the same."""

_ALWAYS = ("core.store.database",)
"""Rooms that hold back themselves, and say when something is over: what comes anew after that is news."""

_MOST = 1_000
"""So many warnings are remembered; when there are more, all are news again."""


class Seldom(logging.Filter):
    """Lets the same warning through once a minute, then with how often it came meanwhile. Tracebacks always pass."""

    def __init__(self, steady: Callable[[], float] = steady) -> None:
        super().__init__()
        self._steady = steady
        self._written: dict[tuple[str, str], tuple[float, int]] = {}
        """When each was written last, and how often it came since."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write it."""
        if record.levelno < logging.WARNING or record.exc_info or record.name in _ALWAYS:
            return True
        said, now = record.getMessage(), self._steady()
        same = record.name, _PAUSE.sub("", said)
        written_at, more = self._written.get(same, (-AGAIN_S, 0))
        if now - written_at < AGAIN_S:
            self._written[same] = written_at, more + 1
            return False
        if len(self._written) >= _MOST:
            self._written.clear()
        self._written[same] = now, 0
        if more:
            record.msg, record.args = "%s (%d times more meanwhile)", (said, more)
        return True


class Redacting(logging.Formatter):
    """One line per record, as text or JSON, without secrets and without characters that could forge a line."""

    def __init__(self, secrets: Iterable[str], *, as_json: bool) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")
        exact = sorted({form for s in secrets if len(s) >= 6 for form in _forms(s)}, key=len, reverse=True)
        self._exact = re.compile("|".join(map(re.escape, exact))) if exact else None
        self._as_json = as_json

    def clean(self, text: str) -> str:
        """The text with every secret replaced by ``***``."""
        if self._exact is not None:
            text = self._exact.sub("***", text)
        return _SHAPES.sub("***", text)

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line (a traceback's lines are escaped in JSON, indented in text)."""
        if self._as_json:
            said = {
                "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
                "level": record.levelname.lower(),
                "room": record.name,
                "text": self.clean(record.getMessage()),
            }
            if record.exc_info:
                said["traceback"] = self.clean(self.formatException(record.exc_info))
            return json.dumps(said, ensure_ascii=True)
        lines = self.clean(super().format(record)).split("\n")
        shown = lines if record.exc_info else [" ".join(lines)]
        return "\n  ".join(_visible(line) for line in shown)


def set_up(secrets: Iterable[str], *, as_json: bool, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send all logging of the process through one redacting handler on ``stream`` (standard error)."""
    output = logging.StreamHandler(stream or sys.stderr)
    output.setFormatter(Redacting(secrets, as_json=as_json))
    output.addFilter(Seldom())
    logging.basicConfig(handlers=[output], level=level, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    # An acknowledgement quicker than discord.py's own bookkeeping reads as a gateway that lags by a whole heartbeat.
    logging.getLogger("discord.gateway").setLevel(logging.ERROR)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns whenever a tick takes longer than its interval


def _forms(secret: str) -> set[str]:
    """How a secret may be written: as it is, in an address, in a form, as text in Python and in JSON."""
    addresses = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    return {secret, *addresses, repr(secret)[1:-1], json.dumps(secret)[1:-1]}


def _visible(text: str) -> str:
    """Control, direction and line characters as escapes: they could hide or forge what a terminal shows."""
    return "".join(
        c if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} else f"\\u{ord(c):04x}" for c in text
    )
