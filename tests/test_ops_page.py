"""docs/ops.md is what the compiler does; every op has a row."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from spindle.frontends.ingest_ops import RULES, SEVERAL

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ops_page", ROOT / "tools" / "make_ops_page.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_current(tool: ModuleType) -> None:
    assert tool.PAGE.read_text() == tool.page(), "run `make docs`"


def test_every_op_has_a_row(tool: ModuleType) -> None:
    rows = {line.split("`")[1] for line in tool.PAGE.read_text().splitlines() if line[:3] == "| `"}
    assert {*RULES, *SEVERAL, "while", "case", "if"} <= rows


def test_errors_are_those_of_the_page_that_states_them(tool: ModuleType) -> None:
    stated = tool.stated()
    assert stated["exponential"] == "0.51" and stated["erfc"] == "4.3"
    assert stated.keys() <= {*RULES}
