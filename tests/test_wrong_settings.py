"""Wrong settings: each mistake in the file is one line that names the key and the mend."""

from __future__ import annotations

import re

import pytest

from tests.command import SHIPPED, Vouch, refused

WRONG_SETTINGS = {
    "key": ("tick_s = 1.0", "tack_s = 1.0", r"service\.tack_s: there is no such setting; did you mean tick_s\?"),
    "table": ("[service]", "[servise]", r"servise: there is no such setting; did you mean service\?"),
    "key of a brand": ("timezone = ", "timezon = ", r"brands\.acme\.timezon: .*did you mean timezone\?"),
    "like nothing": ("tick_s = 1.0", "zzz = 1.0", r"service\.zzz: .*; there is: database, tick_s, trusted_hosts"),
    "list": ('languages = ["en", "fr"]', 'languages = "en"', r'brands\.acme\.languages: .* languages = \["en"\]'),
    "quotes": ('"-1001000000001"', "-1001000000001", r'telegram-group-poll\.place: put it in quotes: place = "…"'),
    "word": ('account = "acme-x"', 'account = ["acme-x"]', r"x-poll\.account: write one word in quotes"),
    "no table": ("[brands.acme]", "[brands]", r"brands\.name: is no table; write \[brands\.NAME\]"),
    "language": ('"en", "fr"', '"en", "sv"', r'brands\.acme\.languages: .*"sv"; Vouch speaks en, ar, de'),
    "team's language": ('language = "en"', 'language = "fi"', r'teams\.acme\.language: .*"fi"; Vouch speaks en, ar'),
    "empty word": ('fr = ["prix"', 'fr = ["*"', r"themes\.price\.words: an empty word would be in every comment"),
    "window": (
        'window_weeks = "auto"',
        "window_weeks = 60",
        r'window_weeks: write "auto", or a number of weeks from 1 to 52',
    ),
    "no language": ('"en", "fr"', "", r'brands\.acme\.languages: name at least one, such as languages = \["en"\]'),
    "database": ("sqlite:///vouch.db", "vouch.db", r"service\.database: .*write sqlite:///FILE or postgresql://"),
    "place on X": ('"timeline"', '"@acme"', r'channels\.x-poll\.place: "@acme" is no place on X; write "timeline", or'),
    "place on Telegram": ('"-1001000000001"', '"@club"', r'poll\.place: "@club" .* Telegram; .*"-100\d+", or "direct"'),
    "place on Discord": (
        '"1100000000000000002"',
        '"#a"',
        r'discord-buttons\.place: "#a" is no place on Discord; .*"11',
    ),
    "team's place": (
        '"-1001000000009"',
        '"direct"',
        r'teams\.acme\.place: "direct" is no place on Telegram; write its',
    ),
    "buttons on X": ('kind = "poll"', 'kind = "buttons"', r'x-poll\.kind: X has no buttons; .*"direct", "poll", "repl'),
    "replies elsewhere": (
        'kind = "buttons"\n\n',
        'kind = "replies"\n\n',
        r'"replies" goes only with place = "timeline"',
    ),
    "missing": ('brand = "acme"\n', "", r"surveys\.recommend\.brand: missing; add it"),
    "type": ("tick_s = 1.0", 'tick_s = "often"', r"service\.tick_s: write a number, without quotes"),
    "range": ("tick_s = 1.0", "tick_s = 0", r"service\.tick_s: write a number above 0"),
    "kind": ('kind = "poll"', 'kind = "pole"', r"channels\.x-poll\.kind: 'pole' is none of 'poll', 'buttons'"),
    "scale": ('scale = "0-10"', 'scale = "1-5"', r"surveys\.recommend\.scale: '1-5' is none of '0-10' or '1-10'"),
    "platform": (
        'platform = "x"',
        'platform = "y"',
        r"acme-x\.platform: 'y' is none of 'telegram', 'discord' or 'x'",
    ),
    "mark": ("score = 31", "score = 310", r"benchmarks\.sector\.score: write a number of at most 100"),
    "role": ("roles = []", "roles = [123]", r'teams\.acme\.roles: put it in quotes: roles = \["123"\]'),
    "half a mark": ("score = 31", "score = 31.5", r"sector\.score: write a whole number"),
    "advice": ("advice = {", 'advice = "be nice" #', r"teams\.acme\.advice: write a table in a line, as the settings"),
    "date": ("date = 2026-06-30", 'date = "June"', r"sector\.date: write a date without quotes, such as date = 2026-"),
    "truth": ("quotes = true", 'quotes = "some"', r"teams\.acme\.quotes: write true or false, without quotes"),
    "by language": (
        'words = { en = ["parcel*"',
        'words = ["parcel*"] #',
        r"delivery\.words: write it by language: w",
    ),
    "no name": ('name = "Acme"', 'name = ""', r"brands\.acme\.name: it is empty; write something in the quotes"),
    "toml": ("[service]", "[[[", r"cannot be read: .*line \d+"),
    "text": (
        'ask = "Mon 10:00"',
        'ask = "Mon 10:00"\ntexts = { rewards = { en = "x" } }',
        r"recommend\.texts: there is no text rewards; did you mean reward\?",
    ),
    "text's language": (
        'ask = "Mon 10:00"',
        'ask = "Mon 10:00"\ntexts = { reward = { de = "x" } }',
        r'recommend\.texts\.reward: nobody would read "de"; brands\.acme speaks en, fr',
    ),
    "account": ('account = "acme-x"', 'account = "acme"', r"x-poll\.account: there is no \[accounts\.acme\]; there is"),
    "channel": ('"x-poll", ', '"x-pol", ', r"recommend\.channels: there is no \[channels\.x-pol\]; there is: .*x-poll"),
    "team": ('teams = ["acme"]', 'teams = ["us"]', r"recommend\.teams: there is no \[teams\.us\]; there is: acme"),
    "brand": ('brand = "acme"', 'brand = "us"', r"recommend\.brand: there is no \[brands\.us\]; there is: acme"),
    "report": (
        'report = "Mon 09:00"',
        'report = "Monday"',
        r"teams\.acme\.report: 'Monday' is no moment .* 'Mon 09:00'",
    ),
    "ask": (
        'ask = "Mon 10:00"',
        'ask = "Mon 25:00"',
        r"surveys\.recommend\.ask: 'Mon 25:00' is no moment .* 'Mon 09:00'",
    ),
    "zone": (
        '"Europe/Paris"',
        '"Europe/Pari"',
        r"brands\.acme\.timezone: there is no time zone 'Europe/Pari': write .*'Europe/Paris'",
    ),
    "sandbox": ("http://127.0.0.1:8025", "http://evil.example", r"sandbox\.url: .*write http://127\.0\.0\.1:PORT"),
    "empty": (SHIPPED, "", r"no survey; add a table \[surveys\.NAME\]"),
}


@pytest.mark.parametrize("case", WRONG_SETTINGS)
def test_wrong_settings_are_told_in_one_line_with_the_mend(vouch: Vouch, case: str) -> None:
    right, wrong, told = WRONG_SETTINGS[case]
    assert right in SHIPPED
    assert re.search(told, refused(vouch.here("settings", text=SHIPPED.replace(right, wrong))))


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\x00\xff", b"brands: {acme: {name: Acme}}", b"<html>"])
def test_what_is_no_toml_is_told(vouch: Vouch, content: bytes) -> None:
    (vouch.folder / "own").write_bytes(content)
    told = refused(vouch.here("settings", "--settings", "own"))
    assert re.search(r"own cannot be read: it is no TOML \(.*\); write it like the settings\.toml that ships", told)
