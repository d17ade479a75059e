"""MLIR locations and JAX tracebacks become "file.py:line (function)" of the user's own frame."""

from __future__ import annotations

import pytest

from spindle.frontends.locations import traceback_frame, user_frame

SITE = "/venv/lib/python3.11/site-packages"


@pytest.mark.parametrize(
    ("location", "frame"),
    [
        ("loc(unknown)", ""),
        ('loc("-":3:10)', ""),
        ('loc("x")', ""),
        ('loc("/a/b/model.py":41:4)', "model.py:41"),
        ('loc("jit(f)/add"("/a/model.py":41:4))', "model.py:41"),
        (
            'loc("jit(f)/add"(callsite("f"("/m.py":4:1 to :9) at "g"("/m.py":8:1))))',
            "m.py:4 (f)",
        ),
        ('loc("C.<locals>.f"("/a/m.py":4:1))', "m.py:4 (C.f)"),
        ('loc("<module>"("/a/m.py":4:1))', "m.py:4"),
        (f'loc(callsite("relu"("{SITE}/jax/_src/nn.py":1:1) at "f"("/a/m.py":8:1)))', "m.py:8 (f)"),
        (f'loc(callsite("call"("{SITE}/flax/nn.py":1:1) at "f"("/a/m.py":8:1)))', "m.py:8 (f)"),
        (f'loc("call"("{SITE}/flax/nn.py":1:1))', "nn.py:1 (call)"),
        ('loc(callsite("trace"("/w/spindle/tracing.py":1:1) at "f"("/a/m.py":8:1)))', "m.py:8 (f)"),
    ],
)
def test_innermost_user_frame(location: str, frame: str) -> None:
    assert user_frame(location) == frame


def test_traceback() -> None:
    text = f"{SITE}/jax/_src/core.py:7 (bind)\n/a/model.py:41 (f)\n/a/model.py:50 (<module>)"
    assert traceback_frame(text) == "model.py:41 (f)"
    assert traceback_frame("") == "" == traceback_frame("None")
