"""One process per SQLite file: a lock of the operating system on a file beside it, which a killed process leaves."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from sqlalchemy import URL


class FileLock:
    """A lock that the kernel gives to one opener of a file, and takes back when that process ends, however it ends.

    Source: https://man7.org/linux/man-pages/man2/flock.2.html
    """

    def __init__(self, path: Path | None) -> None:
        """Without a ``path`` there is nobody to share with."""
        self.path = path
        self._file: int | None = None

    @classmethod
    def beside(cls, url: URL, what: str = "lock") -> FileLock:
        """A lock of the SQLite database at this address: that on the database itself, or on something else of it."""
        return cls(Path(f"{url.database}.{what}") if url.database and url.database != ":memory:" else None)

    def take(self, name: str = "") -> bool:
        """Take it, unless somebody has it, and leave our ``name`` in the file. Returns whether we have it now."""
        if self.path is None or self._file is not None:
            return True
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _lock(file):
            os.close(file)
            return False
        self._file = file
        with suppress(OSError):  # a full disk takes no names, and the lock is ours all the same
            os.ftruncate(file, 0)
            os.write(file, name.encode())
        return True

    @property
    def is_taken(self) -> bool:
        """Whether another process has it now."""
        if self._file is not None:
            return False
        try:
            free = self.take()
        except OSError:  # there is no room for it
            return False
        self.release()
        return not free

    @property
    def holder(self) -> str:
        """The name that whoever has it, or had it last, left in the file."""
        try:
            return self.path.read_text("utf-8") if self.path is not None else ""
        except OSError:
            return ""

    def release(self) -> None:
        """Give it back. The file stays: a new one by this name could be locked beside an old one."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _lock(file: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
