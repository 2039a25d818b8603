"""What a restore must not give again."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.store import copies
from core.store.renewal import UNSEEN
from tests.store import test_cases
from tests.store.stage import NOW
from tests.store.test_copies import LATER, opened


@pytest.mark.parametrize("lost", [False, True])
def test_no_case_gets_a_number_again_that_one_had_after_the_backup(
    database_url: str, target_url: str, tmp_path: Path, lost: bool
) -> None:
    def numbers(url: str, *people: str) -> list[int]:
        with opened(url) as stage:
            stage.post("group", 0)
            test_cases.opened(stage, **dict.fromkeys(people, 2))
            return [row["id"] for row in stage.rows("cases")]

    assert numbers(database_url, "ann") == [1]
    copies.backup(database_url, tmp_path / "backup", NOW)
    assert numbers(database_url, "ann", "bob", "cid") == [1, 2, 3]
    url = target_url if lost else database_url
    after = UNSEEN + 2 if lost else 4
    copies.restore(url, tmp_path / "backup", LATER)  # twice in a row, as after the first was the wrong file
    for number in (after, after + 1):
        copies.restore(url, tmp_path / "backup", LATER)
        assert numbers(url, "ann", "bob") == [1, number]
