"""A board as a process: it says its time, stops when asked, and dies with its parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from scp_host import VER, Host, UdpWire

from spindle.errors import MachineError
from spindle.vboard.process import BoardProcess

SMALL = ("--shape", "1x1")


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("PYTHONPATH", os.getcwd())
        yield


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_two_boards_keep_their_own_time() -> None:
    with BoardProcess(SMALL) as one, BoardProcess((*SMALL, "--slow", "50")) as two:
        for board in (one, two):
            begin = board.time_ns()
            while board.time_ns() == begin:
                time.sleep(0.01)
            assert board.time_ns() > begin
        wire = UdpWire(two.address)
        assert Host(wire).scp(VER)[12:17] == b"SC&MP"
        wire.close()
    assert not one.is_alive() and not two.is_alive()


def test_a_board_that_cannot_start_says_why() -> None:
    with pytest.raises(MachineError, match="did not start: spindle: --shape: a board of 9x9"):
        BoardProcess(("--shape", "9x9"))


def test_a_killed_board_is_noticed() -> None:
    with BoardProcess(SMALL) as board:
        os.kill(board.pid, signal.SIGKILL)
        with pytest.raises(MachineError, match="does not answer"):
            for _ in range(100):
                board.time_ns()
                time.sleep(0.01)


def test_a_board_dies_with_its_parent() -> None:
    script = (
        "from spindle.vboard.process import BoardProcess; import os, sys\n"
        f"board = BoardProcess({SMALL!r}); print(board.pid, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.kill()
    end = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not is_running(pid)
