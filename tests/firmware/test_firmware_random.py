"""Random programs on the ARM code of one emulated chip: native's bits."""

from __future__ import annotations

import pytest
from firmware_chip import FirmwareChip, LoadedImage, native_bytes
from native_tools import module_of
from random_programs import program

from spindle.compile import compile_module
from spindle.errors import UnsupportedError
from spindle.options import Options

SEEDS = [*range(6), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(6, 150))]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_firmware_has_the_bits_of_native(seed: int) -> None:
    fn, args = program(1000 + seed)
    try:
        image = compile_module(module_of(fn, args), Options())
    except UnsupportedError as error:
        pytest.skip(str(error))
    loaded = LoadedImage(FirmwareChip((17, 16, 9, 3)[seed % 4]), image)
    assert loaded.launch(*args).code == 0
    assert loaded.result_bytes() == native_bytes(image, args)
