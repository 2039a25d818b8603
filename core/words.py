"""What Vouch says, in the reader's language: gettext catalogs over English source strings.

A sentence is written in English where it is used, as ``words("Could be chance")``, and found in
``core/locales/<language>.po``. English needs no catalog; others are read with Babel when first asked for, then kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

SOURCE = "en"
"""The language of the source strings."""

LOCALES = Path(__file__).parent / "locales"


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one language. Call it with the English sentence and the values of its ``{places}``."""

    language: str
    """BCP 47 tag of the catalog that is used, such as ``fr``."""
    catalog: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def __call__(self, sentence: str, /, **values: object) -> str:
        """The sentence in this language, in English where it is not translated. Values are put in as they are."""
        found = self.catalog.get(sentence, sentence)
        return found.format_map(values) if values else found

    def number(self, n: int) -> str:
        """A whole number as this language writes it: ``1,500``, ``1 500``."""
        if self.language == SOURCE:
            return f"{n:,}"
        from babel.numbers import format_decimal

        return format_decimal(n, locale=self.language.replace("-", "_"))

    def weekday(self, day: date) -> str:
        """The name of its day of the week: ``Tuesday``, ``mardi``."""
        if self.language == SOURCE:
            return f"{day:%A}"
        from babel.dates import format_date

        return format_date(day, "EEEE", locale=self.language.replace("-", "_"))

    def day(self, day: date, *, short: bool = False) -> str:
        """A day of the year as this language writes it: ``16 November``, short ``16 Nov``."""
        from babel.dates import format_skeleton

        locale = "en_GB" if self.language == SOURCE else self.language.replace("-", "_")
        return format_skeleton("MMMd" if short else "MMMMd", day, locale=locale)


@cache
def languages() -> tuple[str, ...]:
    """Every language there are words in, English first."""
    return (SOURCE, *sorted(path.stem for path in LOCALES.glob("*.po")))


def words_for(language: str | None) -> Words:
    """The words for a BCP 47 tag: of the language itself, else of its parent (``fr`` for ``fr-CA``), else English.

    Never raises: the tag may be whatever a platform told.
    """
    tag = (language or SOURCE).replace("_", "-").casefold()
    while tag and tag not in languages():
        tag = tag.rpartition("-")[0]
    return _words(tag or SOURCE)


@cache
def _words(language: str) -> Words:
    if language == SOURCE:
        return Words(SOURCE)
    from babel.messages.pofile import read_po  # late: English needs no Babel

    with (LOCALES / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    return Words(language, {str(m.id): str(m.string) for m in catalog if m.id and m.string and not m.fuzzy})
