"""From an MLIR debug location to the user's line: "model.py:41 (loss)".

In: the text of a location. Out: the innermost frame that is the user's own, "" where there is none.
JAX writes a chain, innermost first: loc("jit(f)/add"(callsite("f"("/a/model.py":41:4) at ...))).
"""

from __future__ import annotations

import functools
import re
from pathlib import PurePath

FRAME = re.compile(r'(?:"([^"]*)"\()?"([^"]+)":(\d+):\d+')
TRACEBACK_LINE = re.compile(r"(.+):(\d+) \((.*)\)")
INTERNAL = ("/jax/_src/", "/jaxlib/", "/spindle/jitted.py", "/spindle/tracing.py")
INSTALLED = ("site-packages", "dist-packages", "/lib/python3")


@functools.lru_cache(maxsize=65536)
def user_frame(location: str) -> str:
    """Return "file.py:41 (function)" of the innermost user frame in an MLIR location's text.

    Frames of jax and Spindle are skipped; frames of other installed packages only count when no
    frame of the user's own is there.

    >>> user_frame('loc("jit(f)/add"(callsite("f"("/a/model.py":41:4 to :9) at "<module>"(...))))')
    'model.py:41 (f)'
    >>> user_frame('loc("-":3:10)')
    ''
    """
    frames = (found.groups() for found in FRAME.finditer(location))
    return _innermost([(file, line, function or "") for function, file, line in frames])


def traceback_frame(traceback: str) -> str:
    """Return the same of a JAX traceback's text: lines "file:line (function)", innermost first.

    >>> traceback_frame("/x/jax/_src/core.py:7 (bind)\\n/a/model.py:41 (f)")
    'model.py:41 (f)'
    """
    found = (TRACEBACK_LINE.fullmatch(line) for line in traceback.splitlines())
    return _innermost([match.group(1, 2, 3) for match in found if match])


def _innermost(frames: list[tuple[str, ...]]) -> str:
    """Return the first frame of the user's own, else of another package, else ""."""
    frames = [frame for frame in frames if not _is_internal(frame[0])]
    own = [frame for frame in frames if not any(mark in frame[0] for mark in INSTALLED)]
    for file, line, function in own or frames:
        return f"{PurePath(file).name}:{line}{_function(function)}"
    return ""


def _is_internal(file: str) -> bool:
    return file in ("-", "<stdin>") or any(mark in file.replace("\\", "/") for mark in INTERNAL)


def _function(name: str) -> str:
    if not name or "/" in name or ":" in name or name.startswith("<"):
        return ""
    return f" ({name.replace('<locals>.', '')})"
