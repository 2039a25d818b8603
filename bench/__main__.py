"""``python -m bench [NAMES…] [--quick] [--json]``: measure, and print each value beside its floor."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from bench import brands, burst, demo_row, flood, ingest, picture, reading, recover, report, start, statistics, store
from bench.row import Figure, NotMeasured, Row
from core.errors import VouchError

ROWS: tuple[Row, ...] = (
    *start.ROWS,
    *ingest.ROWS,
    *burst.ROWS,
    *flood.ROWS,
    *store.ROWS,
    *reading.ROWS,
    *statistics.ROWS,
    *brands.ROWS,
    *report.ROWS,
    *picture.ROWS,
    *recover.ROWS,
    *demo_row.ROWS,
)


def chosen(names: Sequence[str]) -> list[Row]:
    """The rows with these names, or in the rooms with these names; all without a name. Raises ``LookupError``."""
    found: dict[str, Row] = {}
    for name in names:
        exact = [row for row in ROWS if row.name == name]
        its = exact or [row for row in ROWS if row.name.startswith(f"{name}.")]
        if not its:
            raise LookupError(f"there is no row {name!r}; there is: {', '.join(row.name for row in ROWS)}")
        found.update((row.name, row) for row in its)
    return list(found.values()) if names else list(ROWS)


def shape(row: Row, figure: Figure) -> dict[str, Any]:
    """A row's figure for ``--json``."""
    return {
        "name": row.name,
        "value": _short(figure.value),
        "unit": row.unit,
        "floor": _short(figure.floor),
        "ratio": round(figure.ratio, 3),
        "limit": row.limit,
        "holds": row.holds(figure),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, 1 when something could not be measured or, if times are to be held, does not hold, 2 for a name that
    is none."""
    parser = argparse.ArgumentParser("bench", description="Measure, and print each value beside its floor.")
    parser.add_argument("names", nargs="*", help="rows, or rooms such as `start`; all when there is none")
    parser.add_argument("--quick", action="store_true", help="less of everything, in about three minutes")
    parser.add_argument("--json", action="store_true", help="a list of {name, value, unit, floor, ratio, limit, holds}")
    parser.add_argument(
        "--hold", action="store_true", help="fail when a promise does not hold: on a quiet machine only"
    )
    asked = parser.parse_args(arguments)
    try:
        rows = chosen(asked.names)
    except LookupError as error:
        sys.stderr.write(f"bench: {error.args[0]}\n")
        return 2
    measured: list[dict[str, Any]] = []
    for number, row in enumerate(rows, 1):
        _progress(f"{number}/{len(rows)} {row.name}")
        try:
            measured.append(shape(row, row.measure(asked.quick)))
        except (NotMeasured, VouchError) as error:
            _progress("")
            sys.stderr.write(f"bench: {row.name}: {error}\n")
    _progress("")
    if not asked.json:
        sys.stdout.writelines(f"{row.details()}\n\n" for row in rows if row.details is not None)
    sys.stdout.write(f"{json.dumps(measured) if asked.json else _table(measured)}\n")
    broken = [str(one["name"]) for one in measured if not one["holds"]] if asked.hold else []
    for name in broken:
        sys.stderr.write(f"bench: {name}: its promise does not hold\n")
    return 0 if len(measured) == len(rows) and not broken else 1


def _short(number: float) -> float:
    """Four digits are more than such a measurement gives."""
    return float(f"{number:.4g}")


def _table(measured: Sequence[dict[str, Any]]) -> str:
    promises = {row.name: row.promise for row in ROWS}
    head = f"{'':18}{'value':>10}{'floor':>10}  {'unit':10}{'ratio':>8}  promise"
    lines = [
        f"{m['name']:18}{m['value']:>10g}{m['floor']:>10g}  {m['unit']:10}{m['ratio']:>8g}  {promises[m['name']]}"
        for m in measured
    ]
    return "\n".join([head, *lines])


def _progress(text: str) -> None:
    """One line that is written over; a file or a pipe gets a line for each."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
    elif text:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
