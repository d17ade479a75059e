"""Compile the virtual board's C with the clang of the ziglang wheel into a shared library.

In: spindle/vboard/**/*.c. Out: a library in _build/, named by a hash of sources, headers, flags and
processor, so that it is built once per source state. `python -m spindle.vboard.build` builds it at
install time; `library()` builds it where it is missing.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import platform
import sys
import tempfile
from pathlib import Path

from spindle.kernels_host.build import compile_c

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
    digest = hashlib.sha256(" ".join((*FLAGS, platform.machine(), sys.platform)).encode())
    for path in sorted([*sources(), *HERE.rglob("*.h")]):
        digest.update(path.relative_to(HERE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def build() -> Path:
    """Build the library where it is missing; return its path.

    Two processes may build at once: each compiles to a name of its own and renames it in place.
    Raises UserError when the compiler fails.
    """
    path = BUILD / f"vboard_{source_hash()}.so"
    if path.exists():
        return path
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        made = Path(folder) / path.name
        compile_c([*FLAGS, "-shared", *map(str, sources()), "-o", str(made)])
        made.replace(path)
    return path


@functools.cache
def library() -> ctypes.CDLL:
    """Load the library, building it first where it is missing."""
    return ctypes.CDLL(str(build()))


if __name__ == "__main__":
    print(build())
