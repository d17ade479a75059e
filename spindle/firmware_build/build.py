"""Link the firmware and make the .aplx that SC&MP's loader takes.

In: spindle/firmware. Out: in _build/firmware_<hash>/: spindle.elf, spindle.aplx, spindle.sym
(address, size, name of every symbol), spindle.sizes (bytes per source file). `python -m
spindle.firmware_build.build` builds at install time; `build()` builds where it is missing.
"""

from __future__ import annotations

import struct
import tempfile
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from spindle import clang
from spindle.firmware_build import elf
from spindle.kernels_host import build as compiler
from spindle.spec import chip
from spindle.spec.tables import GROUPS

BUILD = Path(__file__).resolve().parent / "_build"
SCRIPT = compiler.FIRMWARE / "hal" / "spinnaker" / "firmware.ld"

APLX_RCOPY, APLX_FILL, APLX_EXEC, APLX_END = 2, 3, 4, 0xFFFFFFFF
APLX_UNIT = 32
"""The loader copies and fills in units of 32 bytes; a length of 0 still moves one."""
COPIED = (".text", ".open", ".cold", ".tables")
"""Sections of the file that the loader copies: code in ITCM and SysRAM, tables in DTCM."""
_RECORD_BYTES = 16
_N_RECORDS = len(COPIED) + 3


@dataclass(frozen=True)
class Firmware:
    """A built firmware; `aplx` is what is written to the board."""

    elf: Path
    aplx: Path
    symbols: Path
    sizes: Path


def source_hash() -> str:
    """First 16 hex digits of the SHA-256 of sources, headers, linker script and build rules."""
    rules = (clang.__file__, compiler.__file__, elf.__file__, __file__)
    head = b"".join(Path(str(rule)).read_bytes() for rule in rules)
    headers = sorted(compiler.FIRMWARE.rglob("*.h"))
    return clang.files_hash(head, compiler.FIRMWARE, [*compiler.arm_sources(), *headers, SCRIPT])


def build() -> Firmware:
    """Build the firmware where it is missing; two processes may do so at once.

    Raises UserError with the words of compiler or linker, such as what does not fit in ITCM.
    """
    folder = BUILD / f"firmware_{source_hash()}"
    if not folder.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILD) as made:
            _make(Path(made) / "out")
            _settle(Path(made) / "out", folder)
    names = ("spindle.elf", "spindle.aplx", "spindle.sym", "spindle.sizes")
    return Firmware(*(folder / name for name in names))


def _settle(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError:
        if not folder.exists():
            raise


def _make(folder: Path) -> None:
    objects = compiler.build_arm(folder / "objects")
    made = folder / "spindle.elf"
    link(sorted(objects.glob("*.o")), made)
    read = elf.read(made)
    (folder / "spindle.aplx").write_bytes(aplx(made.read_bytes(), read))
    (folder / "spindle.sym").write_text(symbol_table(read))
    (folder / "spindle.sizes").write_text(size_table(objects, read))


def link(objects: list[Path], made: Path) -> None:
    """Link objects with the firmware's script; code that nobody reaches is left out.

    Raises UserError where a symbol is missing or a memory is too small.
    """
    flags = ["-target", "arm-freestanding-eabi", "-mcpu=arm968e_s", "-nostdlib", "-static"]
    flags += [f"-Wl,-T,{SCRIPT}", "-Wl,--gc-sections", "-Wl,--build-id=none"]
    compiler.compile_c([*flags, *map(str, objects), "-o", str(made)])


def aplx(data: bytes, read: elf.Elf) -> bytes:
    """The loader's records (SpiNNaker tools, APLX): copy code, tables, clear variables, start."""
    bss = read.section(".bss")
    copied = [(read.section(name).addr, contents(data, read.section(name))) for name in COPIED]
    starts = accumulate((len(code) for _, code in copied), initial=_RECORD_BYTES * _N_RECORDS)
    records = [
        *(
            (APLX_RCOPY, addr, start - _RECORD_BYTES * i, len(code))
            for i, ((addr, code), start) in enumerate(zip(copied, starts, strict=False))
        ),
        (APLX_FILL, bss.addr, -(-bss.size // APLX_UNIT) * APLX_UNIT, 0),
        (APLX_EXEC, read.section(".text").addr, 0, 0),
        (APLX_END, 0, 0, 0),
    ]
    table = b"".join(struct.pack("<4I", *record) for record in records)
    return table + b"".join(code for _, code in copied)


def contents(data: bytes, section: elf.Section) -> bytes:
    """Bytes of a section, filled up with zeros to the loader's units."""
    code = data[section.offset : section.offset + section.size]
    return code + bytes(-len(code) % APLX_UNIT)


def symbol_table(read: elf.Elf) -> str:
    """One line per symbol: address, size, name."""
    rows = sorted((s.value, s.size, s.name) for s in read.symbols if s.defined and s.name[0] != "$")
    return "".join(f"{value:08x} {size:6d} {name}\n" for value, size, name in rows)


def size_table(objects: Path, read: elf.Elf) -> str:
    """Bytes of code and constants per object, and what the linked memories hold."""
    out = []
    for path in sorted(objects.glob("*.o")):
        part = elf.read(path)
        out.append(f"{part.size_of('.text', '.vectors', '.rodata'):6d} {path.stem}\n")
    out.append(f"{read.section('.text').size:6d} resident, of {chip.ITCM_WINDOW_BASE} in ITCM\n")
    for name in ("open", *(group.name.lower() for group in GROUPS[1:])):
        out.append(f"{read.size_of(f'.{name}'):6d} {name}, of {window_bytes(name)} in the window\n")
    out.append(f"{read.section('.cold').size:6d} linked, of {chip.SYSRAM_USER_BYTES} in SysRAM\n")
    out.append(f"{read.section('.bss').size:6d} variables, of {chip.DTCM_RUNTIME_BYTES} in DTCM\n")
    tables = read.section(".tables").size
    out.append(f"{tables:6d} constant tables, of {chip.DTCM_TABLES_BYTES} in DTCM\n")
    return "".join(out)


def window_bytes(name: str) -> int:
    """Room for a section in the overlay window: SC&MP's loader, which copies `open`, ends it."""
    end = chip.ITCM_LOADABLE_BYTES if name == "open" else chip.ITCM_BYTES
    return end - chip.ITCM_WINDOW_BASE


if __name__ == "__main__":
    print(build().aplx)
