"""Unmodified SpiNNMan finds the board, boots it, reads and writes every chip, loads and stops an
application.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from scp_host import COUNTER, aplx

PROCESS = [sys.executable, "-m", "spindle.cli.main", "board"]
SESSION = Path(__file__).with_name("spinnman_session.py")
LINKS = {"0,0": [0, 1, 2, 5], "1,0": [2, 3, 5], "0,1": [0, 2, 5], "1,1": [2, 3, 4, 5]}


def spinnman_on(words: list[str], folder: Path) -> dict[str, object]:
    """Start a board with these switches, run the session, stop the board, replay its log."""
    log = folder / "session.log"
    program = folder / "counter.aplx"
    program.write_bytes(aplx(COUNTER))
    environment = os.environ | {"HOME": str(folder), "PYTHONPATH": os.getcwd()}
    environment["XDG_CACHE_HOME"] = str(folder)
    with subprocess.Popen(
        [*PROCESS, *words, "--record", str(log)], stdout=subprocess.PIPE, text=True, env=environment
    ) as board:
        assert board.stdout
        try:
            address = json.loads(board.stdout.readline())["address"]
            done = subprocess.run(
                [sys.executable, str(SESSION), address, str(program)],
                capture_output=True,
                text=True,
                env=environment,
                cwd=folder,
                check=False,
            )
        finally:
            board.terminate()
        assert board.wait(10) == 0
    assert done.returncode == 0, done.stderr[-3000:]
    again = subprocess.run(
        [*PROCESS, "--replay", str(log)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    answer = json.loads(again.stdout)
    assert answer["equal"] is True and answer["recorded"] == answer["hash"]
    found = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def check(found: dict[str, object]) -> None:
    assert found["chips"] == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert found["cores"] == 71
    assert found["links"] == LINKS
    assert found["memory"] == [True] * 4
    assert (found["running"], found["counting"], found["left"]) == (8, [True] * 4, 0)


def test_spinnman_uses_a_booted_board(tmp_path: Path) -> None:
    found = spinnman_on([], tmp_path)
    check(found)


@pytest.mark.long
def test_spinnman_boots_a_cold_board(tmp_path: Path) -> None:
    found = spinnman_on(["--cold"], tmp_path)
    check(found)
