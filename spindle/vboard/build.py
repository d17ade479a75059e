"""Compile the virtual board's C with the clang of the ziglang wheel into a shared library.

In: spindle/vboard/**/*.c. Out: a library in _build/, named by a hash of sources, headers, flags and
processor, so that it is built once per source state. `python -m spindle.vboard.build` builds it at
install time; `library()` builds it where it is missing.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from spindle.errors import UserError

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


def compile_c(arguments: Sequence[str]) -> None:
    """Run zig's clang; its caches lie in _build. Raises UserError with the compiler's words."""
    cache = str(BUILD / "zig")
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
    command = [sys.executable, "-m", "ziglang", "cc", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise UserError(
            f"the C compiler failed ({done.returncode}): {done.stderr.strip()[-2000:]}",
            where="spindle.vboard.build",
            fix="install the package ziglang, or report this with the text above",
        )


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
