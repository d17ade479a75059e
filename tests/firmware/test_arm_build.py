"""Firmware for the ARM968: it compiles and needs only what it may; test_link.py says what fits."""

from __future__ import annotations

import pytest

from spindle.firmware_build import elf as elf_tools
from spindle.kernels_host import build


@pytest.fixture(scope="module")
def objects(tmp_path_factory) -> dict[str, elf_tools.Elf]:
    folder = build.build_arm(tmp_path_factory.mktemp("arm"))
    return {path.stem: elf_tools.read(path) for path in sorted(folder.glob("*.o"))}


def allowed(name: str) -> bool:
    return name.startswith("hal_")


def test_every_source_is_compiled(objects):
    assert all(elf.machine == elf_tools.EM_ARM for elf in objects.values())
    assert {"kernels_kernel", "kernels_strip", "arm_dot_s28_sums"} <= set(objects)
    assert {"rt_pipeline", "rt_arm_move", "rt_arm_task", "rt_arm_tiles"} <= set(objects)
    assert not {"kernels_dot_s28_sums", "rt_move", "rt_task", "rt_tiles"} & set(objects)
    assert "kernels_kernel_cost" not in objects
    assert len(objects) == len(build.arm_sources())


def test_needs_only_hal(objects):
    defined = set().union(*(elf.defined for elf in objects.values()))
    needed = {
        f"{name}: {symbol}"
        for name, elf in objects.items()
        for symbol in elf.undefined - defined
        if not allowed(symbol)
    }
    assert needed == set()


def test_no_writable_data(objects):
    """State lies in the workspace: kernels have no variables of their own.

    dot_s28_sums and dot_s16_sums, which use r13 for data, have their locals at a fixed place, not
    on the stack; each call writes them before it reads them.
    """
    kernels = {name: elf for name, elf in objects.items() if name.startswith(("kernels_", "arm_"))}
    sizes = {name: elf.size_of(".data", ".bss") for name, elf in kernels.items()}
    assert {name: size for name, size in sizes.items() if size} == {
        "arm_dot_s16_sums": 32,
        "arm_dot_s28_sums": 52,
    }
