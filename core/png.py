"""A picture as PNG: what the SVG says, in fonts that come with Vouch, so that it looks the same on every machine.

Drawing takes some 80 ms, in which the library lets no other thread run: so it is done in a process of its own.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

log = logging.getLogger(__name__)

PATIENCE_S = 10.0
"""How long (wall) a picture may take."""

_FONTS = ("fontpkg_inter", "fontpkg_noto_sans_arabic", "fontpkg_noto_sans_devanagari")
"""Latin, Greek and Cyrillic; Arabic; Devanagari."""


async def drawn(svg: str) -> bytes | None:
    """The picture; ``None`` when it cannot be drawn, for words are worth sending alone."""
    command = (sys.executable, "-I", __file__)
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
        try:
            async with asyncio.timeout(PATIENCE_S):
                picture, said = await process.communicate(svg.encode())
        finally:
            with suppress(ProcessLookupError):
                process.kill()
    except (OSError, TimeoutError) as error:
        log.error("a picture cannot be drawn: %s", error or "it took too long")
        return None
    if process.returncode:
        log.error("a picture cannot be drawn: %s", said.decode(errors="replace").strip().splitlines()[-1:])
        return None
    return picture


def png(svg: str) -> bytes:
    """Draw it here: nothing else runs meanwhile."""
    from resvg_py import svg_to_bytes  # late: only who shows a picture needs it

    return bytes(svg_to_bytes(svg_string=svg, font_files=_font_files(), font_family="Inter", skip_system_fonts=True))


def _font_files() -> list[str]:
    """The upright ones. The packages are data: nothing of them is imported."""
    found = [spec for name in _FONTS if (spec := find_spec(name)) is not None]
    folders = [Path(place) for spec in found for place in spec.submodule_search_locations or ()]
    return [str(file) for folder in folders for file in sorted(folder.glob("files/*.ttf")) if "Italic" not in file.name]


if __name__ == "__main__":
    sys.stdout.buffer.write(png(sys.stdin.buffer.read().decode()))
