"""spindle demo on native: what it prints, what it puts into the JSON object, that it repeats."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from spindle.cli.main import main

pytest.importorskip("sklearn")

KEYS = {
    "machine",
    "test_accuracy",
    "steps",
    "launches",
    "simulated_s_per_step",
    "cycles_per_step",
    "mac_per_cycle_per_core",
    "energy_j",
    "host_bytes",
    "packets_sent",
    "packets_lost",
    "wall_s",
    "weights_sha256",
    "costs_hash",
    "estimated_cycles_per_step",
}


def demo_json(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["demo", "--machine", "native", "--json", *words]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_twelve_epochs(capsys: pytest.CaptureFixture[str]) -> None:
    found = demo_json(capsys)
    assert found.keys() >= KEYS
    assert found["test_accuracy"] >= 0.95
    assert found["machine"] == "native" and found["packets_lost"] is None
    assert found["estimated_cycles_per_step"] is None, "its cycles are the estimate"
    assert found["cycles_per_step"] * found["steps"] == found["training"]["cycles"]
    assert "cycles_per_step" not in found["total"], "its launches are not all of training"
    assert found["launches"] == 1 + 12 * 4 and found["steps"] == 12 * 24
    assert re.fullmatch("[0-9a-f]{64}", found["weights_sha256"])
    assert found["host_bytes"] < 700_000, "the data set and the weights stay on the machine"


def test_tables_and_that_weights_do_not_depend_on_cores_and_tiles(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("--epochs", "1", "--batch", "32", "--seed", "1")
    assert main(["demo", "--machine", "native", *words]) == 0
    out, err = capsys.readouterr()
    assert "epoch   1/1   loss" in out and "GEMM with quantising" in out and err == ""
    assert "estimate" not in out
    other = demo_json(capsys, *words, "--cores", "7", "--max-tile", "16")
    assert other["weights_sha256"][:16] in out
