"""The import order: a stage imports the data it reads and writes, and no other stage.

docs/architecture.md says why. The table below is that rule, folder by folder; every import anywhere
in the package (inside functions too) must be in it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "spindle"

EVERYWHERE = {"errors", "options", "spec"}

STAGES: dict[str, set[str]] = {
    "spec": set(),
    "ir": set(),
    "kernels_host": {"clang"},
    "vboard": {"clang"},
    "firmware_build": {"clang", "kernels_host"},
    "image": {"ir.graph"},
    "frontends": {"ir.dtypes", "ir.graph"},
    "passes": {"ir"},
    "schedule": {"ir", "image.image", "kernels_host"},
    "codegen": {"ir", "image.image"},
    "machines": {"ir.graph", "image.image", "kernels_host", "firmware_build", "vboard"},
    "report": {"machines.machine"},
    "firmware": set(),
}
"""Folder -> what it may import besides itself and EVERYWHERE. spec/ imports nothing."""

DATA = {"ir.graph", "image.image", "machines.machine"}
USER_SIDE: dict[str, set[str]] = {
    "errors.py": set(),
    "clang.py": {"errors"},
    "options.py": {"errors"},
    "data.py": set(),
    "compile.py": DATA | {"passes.pipeline", "schedule.plan", "codegen.emit"},
    "tracing.py": {"array", "ir.graph", "frontends"},
    "session.py": {"machines.machine", "machines.open"},
    "array.py": DATA | {"ir.held"},
    "launch.py": DATA | {"array", "session"},
    "compiled.py": DATA | {"array", "launch", "session"},
    "jitted.py": DATA | {"array", "compile", "launch", "session", "tracing"},
    "api.py": DATA | {"compile", "compiled", "frontends.ingest", "jitted", "session"},
    "__init__.py": {"api", "array", "compiled", "session"},
    "cli": {
        "",
        "machines.examine",
        "machines.machine",
        "machines.open",
        "report",
        "schedule.estimate",
        "vboard",
    },
}
"""Above the stages: compile.py joins them, the rest makes launches of calls. "" is `spindle`."""

ALLOWED = STAGES | USER_SIDE


def imports_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, module) of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from ((node.lineno, name) for name in _modules(node))


def _modules(node: ast.ImportFrom) -> list[str]:
    """`from spindle.spec import chip` imports the module spindle.spec.chip."""
    module = node.module or ""
    folder = ROOT.joinpath(*module.split("."))
    if not module.startswith("spindle") or not folder.is_dir():
        return [module]
    names = [alias.name for alias in node.names]
    found = [name for name in names if (folder / f"{name}.py").exists() or (folder / name).is_dir()]
    return [f"{module}.{name}" for name in found] or [module]


def place_of(path: Path) -> str:
    """Return the key of ALLOWED for a file."""
    return path.relative_to(PACKAGE).parts[0]


def within(module: str, allowed: set[str]) -> bool:
    """Say whether a module (without "spindle.") is one of `allowed` or inside one."""
    if module == "":
        return "" in allowed
    return any(name and f"{module}.".startswith(f"{name}.") for name in allowed)


def wrong_imports(path: Path) -> list[str]:
    place = place_of(path)
    leaf = place in ("spec", "errors.py")
    allowed = ALLOWED[place] | {place.removesuffix(".py")} | (set() if leaf else EVERYWHERE)
    ours = ((line, m) for line, m in imports_of(ast.parse(path.read_text())) if _is_ours(m))
    found = ((line, module.removeprefix("spindle").lstrip(".")) for line, module in ours)
    relative = path.relative_to(ROOT)
    return [f"{relative}:{n} imports {m or 'spindle'}" for n, m in found if not within(m, allowed)]


def _is_ours(module: str) -> bool:
    return module.split(".")[0] == "spindle"


FILES = sorted(PACKAGE.rglob("*.py"))


def test_every_place_has_its_rule() -> None:
    assert {place_of(path) for path in FILES} <= ALLOWED.keys()


@pytest.mark.parametrize("place", sorted(ALLOWED))
def test_imports_only_what_the_rule_allows(place: str) -> None:
    files = [path for path in FILES if place_of(path) == place]
    assert [wrong for path in files for wrong in wrong_imports(path)] == []


def test_one_module_owns_jaxlib() -> None:
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in FILES
        for _, module in imports_of(ast.parse(path.read_text()))
        if module.split(".")[0] == "jaxlib"
    }
    assert users <= {"frontends/jaxlib_adapter.py"}


def test_one_module_owns_spinnman() -> None:
    """Its state is the process's: it is imported in the helper process only (docs/machine.md)."""
    owners = {"machines/hostd/spinnman_board.py", "vboard/boot_image.py"}
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in FILES
        for _, module in imports_of(ast.parse(path.read_text()))
        if module.split(".")[0] in ("spinnman", "spinn_machine", "spinn_utilities")
    }
    assert users <= owners


def test_stages_do_without_jax() -> None:
    users = {
        place_of(path)
        for path in FILES
        for _, module in imports_of(ast.parse(path.read_text()))
        if module.split(".")[0] == "jax"
    }
    assert users & STAGES.keys() <= {"frontends"}


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("import spindle.passes.fuse", ["spindle.passes.fuse"]),
        ("def f():\n    from spindle.schedule import plan", ["spindle.schedule.plan"]),
        ("from spindle.spec import chip, costs", ["spindle.spec.chip", "spindle.spec.costs"]),
        ("from spindle.errors import UserError", ["spindle.errors"]),
    ],
)
def test_the_reader_of_imports(source: str, seen: list[str]) -> None:
    assert [module for _, module in imports_of(ast.parse(source))] == seen


def test_a_module_beside_an_allowed_one_is_not_allowed() -> None:
    assert within("ir.graph", {"ir.graph"}) and within("ir.graph", {"ir"})
    assert not within("ir.graphics", {"ir.graph"}) and not within("ir", {"ir.graph"})
