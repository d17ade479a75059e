"""The machine on a virtual board: native's bits and records, whatever the board is like."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from board_tools import buffer_of, iss, start
from hand_plans import add_bias, add_in_place, chain, count_down, dynamic_rows
from native_tools import assert_same_bits, module_of, native, run_image

from spindle.codegen.emit import emit
from spindle.compile import compile_module
from spindle.image.image import Image
from spindle.machines.iss import IssMachine
from spindle.machines.open import open_machine
from spindle.options import Options
from spindle.spec import arena
from spindle.vboard.board import Datagram
from spindle.vboard.record import read_log, replay

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples"))
import mlp_digits as net  # noqa: E402

BATCH = 64
CORES_OF_THE_CHIP = 17
COUNT = 15
DEAD = "0,0,3;0,0,7;0,0,9;0,0,11"


@pytest.fixture(scope="module")
def machine() -> Iterator[IssMachine]:
    with iss() as opened:
        yield opened


def training(n_steps: int, n_images: int = net.N_TRAIN) -> tuple[Image, list[np.ndarray]]:
    """The demo's program for n steps, and its arguments."""
    rng = np.random.default_rng(3)
    images, labels = (data[:n_images] for data in net.digits()[0])
    begin = jax.tree.map(np.asarray, net.init(jax.random.key(0)))
    starts = rng.integers(0, n_images - BATCH, n_steps, np.int32)

    def steps(state: object, images: object, labels: object, starts: object) -> object:
        return net.train_steps(state, images, labels, starts, BATCH)

    args = (begin, images, labels, starts)
    return compile_module(module_of(steps, args), Options()), [
        np.asarray(leaf) for leaf in jax.tree.leaves(args)
    ]


@pytest.fixture(scope="module")
def small() -> tuple[Image, list[np.ndarray], list[np.ndarray]]:
    """A step of training, its arguments, native's results."""
    image, args = training(1)
    with native() as host:
        return image, args, run_image(image, args, host)


def test_eight_training_steps_have_the_bits_of_native(machine: IssMachine) -> None:
    image, args = training(8)
    with native() as host:
        want = run_image(image, args, host)
    assert_same_bits(run_image(image, args, machine), want)
    assert machine.board_faults() == []


HAND = {
    "add": emit(add_bias(61, 70, (7, 33), True)),
    "in_place": emit(add_in_place(40, 8, (4, 8))),
    "loop": emit(count_down(5)),
    "dynamic": emit(dynamic_rows(5, 40, 16)),
    "chain": emit(chain(7, 9, 100, (2, 24), True)),
}


@pytest.mark.parametrize("name", HAND)
def test_hand_written_programs(machine: IssMachine, name: str) -> None:
    image = HAND[name]
    rng = np.random.default_rng(5)
    args = [_argument(rng, t.dtype, t.shape) for t in image.args]
    with native() as host:
        want = run_image(image, args, host)
    assert_same_bits(run_image(image, args, machine), want)


def _argument(rng: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    if dtype == "f32":
        return rng.normal(size=shape).astype(np.float32)
    return rng.integers(0, 5, shape).astype(np.int32)


def test_two_kernel_groups_in_one_program(machine: IssMachine) -> None:
    """Float32 dots on both sides of a bfp28 one: the cores change their code (run.md, Overlays)."""
    rng = np.random.default_rng(6)
    x, v = (rng.normal(size=shape).astype(np.float32) for shape in ((24, 32), (32, 32)))

    def dots(x: jax.Array, v: jax.Array) -> jax.Array:
        return jnp.dot(x @ v, v, precision="highest") @ v

    image = compile_module(module_of(dots, [x, v]), Options(matmul="float32"))
    with native() as host:
        want = run_image(image, [x, v], host)
    for _ in range(2):
        assert_same_bits(run_image(image, [x, v], machine), want)
    assert machine.board_faults() == []


FUNCTIONS = {
    "matmul": lambda x, y: x @ y,
    "exp": lambda x, y: jnp.exp(x) + y,
    "sum": lambda x, y: (x * y).sum(axis=0),
    "max": lambda x, y: jnp.maximum(x, y).max(axis=1),
    "select": lambda x, y: jnp.where(x > y, x, -y),
    "divide": lambda x, y: x / y + jnp.sqrt(jnp.abs(x)),
    "transpose": lambda x, y: x.T + 2 * y.T,
    "concatenate": lambda x, y: jnp.concatenate([x, y])[3:-3],
    "bfloat16": lambda x, y: x.astype(jnp.bfloat16) @ y.astype(jnp.bfloat16) + 1,
    "float16": lambda x, y: x.astype(jnp.float16) * y.astype(jnp.float16) * 1e-4,
    "int8": lambda x, y: (x * 50).astype(jnp.int8) * (y * 50).astype(jnp.int8),
    "random bits": lambda x, y: jax.lax.rng_bit_generator(
        jax.lax.bitcast_convert_type(x[0, :4], np.uint32), (99,), np.uint32
    )[1],
    "while": lambda x, y: jax.lax.fori_loop(0, 7, lambda i, z: z * 0.5 + y, x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_single_operations(machine: IssMachine, name: str) -> None:
    rng = np.random.default_rng(4)
    x, y = (rng.normal(size=(48, 48)).astype(np.float32) for _ in range(2))
    image = compile_module(module_of(FUNCTIONS[name], (x, y)), Options())
    with native() as host:
        want = run_image(image, [x, y], host)
    assert_same_bits(run_image(image, [x, y], machine), want)


def test_the_record_of_a_launch(machine: IssMachine) -> None:
    image, args = HAND["chain"], [np.ones((9, 100), np.int32)]
    event, _, _ = start(machine, image, args)
    run = event.wait(60)
    with native() as host:
        want = start(host, image, args)[0].wait(60)
    assert run.machine == "iss" and run.n_cores == len(run.core_cycles)
    assert run.barriers == want.barriers and run.macs == want.macs
    assert [step.runs for step in run.steps] == [step.runs for step in want.steps]
    assert run.dma_bytes > 0
    assert 0 < sum(step.elapsed for step in run.steps) < run.cycles
    assert run.packets_lost == run.packets_resent == 0
    assert run.options["carrier"] == "scp"


def test_no_packet_is_lost_and_the_router_agrees(small: tuple[Image, list, list]) -> None:
    """The router counts packets, the firmware deliveries: a release is one packet to 16 cores.

    The first launch is counted as if one had ended before (docs/spec/barrier.md, Counters).
    """
    image, args, _ = small
    with iss() as machine:
        assert machine.n_cores == 16
        machine.router_counters(clear=True)
        runs = [start(machine, image, args)[0].wait(60) for _ in range(3)]
        counters = machine.router_counters()
        asked = sum(core["asked"] for core in machine.core_records())
    arrivals = sum(16 * (run.barriers + 1) for run in runs)
    releases = (sum(run.packets_sent for run in runs) - arrivals) // 16
    assert counters["local"] == arrivals + releases + asked
    assert sum(run.packets_lost or 0 for run in runs) == counters["dropped"] == 0
    assert sum(run.packets_resent or 0 for run in runs) == 0


@pytest.mark.parametrize("cores", [1, 5, 16, 17])
def test_packets_are_counted_as_on_native(cores: int) -> None:
    image, args = HAND["chain"], [np.ones((9, 100), np.int32)]
    with native(cores) as host, iss(cores=cores, dead_cores="none") as machine:
        want = start(host, image, args)[0].wait(60).packets_sent
        runs = [start(machine, image, args)[0].wait(60) for _ in range(2)]
    assert [run.packets_sent for run in runs] == [want, want]
    assert (want == 0) == (cores == 1)


@pytest.mark.parametrize("cores", [1, 5, 16])
def test_fewer_cores_have_the_same_bits(small: tuple[Image, list, list], cores: int) -> None:
    image, args, want = small
    with iss(cores=cores) as machine:
        assert machine.n_cores == cores
        assert_same_bits(run_image(image, args, machine), want)


@pytest.mark.parametrize(
    "switches",
    [
        {"guard": True},
        {"pristine": True, "seed": 5},
        {"seed": 6, "dead_cores": "none"},
        pytest.param({"cold": True}, marks=pytest.mark.long),
    ],
    ids=str,
)
def test_boards_of_all_kinds(small: tuple[Image, list, list], switches: dict[str, Any]) -> None:
    image, args, want = small
    with iss(**switches) as machine:
        assert_same_bits(run_image(image, args, machine), want)
        assert machine.board_faults() == []


def test_dead_cores_have_the_same_bits(small: tuple[Image, list, list]) -> None:
    image, args, want = small
    with iss(dead_cores=DEAD) as machine:
        assert machine.n_cores == CORES_OF_THE_CHIP - 4
        assert "4 of 17 cores" in str(machine._notes()["cores"])
        assert_same_bits(run_image(image, args, machine), want)


def test_a_chip_with_few_cores_is_left_out(small: tuple[Image, list, list]) -> None:
    image, args, want = small
    dead = ";".join(f"0,0,{core}" for core in range(12))
    with iss(dead_cores=dead) as machine:
        assert machine._session.layout.chip != (0, 0)
        assert "chip (0, 0) left out" in str(machine._notes()["cores"])
        assert_same_bits(run_image(image, args, machine), want)


def test_lost_packets_are_sent_again(small: tuple[Image, list, list]) -> None:
    image, args, want = small
    with iss(lose=1e-2) as machine:
        events = [start(machine, image, args) for _ in range(3)]
        runs = [event.wait(60) for event, _, _ in events]
        assert_same_bits(run_image(image, args, machine), want)
    assert sum(run.packets_resent or 0 for run in runs) > 0
    assert sum(run.packets_lost or 0 for run in runs) > 0


def test_two_boards_train_in_one_process(
    small: tuple[Image, list, list], machine: IssMachine
) -> None:
    """Each with its own helper and clock, launches of both under way at once: native's weights."""
    image, args, want = small
    with iss(seed=2) as other:
        assert other.host != machine.host
        begun = [(m, start(m, image, args)) for _ in range(2) for m in (machine, other)]
        for m, (event, _, outputs) in begun:
            event.wait(60)
            assert [m.read(buffer) for buffer in outputs] == [array.tobytes() for array in want]


@contextmanager
def busy_host() -> Iterator[None]:
    """As many processes that never rest as this host has cores."""
    words = [sys.executable, "-c", "while True: pass"]
    children = [subprocess.Popen(words) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for child in children:
            child.kill()
            child.wait()


def test_live_runs_take_the_same_time(small: tuple[Image, list, list]) -> None:
    """D3: three boards over UDP, one of them beside busy processes."""
    image, args, want = small
    cycles = []
    for load in (nullcontext, nullcontext, busy_host):
        with load(), iss() as machine:
            event, _, outputs = start(machine, image, args)
            cycles.append(event.wait(60).cycles)
            assert [machine.read(buffer) for buffer in outputs] == [a.tobytes() for a in want]
    assert max(cycles) - min(cycles) <= 0.005 * min(cycles)


def test_a_slow_board_is_not_asked_twice() -> None:
    """Nothing is late, since time is the board's."""
    image = emit(add_bias(8, 8, (4, 8)))
    args = [np.ones((8, 8), np.float32), np.ones(8, np.float32)]
    with iss(slow=100.0, cores=2) as machine:
        for _ in range(3):
            event, _, outputs = start(machine, image, args)
            event.wait(120)
            assert machine.read(outputs[0]) == (args[0] + args[1]).tobytes()
        assert machine.resent() == 0


@pytest.mark.long
def test_three_demo_steps_on_a_board_that_is_600_times_slower() -> None:
    """Few images: what takes minutes is moving them."""
    image, args = training(1, 2 * BATCH)
    with native() as host:
        want = run_image(image, args, host)
    with iss(slow=600.0) as machine:
        event, inputs, outputs = start(machine, image, args)
        program = machine.load(image)
        events = [event, *(machine.run(program, inputs, outputs) for _ in range(2))]
        assert [one.wait(600).packets_resent for one in events] == [0, 0, 0]
        assert machine.resent() == 0
        assert [machine.read(buffer) for buffer in outputs] == [array.tobytes() for array in want]


def test_a_board_by_its_address(small: tuple[Image, list, list]) -> None:
    """spin3:ADDRESS is the same code; a session left behind by a dead process is stopped."""
    from board_tools import board

    image, args, want = small
    with board() as (process, _):
        first = open_machine(f"spin3:{process.address}")
        first._hostd._process.kill()  # type: ignore[attr-defined]
        second = open_machine(f"spin3:{process.address}")
        assert second.name == "board"
        assert_same_bits(run_image(image, args, second), want)
        second.close()
        first.close()


def test_the_back_door_carries_the_same_bytes(small: tuple[Image, list, list]) -> None:
    image, args, want = small
    with iss(carrier="backdoor") as machine:
        for n in (1, 3, 300_001, 9_000_000):
            data = np.random.default_rng(n).integers(0, 256, n).astype(np.uint8)
            assert machine.read(buffer_of(machine, data)) == data.tobytes()
        assert_same_bits(run_image(image, args, machine), want)
        run = start(machine, image, args)[0].wait(60)
        assert run.options["carrier"] == "backdoor" and run.packets_lost == 0


def test_the_wire_between_open_and_close(tmp_path: Path) -> None:
    """No COUNT at all; while lanes run no datagram reaches the board; the log replays.

    The trace is the same whatever the quantum of the emulator (D2).
    """
    path = tmp_path / "session.log"
    image, args = HAND["chain"], [np.ones((9, 100), np.int32)]
    with iss(record=path) as machine:
        runs = [start(machine, image, args)[0].wait(60) for _ in range(3)]
    log = read_log(path)
    datagrams = [d for d in log.inputs if isinstance(d, Datagram) and len(d.data) >= 26]
    commands = [int.from_bytes(d.data[10:12], "little") for d in datagrams]
    assert commands.count(COUNT) == 0 and commands.count(arena.DOORBELL_COMMAND) == 3
    rings = [
        d.time for d, c in zip(datagrams, commands, strict=True) if c == arena.DOORBELL_COMMAND
    ]
    for begin, run in zip(rings, runs, strict=True):
        assert not [d for d in datagrams if begin < d.time <= begin + run.cycles]
    assert {replay(log, quantum)[0] for quantum in (0, 256, 128)} == {log.hash}


def test_texts_of_the_cores(machine: IssMachine) -> None:
    texts = machine.texts()
    assert len(texts) == 17 and set(texts.values()) == {"spindle: ready\n"}


def test_buffers_of_any_size(machine: IssMachine) -> None:
    for n in (1, 2, 3, 255, 257, 1000, 300_001):
        data = np.random.default_rng(n).integers(0, 256, n).astype(np.uint8)
        buffer = buffer_of(machine, data)
        assert machine.read(buffer) == data.tobytes()
        machine.free(buffer)
