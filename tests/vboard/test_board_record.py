"""A log of the input gives the same trace again, whatever the quantum; different input does not."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from scp_host import COUNTER, VER, BoardWire, Host, aplx

from spindle.errors import UserError
from spindle.vboard.board import CYCLES_PER_MS, Board, Datagram
from spindle.vboard.options import BoardOptions
from spindle.vboard.record import Guard, Log, Recorder, apply_input, read_log, replay, start_board

SENDER = """
    ldr r5, =0x10000000
    mov r6, #0
send:
    ldr r7, [r5]
    tst r7, #0x80000000
    beq send
    mov r7, #0
    str r7, [r5]
    str r6, [r5, #8]
    add r6, r6, #1
    b send
"""
"""Sends multicast packets with keys 0, 1, ..: dropped by the router, for want of a route."""


class RecordedWire(BoardWire):
    """A wire whose requests go through a recorder."""

    def __init__(self, board: Board, recorder: Recorder) -> None:
        super().__init__(board)
        self.recorder = recorder

    def ask(self, request: bytes) -> bytes:
        reply = super().ask(request)
        self.recorder.datagram(self.log[-1])
        return reply


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, cache: None) -> Path:
    """Three milliseconds of loads, two applications on two chips, and requests."""
    path = tmp_path_factory.mktemp("logs") / "a.log"
    options = BoardOptions(lose=0.01)
    with start_board(options, "127.83.3.1", cold=False) as board:
        recorder = Recorder(path, board, cold=False)
        host = Host(RecordedWire(board, recorder))
        host.start(aplx(SENDER), app=30, cores=0x3E)
        host.start(aplx(COUNTER), app=31, cores=0x3C, chip=(1, 1))
        guard = Guard(board.now, 0, 0x6100_0000, 4096)
        apply_input(board, guard)
        recorder.guard(guard)
        for _ in range(3):
            board.run_all(board.now + CYCLES_PER_MS // 3)
            host.scp(VER, chip=(1, 0))
        assert board.router_counts(0)[2] > 0
        recorder.close(board)
    return path


@pytest.mark.parametrize("quantum", [0, 50, 25])
def test_a_log_gives_the_same_trace(recorded: Path, quantum: int) -> None:
    log = read_log(recorded)
    value, datagrams = replay(log, quantum)
    assert value == log.hash
    assert len(datagrams) == sum(isinstance(entry, Datagram) for entry in log.inputs)


def test_another_input_gives_another_trace(recorded: Path) -> None:
    log = read_log(recorded)
    first = log.inputs[0]
    later = replace(log, inputs=(replace(first, time=first.time + 1), *log.inputs[1:]))
    assert replay(later)[0] != log.hash


def test_a_log_that_was_cut_off_ends_at_its_last_input(recorded: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.log"
    cut.write_text("\n".join(recorded.read_text().splitlines()[:-1]))
    log = read_log(cut)
    assert (log.end, log.hash) == (None, None)
    assert log.inputs == read_log(recorded).inputs
    replay(log)


def test_the_options_come_back(recorded: Path) -> None:
    log: Log = read_log(recorded)
    assert log.options == BoardOptions(lose=0.01)
    assert (log.ip, log.cold) == ("127.83.3.1", False)


def test_what_is_no_log_is_refused(recorded: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.log"
    with pytest.raises(UserError, match="No such file"):
        read_log(bad)
    bad.write_text("hello\n")
    with pytest.raises(UserError, match="is no log of a virtual board"):
        read_log(bad)
    head, *rest = recorded.read_text().splitlines()
    bad.write_text("\n".join([json.dumps(json.loads(head) | {"image": "0"}), *rest]))
    with pytest.raises(UserError, match="recorded with another monitor image"):
        read_log(bad)
    with pytest.raises(UserError, match="--record"):
        Recorder(tmp_path / "none" / "a.log", Board(BoardOptions(shape=(1, 1))), cold=True)
