"""The catalogs: complete, with the same places as the English sentences, and read only when needed."""

import subprocess
import sys
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

import core.words
from core.words import LOCALES, Words, languages, words_for

CORE = Path(core.words.__file__).parent
SENTENCES = {str(found[2]) for found in extract_from_dir(CORE, [("**.py", "python")], keywords={"words": None})}
TRANSLATED = [language for language in languages() if language != "en"]


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def test_what_is_read_is_spoken() -> None:
    lexicons = {path.stem for path in (CORE / "lexicons").glob("*.txt")}
    assert languages()[0] == "en"
    assert set(languages()) == lexicons
    assert len(lexicons) == 16
    assert len(SENTENCES) > 20


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalog_has_every_sentence_and_no_other(language: str) -> None:
    with (LOCALES / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language, abort_invalid=True)
    translated = {str(message.id) for message in catalog if message.id and message.string and not message.fuzzy}
    assert SENTENCES - translated == set(), "translate these"
    assert translated - SENTENCES == set(), "nobody says these any more"
    assert not catalog.obsolete


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_same_places(language: str) -> None:
    for sentence, translation in words_for(language).catalog.items():
        assert places(translation) == places(sentence), sentence


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("fr", "fr"),
        ("fr-CA", "fr"),
        ("fr_CA", "fr"),
        ("FR-Latn-CA", "fr"),
        ("en-GB", "en"),
        ("tlh", "en"),
        ("", "en"),
        (None, "en"),
        ("../fr", "en"),
    ],
)
def test_a_tag_falls_back_to_its_parent_then_to_english(tag: str | None, language: str) -> None:
    assert words_for(tag).language == language


@given(st.text())
def test_any_tag_has_words(tag: str) -> None:
    assert words_for(tag).language in languages()


def test_a_language_is_read_once() -> None:
    assert words_for("fr") is words_for("fr-BE")
    assert words_for("fr")("No") == "Non"


@given(st.text())
def test_values_are_put_in_as_they_are(value: str) -> None:
    """Braces in a customer's words are no places."""
    assert Words("en")("{brand}!", brand=value) == value + "!"
    assert Words("en", {"{brand}!": "¡{brand}!"})("{brand}!", brand=value) == f"¡{value}!"


def test_english_needs_no_babel() -> None:
    asked = "import sys; from core.words import words_for; words_for('en')('No'); sys.exit('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], cwd=CORE.parent, check=False).returncode == 0
