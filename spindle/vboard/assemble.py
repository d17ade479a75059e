"""Assemble small ARM programs with zig's clang, for tests and benches.

In: assembly text. Out: the bytes of its .text section, to be placed at any address.
"""

from __future__ import annotations

import functools
import struct
import tempfile
from pathlib import Path

from spindle.vboard.build import compile_c

_TARGET = ("-target", "arm-freestanding-eabi", "-mcpu=arm968e_s")


@functools.cache
def assemble(source: str) -> bytes:
    """Return the machine code of GNU-syntax ARM assembly (`.thumb` switches state).

    Nothing is relocated: branches and literals must stay inside the text, and ARM BL cannot be used
    (its label is left to a linker). Raises UserError with the assembler's words, ValueError where
    something is left to relocate.
    """
    with tempfile.TemporaryDirectory() as folder:
        text, made = Path(folder) / "x.s", Path(folder) / "x.o"
        text.write_text(".syntax unified\n.arm\n" + source + "\n")
        compile_c([*_TARGET, "-c", str(text), "-o", str(made)])
        return text_section(made.read_bytes())


def text_section(elf: bytes) -> bytes:
    """Return the .text bytes of a little-endian ELF32 object without relocations for them."""
    table, entry_size, n, names = (
        *struct.unpack_from("<I", elf, 0x20),
        *struct.unpack_from("<HHH", elf, 0x2E),
    )
    headers = [struct.unpack_from("<6I", elf, table + i * entry_size) for i in range(n)]
    strings = headers[names][4]
    found = {}
    for name, _kind, _flags, _addr, offset, size in headers:
        label = elf[strings + name : elf.index(b"\0", strings + name)]
        found[label] = elf[offset : offset + size]
    if b".rel.text" in found:
        raise ValueError("the assembly needs a linker: an ARM BL or a label outside the text")
    return found[b".text"]
