"""The table of timing constants in docs/sources.md, written from costs.py (`make generate`).

In: the page. Out: the page with the rows between its two marks replaced. A test fails when stale.
"""

from __future__ import annotations

from pathlib import Path

from spindle.spec.costs import CHIP_CONSTANTS, CONSTANTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sources.md"
BEGIN, END = "<!-- generated from spindle/spec/costs.py -->\n", "<!-- end -->\n"


def table() -> str:
    """Return the table: a row per constant with tag and source, values stay in costs.py."""
    costs = (*CONSTANTS, *CHIP_CONSTANTS)
    rows = [f"| `{cost.name}` | {cost.tag} | {cost.source} |" for cost in costs]
    return "\n".join(["| constant | tag | source |", "|---|---|---|", *rows]) + "\n"


def updated(page: str) -> str:
    """Return the page's text with the table of now."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"
