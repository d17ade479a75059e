"""NativeMachine: buffers, launches, records, faults, aborts; and the estimate of the same Image."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from hand_dots import quantised_dot
from hand_plans import add_bias, add_in_place, chain, count_down, dynamic_rows, running_rows

import spindle.machines.native
from spindle.codegen.emit import emit
from spindle.errors import (
    FaultError,
    LostArrayError,
    MachineError,
    OutOfMemoryError,
    UserError,
)
from spindle.image.image import Image
from spindle.ir.plan import Plan
from spindle.kernels_host.native import pack_command
from spindle.machines.machine import Buffer, Event
from spindle.machines.native import NativeMachine
from spindle.machines.open import open_machine
from spindle.schedule.estimate import estimate
from spindle.spec import chip, records


def buffer_of(machine: NativeMachine, array: np.ndarray) -> Buffer:
    buffer = machine.alloc(0, array.nbytes)
    machine.write(buffer, array.tobytes())
    return buffer


def patched(image: Image, offset: int, record: str, **values: int) -> Image:
    """The image with fields of one record of its program changed."""
    layout = records.RECORDS[record]
    packed = layout.pack({**layout.unpack(image.program, offset), **values})
    program = image.program[:offset] + packed + image.program[offset + layout.size :]
    return replace(image, program=program)


def launch_zeros(machine: NativeMachine, image: Image) -> tuple[Event, list[Buffer]]:
    """Start it on arguments of zeros; its outputs."""
    inputs = [buffer_of(machine, np.zeros(t.size, np.int32)) for t in image.args]
    outputs = [
        inputs[image.donated[j]] if j in image.donated else machine.alloc(0, t.size_bytes)
        for j, t in enumerate(image.results)
    ]
    return machine.run(machine.load(image), inputs, outputs), outputs


def test_buffers_hold_bytes() -> None:
    machine = NativeMachine()
    data = np.arange(100, dtype=np.int32)
    buffer = buffer_of(machine, data)
    assert machine.read(buffer) == data.tobytes()
    assert machine.host_bytes() == 800
    assert machine.alloc(0, 0).size_bytes == 0
    with pytest.raises(UserError, match="396 B were given for a buffer of 400 B"):
        machine.write(buffer, bytes(396))
    machine.free(buffer)
    machine.free(buffer)
    with pytest.raises(LostArrayError, match="it was freed"):
        machine.read(buffer)


def test_all_memory_comes_back() -> None:
    machine = NativeMachine()
    free = machine._allocator.free_bytes
    event, outputs = launch_zeros(machine, emit(add_bias(8, 8, (4, 8))))
    event.wait(60)
    for buffer in [*machine._owned]:
        machine.free(buffer)
    (program,) = machine._programs
    machine.unload(program)
    machine.unload(program)
    assert machine._allocator.free_bytes == free
    assert not machine._uses and not machine._last and not outputs[0].alive


def test_freed_while_in_use() -> None:
    """A launch still reads its argument when Python has dropped the array."""
    machine = NativeMachine()
    plan = running_rows(40, 40, 64)
    program = machine.load(emit(plan))
    x, y = (buffer_of(machine, np.full((40, 64), i, np.int32)) for i in (1, 2))
    event = machine.run(program, [x, y], [x])
    machine.free(y)
    event.wait(60)
    np.testing.assert_array_equal(np.frombuffer(machine.read(x), np.int32), 1 + 40 * 2)
    assert y not in machine._uses


def test_launches_queue_in_order() -> None:
    machine = NativeMachine(n_cores=3)
    program = machine.load(emit(add_in_place(10, 16, (3, 16))))
    x = buffer_of(machine, np.ones((10, 16), np.float32))
    events = [machine.run(program, [x], [x]) for _ in range(10)]
    assert np.frombuffer(machine.read(x), np.float32)[0] == 1024
    assert all(event.done() for event in events)


def test_run_record() -> None:
    machine = NativeMachine(n_cores=7)
    image = emit(quantised_dot(20, 30, 200, (4, 8, 64), 128))
    event, _ = launch_zeros(machine, image)
    run = event.wait(60)
    assert (run.machine, run.program, run.n_cores) == ("native", "dot", 7)
    assert run.macs == 20 * 30 * 200
    assert run.packets_sent == 6 * (2 * run.barriers + 3) == 6 * 11
    assert len(run.core_cycles) == 7 and max(run.core_cycles) <= run.cycles
    assert run.host_bytes == 4 * (20 * 200 + 200 * 30) + len(image.program)
    assert all(step.runs == 1 and len(step.cycles) == 16 for step in run.steps)
    assert 0 < sum(step.dma_bytes for step in run.steps) <= run.dma_bytes
    assert run.wall_s > 0


@pytest.mark.parametrize("n_cores", [1, 7, 15, 16, 17])
def test_profile_adds_up(n_cores: int) -> None:
    """A core's busy cycles are its lanes' steps, but for reading the first entry and the end."""
    machine = NativeMachine(n_cores=n_cores)
    event, _ = launch_zeros(machine, emit(chain(6, 40, 40, (2, 16))))
    run = event.wait(60)
    for core, busy in enumerate(run.core_cycles):
        lanes = range(core, 16, min(n_cores, 16))
        spent = sum(step.cycles[lane] for step in run.steps for lane in lanes)
        assert 0 <= busy - spent <= 2000 * len(lanes)
        for step in run.steps:
            for lane in lanes:
                assert step.compute[lane] + step.dma_wait[lane] <= step.cycles[lane]


@pytest.mark.parametrize(
    "plan",
    [
        add_bias(61, 70, (7, 33)),
        chain(5, 9, 100, (2, 24)),
        running_rows(5, 4, 70),
        dynamic_rows(4, 40, 12),
        quantised_dot(37, 41, 300, (8, 8, 64), 128),
    ],
    ids=lambda plan: plan.name,
)
@pytest.mark.parametrize("n_cores", [1, 7, 17])
@pytest.mark.parametrize("cost_set", ["nominal", "pessimistic"])
def test_estimate_is_natives_time(plan: Plan, n_cores: int, cost_set: str) -> None:
    image = emit(plan)
    machine = NativeMachine(n_cores=n_cores, cost_set=cost_set, dma_mode=1)
    run = launch_zeros(machine, image)[0].wait(60)
    counted = estimate(image, n_cores=n_cores, cost_set=cost_set)
    names = ("cycles", "core_cycles", "barriers", "dma_bytes", "packets_sent", "macs", "costs_hash")
    assert [getattr(run, n) for n in names] == [getattr(counted, n) for n in names]
    assert [s.cycles for s in run.steps] == [s.cycles for s in counted.steps]
    assert [s.elapsed for s in run.steps] == [s.elapsed for s in counted.steps]


def test_estimate_of_a_while() -> None:
    image = emit(count_down(50))
    machine = NativeMachine()
    program = machine.load(image)
    buffers = [buffer_of(machine, np.array([4], np.int32)), machine.alloc(0, 200)]
    run = machine.run(program, buffers, buffers).wait(60)
    assert estimate(image, while_trips=4).cycles == run.cycles
    assert estimate(image).cycles < run.cycles


def test_more_cores_take_less_time() -> None:
    image = emit(add_bias(64, 256, (4, 64)))
    cycles = [estimate(image, n_cores=n).cycles for n in (1, 4, 16)]
    assert cycles == sorted(cycles, reverse=True)
    assert estimate(image, n_cores=16).cycles == estimate(image, n_cores=17).cycles


def test_abort() -> None:
    machine = NativeMachine()
    plan = running_rows(4000, 4000, 32)
    event, outputs = launch_zeros(machine, emit(plan))
    queued = machine.run(
        next(iter(machine._programs)), [*outputs, machine.alloc(0, 512000)], outputs
    )
    other = buffer_of(machine, np.ones(8, np.float32))
    with pytest.raises(TimeoutError):
        event.wait(0.2)
    threading.Thread(target=machine.abort).start()
    with pytest.raises(FaultError, match=r"running_rows stopped on lane \d+ in step .*aborted"):
        event.wait(60)
    with pytest.raises((FaultError, LostArrayError)):
        queued.wait(60)
    with pytest.raises(LostArrayError, match="aborted"):
        machine.read(outputs[0])
    assert machine.read(other) == np.ones(8, np.float32).tobytes()
    machine.abort()
    launch_zeros(machine, emit(add_bias(4, 4, (4, 4))))[0].wait(60)


STEP, TASK, OPERAND = 0, 12, 60
FAULTS = [
    (TASK, "task", {"kernel": 99}, "names a kernel that does not exist"),
    (STEP, "step", {"kind": 77}, "makes no sense"),
    (STEP, "step", {"size": 16}, "makes no sense"),
    (TASK, "task", {"n_operands": 9}, "makes no sense"),
    (TASK, "task", {"inner": 7}, "makes no sense"),
    (TASK, "task", {"tile": (1, 0, 8, 1)}, "makes no sense"),
    (OPERAND, "operand", {"addr": {"slot": 60}}, "leaves its memory"),
    (OPERAND, "operand", {"addr": {"slot": 2, "offset": 1 << 30}}, "leaves its memory"),
    (OPERAND, "operand", {"addr": {"slot": 2, "offset": 2}}, "leaves its memory"),
    (OPERAND, "operand", {"dtcm": 13050, "buffer": 0}, "leaves its memory"),
    (OPERAND, "operand", {"dtcm": 60000}, "makes no sense"),
    (TASK, "task", {"work": 60000}, "makes no sense"),
    (OPERAND, "operand", {"align_words": 0}, "makes no sense"),
]


@pytest.mark.parametrize("offset, record, values, sentence", FAULTS)
def test_nonsense_is_a_fault(offset: int, record: str, values: dict, sentence: str) -> None:
    machine = NativeMachine()
    image = patched(emit(add_bias(40, 8, (4, 8))), offset, record, **values)
    event, outputs = launch_zeros(machine, image)
    with pytest.raises(FaultError, match=sentence) as raised:
        event.wait(60)
    assert "on lane" in str(raised.value) and "in step 0 add at add.py:1" in str(raised.value)
    with pytest.raises(LostArrayError, match="lost when add_bias stopped"):
        machine.read(outputs[0])


def test_writing_outside_of_the_arena_is_a_fault() -> None:
    """A temporary behind the arena's end; the guard words are whole again for the next launch."""
    machine = NativeMachine()
    image = emit(chain(2, 9, 100, (2, 24)))
    end = chip.TILE_ARENA_BYTES // 4
    event, _ = launch_zeros(machine, patched(image, TASK, "task", work=0, temps=end))
    with pytest.raises(FaultError, match="wrote outside of the tile arena"):
        event.wait(60)
    launch_zeros(machine, image)[0].wait(60)


def test_program_cut_short_is_a_fault() -> None:
    image = emit(add_bias(40, 8, (4, 8)))
    event, _ = launch_zeros(NativeMachine(), replace(image, program=image.program[:-12]))
    with pytest.raises(FaultError, match="makes no sense"):
        event.wait(60)


def test_damaged_command_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(values: dict[str, int]) -> bytes:
        packed = pack_command(values)
        return bytes([packed[0] ^ 1]) + packed[1:]

    monkeypatch.setattr(spindle.machines.native, "pack_command", damaged)
    event, _ = launch_zeros(NativeMachine(), emit(add_bias(40, 8, (4, 8))))
    with pytest.raises(FaultError, match="the CRC of its command does not match"):
        event.wait(60)


def test_launches_after_a_lost_argument_do_not_run() -> None:
    machine = NativeMachine()
    bad = machine.load(patched(emit(add_in_place(4, 4, (4, 4))), TASK, "task", kernel=99))
    good = machine.load(emit(add_in_place(4, 4, (4, 4))))
    x = buffer_of(machine, np.ones((4, 4), np.float32))
    events = [machine.run(program, [x], [x]) for program in (bad, good)]
    with pytest.raises(LostArrayError, match="did not run: its argument 0 was lost when"):
        events[1].wait(60)


def test_out_of_memory() -> None:
    machine = NativeMachine()
    with pytest.raises(OutOfMemoryError, match=r"200000000 B .* needed .* 1234.* B are free"):
        machine.alloc(0, 200_000_000)
    buffers = tuple((f"v{i}", 1000 * i, f"model.py:{i}") for i in range(8))
    image = replace(emit(count_down(50)), scratch_bytes=150_000_000, buffers=buffers)
    with pytest.raises(OutOfMemoryError) as raised:
        machine.load(image)
    assert "count_down: the program needs" in str(raised.value)
    assert "150000000 B of scratch" in str(raised.value)
    assert "v7 7000 B (model.py:7)" in str(raised.value)
    assert "v3 3000 B" in str(raised.value) and "v2 " not in str(raised.value)


def test_scratch_is_shared() -> None:
    machine = NativeMachine()
    images = [replace(emit(count_down(5)), scratch_bytes=n) for n in (4, 60_000_000, 50_000_000)]
    for image in images:
        machine.load(image)
    assert machine._scratch[1] == 60_000_000


def test_wrong_calls() -> None:
    machine = NativeMachine()
    image = emit(add_in_place(4, 4, (4, 4)))
    program = machine.load(image)
    x, y = machine.alloc(0, 64), machine.alloc(0, 64)
    with pytest.raises(UserError, match="lives in the donated argument 0"):
        machine.run(program, [x], [y])
    with pytest.raises(UserError, match="argument 0 is f32"):
        machine.run(program, [machine.alloc(0, 4)], [x])
    with pytest.raises(UserError, match="2 argument buffers were given"):
        machine.run(program, [x, y], [x])
    with pytest.raises(UserError, match="0x00000001"):
        machine.load(replace(image, abi_hash=1))
    with pytest.raises(MachineError, match="device 1"):
        machine.alloc(1, 4)
    machine.unload(program)
    with pytest.raises(MachineError, match="not loaded"):
        machine.run(program, [x], [x])
    machine.close()
    machine.close()
    with pytest.raises(MachineError, match="closed"):
        machine.alloc(0, 4)


def test_open_machine() -> None:
    assert open_machine(cores=3, cost_set="pessimistic").name == "native"
    for name, sentence in (("spin4:HOST", "known"), ("spin5:", "known"), ("gpu", "known")):
        with pytest.raises(UserError, match=sentence):
            open_machine(name)
    with pytest.raises(UserError, match="no switch 'lose'"):
        open_machine(lose=0.1)
    with pytest.raises(UserError, match="18 cores"):
        open_machine(cores=18)
    with pytest.raises(UserError, match="cost set"):
        open_machine(cost_set="best")
