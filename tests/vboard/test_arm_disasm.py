"""The disassembler against the assembler: text goes back to the same instruction."""

from __future__ import annotations

import random
import struct

import pytest
from vboard_arm_random import ARM_CLASSES, thumb

from spindle.vboard.arm_host import disassemble
from spindle.vboard.assemble import assemble


@pytest.mark.parametrize("make", ARM_CLASSES[:-1], ids=lambda make: make.__name__)
def test_text_assembles_to_the_same_text(make: object) -> None:
    """Texts are compared, not words: some immediates have several encodings."""
    rng = random.Random(5)
    texts = [disassemble(make(rng)) for _ in range(150)]  # type: ignore[operator]
    code = assemble("\n".join(texts))
    assert [disassemble(word) for (word,) in struct.iter_unpack("<I", code)] == texts


def test_branches_and_thumb() -> None:
    assert disassemble(0x1AFFFFFD, 8) == "bne 0x4"
    assert disassemble(0xEB000000, 0x100) == "bl 0x108"
    assert disassemble(0xFB000000, 0x100) == "blx 0x10a"
    assert disassemble(0xD0FE, 0x100, thumb=True) == "beq 0x100"
    assert disassemble(0xB501, thumb=True) == "stmdb sp!, {r0, lr}"
    assert disassemble(0xE7F000F0) == "undefined"


def test_every_word_has_a_text() -> None:
    rng = random.Random(6)
    assert all(disassemble(rng.randrange(1 << 32)) for _ in range(3000))
    assert all(disassemble(half, thumb=True) for half in range(0x10000))
    assert all(disassemble(thumb(rng), thumb=True) != "undefined" for _ in range(500))
