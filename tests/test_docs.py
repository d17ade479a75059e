"""The pages hold: paths exist, the README's Python runs, what is named in code is documented."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import spindle
import spindle.errors
from spindle.cli import demo
from spindle.cli.main import COMMANDS
from spindle.frontends.ingest_ops import RULES, SEVERAL
from spindle.frontends.refusal import HINTS
from spindle.spec import chip, sources
from spindle.spec.costs import POWER

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PATH = re.compile(
    r"(?<![\w/.])(?:spindle|docs|tests|examples|bench|tools|firmware|\.ci)/[\w./-]*[\w/]"
)
"""A path from the root; firmware/ is short for spindle/firmware/ in specs."""
LINK = re.compile(r"\]\(([^)#]+)\)")


def read(name: str) -> str:
    return (ROOT / name).read_text()


def exists(path: str) -> bool:
    """Whether a path of a page exists, from the root or from spindle/."""
    places = (ROOT / path, ROOT / "spindle" / path)
    return any(place.exists() for place in places)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_exists(page: Path) -> None:
    named = set(PATH.findall(page.read_text()))
    assert [path for path in sorted(named) if not exists(path)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_python_files_name_pages_that_exist() -> None:
    files = [*(ROOT / "spindle").rglob("*.py"), *(ROOT / "spindle" / "firmware").rglob("*.[ch]")]
    named = {page for path in files for page in re.findall(r"docs/[\w/]+\.md", path.read_text())}
    assert [page for page in sorted(named) if not (ROOT / page).exists()] == []


def test_readme_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", read("README.md"), re.DOTALL)
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    loss, cycles = capsys.readouterr().out.split()
    assert 0 <= float(loss) < 0.05 and int(cycles) > 0


def test_readme_names_every_command_and_option() -> None:
    text = read("README.md")
    assert all(f"spindle {command}" in text for command in COMMANDS)
    options = re.findall(r"--[\w-]+", demo.make_parser().format_usage())
    assert [option for option in options if f"`{option}`" not in text] == []


def test_architecture_names_every_folder() -> None:
    text = read("docs/architecture.md")
    folders = [path.parent.name for path in (ROOT / "spindle").glob("*/__init__.py")]
    assert [folder for folder in folders if f"spindle/{folder}/" not in text] == []


def test_every_error_class_is_documented() -> None:
    text = read("docs/limits.md")
    classes = [name for name, _ in inspect.getmembers(spindle.errors, inspect.isclass)]
    assert [name for name in classes if f"`{name}`" not in text] == []


def test_every_op_is_documented() -> None:
    text = read("docs/limits.md")
    assert [op for op in {**RULES, **SEVERAL} if f"`{op}`" not in text] == []
    assert [op for op in HINTS if op in RULES or op in SEVERAL] == []


def test_public_names_have_docstrings() -> None:
    assert [name for name in spindle.__all__ if not inspect.getdoc(getattr(spindle, name))] == []


def test_sources_of_costs_are_current() -> None:
    page = sources.PAGE.read_text()
    assert sources.updated(page) == page, "run `make generate`"


def test_every_fact_has_a_row() -> None:
    text = read("docs/sources.md")
    facts = [name for name in vars(chip) if name.isupper()]
    facts += [name for name in vars(POWER) if not name.endswith("_source")]
    assert [name for name in facts if f"`{name}`" not in text] == []


def test_every_dependency_has_its_reason() -> None:
    text = read("docs/dependencies.md")
    named = re.findall(r'^ {4}"([\w-]+)>=', read("pyproject.toml"), re.MULTILINE)
    assert len(named) >= 10
    assert [name for name in named if f"| {name} |" not in text] == []
