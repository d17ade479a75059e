"""python -m bench.vboard_arm: three programs, both emulators run the same kernels and monitor."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("unicorn")
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from bench import unicorn_cores, vboard_arm  # noqa: E402


def test_json() -> None:
    words = ["-m", "bench.vboard_arm", "--json", "--instructions", "3000", "--repeats", "1"]
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    names = ["bfp28 GEMM step", "float32 Adam step", "SC&MP boot"]
    assert [one["program"] for one in found] == names
    for one in found:
        fastest = max(one["theirs"].values())
        assert one["ours"] > 0 and one["ratio"] == pytest.approx(one["ours"] / fastest)


def test_both_run_the_same_kernel(tmp_path: Path) -> None:
    """After a whole number of calls the memories are equal, byte for byte."""
    program = vboard_arm.TimedProgram(vboard_arm.firmware_objects(tmp_path, plain=False))
    loop = vboard_arm.gemm(program)
    (core,) = vboard_arm.our_cores(loop)[:1]
    core.run(500_000)
    theirs = unicorn_cores.tcm_core(loop.itcm, loop.dtcm, vboard_arm.DRIVER)
    unicorn_cores.rotate([theirs], core.instructions, 1)
    size = vboard_arm.WATCHED - vboard_arm.DTCM_BASE
    ours = core.read_memory(vboard_arm.DTCM_BASE, size)
    assert ours == bytes(theirs.mem_read(vboard_arm.DTCM_BASE, size)) != loop.dtcm[:size]


def test_the_monitor_sees_devices() -> None:
    with unicorn_cores.started_board() as board:
        monitor = unicorn_cores.Monitor(board)
        board.run(vboard_arm.ROM_CYCLES)
        for _ in range(8):
            unicorn_cores.run_slice(monitor.core, 1000)
            monitor.pass_time(1000)
        assert vboard_arm.of_monitor(board) > 5000
    assert monitor.n_accesses > 20
    monitor.close()
