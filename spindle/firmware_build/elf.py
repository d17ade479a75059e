"""A small ELF reader: sections and symbols of 32- and 64-bit little-endian files.

In: an object, a library or the linked firmware. Out: what the build and the tests ask of it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path

SHT_SYMTAB, SHT_DYNSYM, SHF_ALLOC = 2, 11, 2
STB_LOCAL = 0
EM_ARM = 40


@dataclass(frozen=True)
class Section:
    """One section; `offset` in the file and `size` in bytes, `addr` where it runs."""

    name: str
    type: int
    flags: int
    addr: int
    offset: int
    size: int
    link: int


@dataclass(frozen=True)
class Symbol:
    """One named symbol; section: its number, 0 where undefined. value: bit 0 set for Thumb code."""

    name: str
    section: int
    local: bool
    value: int
    size: int

    @property
    def defined(self) -> bool:
        """It has a section, or a number of its own (absolute)."""
        return self.section != 0


@dataclass(frozen=True)
class Elf:
    """Sections and symbols of a file."""

    machine: int
    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]

    def size_of(self, *prefixes: str) -> int:
        """Bytes of all sections named so, or so with a dot and more."""
        return sum(
            s.size
            for s in self.sections
            if any(s.name == p or s.name.startswith(p + ".") for p in prefixes)
        )

    def section(self, name: str) -> Section:
        """The section of that name. Raises KeyError."""
        for section in self.sections:
            if section.name == name:
                return section
        raise KeyError(name)

    def address(self, name: str) -> int:
        """Address of a symbol, without the Thumb bit of code. Raises KeyError."""
        for symbol in self.symbols:
            if symbol.name == name and symbol.defined:
                return symbol.value & ~1
        raise KeyError(name)

    @property
    def undefined(self) -> set[str]:
        """Names the file needs from elsewhere."""
        return {s.name for s in self.symbols if not s.defined}

    @property
    def defined(self) -> set[str]:
        """Names the file gives to others."""
        return {s.name for s in self.symbols if s.defined and not s.local}


def read(path: Path) -> Elf:
    """Read an ELF file. Raises ValueError where it is none."""
    data = path.read_bytes()
    if data[:4] != b"\x7fELF" or data[5] != 1:
        raise ValueError(f"{path} is no little-endian ELF file")
    wide = data[4] == 2
    header = struct.unpack_from("<HHIQQQIHHHHHH" if wide else "<HHIIIIIHHHHHH", data, 16)
    machine, offset, size, count, names = header[1], header[5], header[10], header[11], header[12]
    raw = [_section(data, offset + i * size, wide) for i in range(count)]
    strings = raw[names][1]
    sections = tuple(
        replace(section, name=_string(data, strings.offset + name)) for name, section in raw
    )
    symbols = tuple(
        symbol
        for s in sections
        if s.type in (SHT_SYMTAB, SHT_DYNSYM)
        for symbol in _symbols(data, s, sections[s.link].offset, wide)
    )
    return Elf(machine, sections, symbols)


def _section(data: bytes, at: int, wide: bool) -> tuple[int, Section]:
    fields = struct.unpack_from("<IIQQQQIIQQ" if wide else "<IIIIIIIIII", data, at)
    return fields[0], Section("", *fields[1:7])


def _symbols(data: bytes, section: Section, strings: int, wide: bool) -> list[Symbol]:
    out = []
    step = 24 if wide else 16
    for at in range(section.offset, section.offset + section.size, step):
        if wide:
            name, info, _, index, value, size = struct.unpack_from("<IBBHQQ", data, at)
        else:
            name, value, size, info, _, index = struct.unpack_from("<IIIBBH", data, at)
        if name:
            local = info >> 4 == STB_LOCAL
            out.append(Symbol(_string(data, strings + name), index, local, value, size))
    return out


def _string(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode()
