"""What can go wrong on a board: one sentence each, nothing left running, arrays valid or lost."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from board_tools import board, buffer_of, iss, start
from hand_plans import add_bias, count_down
from test_native import patched
from vboard.scp_host import ALLOC, COUNTER, Host, aplx

from spindle.codegen.emit import emit
from spindle.errors import FaultError, LostArrayError, MachineError, OutOfMemoryError, UserError
from spindle.firmware_build import build
from spindle.image.image import Image
from spindle.machines.iss import IssMachine
from spindle.machines.machine import Machine
from spindle.machines.open import open_machine
from spindle.machines.opening import TAG
from spindle.spec import arena, generate, records

FOREIGN = 30
IPTAG, IPTAG_GET = 26, 2 << 16
TASK = records.STEP.size


def add_image() -> tuple[Image, list[np.ndarray]]:
    image = emit(add_bias(61, 70, (7, 33), True))
    return image, [np.ones((61, 70), np.float32), np.ones(70, np.float32)]


def long_image(trips: int = 100_000) -> tuple[Image, list[np.ndarray]]:
    """It counts down: some 0.1 ms of the board's time a trip."""
    return emit(count_down(trips)), [np.array([trips - 1], np.int32), np.zeros(trips, np.int32)]


@pytest.fixture
def machine() -> Iterator[IssMachine]:
    with iss() as opened:
        yield opened


def still_adds(machine: Machine) -> None:
    image, args = add_image()
    event, _, outputs = start(machine, image, args)
    event.wait(60)
    assert machine.read(outputs[0]) == (args[0] + args[1]).tobytes()


def children() -> set[int]:
    """Processes of ours that have not ended."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = path.read_text().rsplit(")", 1)[1].split()[:2]
            if int(parent) == os.getpid() and state != "Z":
                found.add(int(path.parent.name))
    return found


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    before = children()
    yield
    assert all(map(gone, children() - before))


def gone(pid: int) -> bool:
    """Whether a process has ended; a busy host may need ten seconds to see to it."""
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


# Opening


@pytest.mark.parametrize("host", ["no.such.host.invalid", "127.83.3.250"])
def test_no_board_at_the_host_name(host: str) -> None:
    with pytest.raises(MachineError, match=f"{host}.*check") as raised:
        open_machine(f"spin3:{host}")
    assert "\n" not in str(raised.value)


def test_the_wrong_type_of_board() -> None:
    with board() as (process, _), pytest.raises(MachineError, match="open it as spin3:127"):
        open_machine(f"spin5:{process.address}")


def test_an_address_that_is_taken() -> None:
    with board() as (process, _), pytest.raises(MachineError, match="cannot be taken"):
        open_machine("iss", address=process.address)


@pytest.mark.parametrize(
    ("switches", "words"),
    [
        ({"fast": True}, "iss has no switch 'fast'"),
        ({"shape": "1x1"}, "no shape '1x1'; SpiNNMan knows boards of 2x2"),
        ({"dead_cores": "9,9,1"}, "no core"),
        ({"cores": 0}, "0 cores cannot be used"),
        ({"cores": 18}, "18 cores cannot be used"),
    ],
)
def test_switches_that_cannot_be(switches: dict[str, object], words: str) -> None:
    with pytest.raises((UserError, MachineError), match=words):
        open_machine("iss", **switches)  # type: ignore[arg-type]


def test_a_board_that_runs_another_application() -> None:
    with board() as (process, host):
        host.start(aplx(COUNTER), FOREIGN, 1 << 3)
        with pytest.raises(MachineError, match="runs application 30; stop it first"):
            open_machine(f"spin3:{process.address}")
        assert host.state(3) == 7
        host.stop(FOREIGN)
        time.sleep(0.2)
        opened = open_machine(f"spin3:{process.address}")
        still_adds(opened)
        opened.close()


def test_too_little_memory_for_an_arena() -> None:
    with board() as (process, host):
        free = int.from_bytes(host.scp(31)[4:8], "little")
        host.scp(ALLOC, (FOREIGN << 8, free - 500_000, 0))
        with pytest.raises(MachineError, match=r"B of SDRAM free, Spindle needs 1114112 B"):
            open_machine(f"spin3:{process.address}")


def test_firmware_of_other_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "abi_hash", lambda: 1)
    with pytest.raises(MachineError, match="code 20: the firmware was built for other records"):
        open_machine("iss")


# Programs


def test_a_program_of_other_records(machine: IssMachine) -> None:
    image, _ = add_image()
    with pytest.raises(UserError, match="compile the program again"):
        machine.load(replace(image, abi_hash=1))


def test_a_program_that_does_not_fit(machine: IssMachine) -> None:
    image, _ = add_image()
    with pytest.raises(OutOfMemoryError, match="of scratch in SDRAM"):
        machine.load(replace(image, scratch_bytes=150_000_000))
    still_adds(machine)


def test_a_step_that_makes_no_sense(machine: IssMachine) -> None:
    image, args = add_image()
    bad = patched(image, TASK, "task", kernel=77)
    event, inputs, outputs = start(machine, bad, args)
    with pytest.raises(FaultError, match=r"on lane 0 in step 0 add at add\.py:1: .*kernel"):
        event.wait(60)
    with pytest.raises(LostArrayError, match="lost when add_bias stopped"):
        machine.read(outputs[0])
    assert machine.read(inputs[0]) == args[0].tobytes()
    still_adds(machine)


def spoil_a_core(machine: IssMachine, core: int) -> None:
    """Have one core take a message by code that is an undefined instruction."""
    made = build.build()
    symbols = dict(reversed(line.split()[::2]) for line in made.symbols.read_text().splitlines())
    at = int(symbols["mailbox_interrupt"], 16) & ~1
    (code,) = machine.carrier.read([(at, 4)])
    machine.carrier.write([(at, b"\xff\xde" * 2)])
    machine._opening.call(machine._session.layout, "knock", cores=[core])
    time.sleep(0.05)
    machine.carrier.write([(at, code)])


def test_a_core_that_meets_an_exception(machine: IssMachine) -> None:
    """The launch ends, the board is opened again, programs are put back."""
    kept = buffer_of(machine, np.arange(5))
    good, args = add_image()
    program = machine.load(good)
    image, long_args = long_image()
    event, inputs, _ = start(machine, image, long_args)
    time.sleep(0.1)
    machine.free(inputs[0])
    spoil_a_core(machine, 5)
    with pytest.raises(
        FaultError,
        match=r"stopped for good \(fault 8 CORE, run-time error 2, core 5, pc 0x[0-9a-f]{8}\)",
    ):
        event.wait(60)
    with pytest.raises(LostArrayError, match="lost when its board was restarted: core"):
        machine.read(kept)
    inputs = [buffer_of(machine, arg) for arg in args]
    output = machine.alloc(0, args[0].nbytes)
    machine.run(program, inputs, [output]).wait(60)
    assert machine.read(output) == (args[0] + args[1]).tobytes()


def test_a_core_that_hangs() -> None:
    """Another program takes one of our cores away: it answers neither barrier nor mailbox."""
    with board() as (process, host):
        machine = open_machine(f"spin3:{process.address}")
        image, args = long_image()
        kept = buffer_of(machine, np.arange(5))
        event, _, _ = start(machine, image, args)
        time.sleep(0.2)
        host.start(aplx(COUNTER), arena.APP_ID, 1 << 5)
        with pytest.raises(FaultError, match="core 5 does not answer; the board was restarted"):
            event.wait(60)
        with pytest.raises(LostArrayError, match="lost when its board was restarted"):
            machine.read(kept)
        still_adds(machine)
        machine.close()


def test_arrays_made_while_the_board_is_restarted() -> None:
    """Each is either lost, and says so, or whole: none keeps a place of the session before."""
    with board() as (process, host):
        machine = open_machine(f"spin3:{process.address}")
        image, args = long_image()
        event, _, _ = start(machine, image, args)
        host.stop(arena.APP_ID)
        whole = []
        while not event.done():
            data = np.full(64, len(whole), np.int32)
            try:
                whole.append((buffer_of(machine, data), data.tobytes()))
            except LostArrayError as error:
                assert "lost when its board was restarted" in str(error)
        with pytest.raises(FaultError, match="the board was restarted"):
            event.wait(60)
        alive = [(buffer, data) for buffer, data in whole if buffer.alive]
        assert len(whole) > len(alive)
        assert len({buffer.parts for buffer, _ in alive}) == len(alive)
        still_adds(machine)
        assert all(machine.read(buffer) == data for buffer, data in alive)
        machine.close()


def send_completion(host: Host, sequence: int) -> None:
    """A completion as the chip sends it, to the socket that the session's tag names."""
    tag = host.scp(IPTAG, (IPTAG_GET | TAG, 1, 0))
    address, port = socket.inet_ntoa(tag[:4]), int.from_bytes(tag[10:12], "little")
    message = bytes(10) + struct.pack("<HH3I", arena.DONE_COMMAND, sequence, sequence, 0, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(message, (address, port))


def test_a_late_completion_ends_no_launch_of_the_next_session() -> None:
    """A board sends the completion of its first launch again, then has to be restarted."""
    with board() as (process, host):
        machine = open_machine(f"spin3:{process.address}")
        still_adds(machine)
        send_completion(host, sequence=1)
        host.stop(arena.APP_ID)
        with pytest.raises(FaultError, match="the board was restarted"):
            still_adds(machine)
        image, args = long_image(1000)
        event, _, outputs = start(machine, image, args)
        event.wait(60)
        assert machine.read(outputs[1]) == np.full(1000, 3 * 999, np.int32).tobytes()
        machine.close()


@pytest.mark.parametrize("is_running", [True, False])
def test_another_program_stops_our_cores(is_running: bool) -> None:
    """In the middle of a launch, or between two: the next one finds nobody there."""
    with board() as (process, host):
        machine = open_machine(f"spin3:{process.address}")
        image, args = long_image() if is_running else add_image()
        kept = buffer_of(machine, np.arange(5))
        if not is_running:
            host.stop(arena.APP_ID)
        event, _, _ = start(machine, image, args)
        if is_running:
            time.sleep(0.2)
            host.stop(arena.APP_ID)
        words = r"core \d+ was stopped by another program; the board was restarted"
        with pytest.raises(FaultError, match=words):
            event.wait(60)
        with pytest.raises(LostArrayError, match="lost when its board was restarted"):
            machine.read(kept)
        still_adds(machine)
        machine.close()


def test_abort_leaves_arrays_valid(machine: IssMachine) -> None:
    image, args = long_image()
    event, _, _ = start(machine, image, args)
    time.sleep(0.2)
    assert not event.done()
    machine.abort()
    with pytest.raises(FaultError, match="it was aborted"):
        event.wait(60)
    other = buffer_of(machine, np.arange(5))
    assert machine.read(other) == np.arange(5).tobytes()
    still_adds(machine)


def test_the_board_is_killed_in_a_launch() -> None:
    machine = IssMachine()
    image, args = long_image()
    kept = buffer_of(machine, np.arange(5))
    event, _, _ = start(machine, image, args)
    time.sleep(0.2)
    os.kill(machine._process.pid, signal.SIGKILL)
    with pytest.raises(MachineError, match="the virtual board was stopped; open the machine again"):
        event.wait(60)
    with pytest.raises(MachineError, match="the virtual board was stopped"):
        machine.alloc(0, 4)
    assert "lost with its machine" in kept.lost
    machine.close()
    assert gone(machine._hostd.pid)


def test_a_board_that_cannot_be_left_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    with board() as (process, _):
        machine = open_machine(f"spin3:{process.address}")
        still_adds(machine)
        os.kill(process.pid, signal.SIGKILL)
        machine.close()
    error = capsys.readouterr().err
    assert f"the board {process.address} may still run application 93: " in error
    assert "opening it again stops it" in error and error.count("\n") == 1


def test_the_helper_is_killed_in_a_launch(machine: IssMachine) -> None:
    image, args = long_image()
    event, _, _ = start(machine, image, args)
    time.sleep(0.2)
    os.kill(machine._hostd.pid, signal.SIGKILL)
    with pytest.raises(
        MachineError, match=r"the helper process of this machine has ended.*open the machine again"
    ):
        event.wait(60)
    with pytest.raises(MachineError, match="open the machine again"):
        machine.alloc(0, 4)


def test_nothing_is_left_after_close() -> None:
    machine = IssMachine()
    pids = (machine._process.pid, machine._hostd.pid)
    folder = machine._hostd.log.parent
    machine.close()
    machine.close()
    assert all(map(gone, pids)) and not folder.exists()
    with pytest.raises(MachineError, match="is closed"):
        machine.alloc(0, 4)


PROGRAM = """
import jax, jax.numpy as jnp, numpy as np, spindle
machine = spindle.open_machine("iss")
print(machine._process.pid, machine._hostd.pid, flush=True)
kept = spindle.device_put(np.arange(5, dtype=np.int32))
count = spindle.jit(lambda x: jax.lax.fori_loop(0, 10_000_000, lambda i, y: y + 1.0, x))
try:
    count(np.zeros(4, np.float32))
except KeyboardInterrupt:
    print("interrupted", np.asarray(kept).sum(), flush=True)
    DIE
"""


@pytest.mark.parametrize("end", ["pass", "import os; os._exit(3)"])
def test_ctrl_c_in_a_launch(end: str) -> None:
    """Arrays are valid afterwards, and no process is left, even when ours ends at once."""
    program = [sys.executable, "-c", PROGRAM.replace("DIE", end)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pids = [int(word) for word in process.stdout.readline().split()]
        time.sleep(2.5)
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted 10\n"
        process.wait(10)
    assert all(map(gone, pids))
