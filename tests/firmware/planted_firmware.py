"""Firmware with a fault planted in it: a function of its own linked in the place of the real one.

In: a file of tests/firmware/planted, what it replaces. Out: a Firmware whose elf has a section
.planted beside the usual ones, for a FirmwareChip.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from firmware_chip import FirmwareChip

from spindle import clang
from spindle.firmware_build import build
from spindle.kernels_host import build as compiler
from spindle.spec import chip

SOURCES = Path(__file__).with_name("planted")
SECTION = ".planted"
SCRIPT = f"""SECTIONS
{{
    {SECTION} {chip.ITCM_LOADABLE_BYTES:#x} : {{ *({SECTION}) }}
}} INSERT AFTER .text;
"""


def planted(
    folder: Path, name: str, wraps: Sequence[str], defines: Sequence[str] = ()
) -> build.Firmware:
    """Link the firmware with planted/<name>.c; its __wrap_X takes the calls of each X wrapped."""
    whole = build.build()
    target, script, made = (folder / f"{name}.{kind}" for kind in ("o", "ld", "elf"))
    flags = [*compiler.ARM_FLAGS, "-target", "arm-freestanding-eabi", "-Os", *defines]
    source = str(SOURCES / f"{name}.c")
    compiler.compile_c([*flags, *compiler.includes("spinnaker"), "-c", source, "-o", str(target)])
    script.write_text(SCRIPT)
    objects = sorted((whole.elf.parent / "objects").glob("*.o"))
    words = ["-T", str(build.SCRIPT), "-T", str(script), "--gc-sections", "-static"]
    words += [f"--wrap={wrap}" for wrap in wraps]
    linker = [clang.zig(), "ld.lld", *words, *map(str, (*objects, target)), "-o", str(made)]
    subprocess.run(linker, check=True)
    return replace(whole, elf=made)


def put_planted(on: FirmwareChip, firmware: build.Firmware) -> None:
    """Load the planted section of the chip's firmware on every core; before the first launch."""
    section = on.elf.section(SECTION)
    code = build.contents(firmware.elf.read_bytes(), section)
    for core in on.physical[1:]:
        on.rig.load(code, core=core, at=section.addr)
