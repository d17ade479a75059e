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

    Branches and literals must stay inside the text: nothing is relocated. Raises UserError with the
    assembler's words.
    """
    with tempfile.TemporaryDirectory() as folder:
        text, made = Path(folder) / "x.S", Path(folder) / "x.o"
        text.write_text(".syntax unified\n.arm\n" + source + "\n")
        compile_c([*_TARGET, "-c", str(text), "-o", str(made)])
        return text_section(made.read_bytes())


def text_section(elf: bytes) -> bytes:
    """Return the .text bytes of a little-endian ELF32 object."""
    table, entry_size, n, names = (
        *struct.unpack_from("<I", elf, 0x20),
        *struct.unpack_from("<HHH", elf, 0x2E),
    )
    headers = [struct.unpack_from("<6I", elf, table + i * entry_size) for i in range(n)]
    strings = headers[names][4]
    for name, _kind, _flags, _addr, offset, size in headers:
        if elf[strings + name :].startswith(b".text\0"):
            return elf[offset : offset + size]
    raise ValueError("the object has no .text section")
