"""What operands take in DTCM, and what a kernel costs roughly.

In: operands and tiles; kernels. Out: words; cycles per index. What tiles cost says tile_cost.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from spindle.ir.plan import Instr, Operand
from spindle.spec import costs
from spindle.spec.records import LANES
from spindle.spec.tables import PRIMITIVES

_COSTS = {c.name: c.nominal for c in costs.CONSTANTS}
_PRIMITIVE_CYCLES = {p.name: p.cycles for p in PRIMITIVES}
_MAC_CYCLES = {"DOT_S28": 4.2, "DOT_S16": 1.8, "DOT_S13": 1.6}
"""Of a whole kernel call, tiles of 48 x 48 and 33 x 33: docs/kernels.md."""


def operand_rows(operand: Operand, tile: Sequence[int]) -> int:
    """Rows of a full tile in DTCM (firmware/include/tile.h)."""
    rows = 1
    for dim in range(4):
        if operand.stride[dim] != 0 and dim != operand.fast:
            rows *= granules(operand, tile, dim)
    return rows


def granules(operand: Operand, tile: Sequence[int], dim: int) -> int:
    """Places along one dim: several indices may share one."""
    return -(-tile[dim] // (1, operand.granule1, operand.granule1, operand.granule3)[dim])


def row_words(operand: Operand, tile: Sequence[int]) -> int:
    """Words of one row of a full tile."""
    n = 1 if operand.fast is None else tile[operand.fast]
    return -(-n * operand.unit_words // operand.align_words) * operand.align_words


def operand_words(operand: Operand, tile: Sequence[int]) -> int:
    """Words of a full tile in DTCM."""
    return operand_rows(operand, tile) * row_words(operand, tile)


def clipped(tile: Sequence[int], extent: Sequence[int]) -> tuple[int, int, int, int]:
    """Extents of the first tile."""
    t0, t1, t2, t3 = (min(t, e) for t, e in zip(tile, extent, strict=True))
    return t0, t1, t2, t3


def element_cycles(kernel: str, program: Sequence[Instr], n_operands: int) -> float:
    """Rough cycles per index of the space, for sharing lanes between tasks."""
    if kernel.startswith("DOT"):
        return _MAC_CYCLES.get(kernel, _COSTS["mac_f32_cycles"])
    computed = sum(_PRIMITIVE_CYCLES[instr.prim] for instr in program)
    moved = n_operands * 4 * LANES / _COSTS["sdram_bytes_per_cycle"]
    return max(computed, moved) if kernel == "STRIP" else 8.0 + moved
