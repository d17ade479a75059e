"""Compile firmware C with the clang of the ziglang wheel: a host library, and ARM objects.

In: spindle/firmware. Out: a shared library in _build/, named by a hash of sources, headers and
flags, so that it is built once per source state. `python -m spindle.kernels_host.build` builds it
at install time; `library()` builds it where it is missing.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Sequence
from pathlib import Path

from spindle import clang

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware"
BUILD = Path(__file__).resolve().parent / "_build"

HOST_SOURCES = ("kernels/*.c", "kernels/host/*.c", "rt/*.c", "hal/host/*.c")
"""Of two files with one name in kernels/ and kernels/host/, the host's is taken."""
ARM_SOURCES = (
    "kernels/*.c",
    "kernels/arm/*.c",
    "kernels/arm/*.S",
    "rt/*.c",
    "rt/arm/*.S",
    "hal/spinnaker/*.c",
    "hal/spinnaker/*.S",
)
"""A file in kernels/arm/ or rt/arm/ replaces the C file of its name above."""
HOST_ONLY = ("kernel_cost.c", "strip_cost.c", "barrier_look.c")
ARM_FAST = ("dot_s28_sums.c", "strip.c")
"""Compiled for speed (-O2) on ARM; the rest for size."""
BARRIER_PATH = ("barrier.c", "session.c", "hal.c", "rt.c")
"""Run between the last arrival and the release: their inline functions are inlined."""
THUMB_FILES = (
    "adam.c",
    "control.c",
    "rt.c",
    "quantise.c",
    "scan.c",
    "scan_rows.c",
    "dot_f32.c",
    "dot_flags.c",
    "dot_s16.c",
    "quantise16.c",
    "rescue.c",
    "kernel.c",
    "strip_convert.c",
    "strip_float.c",
    "strip_int.c",
    "strip_iota.c",
    "strip_shape.c",
    "transpose.c",
    "strip_reduce.c",
    "barrier.c",
    "complete.c",
    "fault.c",
    "launch.c",
    "mailbox.c",
    "open.c",
    "overlay.c",
    "overlay_copy.c",
    "serve.c",
    "session.c",
    "vcpu.c",
    "sf_edge.c",
)
"""Compiled to Thumb, 70 % of the room: what runs once per task or less often than every tile, and
loops that few use."""

_STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wno-pass-failed")
_SAME_BITS = (
    "-ffp-contract=off",
    "-fno-fast-math",
    "-fno-math-errno",
    "-fwrapv",
    "-fno-strict-aliasing",
    "-fno-sanitize=undefined",
)
HOST_FLAGS = (*_STRICT, *_SAME_BITS, "-O3", "-mcpu=native", "-fPIC")
"""docs/numerics.md 2; -fno-math-errno keeps libm's sqrtf out."""
ARM_FLAGS = (
    *_STRICT,
    "-fwrapv",
    "-fno-strict-aliasing",
    "-fno-sanitize=undefined",
    "-mcpu=arm968e_s",
    "-ffreestanding",
    "-fno-builtin",
    "-fno-stack-protector",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-fomit-frame-pointer",
    "-ffunction-sections",
)


def host_sources(*, plain: bool = False) -> list[Path]:
    """C files of the host library; plain leaves kernels/host/ out (the twins of ARM's code)."""
    patterns = [p for p in HOST_SOURCES if not (plain and p == "kernels/host/*.c")]
    found = {path for pattern in patterns for path in FIRMWARE.glob(pattern)}
    replaced = {path.parent.parent / path.name for path in found if path.parent.name == "host"}
    return sorted(found - replaced)


def arm_sources(*, plain: bool = False) -> list[Path]:
    """Sources of the firmware itself; plain leaves kernels/arm/ out: the C twins run instead."""
    patterns = [p for p in ARM_SOURCES if not (plain and p.startswith("kernels/arm/"))]
    found = {path for pattern in patterns for path in FIRMWARE.glob(pattern)}
    fast = [path for path in found if path.parent.name == "arm"]
    replaced = {path.parent.parent / f"{path.stem}.c" for path in fast}
    return sorted(path for path in found - replaced if path.name not in HOST_ONLY)


def includes(hal: str) -> list[str]:
    """Include flags for one hal: "host" or "spinnaker"."""
    return [f"-I{FIRMWARE / 'include'}", f"-I{FIRMWARE / 'hal' / hal}", f"-I{FIRMWARE / 'kernels'}"]


def compile_c(arguments: Sequence[str]) -> None:
    """Run clang; its caches lie in _build. Raises UserError with the compiler's words."""
    clang.compile_c(arguments, build=BUILD, where="spindle.kernels_host.build")


def source_hash(*, plain: bool = False) -> str:
    """First 16 hex digits of the SHA-256 of sources, headers, flags and processor."""
    head = " ".join(HOST_FLAGS).encode() + _processor()
    paths = [*host_sources(plain=plain), *sorted(FIRMWARE.rglob("*.h"))]
    return clang.files_hash(head, FIRMWARE, paths)


def _processor() -> bytes:
    """What -mcpu=native depends on: a library built elsewhere must not be reused."""
    try:
        lines = Path("/proc/cpuinfo").read_bytes().splitlines()
    except OSError:
        return os.uname().machine.encode() if hasattr(os, "uname") else b""
    names = (b"flags", b"Features", b"model name")
    return b"".join(sorted({line for line in lines if line.startswith(names)}))


def build(*, plain: bool = False) -> Path:
    """Build the host library where it is missing; return its path. Raises UserError."""

    def make(made: Path) -> None:
        sources = [str(source) for source in host_sources(plain=plain)]
        compile_c([*HOST_FLAGS, *includes("host"), "-shared", *sources, "-o", str(made)])

    name = f"spindle_{'plain_' if plain else ''}{source_hash(plain=plain)}.so"
    return clang.build_once(BUILD / name, make)


@functools.cache
def library(*, plain: bool = False) -> ctypes.CDLL:
    """Load the host library, building it first where it is missing."""
    return ctypes.CDLL(str(build(plain=plain)))


def _instructions(source: Path) -> tuple[str, ...]:
    """For size, small functions are not inlined where they are called twice: 5 % less code."""
    if source.name in ARM_FAST:
        return ("-target", "arm-freestanding-eabi", "-O2")
    small = ["-Os", "-mllvm", "-inline-threshold=0"]
    if source.name not in BARRIER_PATH:
        small += ["-mllvm", "-inlinehint-threshold=0"]
    state = "thumb" if source.name in THUMB_FILES else "arm"
    return ("-target", f"{state}-freestanding-eabi", *small)


def _object_name(source: Path) -> str:
    """kernels_scan, arm_scan_rows, spinnaker_dma; rt_rt and, for assembly, rt_arm_tiles."""
    parts = source.relative_to(FIRMWARE).with_suffix("").parts
    return "_".join(parts if parts[0] == "rt" else parts[-2:])


def build_arm(out_dir: Path, *, plain: bool = False) -> Path:
    """Compile the firmware for the ARM968 into objects in out_dir; return out_dir.

    Raises UserError when the compiler fails.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    for source in arm_sources(plain=plain):
        target = out_dir / f"{_object_name(source)}.o"
        flags = [*ARM_FLAGS, *_instructions(source)]
        flags += includes("spinnaker")
        compile_c([*flags, "-c", str(source), "-o", str(target)])
    return out_dir


if __name__ == "__main__":
    print(build())
