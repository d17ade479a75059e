"""The host build: hashed name, chosen variants, a plain sentence when the compiler fails."""

from __future__ import annotations

import subprocess
import sys

import pytest

from spindle.errors import UserError
from spindle.kernels_host import build


def test_host_variant_replaces_its_twin():
    fast = {path.relative_to(build.FIRMWARE).as_posix() for path in build.host_sources()}
    plain = {path.relative_to(build.FIRMWARE).as_posix() for path in build.host_sources(plain=True)}
    assert fast - plain == {"kernels/host/dot_s16_sums.c", "kernels/host/dot_s28_sums.c"}
    assert plain - fast == {"kernels/dot_s16_sums.c", "kernels/dot_s28_sums.c"}
    assert build.source_hash() != build.source_hash(plain=True)


def test_build_is_reused():
    path = build.build()
    before = path.stat().st_mtime_ns
    assert build.build() == path and path.stat().st_mtime_ns == before


def test_two_processes_at_once(tmp_path):
    code = (
        "import pathlib, sys; from spindle.kernels_host import build;"
        "build.BUILD = pathlib.Path(sys.argv[1]);"
        "build.host_sources = lambda **_: [build.FIRMWARE / 'kernels/tile.c'];"
        "import ctypes; ctypes.CDLL(str(build.build())).operand_step"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    running = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    assert len(list(tmp_path.glob("*.so"))) == 1


def test_compiler_errors_are_told(tmp_path):
    source = tmp_path / "broken.c"
    source.write_text("int f(void) { return nothing; }\n")
    with pytest.raises(UserError, match=r"C compiler failed.*nothing"):
        build.compile_c([*build.HOST_FLAGS, "-c", str(source), "-o", str(tmp_path / "broken.o")])
