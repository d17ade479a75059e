"""Firmware with a fault planted in it: a function of its own linked in the place of the real one.

In: a file of tests/firmware/planted, what it replaces. Out: a Firmware for a FirmwareChip; its
function lies in what the resident code leaves free of ITCM.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from spindle import clang
from spindle.firmware_build import build
from spindle.kernels_host import build as compiler

SOURCES = Path(__file__).with_name("planted")


def planted(
    folder: Path, name: str, wraps: Sequence[str], defines: Sequence[str] = ()
) -> build.Firmware:
    """Link the firmware with planted/<name>.c; its __wrap_X takes the calls of each X wrapped."""
    whole = build.build()
    target, made = (folder / f"{name}.{kind}" for kind in ("o", "elf"))
    flags = [*compiler.ARM_FLAGS, "-target", "arm-freestanding-eabi", "-Os", *defines]
    source = str(SOURCES / f"{name}.c")
    compiler.compile_c([*flags, *compiler.includes("spinnaker"), "-c", source, "-o", str(target)])
    objects = sorted((whole.elf.parent / "objects").glob("*.o"))
    words = ["-T", str(build.SCRIPT), "--gc-sections", "-static"]
    words += [f"--wrap={wrap}" for wrap in wraps]
    linker = [clang.zig(), "ld.lld", *words, *map(str, (*objects, target)), "-o", str(made)]
    subprocess.run(linker, check=True)
    return replace(whole, elf=made)
