"""The JSON object of a Summary."""

from __future__ import annotations

import json
from typing import Any

from run_records import run_record, step_run

from spindle.report.json_object import to_json
from spindle.report.summary import summarise


def report(**changes: Any) -> dict[str, Any]:
    runs = [run_record(step_run("gemm", (400, 400)), **changes)]
    text = json.dumps(to_json(summarise(runs, steps=8, samples=512)))
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def test_figures_per_step() -> None:
    found = report()
    assert found["cycles_per_step"] == 125 and found["simulated_s_per_step"] == 125 / 200e6
    assert found["cycles_per_step_by_kind"]["gemm"] == 50
    assert found["budget_cycles_per_step"]["Adam"] == {"cycles": 0, "budget": 0.7e6}


def test_no_figures_per_step_without_steps() -> None:
    found = to_json(summarise([run_record(step_run("gemm", (400, 400)))]))
    assert not [key for key in found if "per_step" in key]


def test_no_packets_is_null() -> None:
    assert report()["packets_lost"] is None
    assert report(packets_lost=0)["packets_lost"] == 0
    assert report(packets_resent=3)["packets_resent"] == 3


def test_says_what_ran_and_where_energy_comes_from() -> None:
    found = report()
    assert found["machine"] == "native" and found["costs_hash"] == "c0ffee"
    assert found["options"] == {"matmul": "bfp28"} and found["energy_j"] > 0
    assert any("Stromatias" in source for source in found["energy_sources"])
