"""The clang of the ziglang wheel: run it, and keep what it makes under a name of its sources.

In: clang arguments. Out: objects and libraries in the _build folder of a package part. Used by the
two parts that hold C: kernels_host (the firmware's host build) and vboard.
"""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from spindle.errors import UserError


@functools.cache
def zig() -> str:
    """Path of the zig executable in the ziglang wheel. Raises UserError where it is missing."""
    spec = find_spec("ziglang")
    if spec is None or spec.origin is None:
        raise UserError(
            "the package ziglang, which holds the C compiler, is not installed",
            where="spindle.clang",
            fix="pip install ziglang",
        )
    return str(Path(spec.origin).parent / ("zig.exe" if sys.platform == "win32" else "zig"))


def compile_c(arguments: Sequence[str], *, build: Path, where: str) -> None:
    """Run clang with its caches in build/. Raises UserError with the compiler's words."""
    build.mkdir(parents=True, exist_ok=True)
    cache = str(build / "zig")
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
    command = [zig(), "cc", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise UserError(
            f"the C compiler failed ({done.returncode}): {done.stderr.strip()[-2000:]}",
            where=where,
            fix="install the package ziglang, or report this with the text above",
        )


def files_hash(head: bytes, root: Path, paths: Iterable[Path]) -> str:
    """First 16 hex digits of the SHA-256 of head and of names (below root) and bytes of files."""
    digest = hashlib.sha256(head)
    for path in paths:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def build_once(path: Path, make: Callable[[Path], None]) -> Path:
    """Call make(temporary path) unless path exists, then move it there; return path.

    Two processes may build at once: each makes a file of its own and renames it in place.
    """
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        make(made)
        made.replace(path)
    return path
