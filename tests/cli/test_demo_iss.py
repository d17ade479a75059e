"""The demo on a virtual board: native's weights, whatever the board is like; Ctrl-C."""

from __future__ import annotations

import functools
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spindle.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
DEAD = "0,0,3;0,0,7;0,0,9;0,0,11"


@functools.cache
def native_weights(epochs: int) -> str:
    words = [sys.executable, "-m", "spindle.cli.main", "demo", "--machine", "native", "--json"]
    done = subprocess.run(
        [*words, "--epochs", str(epochs)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return str(json.loads(done.stdout)["weights_sha256"])


@pytest.mark.parametrize(
    ("epochs", "words"),
    [
        (1, ""),
        pytest.param(3, "", marks=pytest.mark.long),
        pytest.param(1, f"--dead-cores {DEAD} --lose 1e-3", marks=pytest.mark.long),
    ],
)
def test_weights_are_those_of_native(
    epochs: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = f"demo --machine iss --json --epochs {epochs} {words}"
    assert main(line.split()) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["weights_sha256"] == native_weights(epochs)
    assert found["machine"] == "iss"
    assert (found["packets_lost"] == 0) == ("--lose" not in words)


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
