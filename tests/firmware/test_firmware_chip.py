"""The real firmware on an emulated chip: native's bits, nothing lost, every end of a launch."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from firmware_chip import ARENA, ARENA_BYTES, FirmwareChip, LoadedImage, native_bytes
from hand_plans import add_bias, chain, count_down
from passes.jax_steps import module_of_step

from spindle.codegen.emit import emit
from spindle.compile import compile_module
from spindle.image.image import Image
from spindle.options import Options
from spindle.spec import arena as spec
from spindle.spec import records
from spindle.vboard.chip_host import ChipOptions

FAULT = records.FLAGS["FAULT"]
CORE = records.FLAGS["CORE"]
SHAPE = (61, 70)
RTE, RUN = 2, 7


@functools.cache
def small_image() -> Image:
    return emit(add_bias(*SHAPE, (7, 33), True))


@functools.cache
def adam_image() -> Image:
    return compile_module(module_of_step("adam"), Options())


def small_args() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.normal(size=shape).astype(np.float32) for shape in (SHAPE, SHAPE[1:])]


def random_args(image: Image) -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    floats = (np.abs(rng.normal(size=t.shape) * 0.1).astype(np.float32) for t in image.args)
    return [
        x if t.dtype == "f32" else rng.integers(0, 10, t.shape).astype(np.int32)
        for x, t in zip(floats, image.args, strict=True)
    ]


def check_healthy(chip: FirmwareChip) -> None:
    assert chip.rig.faults() == []
    assert chip.status["packets_sent"] == chip.status["packets_received"]
    assert chip.status["packets_resent"] == 0
    assert chip.rig.router_counts()[1:] == (0, 0)


@pytest.mark.parametrize("n_cores", [1, 2, 7, 15, 16, 17])
def test_small_program_on_any_cores(n_cores: int) -> None:
    chip = FirmwareChip(n_cores)
    loaded, args = LoadedImage(chip, small_image()), small_args()
    for sequence in (1, 2, 3):
        done = loaded.launch(*args)
        assert (done.sequence, done.code) == (sequence, FAULT["NONE"])
        assert done.cycles == done.status["cycles"] > 10_000
        assert loaded.result_bytes() == [(args[0] + args[1]).tobytes()]
    check_healthy(chip)
    chip.rig.close()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_dirty_cores(seed: int) -> None:
    """All is as other programs left it; nothing outside the arena is written."""
    guard = {"guard_base": ARENA, "guard_size": ARENA_BYTES}
    chip = FirmwareChip(17, ChipOptions(pristine=False, seed=seed, **guard))
    assert [chip.core(v)["state"] for v in range(1, 18)] == [CORE["IDLE"]] * 17
    loaded, args = LoadedImage(chip, small_image()), small_args()
    assert loaded.launch(*args).code == FAULT["NONE"]
    assert loaded.result_bytes() == [(args[0] + args[1]).tobytes()]
    check_healthy(chip)
    chip.rig.close()


@pytest.mark.parametrize("n_cores", [7, 16, 17])
def test_adam_step_has_the_bits_of_native(n_cores: int) -> None:
    chip = FirmwareChip(n_cores)
    loaded, args = LoadedImage(chip, adam_image()), random_args(adam_image())
    assert loaded.launch(*args).code == FAULT["NONE"]
    assert loaded.result_bytes() == native_bytes(adam_image(), args)
    check_healthy(chip)
    chip.rig.close()


def test_cycles_do_not_depend_on_the_emulator_s_quantum() -> None:
    cycles = set()
    for quantum in (0, 7):
        chip = FirmwareChip(17, ChipOptions(quantum=quantum))
        loaded = LoadedImage(chip, adam_image())
        cycles.add(loaded.launch(*random_args(adam_image())).cycles)
        chip.rig.close()
    assert len(cycles) == 1


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
@pytest.mark.parametrize("n_cores", [7, 16, 17])
def test_lost_packets_are_noticed_and_change_nothing(n_cores: int, seed: int) -> None:
    chip = FirmwareChip(n_cores, ChipOptions(lose_rate=0.01, seed=seed))
    loaded, args = LoadedImage(chip, adam_image()), random_args(adam_image())
    for _ in range(2):
        assert loaded.launch(*args).code == FAULT["NONE"]
        assert loaded.result_bytes() == native_bytes(adam_image(), args)
    status = chip.status
    assert status["packets_sent"] > status["packets_received"]
    assert status["packets_resent"] > 0
    assert chip.rig.router_counts()[2] > 0
    chip.rig.close()


def test_queued_commands_run_in_order_and_old_doorbells_say_nothing() -> None:
    chip = FirmwareChip(17)
    loaded, args = LoadedImage(chip, small_image()), small_args()
    last = [loaded.queue(*args) for _ in range(3)][-1]
    chip.ring(last)
    assert [chip.wait(2_000_000).sequence for _ in range(3)] == [1, 2, 3]
    for old in (last, 1, 2):
        chip.ring(old)
        chip.run(100_000)
        assert chip.completion() is None
    chip.rig.close()


def test_bad_crc_is_refused() -> None:
    chip = FirmwareChip(17)
    loaded, args = LoadedImage(chip, small_image()), small_args()
    chip.ring(chip.put_command(loaded.command(), spoil=1))
    done = chip.wait(1_000_000)
    assert (done.sequence, done.code) == (1, FAULT["BAD_CRC"])
    assert done.status["fault"]["code"] == FAULT["BAD_CRC"]
    assert loaded.launch(*args).code == FAULT["NONE"]
    chip.rig.close()


def test_abort_leaves_at_the_next_tile() -> None:
    chip = FirmwareChip(17)
    loaded, args = LoadedImage(chip, adam_image()), random_args(adam_image())
    chip.ring(loaded.queue(*args))
    chip.run(500_000)
    chip.words(ARENA + spec.STATUS_OFFSET + 12, 1)
    done = chip.wait(1_000_000)
    assert done.code == FAULT["ABORTED"]
    chip.words(ARENA + spec.STATUS_OFFSET + 12, 0)
    assert loaded.launch(*args).code == FAULT["NONE"]
    assert loaded.result_bytes() == native_bytes(adam_image(), args)
    chip.rig.close()


def test_a_fault_names_its_lane_and_stops_all() -> None:
    """A binding that leads out of the arena."""
    chip = FirmwareChip(17)
    loaded, args = LoadedImage(chip, small_image()), small_args()
    chip.words(loaded.binding + 4 * 2, ARENA - 0x100000)
    done = loaded.launch(*args)
    fault = done.status["fault"]
    assert done.code == fault["code"] == FAULT["BAD_ADDRESS"]
    assert fault["lane"] == 0 and fault["word"][0] < ARENA
    chip.words(loaded.binding + 4 * 2, loaded.args[0])
    assert loaded.launch(*args).code == FAULT["NONE"]
    assert chip.rig.faults() == []
    chip.rig.close()


def test_an_error_of_the_dma_controller_ends_the_launch() -> None:
    """Core 4 is made to read where no memory is; the next launch is whole again."""
    chip = FirmwareChip(17)
    loaded, args = LoadedImage(chip, adam_image()), random_args(adam_image())
    chip.ring(loaded.queue(*args))
    chip.run(300_000)
    while chip.rig.read(chip.cycle, 0x30000014, core=chip.physical[4]) & 7:  # transfers, queue
        chip.run(500)
    for register, value in ((0x04, 0x20000000), (0x08, 0x00402000), (0x0C, 0x01800010)):
        chip.rig.write(chip.cycle, 0x30000000 + register, value, core=chip.physical[4])
    done = chip.wait(20_000_000)
    assert (done.code, done.status["fault"]["lane"]) == (FAULT["DMA"], 3)
    assert loaded.launch(*args).code == FAULT["NONE"]
    assert loaded.result_bytes() == native_bytes(adam_image(), args)
    assert chip.rig.faults() == []
    chip.rig.close()


def test_an_exception_ends_the_launch_and_shows() -> None:
    """Core 5's code is overwritten by an undefined instruction while it computes."""
    chip = FirmwareChip(17)
    loaded, args = LoadedImage(chip, adam_image()), random_args(adam_image())
    handler = chip.elf.address("kernel_compute")
    chip.rig.load(b"\xff\xde" * 2, core=chip.physical[5], at=handler)
    chip.ring(loaded.queue(*args))
    done = chip.wait(10_000_000)
    assert done.code == FAULT["CORE"]
    assert done.status["crashed"] == 6
    assert done.status["fault"]["lane"] == 4
    vcpu = chip.vcpu(5)
    assert (vcpu[46], vcpu[44]) == (RTE, 2)
    assert (
        handler
        <= int.from_bytes(chip.rig.peek(ARENA + spec.STATUS_OFFSET + 44, 4), "little")
        <= (handler + 4)
    )
    assert chip.core(5)["state"] == CORE["CRASHED"]
    chip.rig.close()


def test_vcpu_and_text() -> None:
    chip = FirmwareChip(17)
    for v in range(1, 18):
        block = chip.vcpu(v)
        assert block[72:80] == b"spindle\0"
        assert (block[45], block[46], block[47]) == (chip.physical[v], RUN, spec.APP_ID)
        text = int.from_bytes(block[88:92], "little")
        assert text == ARENA + spec.IOBUF_OFFSET + v * spec.IOBUF_BYTES
        used = chip.word(text + 12)
        assert chip.rig.peek(text + 16, used) == b"spindle: ready\n"
    chip.rig.close()


@pytest.mark.parametrize("busy", [False, True])
def test_ping_is_answered_within_a_millisecond(busy: bool) -> None:
    chip = FirmwareChip(17)
    loaded, args = LoadedImage(chip, adam_image()), random_args(adam_image())
    if busy:
        chip.ring(loaded.queue(*args))
        chip.run(300_000)
    for v in range(1, 18):
        chip.send(v, 2, message=0xDEAD)
    chip.run(20_000)
    for v in range(1, 18):
        block = chip.vcpu(v)
        assert block[56] == 0
        assert int.from_bytes(block[48:52], "little") != 0xDEAD
    if busy:
        assert chip.wait(20_000_000).code == FAULT["NONE"]
        assert loaded.result_bytes() == native_bytes(adam_image(), args)
    chip.rig.close()


def test_message_buffers_come_back() -> None:
    chip = FirmwareChip(17)
    loaded, args = LoadedImage(chip, small_image()), small_args()
    for _ in range(20):
        assert loaded.launch(*args).code == FAULT["NONE"]
    assert chip.rig.peek(0xE5007F6C, 2) == b"\0\0"
    chip.rig.close()


def test_loops_and_independent_tasks() -> None:
    chip = FirmwareChip(17)
    x = np.random.default_rng(0).integers(-99, 99, (9, 100), np.int32)
    loaded = LoadedImage(chip, emit(chain(7, 9, 100, (2, 24), True)))
    assert loaded.launch(x).code == FAULT["NONE"]
    assert loaded.result_bytes() == native_bytes(loaded.image, [x])
    image = emit(count_down(5))
    args = [np.array([4], np.int32), np.arange(5, dtype=np.int32)]
    loop = LoadedImage(chip, image)
    assert loop.launch(*args).code == FAULT["NONE"]
    assert loop.result_bytes() == native_bytes(image, args)
    check_healthy(chip)
    chip.rig.close()
