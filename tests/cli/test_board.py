"""`spindle board`: the ready line, Ctrl-C, record and replay, sentences for bad switches."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spindle.cli.board import main

COMMAND = [sys.executable, "-m", "spindle.cli.main", "board"]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_it_says_when_it_is_ready_and_stops_at_a_signal(name: str, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    words = [*COMMAND, "--shape", "1x1", "--record", str(log)]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        assert ready["address"].startswith("127.") and ready["address"] != "127.0.0.1"
        assert (ready["shape"], ready["booted"], ready["pid"]) == ([1, 1], True, process.pid)
        process.send_signal(getattr(signal, name))
        assert process.wait(10) == 0
    again = replay(log, environment)
    answer = json.loads(again.stdout)
    assert again.returncode == 0
    assert answer["equal"] is True and answer["recorded"] == answer["hash"]
    log.write_text("\n".join(log.read_text().splitlines()[:-1]))
    cut = replay(log, environment)
    assert (cut.returncode, json.loads(cut.stdout)["equal"]) == (1, None)
    assert "a.log was cut off: it has no hash to compare with" in cut.stderr


def replay(log: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    words = [*COMMAND, "--replay", str(log)]
    return subprocess.run(words, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--shape", "big"], "--shape: 'big' is no shape; write it as 2x2"),
        (["--shape", "4x4"], "4x4 chips cannot be emulated"),
        (["--dead-cores", "1,2"], "--dead-cores: '1,2' is no list of cores"),
        (["--dead-cores", "90:1"], "90 cores cannot be dead"),
        (["--lose", "2"], "--lose: 2.0 is no loss rate"),
        (["--nonsense"], "unrecognized arguments"),
    ],
)
def test_bad_switches_are_usage_errors(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--slow", "0.1"], "--slow: 0.1 is no slowness"),
        (["--address", "192.0.2.1"], "192.0.2.1 cannot be taken"),
        (["--replay", "/nonexistent.log"], "--replay: /nonexistent.log: No such file"),
    ],
)
def test_what_cannot_be_done_is_said(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    assert sentence in capsys.readouterr().err
