"""Cycle formulas and workspace twins: worked by hand from the cost constants."""

from __future__ import annotations

import pytest
from task_tools import instr, operand, task

from spindle.kernels_host import TaskCost
from spindle.spec import costs, records
from spindle.spec.tables import SCAN_WORDS


def packed(record, operands, program) -> bytes:
    head = record | {"n_operands": len(operands), "n_instrs": len(program)}
    parts = [records.TASK.pack(head)]
    parts += [records.OPERAND.pack(op) for op in operands]
    parts += [records.INSTR.pack(i) for i in program]
    return b"".join(parts)


def cycles(
    kernel, tile, operands=(), program=(), last=True, origin=(0,) * 4, extent=None, **fields
):
    text = packed(task(kernel, extent or tile, tile, **fields), list(operands), list(program))
    return [
        TaskCost(text, name).cycles(tile, last_inner=last, origin=origin) for name in costs.SETS
    ]


@pytest.mark.parametrize("columns", [1, 63, 64, 65])
def test_strip(columns):
    """Rows stay apart: the reduction asks for them; it ends in this tile."""
    program = [
        instr("SPLAT", 16),
        instr("MUL_F32", 17, 0, 16),
        instr("RED_ADD_F32", 1, 17, 2),
        instr("EXT", 1),
    ]
    got = cycles("STRIP", (1, 5, columns, 1), [operand((0, 64, 1, 0), 2)], program, n_prologue=1)
    for mine, name in zip(got, costs.SETS, strict=True):
        c = costs.table(name)
        strips = 5 * (1 if columns <= 64 else 2)
        want = c["strip_tile_cycles"] + c["strip_operand_cycles"] + c["strip_step_cycles"]
        want += c["instr_cycles"] + 64 * c["prim_SPLAT"] + 5 * c["row_cycles"]
        want += strips * (c["strip_cycles"] + c["strip_place_cycles"] + 2 * c["instr_cycles"])
        want += strips * (c["ext_cycles"] + c["reduce_cycles"] + c["reduce_row_cycles"])
        want += 5 * columns * (c["prim_MUL_F32"] + c["prim_RED_ADD_F32"])
        want += 5 * (c["reduce_out_cycles"] + c["prim_RED_ADD_F32"])
        assert mine == (want + 8) // 16


def test_a_reduction_has_results_in_its_last_tile_only():
    program = [instr("RED_ADD_F32", 1, 0, 2), instr("EXT", 1)]
    tile, operands = (1, 5, 64, 1), [operand((0, 64, 1, 0), 2)]
    (first, _), (last, _) = (
        cycles("STRIP", tile, operands, program, extent=(1, 5, 128, 1), origin=(0, 0, at, 0))
        for at in (0, 64)
    )
    c = costs.table("nominal")
    assert abs(last - first - 5 * (c["reduce_out_cycles"] + c["prim_RED_ADD_F32"]) / 16) <= 1


def test_dot_s28():
    tile, extent = (1, 7, 6, 128), (1, 7, 6, 700)
    for k, finished in ((0, 0), (384, 1), (512, 0), (640, 1)):
        n_k = min(128, 700 - k)
        got = cycles(
            "DOT_S28",
            (*tile[:3], n_k),
            extent=extent,
            k_block=512,
            origin=(0, 0, 0, k),
            last=False,
        )
        for mine, name in zip(got, costs.SETS, strict=True):
            c = costs.table(name)
            want = c["dot_s28_tile_cycles"] + 4 * c["dot_s28_pair_cycles"]
            want += 13 * c["dot_s28_row_cycles"]
            chunks = -(-n_k // 8)
            want += 12 * (c["mac_s28_cycles"] * 32 * chunks + c["dot_s28_block_cycles"])
            want += 12 * chunks * c["dot_s28_chunk_cycles"]
            want += 7 * finished * c["dot_s28_finish_row_cycles"]
            want += 42 * finished * c["dot_s28_finish_cycles"]
            want += 42 * (finished if k >= 512 else 0) * c["dot_s28_add_cycles"]
            assert mine == (want + 8) // 16


@pytest.mark.parametrize("kernel", ["DOT_S13", "DOT_S16"])
@pytest.mark.parametrize("last", [False, True])
def test_dot_s16(kernel, last):
    got = cycles(kernel, (1, 7, 6, 65), extent=(1, 7, 6, 130), last=last)
    for mine, name in zip(got, costs.SETS, strict=True):
        c = costs.table(name)
        chunk = c[f"{kernel.lower()}_chunk_cycles"]
        want = 3 * 2 * (c["dot_s16_block_cycles"] + 9 * chunk)
        want += 42 * c["dot_s16_finish_cycles"] if last else 0
        assert mine == (want + 8) // 16


@pytest.mark.parametrize(("stride", "strips"), [((0, 8, 1, 0), 1), ((0, 1, 0, 0), 8)])
def test_epilogue_counts_with_the_last_inner_tile(stride, strips):
    """A strip per row, or one for all where all operands lie densely."""
    program = [instr("ADD_F32", 2, 2, 2)]
    tile = (1, 8, 8, 64)
    operands = [operand((0, 0, 0, 0), None)] * 2 + [operand(stride, 2 if strips == 1 else 1)]
    (without, _), (with_it, _) = (
        cycles("DOT_F32", tile, operands, program, last=last) for last in (False, True)
    )
    c = costs.table("nominal")
    want = c["strip_tile_cycles"] + c["strip_operand_cycles"] + strips * c["row_cycles"]
    want += c["strip_step_cycles"] if strips == 1 else 0
    want += strips * (c["strip_cycles"] + c["strip_place_cycles"] + c["instr_cycles"])
    assert abs(with_it - without - (want + 64 * c["prim_ADD_F32"]) / 16) <= 1


PAIRS = {"quantise_tile": 1, "quantise_pair": 2}
SLOW = {"quantise_slow": 8, "quantise_slow_chunk": 1}
ODD = {"quantise_slow": 21, "quantise_slow_chunk": 2}


@pytest.mark.parametrize(
    ("kernel", "tile", "terms"),
    [
        (
            "SCAN",
            (1, 13, 1, 7),
            {
                "scan_tile": 1,
                "scan_rows": 3,
                "scan_rows_k": 21,
                "scan_columns": 2,
                "scan_columns_f": 26,
            },
        ),
        ("SCAN", (1, 5, 1, 5), {"scan_tile": 1, "scan_row": 5, "scan_one": 25, "scan_slow": 25}),
        ("SCAN_FREE", (1, 6, 1, 5), {"scan_tile": 1, "scan_rows": 1, "scan_rows_k": 5}),
        (
            "SCAN_K",
            (1, 5, 1, 6),
            {"scan_tile": 1, "scan_finite": 30, "scan_columns": 1, "scan_columns_f": 5},
        ),
        ("QUANTISE", (1, 4, 1, 6), {**PAIRS, "quantise_k": 6, "quantise": 24, "quantise_pad": 8}),
        ("QUANTISE", (1, 3, 1, 8), {**PAIRS, "quantise_k": 8, "quantise": 16, **SLOW}),
        ("QUANTISE", (1, 3, 1, 7), {**PAIRS, "quantise_k": 7, **ODD}),
        ("TRANSPOSE", (1, 10, 20, 1), {"transpose_tile": 1, "transpose_row": 10, "transpose": 200}),
        (
            "DOT_F32",
            (1, 10, 20, 40),
            {"dot_f32_row": 10, "dot_f32_k": 400, "mac_f32": 8000, "prim_ADD_F32": -200},
        ),
        ("COPY", (1, 10, 20, 1), {}),
        ("QUANTISE_13", (1, 10, 1, 40), {"quantise_16": 400}),
        ("QUANTISE_16", (1, 10, 1, 40), {"quantise_16": 400}),
    ],
)
def test_terms(kernel, tile, terms):
    """How often each constant counts; groups of six and pairs at their limits."""
    got = cycles(kernel, tile, last=False)
    for mine, name in zip(got, costs.SETS, strict=True):
        c = costs.table(name)
        want = sum(n * c.get(f"{term}_cycles", c.get(term)) for term, n in terms.items())
        assert mine == (want + 8) // 16


def test_given_exponents_are_not_looked_for():
    (plain, _), (given, _) = (cycles("QUANTISE", (1, 4, 1, 8), arg=arg) for arg in (0, 2))
    c = costs.table("nominal")
    assert abs(plain - given - 2 * (c["quantise_cycles"] - c["quantise_given_cycles"])) <= 1


def test_balance_counts_both_partials():
    operands = [
        operand((0, 40, 0, 1), 3, granule1=4),
        operand((0, 0, 40, 1), 3),
        operand((0, 0, 0, 1), 3),
    ]
    nominal, _ = cycles("BALANCE", (1, 10, 2, 40), operands)
    c = costs.table("nominal")
    want = c["balance_tile_cycles"] + 40 * c["balance_k_cycles"]
    assert nominal == (want + (3 + 2) * 40 * c["balance_cycles"] + 8) // 16


def words(kernel, tile, extent, k_block=512, **fields) -> int:
    record = task(kernel, extent, tile, k_block=k_block, **fields)
    return TaskCost(records.TASK.pack(record)).work_words(tile)


def test_workspace():
    assert words("STRIP", (1, 4, 64, 1), (1, 8, 64, 1)) == 0
    assert words("SCAN", (1, 12, 1, 64), (1, 24, 1, 64)) == 12
    split = words("DOT_S28", (1, 8, 10, 64), (1, 16, 16, 700))
    whole = words("DOT_S28", (1, 8, 10, 512), (1, 16, 16, 700))
    small = words("DOT_S28", (1, 8, 10, 64), (1, 16, 16, 64))
    flags = 1 + 8 + 10 + 80 // 16
    assert split == 2 * 8 * 10 + flags
    assert whole == small == 4 * 10 + flags


@pytest.mark.parametrize("kernel", ["DOT_S13", "DOT_S16"])
def test_workspace_of_16_bit_dots(kernel):
    flags = 1 + 9 + 12 + -(-9 * 12 // 16)
    split = words(kernel, (1, 9, 12, 64), (1, 18, 18, 65), k_block=0)
    whole = words(kernel, (1, 9, 12, 64), (1, 18, 18, 64), k_block=0)
    assert split == 2 * 9 * 12 + 3 + flags
    assert whole == 2 * 3 * 12 + 3 + flags


def test_workspace_of_a_scan_with_flags():
    assert words("SCAN_FREE", (1, 12, 1, 64), (1, 24, 1, 64), arg=SCAN_WORDS) == 24
