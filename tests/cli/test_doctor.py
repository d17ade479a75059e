"""spindle doctor: what it says of boards that are well, occupied, or not there."""

from __future__ import annotations

import json

import pytest
from board_tools import board
from vboard.scp_host import ALLOC, COUNTER, aplx

from spindle.cli.main import main


def test_a_board_that_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    with board() as (process, _):
        assert main(["doctor", f"spin3:{process.address}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("ok  ") for line in lines)
    for words in ("reachable", "SC&MP", "SpiNN-3, 4 chips", "no application", "117.7 MB of SDRAM"):
        assert any(words in line for line in lines)
    assert sum("chip (" in line for line in lines) == 4


def test_a_board_that_is_occupied(capsys: pytest.CaptureFixture[str]) -> None:
    """Foreign cores and memory, dead cores: each has its line and its advice."""
    dead = ";".join(f"1,0,{core}" for core in range(11))
    with board("--dead-cores", dead) as (process, host):
        host.start(aplx(COUNTER), 30, 1 << 3)
        host.scp(ALLOC, (30 << 8, 100_000_000, 0))
        assert main(["doctor", process.address, "--json"]) == 1
        assert host.state(3) == 7
    found = {one["check"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["running"]["found"] == "application 30 on 1 cores"
    assert "stop it" in found["running"]["fix"]
    assert "SDRAM is held" in found["chip (0, 0)"]["fix"]
    assert found["chip (1, 0)"]["found"].startswith("6 of 17 cores")
    assert "few cores" in found["chip (1, 0)"]["fix"]
    assert found["chip (0, 1)"]["is_well"]


@pytest.mark.parametrize("host", ["127.83.3.251", "no.such.host.invalid"])
def test_a_board_that_is_not_there(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", host]) == 1
    assert capsys.readouterr().out.startswith("LOOK reachable: ")


def test_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 2
    assert "HOST" in capsys.readouterr().err
