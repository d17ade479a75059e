"""The demo on a virtual board, its default: native's weights on boards of all kinds; Ctrl-C."""

from __future__ import annotations

import functools
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from spindle.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
DEAD = "0,0,3;0,0,7;0,0,9;0,0,11"


@functools.cache
def native_demo(epochs: int) -> dict[str, Any]:
    words = [sys.executable, "-m", "spindle.cli.main", "demo", "--machine", "native", "--json"]
    done = subprocess.run(
        [*words, "--epochs", str(epochs)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("epochs", "words"),
    [
        (1, ""),
        pytest.param(3, "", marks=pytest.mark.long),
        (1, f"--dead-cores {DEAD}"),
        pytest.param(3, f"--dead-cores {DEAD}", marks=pytest.mark.long),
        pytest.param(1, f"--dead-cores {DEAD} --lose 1e-3", marks=pytest.mark.long),
    ],
)
def test_weights_are_those_of_native(
    epochs: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, native = demo_json(capsys, f"--epochs {epochs} {words}"), native_demo(epochs)
    assert found["weights_sha256"] == native["weights_sha256"]
    fewer_cores = found["estimated_cycles_per_step"] > native["cycles_per_step"]
    assert fewer_cores == ("--dead-cores" in words), "the estimate is native's, for these cores"
    if not fewer_cores:
        assert found["estimated_cycles_per_step"] == native["cycles_per_step"]
    assert found["n_cores"] == (13 if "--dead-cores" in words else 16)
    assert (found["packets_lost"] == 0) == ("--lose" not in words)
    assert (found["packets_resent"] == 0) == ("--lose" not in words)


def demo_json(capsys: pytest.CaptureFixture[str], words: str) -> dict[str, Any]:
    assert main(["demo", "--json", *words.split()]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["machine"] == "iss"
    return found


@pytest.mark.long
def test_the_demo_as_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    """Twelve epochs: a line for each, then measured cycles with the estimate beside them."""
    assert main(["demo"]) == 0
    lines = capsys.readouterr().out.splitlines()
    epochs = [line for line in lines if line.startswith("epoch")]
    assert [line.split()[1] for line in epochs] == [f"{n}/12" for n in range(1, 13)]
    accuracy = float(epochs[-1].split("accuracy ")[1].split("%")[0])
    assert accuracy >= 95
    assert any("measured" in line and "estimate" in line for line in lines)
    assert native_demo(12)["weights_sha256"][:16] in "".join(lines)


def test_ctrl_c_stops_the_demo() -> None:
    words = ["-m", "spindle.cli.main", "demo", "--machine", "iss", "--epochs", "50"]
    with subprocess.Popen(
        [sys.executable, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        time.sleep(4)
        process.send_signal(signal.SIGINT)
        assert "interrupted, nothing is kept" in process.stderr.read()
        assert process.wait(10) == 1


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        ("--machine iss --dead-cores x", 1, "'x' is no list of cores"),
        ("--machine iss --lose 2", 1, "2.0 is no loss rate"),
        ("--machine spin3:no.such.host.invalid", 1, "cannot be reached"),
        ("--machine spin3:HOST --lose 0.1", 2, "a board has no switch 'lose'"),
    ],
)
def test_bad_boards(
    words: str, status: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", *words.split()]) == status
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1
