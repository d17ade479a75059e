"""Compile the virtual board's C with the clang of the ziglang wheel into a shared library.

In: spindle/vboard/**/*.c. Out: a library in _build/, named by a hash of sources, headers, flags and
processor, so that it is built once per source state. `python -m spindle.vboard.build` builds it at
install time; `library()` builds it where it is missing.
"""

from __future__ import annotations

import ctypes
import functools
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from spindle import clang

HERE = Path(__file__).resolve().parent
BUILD = HERE / "_build"

FLAGS = (
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-O3",
    "-fPIC",
    "-fvisibility=hidden",
    "-fwrapv",
    "-fno-sanitize=undefined",
    "-fomit-frame-pointer",
    "-g0",
)
"""-fwrapv: register arithmetic is modulo 2^32 and offsets are signed."""


def sources() -> list[Path]:
    """C files of the library."""
    return sorted(HERE.rglob("*.c"))


def source_hash() -> str:
    """First 16 hex digits of the SHA-256 of sources, headers, flags and processor family."""
    head = " ".join((*FLAGS, platform.machine(), sys.platform)).encode()
    return clang.files_hash(head, HERE, sorted([*sources(), *HERE.rglob("*.h")]))


def compile_c(arguments: Sequence[str]) -> None:
    """Run clang; its caches lie in _build. Raises UserError with the compiler's words."""
    clang.compile_c(arguments, build=BUILD, where="spindle.vboard.build")


def build() -> Path:
    """Build the library where it is missing; return its path. Raises UserError when that fails."""

    def make(made: Path) -> None:
        compile_c([*FLAGS, "-shared", *map(str, sources()), "-o", str(made)])

    return clang.build_once(BUILD / f"vboard_{source_hash()}.so", make)


@functools.cache
def library() -> ctypes.CDLL:
    """Load the library, building it first where it is missing."""
    return ctypes.CDLL(str(build()))


if __name__ == "__main__":
    print(build())
