"""Who calls: OAuth 1.0a signatures over the canonical host, and bearer tokens.

Source: https://docs.x.com/fundamentals/authentication/oauth-1-0a/creating-a-signature (RFC 5849)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

from sandbox.clocks import Clocks
from sandbox.rules import Rules
from sandbox.x.problems import unauthorized
from sandbox.x.records import Member

HOSTS = ("https://api.x.com", "https://api.twitter.com")
"""What clients sign: they know X by these names, whatever address the sandbox has."""
LEEWAY_S = 300
_PAIR = re.compile(r'\s*([a-z_]+)="([^"]*)"\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class App:
    """A developer's app with the tokens of the brand that owns it."""

    member: Member
    account: str
    consumer_key: str
    consumer_secret: str
    access_token: str
    access_token_secret: str
    bearer_token: str
    user_bearer_token: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who made a call, as its signature or token proves."""

    app: App
    as_brand: bool
    """Whether the app speaks for the brand, or only for itself (app-only)."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature covers, as it went over the wire."""

    method: str
    path: str
    """Percent-encoded, from ``/2/`` on."""
    query: str
    form: str
    """The body when it is ``application/x-www-form-urlencoded``."""


def derived(account: str, what: str, length: int) -> str:
    """A credential that is the same in every run, from the account's name."""
    digest = hashlib.sha512(f"x:{account}:{what}".encode()).digest()
    return re.sub(r"[^A-Za-z0-9]", "", base64.b64encode(digest).decode())[:length]


def new_app(account: str, member: Member) -> App:
    """An app with keys and tokens derived from the account's name."""
    return App(
        member=member,
        account=account,
        consumer_key=derived(account, "consumer_key", 25),
        consumer_secret=derived(account, "consumer_secret", 50),
        access_token=f"{member.id}-{derived(account, 'access_token', 40)}",
        access_token_secret=derived(account, "access_token_secret", 45),
        bearer_token=f"AAAAAAAAAAAAAAAAAAAAA{derived(account, 'bearer_token', 60)}",
        user_bearer_token=derived(account, "user_bearer_token", 70),
    )


class Gate:
    """Lets callers in, or raises the 401."""

    def __init__(self, clocks: Clocks, rules: Rules) -> None:
        self._clocks = clocks
        self._rules = rules
        self._apps: list[App] = []
        self._by_token: dict[str, App] = {}
        self._bearers: dict[str, Caller] = {}
        self._seen: set[tuple[str, str]] = set()
        self._seen_in_order: deque[tuple[float, tuple[str, str]]] = deque()

    def add(self, app: App) -> None:
        self._apps.append(app)
        self._by_token[app.access_token] = app
        self._bearers[app.bearer_token] = Caller(app, as_brand=False)
        self._bearers[app.user_bearer_token] = Caller(app, as_brand=True)

    def admit(self, authorization: str | None, signed: Signed) -> Caller:
        """Raises: Refusal (401)."""
        scheme, _, rest = (authorization or "").partition(" ")
        if scheme == "OAuth":
            return Caller(self._signed(dict(_unquoted(rest)), signed), as_brand=True)
        if scheme == "Bearer":
            caller = self._bearers.get(rest.strip())
            if caller is not None:
                return caller
            if self._rules.on("x.auth.bearer"):
                raise unauthorized()
        elif self._rules.on("x.auth.required"):
            raise unauthorized()
        return Caller(self._apps[0], as_brand=True)

    def _signed(self, oauth: dict[str, str], signed: Signed) -> App:
        app = self._by_token.get(oauth.get("oauth_token", ""))
        if (
            app is None
            or oauth.get("oauth_consumer_key") != app.consumer_key
            or oauth.get("oauth_signature_method") != "HMAC-SHA1"
            or oauth.get("oauth_version", "1.0") != "1.0"
        ):
            raise unauthorized()
        given = oauth.pop("oauth_signature", "")
        oauth.pop("realm", None)
        if self._rules.on("x.auth.signature") and not any(
            hmac.compare_digest(given, expected) for expected in _signatures(app, oauth, signed)
        ):
            raise unauthorized()
        self._once(app, oauth)
        return app

    def _once(self, app: App, oauth: dict[str, str]) -> None:
        """The signature is fresh, and was not used before."""
        now = self._clocks.wire()
        stamp, nonce = oauth.get("oauth_timestamp", ""), oauth.get("oauth_nonce", "")
        fresh = stamp.isdigit() and abs(now - int(stamp)) <= LEEWAY_S
        if self._rules.on("x.auth.timestamp") and not fresh:
            raise unauthorized()
        while self._seen_in_order and self._seen_in_order[0][0] < now - 2 * LEEWAY_S:
            self._seen.discard(self._seen_in_order.popleft()[1])
        key = (app.access_token, nonce)
        if self._rules.on("x.auth.nonce") and (not nonce or key in self._seen):
            raise unauthorized()
        if key not in self._seen:
            self._seen.add(key)
            self._seen_in_order.append((now, key))


def _unquoted(header: str) -> Iterable[tuple[str, str]]:
    return ((name, unquote(value)) for name, value in _PAIR.findall(header))


def _signatures(app: App, oauth: dict[str, str], signed: Signed) -> Iterable[str]:
    pairs = [*oauth.items(), *_pairs(signed.query), *_pairs(signed.form)]
    encoded = sorted((_quote(name), _quote(value)) for name, value in pairs)
    parameters = "&".join(f"{name}={value}" for name, value in encoded)
    key = f"{_quote(app.consumer_secret)}&{_quote(app.access_token_secret)}".encode()
    for host in HOSTS:
        base = "&".join((signed.method.upper(), _quote(host + signed.path), _quote(parameters)))
        yield base64.b64encode(hmac.new(key, base.encode(), hashlib.sha1).digest()).decode()


def _pairs(encoded: str) -> list[tuple[str, str]]:
    return parse_qsl(encoded, keep_blank_values=True)


def _quote(text: str) -> str:
    return quote(text, safe="~")
