"""The disassembler against the assembler: text goes back to the same instruction."""

from __future__ import annotations

import random
import re
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


CONDITION = "(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?"
NAMES = "|".join(
    (
        "(adc|add|and|bic|eor|mla|mov|mul|mvn|orr|rsb|rsc|sbc|smlal|smull|sub|umlal|umull)s?",
        "b|bl|blx|bx|bkpt|clz|cmn|cmp|mcr|mrc|mrs|msr|nop|pld|swi|swpb?|teq|tst",
        "(ldm|stm)(ia|ib|da|db)|(ldr|str)(b|bt|d|h|sb|sh|t)?|qd?(add|sub)",
        "(smla|smlal|smul)[bt][bt]|(smlaw|smulw)[bt]",
    )
)
TEXT = re.compile(
    rf"undefined|bl\.(high|low) 0x[0-9a-f]+|({NAMES}){CONDITION}( [\w#,\[\]{{}}!^ +-]+)?"
)


def test_every_word_has_a_text() -> None:
    rng = random.Random(6)
    texts = [disassemble(rng.randrange(1 << 32)) for _ in range(3000)]
    texts += [disassemble(half, thumb=True) for half in range(0x10000)]
    assert [text for text in texts if not TEXT.fullmatch(text)] == []
    defined = [disassemble(thumb(rng), thumb=True) for _ in range(500)]
    assert "undefined" not in defined
