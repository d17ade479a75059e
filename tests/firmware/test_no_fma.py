"""The host library computes as written: no fused multiply-add, nothing from libm."""

from __future__ import annotations

import re

import pytest

from spindle.firmware_build import elf as elf_tools
from spindle.kernels_host import build

FMA = re.compile(r"\b(vf(n?)m(add|sub)\w*|fn?m(add|sub|la|ls)\w*)\b")
LIBM = {
    f"{name}{suffix}"
    for suffix in ("f", "")
    for name in ["sqrt", "exp", "log", "pow", "tanh", "fma", "fmod"]
}
FLOAT_SOURCES = ("strip_float.c", "strip_reduce.c", "adam.c", "dot_f32.c", "dot_s28.c")


def test_pattern_finds_what_it_looks_for():
    assert FMA.search("\tvfmadd213ps\t%zmm1, %zmm2, %zmm3")
    assert FMA.search("\tvfnmsub231ss\t%xmm1, %xmm2, %xmm3")
    assert FMA.search("\tfmadd\ts0, s1, s2, s3") and FMA.search("\tfmla\tv0.4s, v1.4s, v2.4s")
    assert not FMA.search("\tvmulps\t%zmm1, %zmm2, %zmm3")


@pytest.mark.parametrize("name", FLOAT_SOURCES)
def test_no_fused_multiply_add(name, tmp_path):
    (source,) = (path for path in build.host_sources() if path.name == name)
    listing = tmp_path / "code.s"
    flags = [*build.HOST_FLAGS, *build.includes("host")]
    build.compile_c(
        [*flags, "-Wno-unused-command-line-argument", "-S", str(source), "-o", str(listing)]
    )
    text = listing.read_text()
    assert "mul" in text
    assert FMA.findall(text) == []


@pytest.mark.parametrize("plain", [False, True])
def test_nothing_from_libm(plain):
    library = elf_tools.read(build.build(plain=plain))
    assert library.defined >= {"kernel_compute", "kernel_cycles"}
    assert {name.split("@")[0] for name in library.undefined} & LIBM == set()
