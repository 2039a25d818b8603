"""No secret reaches the log, whatever its shape and whoever writes it; and what people write forges no line."""

from __future__ import annotations

import io
import json
import logging
import urllib.parse
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import logs

TELEGRAM = "8412973650:AAEcanary-_canaryCANARYcanary0123456"
DISCORD = "MTk4NjIyNDgzNDcxOTI1MjQ4.Canary.canary-canary_canary-canary0"
X = ("cAnaryConsumerKey0123456", "cAnary/Consumer+Secret=&0123456789", "14-cAnaryToken%20x", "cAnary Token Secret ü")
SECRETS = (TELEGRAM, DISCORD, *X)

Line = Callable[[], str]


@pytest.fixture(params=[False, True], ids=["text", "json"])
def logged(request: pytest.FixtureRequest) -> Iterator[Line]:
    """Everything that was logged, at DEBUG, from now on."""
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in (*logs.QUIET, "discord.gateway", "apscheduler")}
    logs.set_up(SECRETS, as_json=request.param, level=logging.DEBUG, stream=stream)
    yield stream.getvalue
    root.handlers[:] = before
    root.setLevel(level)
    for name, was in levels.items():
        logging.getLogger(name).setLevel(was)


def clean(text: str) -> bool:
    """Whether no secret stands in the text, in any form of writing."""
    forms = {form for secret in SECRETS for form in written(secret)}
    return not [form for form in forms if form in text]


def written(secret: str) -> tuple[str, ...]:
    """A secret as it is, in an address, in a form, in a string of Python and in one of JSON."""
    quoted = urllib.parse.quote(secret, safe=""), urllib.parse.quote(secret), urllib.parse.quote_plus(secret)
    return (secret, *quoted, repr(secret)[1:-1], json.dumps(secret)[1:-1])


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", range(6))
def test_no_form_of_a_secret_is_logged(logged: Line, secret: str, form: int) -> None:
    logging.getLogger("any.room").debug("sent to https://host/%s/x?key=%s, said", written(secret)[form], "more")
    assert "said" in logged()
    assert clean(logged())


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_logged_with_an_error(logged: Line, secret: str) -> None:
    def inner() -> None:
        raise ValueError(f"cannot sign in with {secret!r}")

    try:
        try:
            inner()
        except ValueError as error:
            raise RuntimeError({"token": secret}) from error
    except RuntimeError:
        logging.getLogger("core.presence").exception("signing in with %r", (secret,))
    assert "RuntimeError" in logged()
    assert "ValueError" in logged()
    assert clean(logged())


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_logged_by_way_of_a_stack(logged: Line, secret: str) -> None:
    logging.getLogger("core").warning("looking %s", secret, stack_info=True)
    assert clean(logged())


@pytest.mark.parametrize(
    "said",
    [
        "POST https://api.telegram.org/bot1234567:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1/getMe",
        "Authorization: Bearer AAAAAAAAAAAAAAAAAAAAAMLheAAAAAAA0%2BuSeid%2BULvsea4JtiGRiSDSJSI",
        "{'Authorization': 'Bot Nzk5MjgxNDk0NDc2NDU1OTg3.YABS5g.2lmzECVlZv3vv6miVnUaKPQi2wI'}",
        "token Nzk5MjgxNDk0NDc2NDU1OTg3.YABS5g.2lmzECVlZv3vv6miVnUaKPQi2wI is wrong",
        'OAuth oauth_consumer_key="cChZNFj6T5R0TigYB9yd1w", oauth_signature="tnnArxj06cWHq44gCs1OSKk%2FjLY%3D"',
    ],
)
def test_a_token_of_somebody_else_is_known_by_its_shape(logged: Line, said: str) -> None:
    logging.getLogger("any").debug(said)
    shapes = ("AAHdqTcvCH1", "AAAAMLheA", "Nzk5MjgxNDk0", "2lmzECVl", "cChZNFj6", "tnnArxj06")
    assert "***" in logged()
    assert not [shape for shape in shapes if shape in logged()]


@pytest.mark.parametrize("name", ["httpx", "tweepy.client", "discord.http", "telegram.Bot", "aiohttp.access"])
def test_libraries_that_print_requests_are_quiet_even_at_debug(logged: Line, name: str) -> None:
    logging.getLogger(name).debug("request")
    logging.getLogger(name).info("request")
    assert logged() == ""
    logging.getLogger(name).warning("trouble with %s", TELEGRAM)
    assert "trouble" in logged()
    assert clean(logged())


FORGERIES = "\n\r\x1b[31m\u202e\u2028\u2029\x85\x00\u200b"


@pytest.mark.parametrize("sign", FORGERIES, ids=ascii)
def test_what_people_write_forges_no_line(logged: Line, sign: str) -> None:
    logging.getLogger("core").info("comment %s", f"fine{sign}12:00:00 ERROR forged")
    assert len(logged().splitlines()) == 1
    assert not [c for c in FORGERIES.replace("[31m", "") if c in logged().removesuffix("\n")]


@given(st.text(max_size=80))
def test_a_json_line_is_one_line_whatever_is_said(said: str) -> None:
    record = logging.makeLogRecord({"msg": "%s", "args": (said,), "name": "core", "levelname": "INFO"})
    line = logs.Redacting((), as_json=True).format(record)
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert set(json.loads(line)) == {"at", "level", "room", "text"}


@given(st.text(max_size=40), st.sampled_from(SECRETS), st.text(max_size=40))
def test_a_secret_is_found_among_any_words(before: str, secret: str, after: str) -> None:
    for as_json in (False, True):
        record = logging.makeLogRecord({"msg": before + secret + after, "name": "core", "levelname": "INFO"})
        assert secret not in logs.Redacting(SECRETS, as_json=as_json).format(record)


def test_the_same_warning_is_written_once_a_minute_then_with_how_often_it_came() -> None:
    watch = [0.0]
    seldom = logs.Seldom(steady=lambda: watch[0])

    def written_at(second: float, said: str, level: int = logging.WARNING, room: str = "any.room") -> str:
        """What is written of it, if anything."""
        watch[0] = second
        record = logging.LogRecord(room, level, __file__, 1, "%s", (said,), None)
        return record.getMessage() if seldom.filter(record) else ""

    down = "brand: X cannot be reached; asking again in {} s"
    assert written_at(0, down.format(1.0)) == down.format(1.0)
    assert [written_at(2**n, down.format(2.0**n)) for n in range(5)] == [""] * 5
    assert written_at(16, "news: X cannot be reached; asking again in 1.0 s")  # another account
    assert written_at(16, "case 2: not sent")
    assert written_at(16, "case 3: not sent")  # other numbers are other things
    assert written_at(60, down.format(30.0)) == f"{down.format(30.0)} (5 times more meanwhile)"
    assert written_at(120, down.format(30.0)) == down.format(30.0)
    assert [written_at(120, "asked", logging.INFO) for _ in range(2)] == ["asked"] * 2
    for off_s in (3600, 7200):  # a clock that jumps twice
        assert written_at(120, f"this machine's clock is {off_s} s off")
    for _ in range(2):  # who says when it is over says when it has come again
        assert written_at(120, "nothing can be kept", logging.ERROR, "core.store.database")


def test_warnings_that_are_all_unlike_take_no_memory_and_no_time() -> None:
    seldom = logs.Seldom(steady=lambda: 0.0)
    for number in range(10_000):
        record = logging.LogRecord("any.room", logging.WARNING, __file__, 1, "case %d", (number,), None)
        assert seldom.filter(record)
    assert len(vars(seldom)["_written"]) <= 1_000


def test_a_traceback_is_always_written(logged: Line) -> None:
    for _ in range(2):
        try:
            raise RuntimeError("boom")
        except RuntimeError:
            logging.getLogger("any.room").exception("failed")
    assert logged().count("boom") >= 2


def test_what_floods_the_log_of_a_service_is_written_once(logged: Line) -> None:
    for pause_s in (0.5, 1.0, 2.0):
        logging.getLogger("any.room").warning("brand: cannot be reached; trying again in %.1f s", pause_s)
    assert logged().count("cannot be reached") == 1
