"""The house rules that a machine can check. Each reads one source file and says what breaks the rule, with the line."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (
    *("bots", "core", "demo", "sandbox"),
    *("cli.py", "commands.py", "connecting.py", "console.py", "formats.py", "options.py", "reckon.py", "scheduler.py"),
    *("status.py", "understand.py", "upkeep.py", "voices.py"),
)
"""What is shipped."""


@dataclass(frozen=True)
class Source:
    """One file: its path below the root, with slashes, and what stands in it."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def room(self) -> str:
        """``core``, ``bots/telegram``, ``scheduler``…"""
        parts = self.path.removesuffix(".py").split("/")
        return "/".join(parts[:2]) if parts[0] == "bots" and len(parts) > 2 else parts[0]


def shipped() -> Iterator[Source]:
    """Every file that is shipped."""
    return _sources(ROOMS)


def of_tests() -> Iterator[Source]:
    """Every file of the tests."""
    return _sources(("tests",))


def _sources(rooms: Collection[str]) -> Iterator[Source]:
    for room in rooms:
        path = ROOT / room
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            yield Source(file.relative_to(ROOT).as_posix(), file.read_text("utf-8"))


# -- imports -----------------------------------------------------------------------------------------------------------

MAY_IMPORT: Mapping[str, Collection[str]] = {
    "core": {"core"},
    "bots": {"core", "aiohttp"},
    "bots/telegram": {"core", "bots/telegram", "telegram", "aiohttp"},
    "bots/discord": {"core", "bots/discord", "discord", "aiohttp", "yarl"},
    "bots/x": {"core", "bots/x", "tweepy", "aiohttp", "yarl"},
    "connecting": {"core", "bots", "aiohttp"},
    "scheduler": {"core", "bots", "connecting", "apscheduler"},
    "commands": {"connecting", "core", "scheduler", "rich"},
    "demo": {"core", "demo", "sandbox", "rich"},
    "status": {"connecting", "core", "rich"},
    "understand": {"core"},
    "upkeep": {"connecting", "core"},
    "console": {"commands", "core"},
    "formats": {"commands", "core"},
    "options": {"typer"},
    "reckon": {"core"},
    "voices": {"commands", "connecting", "core"},
    "cli": {
        *("commands", "connecting", "console", "core", "demo", "formats", "options", "reckon", "scheduler"),
        *("status", "typer", "understand", "upkeep", "voices"),
    },
    "sandbox": {"sandbox", "aiohttp"},
}
"""Rooms and libraries by room, beside the standard library. A room that is not here may import nothing."""

SQL = {"sqlalchemy", "sqlmodel"}
FILES_MAY_ALSO_IMPORT: Mapping[str, Collection[str]] = {
    "core/store/": SQL,
    "core/store/migrations/": {"alembic"},
    "core/columns.py": SQL,
    "core/desk_tables.py": SQL,
    "core/models.py": SQL,
    "core/settings.py": {"pydantic", "pydantic_settings"},
    "core/mistakes.py": {"pydantic"},
    "core/png.py": {"resvg_py"},
    "core/words.py": {"babel"},
}

PURE = (
    *("nps", "ballot", "survey", "events", "message", "reading", "dialogue", "buttons", "words", "envelope"),
    *("change", "periods", "report", "details", "proof", "reasons", "quotes", "redaction", "salience", "saying"),
    *("chart", "picture", "page", "fitting", "orders", "agenda", "cases"),
)
"""The rooms of core that compute and do nothing else."""

OUTSIDE = {"aiohttp", "asyncio", "http", "io", "logging", "os", "random", "requests", "secrets", "socket", "sqlite3"}
OUTSIDE |= {"subprocess", "tempfile", "threading", "time", "urllib.request"}
PURE_MAY_IMPORT = {*(f"core.{name}" for name in PURE), "core.errors", "core.account"}
PURE_MAY_IMPORT |= {f"core.reading.{name}" for name in ("clauses", "fold", "kinds", "lexicon", "shapes", "tokens")}

JUDGES = {"demo/headlines.py", "demo/judge.py", "demo/readback.py", "sandbox/arithmetic.py"}
"""What holds posts against the truth has no arithmetic of those who wrote them."""


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of every module that is imported, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names if node.module == "bots")


def directions(source: Source) -> Iterator[str]:
    """Imports point inward only, and each library has its own room."""
    allowed = set(MAY_IMPORT.get(source.room, ()))
    for start, more in FILES_MAY_ALSO_IMPORT.items():
        allowed |= set(more) if source.path.startswith(start) else set()
    allowed -= {"core"} if source.path in JUDGES else set()
    for line, name in imports(source.tree):
        first, _, rest = name.partition(".")
        room = f"bots/{rest.partition('.')[0]}" if first == "bots" and rest in _package("bots") else first
        if room not in sys.stdlib_module_names and room not in allowed:
            yield f"{source.path}:{line} imports {name}"


def _package(name: str) -> set[str]:
    packages = [path.name for path in (ROOT / name).iterdir() if path.is_dir()]
    return {*packages, *(f"{p}.{file.stem}" for p in packages for file in (ROOT / name / p).glob("*.py"))}


def purity(source: Source) -> Iterator[str]:
    """The pure rooms reach for nothing: no clock, no network, no file but the locales that ``words`` reads."""
    if source.path not in {f"core/{name}.py" for name in PURE}:
        return
    for line, name in imports(source.tree):
        if name in OUTSIDE or (name.startswith("core.") and name not in PURE_MAY_IMPORT):
            yield f"{source.path}:{line} imports {name}"
    for call in _calls(source.tree):
        reads_locales = source.path == "core/words.py" and _name(call.func) == "open"
        if _name(call.func) in {"open", "input", "read_text", "now", "today", "utcnow"} and not reads_locales:
            yield f"{source.path}:{call.lineno} calls {ast.unparse(call.func)}"


# -- what is done, and when --------------------------------------------------------------------------------------------

WORK = {"open", "connect", "create_engine", "read_text", "read_bytes", "write_text", "mkdir", "run", "Popen", "system"}
WORK |= {"ClientSession", "Thread", "Database", "Client", "Bot", "basicConfig", "getenv", "now", "time", "sleep"}
WORK |= {"urlopen", "socket", "new_event_loop", "token_bytes", "token_hex", "setLevel", "load"}

NEVER = {"TYPE_CHECKING", "__name__ == '__main__'"}
"""What is false while a module is imported."""


def import_does_nothing(source: Source) -> Iterator[str]:
    """Importing a module opens, reads, starts and asks nothing."""
    for node in at_import(source.tree):
        if isinstance(node, ast.Call) and _name(node.func) in WORK:
            yield f"{source.path}:{node.lineno} calls {ast.unparse(node.func)} when imported"
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "os.environ":
            yield f"{source.path}:{node.lineno} reads the environment when imported"


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What is run when a module is imported: all but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Lambda) or (isinstance(child, ast.If) and ast.unparse(child.test) in NEVER):
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for early in (*child.decorator_list, *child.args.defaults, *filter(None, child.args.kw_defaults)):
                yield early
                yield from at_import(early)
            continue
        yield child
        yield from at_import(child)


def no_print(source: Source) -> Iterator[str]:
    """What a person sees is written on purpose, what is logged goes through ``core/logs.py``."""
    for call in _calls(source.tree):
        if ast.unparse(call.func) == "print":
            yield f"{source.path}:{call.lineno} prints"


def aware(source: Source) -> Iterator[str]:
    """Every time carries its zone."""
    for call in _calls(source.tree):
        name, arguments = _name(call.func), len(call.args) + len(call.keywords)
        on_date = isinstance(call.func, ast.Attribute) and _name(call.func.value) in {"datetime", "date"}
        naive = (
            (name in {"utcnow", "utcfromtimestamp"})
            or (on_date and name == "today")
            or (on_date and name == "now" and arguments == 0)
            or (on_date and name == "fromtimestamp" and arguments < 2)
            or (name == "datetime" and len(call.args) < 8 and "tzinfo" not in {word.arg for word in call.keywords})
        )
        if naive and not any(word.arg is None for word in call.keywords):
            yield f"{source.path}:{call.lineno} {ast.unparse(call)}: which zone?"


CLOCKS = {"core/clock.py", "core/settings.py"}
"""``settings`` only asks whether a time of the week can be read at all."""


def time_is_passed_in(source: Source) -> Iterator[str]:
    """The calendar is read in ``core/clock.py`` alone."""
    if source.path.split("/")[0] in {"core", "bots", "scheduler.py", "commands.py"} and source.path not in CLOCKS:
        for call in _calls(source.tree):
            if ast.unparse(call.func) in {"datetime.now", "time.time", "date.today", "datetime.datetime.now"}:
                yield f"{source.path}:{call.lineno} {ast.unparse(call)}: take the time as an argument"


# -- words -------------------------------------------------------------------------------------------------------------

PLATFORMS = {"telegram", "discord", "x", "twitter"}


def asks_limits_not_names(source: Source) -> Iterator[str]:
    """Core never asks which platform it is."""
    if source.room not in {"core", "scheduler", "commands", "cli"} or source.path == "core/settings.py":
        return
    for node in ast.walk(source.tree):
        said = node.value if isinstance(node, ast.MatchValue) else node
        if isinstance(node, ast.Compare | ast.MatchValue):
            for inner in ast.walk(said):
                if isinstance(inner, ast.Constant) and inner.value in PLATFORMS:
                    yield f"{source.path}:{inner.lineno} compares with {inner.value!r}"


BANNED = {"manager", "handler", "helper", "helpers", "util", "utils"}
BANNED_AS_CALL = {"process"}
BANNED_IN_OURS = {"user", "users"}
"""Outside ``bots`` and ``sandbox``, which speak of the platforms' users, it is a person."""

LIBRARY_NAMES = {"process_bind_param", "process_result_value"}
"""Methods that SQLAlchemy calls by these names."""
LIBRARY_ARGUMENTS = {("sandbox/server.py", "handler")}
"""Arguments that a library passes by name: aiohttp calls its middlewares with ``handler=``."""


def words(source: Source) -> Iterator[str]:
    """The words of the house are used, and the ones that say nothing are not."""
    banned = BANNED if source.room in {"sandbox"} or source.room.startswith("bots") else BANNED | BANNED_IN_OURS
    for line, name, is_call in _definitions(source):
        parts = {part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}
        known = name in LIBRARY_NAMES or (source.path, name) in LIBRARY_ARGUMENTS
        if not known and parts & (banned | (BANNED_AS_CALL if is_call else set())):
            yield f"{source.path}:{line} is called {name}"


def _definitions(source: Source) -> Iterator[tuple[int, str, bool]]:
    yield 1, source.path.rsplit("/", 1)[-1].removesuffix(".py"), True
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name, True
        elif isinstance(node, ast.ClassDef):
            yield node.lineno, node.name, False
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg, False
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id if isinstance(node, ast.Name) else node.attr, False


def explained(source: Source) -> Iterator[str]:
    """Modules, public classes and public functions say what they are for.

    Methods too, but not those that a library calls by name, nor in the sandbox, where ``seam.py`` explains them.
    """
    tree = source.tree
    if tree.body and not ast.get_docstring(tree):
        yield f"{source.path}:1 does not say what lives in it"
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_"]
    scopes: list[ast.Module | ast.ClassDef] = [tree, *classes]
    for scope in scopes:
        for node in scope.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            known = node.name.startswith(("_", "on_")) or node.name.endswith("_hook") or node.name in LIBRARY_NAMES
            inherited = scope is not tree and source.room == "sandbox" and not isinstance(node, ast.ClassDef)
            if not known and not inherited and not ast.get_docstring(node):
                yield f"{source.path}:{node.lineno} {node.name} says nothing"


LONGEST_FILE = 350
LONGEST_FUNCTION = 60


def short(source: Source) -> Iterator[str]:
    """Files and functions that can be read at once."""
    if (lines := source.text.count("\n")) > LONGEST_FILE:
        yield f"{source.path} has {lines} lines"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{source.path}:{node.lineno} {node.name} has {lines} lines"


# -- tests -------------------------------------------------------------------------------------------------------------


NOT_IN_TESTS = {"monkeypatch.setattr", "monkeypatch.setitem", "monkeypatch.delattr", "time.sleep"}
NOT_IN_TESTS |= {"pytest.mark.skip", "pytest.mark.xfail"}


def nothing_is_faked(source: Source) -> Iterator[str]:
    """Tests put nothing in place of code: no mocks, no patches, no skips without a reason, no sleeping."""
    for line, name in imports(source.tree):
        if name.split(".")[0] in {"mock", "pytest_mock"} or name.startswith("unittest"):
            yield f"{source.path}:{line} imports {name}"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and (said := ast.unparse(node)) in NOT_IN_TESTS:
            yield f"{source.path}:{node.lineno} uses {said}"


SHIPPED: tuple[Callable[[Source], Iterator[str]], ...] = (
    directions,
    purity,
    import_does_nothing,
    no_print,
    aware,
    time_is_passed_in,
    asks_limits_not_names,
    words,
    explained,
    short,
)
TESTS: tuple[Callable[[Source], Iterator[str]], ...] = (nothing_is_faked, short)


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _name(node: ast.expr) -> str:
    """The last part of a dotted name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
