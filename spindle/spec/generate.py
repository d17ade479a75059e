"""Write what mirrors spec/ (`make generate`): the C headers, and the table of docs/sources.md.

Tests fail when they are stale.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from spindle.spec import arena, chip, costs, records, sources, tables

INCLUDE = Path(__file__).resolve().parent.parent / "firmware" / "include"
_HEAD = "/* Generated from spindle/spec/ by `make generate`; do not edit. */\n"


def abi_hash() -> int:
    """32-bit hash of the records and of the primitive and kernel tables (names and numbers)."""
    parts = [f"{r.name}:{r.format}:{[f.name for f in r.fields]}" for r in records.RECORDS.values()]
    parts += [str(records.FLAGS), str(tables.PRIM), str(tables.KERNEL), str(tables.GROUP)]
    parts += [str(_limits())]
    return int.from_bytes(hashlib.sha256("\n".join(parts).encode()).digest()[:4], "little")


def _limits() -> dict[str, int]:
    limits = {
        "MAX_DIMS": records.MAX_DIMS,
        "MAX_TERMS": records.MAX_TERMS,
        "MAX_OPERANDS": records.MAX_OPERANDS,
        "MAX_TEMPS": records.MAX_TEMPS,
        "STRIP": records.STRIP,
        "LANES": records.LANES,
        "LOOP_REGS": records.LOOP_REGS,
        "CHUNK": records.CHUNK,
        "PANEL_ROW_WORDS": records.PANEL_ROW_WORDS,
        "NO_DIM": records.NO_DIM,
        "NO_PLACE": records.NO_PLACE,
        "MAX_GROUPS": records.MAX_GROUPS,
        "ADAM_G_LAST": tables.ADAM_G_LAST,
        "NONFINITE_FLAG": tables.NONFINITE_FLAG,
        "QUANTISE_GIVEN": tables.QUANTISE_GIVEN,
        "QUANTISE_WIDE": tables.QUANTISE_WIDE,
        "SCAN_WORDS": tables.SCAN_WORDS,
    }
    for name in (
        "SDRAM_BASE",
        "RECORD_SLOT_BYTES",
        "TILE_ARENA_BYTES",
        "HALF_ARENA_BYTES",
        "ITCM_WINDOW_BASE",
        "ITCM_WINDOW_BYTES",
        "OVERLAY_PIECE_BYTES",
        "DTCM_BYTES",
        "DTCM_RUNTIME_BYTES",
        "DTCM_ARENA_BYTES",
        "DTCM_SYS_STACK_BYTES",
        "DMA_MAX_BYTES",
        "ARENA_ALIGN",
    ):
        limits[name] = getattr(chip, name)
    return limits


def records_header() -> str:
    """Text of spindle_records.h: limits, enums, structs with size and offset checks."""
    out = [
        _HEAD,
        "#ifndef SPINDLE_RECORDS_H",
        "#define SPINDLE_RECORDS_H",
        "",
        "#include <stddef.h>",
        "#include <stdint.h>",
        "",
    ]
    out += [f"#define SPINDLE_{name} {_number(value)}" for name, value in _limits().items()]
    out += [
        f"#define SPINDLE_ABI_HASH 0x{abi_hash():08x}u",
        f"#define SPINDLE_EMPTY_EXPONENT ({tables.EMPTY_EXPONENT})",
        "",
    ]
    for group, names in records.FLAGS.items():
        out += [f"/* {records.FLAG_DOCS[group]} */"]
        out += [f"#define {group}_{name} {value}" for name, value in names.items()] + [""]
    out += [f"#define PRIM_{name} {number}" for name, number in tables.PRIM.items()]
    out += [f"#define N_PRIMITIVES {len(tables.PRIM)}", ""]
    out += [f"#define KERNEL_{name} {number}" for name, number in tables.KERNEL.items()]
    out += [f"#define N_KERNELS {len(tables.KERNEL)}", ""]
    out += [f"#define GROUP_{name} {number}" for name, number in tables.GROUP.items()]
    out += [f"#define N_GROUPS {len(tables.GROUP)}", ""]
    out += ["/* Group of each kernel; room of each group's code in bytes. */"]
    out += [_list("KERNEL_GROUPS", (tables.GROUP[group] for _, group, _ in tables.KERNELS))]
    out += [_list("GROUP_BYTES", (group.size_bytes for group in tables.GROUPS)), ""]
    for record in records.RECORDS.values():
        out += _struct(record)
    return "\n".join([*out, "#endif", ""])


def _list(name: str, values: Iterable[int]) -> str:
    return f"#define {name} {{{', '.join(map(str, values))}}}"


def _number(value: int) -> str:
    return f"0x{value:08x}u" if value > 0xFFFF else str(value)


def _struct(record: records.Record) -> list[str]:
    out = [f"/* {record.doc} */", f"struct {record.name} {{"]
    checks, offset = [], 0
    for field in record.fields:
        array = f"[{field.count}]" if field.count > 1 else ""
        note = f" /* {field.doc} */" if field.doc else ""
        out.append(f"    {records.c_type(field.type)} {field.name}{array};{note}")
        checks.append(
            f"_Static_assert(offsetof(struct {record.name}, {field.name}) == {offset},"
            f' "{record.name}.{field.name}");'
        )
        offset += records.Record("", (field,)).size
    assert offset == record.size
    out += ["};", f'_Static_assert(sizeof(struct {record.name}) == {offset}, "{record.name}");']
    return out + checks + [""]


def costs_header() -> str:
    """Text of spindle_costs.h: the cost set as a struct of 1/16 cycles."""
    out = [
        _HEAD,
        "#ifndef SPINDLE_COSTS_H",
        "#define SPINDLE_COSTS_H",
        "",
        "#include <stdint.h>",
        "",
        f"#define COST_FRACTION {costs.FRACTION}",
        "",
        "/* Costs in 1/16 cycle, rates in 1/16 byte per cycle; spec/costs.py names sources. */",
        "struct costs {",
    ]
    out += [f"    uint32_t {constant.name};" for constant in costs.CONSTANTS]
    out += [f"    uint32_t prim[{len(tables.PRIMITIVES)}];", "};", "", "#endif", ""]
    return "\n".join(out)


def arena_header() -> str:
    """Text of spindle_arena.h: every number of spec/arena.py; it serves assembly too."""
    out = [_HEAD, "#ifndef SPINDLE_ARENA_H", "#define SPINDLE_ARENA_H", ""]
    for name, value in vars(arena).items():
        if name.isupper() and isinstance(value, int):
            out.append(f"#define SPINDLE_{name} {value if value < 65536 else f'0x{value:08x}'}")
    return "\n".join([*out, "", "#endif", ""])


HEADERS = {
    "spindle_records.h": records_header,
    "spindle_costs.h": costs_header,
    "spindle_arena.h": arena_header,
}


def main() -> int:
    """Write every header and the page; returns 0."""
    for name, text in HEADERS.items():
        (INCLUDE / name).write_text(text())
    sources.PAGE.write_text(sources.updated(sources.PAGE.read_text()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
