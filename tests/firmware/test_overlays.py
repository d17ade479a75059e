"""The overlay window: groups of kernels that come when a task needs them, and what must not be."""

from __future__ import annotations

import functools
import struct
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from firmware_chip import ARENA, FirmwareChip, LoadedImage, native_bytes
from native_tools import module_of
from test_estimate import profiles
from test_firmware_chip import FAULT, check_healthy

from spindle.compile import compile_module
from spindle.firmware_build import build, elf, overlays
from spindle.image.image import Image
from spindle.machines.faults import fault_error
from spindle.options import Options
from spindle.schedule.estimate import estimate
from spindle.spec import arena, chip, records
from spindle.spec.tables import GROUP, GROUPS, KERNELS, RESIDENT

NAMES = [group.name.lower() for group in GROUPS[1:]]
INTO_THE_WINDOW = {"kernels_kernel", "kernels_dot_flags"}
INTO_THE_WINDOW |= {"spinnaker_start", "spinnaker_barrier", "spinnaker_vcpu"}
"""kernel.c's table, and the flags of dots; start.S and what lies in `open` in part."""
SLACK_BYTES = 256
"""The room that spec/tables.py gives a group is larger than its code by less."""


@pytest.fixture(scope="module")
def linked() -> elf.Elf:
    return elf.read(build.build().elf)


def two_groups(x: jax.Array, v: jax.Array, w: jax.Array) -> jax.Array:
    """A float32 dot, a bfp28 one, and a float32 one."""
    y = jnp.dot(jax.nn.relu(x @ v), w, precision="highest")
    return y @ v


@functools.cache
def mixed_image() -> Image:
    module = module_of(two_groups, [np.zeros(shape, np.float32) for shape in SHAPES])
    return compile_module(module, Options(matmul="float32"))


SHAPES = ((24, 32), (32, 40), (40, 32))


def mixed_args() -> list[np.ndarray]:
    rng = np.random.default_rng(7)
    return [rng.normal(size=shape).astype(np.float32) for shape in SHAPES]


@pytest.mark.parametrize("n_cores", [1, 7, 16, 17])
def test_two_groups_in_one_program(n_cores: int) -> None:
    """Launched three times: the window holds another group at its start and at its end."""
    on = FirmwareChip(n_cores)
    loaded, args = LoadedImage(on, mixed_image()), mixed_args()
    for _ in range(3):
        assert loaded.launch(*args).code == FAULT["NONE"]
        assert loaded.result_bytes() == native_bytes(loaded.image, args)
    check_healthy(on)
    on.rig.close()


@pytest.mark.parametrize("n_cores", [1, 17])
def test_a_rescue_calls_its_dot_s_kernels(n_cores: int) -> None:
    """Inf and NaN in several tiles of a lane; resident code looks at the dot's workspace."""
    args = mixed_args()[:2]
    args[0][[3, 20], 7], args[1][5, ::9] = np.inf, np.nan
    module = module_of(lambda x, v: (x @ v) @ v.T, args)
    on = FirmwareChip(n_cores)
    loaded = LoadedImage(on, compile_module(module, Options(max_tile=8)))
    done = loaded.launch(*args)
    assert done.code == FAULT["NONE"] and done.status["nonfinite"] > 0
    assert loaded.result_bytes() == native_bytes(loaded.image, args)
    check_healthy(on)
    on.rig.close()


def measured_cycles(loaded: LoadedImage, *args: np.ndarray) -> int:
    """Cycles of the second of two launches: the first one may begin with another group."""
    return [loaded.launch(*args).cycles for _ in range(2)][-1]


def cycles_outside() -> int:
    """What a launch takes before its first and after its last entry: the estimate leaves it out."""
    one = np.zeros(1, np.float32)
    image = compile_module(module_of(lambda x: x + 1, [one]), Options())
    on = FirmwareChip(17)
    found = measured_cycles(LoadedImage(on, image), one) - estimate(image, n_cores=16).cycles
    on.rig.close()
    return found


def test_the_estimate_knows_what_a_load_takes() -> None:
    """The first step of bfp28 begins with one; the second launch begins with the group it needs."""
    on = FirmwareChip(17)
    loaded = LoadedImage(on, mixed_image())
    measured = measured_cycles(loaded, *mixed_args())
    counted = estimate(mixed_image(), n_cores=16)
    assert counted.cycles + cycles_outside() == pytest.approx(measured, rel=0.02)
    scan = next(i for i, step in enumerate(counted.steps) if step.label == "scan")
    found = max(lane["cycles"] for lane in profiles(on, loaded)[scan])
    assert max(counted.steps[scan].cycles) == pytest.approx(found, rel=0.1)
    on.rig.close()


def damage(on: FirmwareChip, group: str, word: int) -> int:
    """Change a word of a group's code in SDRAM; what it was."""
    at = on.overlays[GROUP[group] - 1].addr + 4 * word
    before = on.word(at)
    on.words(at, before ^ 0x00010000)
    return before


@pytest.mark.parametrize("last", [False, True])
def test_damaged_code_is_a_fault_and_is_not_run(last: bool) -> None:
    on = FirmwareChip(17)
    loaded, args = LoadedImage(on, mixed_image()), mixed_args()
    word = len(on.overlays[GROUP["F32"] - 1].code) // 4 - 1 if last else 0
    before = damage(on, "F32", word)
    done = loaded.launch(*args)
    fault = done.status["fault"]
    assert done.code == fault["code"] == FAULT["OVERLAY"]
    assert fault["word"][0] == GROUP["F32"]
    sentence = str(fault_error(loaded.image, fault))
    assert "the code of its kernel group, kept in SDRAM, is damaged; open the machine" in sentence
    assert f"step {fault['step']} " in sentence
    on.words(on.overlays[GROUP["F32"] - 1].addr + 4 * word, before)
    assert loaded.launch(*args).code == FAULT["NONE"]
    assert loaded.result_bytes() == native_bytes(loaded.image, args)
    on.rig.close()


@pytest.mark.parametrize("size", [0, chip.ITCM_WINDOW_BYTES + 32])
def test_a_record_that_makes_no_sense_is_a_fault(size: int) -> None:
    """No code, and code larger than the window: nothing is copied."""
    on = FirmwareChip(17)
    loaded = LoadedImage(on, mixed_image())
    at = ARENA + records.SESSION.offset("overlay") + (GROUP["F32"] - 1) * records.OVERLAY.size
    on.words(at + records.OVERLAY.offset("bytes"), size)
    assert loaded.launch(*mixed_args()).code == FAULT["OVERLAY"]
    assert on.rig.faults() == []
    on.rig.close()


def test_bfp28_is_there_at_open() -> None:
    """Its kernels are never loaded again, whatever becomes of what lies in SDRAM."""
    on = FirmwareChip(17)
    module = module_of(lambda x, v: x @ v, mixed_args()[:2])
    loaded, args = LoadedImage(on, compile_module(module, Options())), mixed_args()[:2]
    damage(on, "S28", 0)
    assert loaded.launch(*args).code == FAULT["NONE"]
    assert loaded.result_bytes() == native_bytes(loaded.image, args)
    on.rig.close()


def test_every_group_has_the_room_that_the_table_says(linked: elf.Elf) -> None:
    """The timing model loads so many bytes."""
    for group in GROUPS[1:]:
        size = linked.size_of(f".{group.name.lower()}")
        assert size <= group.size_bytes <= chip.ITCM_WINDOW_BYTES
        assert size == 0 or group.size_bytes - size < SLACK_BYTES, f"{group.name}: {size} bytes"


def test_kernels_lie_in_the_section_of_their_group(linked: elf.Elf) -> None:
    """kernel.c's table names a function in the window, of that group's section, or none there."""
    tables, at = linked.section(".tables"), linked.address("KERNELS")
    data = build.contents(build.build().elf.read_bytes(), tables)
    entries = struct.unpack_from(f"<{len(KERNELS)}I", data, at - tables.addr)
    for entry, (name, group, _) in zip(entries, KERNELS, strict=True):
        where = ".text" if group == RESIDENT else f".{group.lower()}"
        sections = {linked.sections[s.section].name for s in linked.symbols if s.value == entry}
        assert where in sections, name
        assert (entry >= chip.ITCM_WINDOW_BASE) == (group != RESIDENT), name


def test_the_overlays_fit_their_place_in_the_arena() -> None:
    made = overlays.overlays(build.build(), ARENA)
    assert len(made) == len(GROUPS) - 1 <= records.MAX_GROUPS
    room = sum(group.size_bytes for group in GROUPS)
    assert room <= arena.HEAP_OFFSET - arena.OVERLAYS_OFFSET
    for overlay in made:
        assert len(overlay.code) % 32 == 0
        total = sum(np.frombuffer(overlay.code, "<u4").tolist())
        assert not overlay.code or (total + overlay.fields()["check"]) % (1 << 32) == 0xFFFFFFFF


def objects_by_place(linked: elf.Elf) -> dict[str, str]:
    """Where each symbol of the firmware's objects lies: a section's name."""
    places = {}
    for symbol in linked.symbols:
        if symbol.defined and not symbol.local:
            places[symbol.name] = linked.sections[symbol.section].name
    return places


def test_groups_call_resident_code_only(linked: elf.Elf) -> None:
    """Calls into the window from outside are made while the group of a task is there."""
    places = objects_by_place(linked)
    windows = {f".{name}" for name in (*NAMES, "open")}
    folder: Path = build.build().elf.parent / "objects"
    for path in folder.glob("*.o"):
        part = elf.read(path)
        own = {places[name] for name in part.defined & places.keys()}
        needed = {places[name] for name in part.undefined & places.keys()} & windows
        if len(own & windows) == 1 and len(own) == 1:
            assert needed <= own, path.name
        else:
            assert path.stem in INTO_THE_WINDOW or not needed, path.name


def test_no_thunk_in_a_group_serves_others(linked: elf.Elf) -> None:
    """The linker's thunks of a window section would be gone when another group is there."""
    for symbol in linked.symbols:
        if "Thunk" in symbol.name and symbol.value >= chip.ITCM_WINDOW_BASE:
            assert linked.sections[symbol.section].name not in {f".{name}" for name in NAMES}


def test_arm_code_is_aligned(linked: elf.Elf) -> None:
    """Whatever lies before it: an assembly section has its alignment from .balign only."""
    starts = [s.value for s in linked.symbols if s.name == "$a"]
    assert starts and all(start % 4 == 0 for start in starts)
