"""python -m bench: both machines in one run, as text and as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sklearn")
ROOT = Path(__file__).resolve().parents[2]


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_json() -> None:
    done = bench("--json", "--repeats", "3")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["ratio"] == pytest.approx(
        found["native_wall_s_per_launch"] / found["jax_cpu_wall_s_per_launch"]
    )
    assert found["machine"] == "native" and found["cycles_per_step"] > 100_000
    assert len(found["costs_hash"]) == 12


def test_bad_usage() -> None:
    done = bench("--repeats", "0")
    assert done.returncode == 2 and "--repeats 0 times nothing" in done.stderr
