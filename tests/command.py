"""The ``vouch`` command as the tests call it: in a process of its own, or quicker in this one."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import cli
from tests.architecture import ROOT

SHIPPED = (ROOT / "settings.toml").read_text("utf-8")
WAIT_S = 40.0


@dataclass
class Vouch:
    """The ``vouch`` command in a folder of its own, with a settings file."""

    folder: Path

    def settings(self, text: str, mode: int = 0o600) -> Path:
        path = self.folder / "own.toml"
        path.write_text(text, "utf-8")
        path.chmod(mode)
        return path

    def start(self, *arguments: str, text: str | None = None, **environment: str) -> subprocess.Popen[str]:
        if text is not None:
            arguments = (*arguments, "--settings", str(self.settings(text)))
        clean = {key: value for key, value in os.environ.items() if not key.startswith("VOUCH_")}
        return subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), *arguments],
            cwd=self.folder,
            env=clean | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, text: str | None = None, **environment: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of a process of its own."""
        with self.start(*arguments, text=text, **environment) as running:
            said, complained = running.communicate(timeout=WAIT_S)
            return running.returncode, said, complained

    def here(self, *arguments: str, text: str | None = None, **environment: str) -> tuple[int, str, str]:
        """The same in this process, which is quicker."""
        if text is not None:
            arguments = (*arguments, "--settings", str(self.settings(text)))
        said, complained = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patched, contextlib.chdir(self.folder):
            for name in [name for name in os.environ if name.startswith("VOUCH_")]:
                patched.delenv(name)
            for name, value in environment.items():
                patched.setenv(name, value)
            with (
                contextlib.redirect_stdout(said),
                contextlib.redirect_stderr(complained),
                pytest.raises(SystemExit) as end,
            ):
                cli.main(arguments)
        return int(end.value.code or 0), said.getvalue(), complained.getvalue()

    def json(self, *arguments: str, **environment: str) -> Any:
        code, said, complained = self(*arguments, "--json", **environment)
        assert (code, complained) == (0, "")
        return json.loads(said)


def refused(found: tuple[int, str, str]) -> str:
    """The one line that was said when nothing else was done."""
    code, said, complained = found
    assert (code, said) == (2, ""), complained
    assert complained.startswith("vouch: ")
    assert complained.count("\n") == 1
    assert "Traceback" not in complained
    return complained
