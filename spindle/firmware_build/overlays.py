"""The overlays of a firmware: code of the kernel groups, as a session keeps it in SDRAM.

In: a built Firmware, where the arena lies. Out: bytes to write there, and what the session record
says of them (docs/spec/run.md, Overlays).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from spindle.firmware_build import build, elf
from spindle.spec import arena
from spindle.spec.tables import GROUPS


@dataclass(frozen=True)
class Overlay:
    """One group's code at its SDRAM address; no code: no bytes."""

    addr: int
    code: bytes

    def fields(self) -> dict[str, int]:
        """Fields of its record `overlay`."""
        if not self.code:
            return {}
        return {"address": self.addr, "bytes": len(self.code), "check": check(self.code)}


def check(code: bytes) -> int:
    """Complement of the sum of the words.

    >>> hex(check(bytes(3) + b"\\x01" + bytes(4)))
    '0xfeffffff'
    """
    words: tuple[int, ...] = struct.unpack(f"<{len(code) // 4}I", code)
    return ~sum(words) & 0xFFFFFFFF


def overlays(firmware: build.Firmware, base: int) -> list[Overlay]:
    """Return the overlays of all groups but the resident one, for an arena at `base`."""
    data, read = firmware.elf.read_bytes(), elf.read(firmware.elf)
    made, addr = [], base + arena.OVERLAYS_OFFSET
    for group in GROUPS[1:]:
        made.append(Overlay(addr, _code(data, read, f".{group.name.lower()}")))
        addr += len(made[-1].code)
    assert addr <= base + arena.HEAP_OFFSET
    return made


def _code(data: bytes, read: elf.Elf, name: str) -> bytes:
    """Code of a section; a group without kernels has none."""
    names = {section.name for section in read.sections}
    return build.contents(data, read.section(name)) if name in names else b""


def pieces(made: Sequence[Overlay]) -> list[tuple[int, bytes]]:
    """What to write into SDRAM."""
    return [(overlay.addr, overlay.code) for overlay in made if overlay.code]
