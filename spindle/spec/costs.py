"""Timing and energy constants, in two frozen sets; every benchmark prints the set's hash.

Clock cycles are of the 200 MHz core. Tags: documented (data sheet or manual), measured (cycle model
of the reference kernels), modelled (our choice, to be replaced by silicon). Sources are repeated in
docs/sources.md.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from spindle.spec.tables import PRIMITIVES

CLOCK_HZ = 200_000_000
"""Core clock under SC&MP; documented (SC&MP pll_init)."""


@dataclass(frozen=True)
class Constant:
    """One timing constant: both values, unit in the name, tag and source."""

    name: str
    nominal: float
    pessimistic: float
    tag: str
    source: str


_ALONE = "kernels alone in the board's interpreter, tests/firmware/test_cost_arm.py"


def _kernel(name: str, cycles: float, what: str) -> Constant:
    """A term of a kernel's formula, counted on the ARM build; 5 % more where pessimistic."""
    return Constant(name, cycles, round(1.05 * cycles, 2), "measured", f"{_ALONE}: {what}")


_OVERLAY = "emulated chip, 2026-11-25, loads of 320 and 6656 B on one core"
_LANES = "the task loop on an emulated chip, fitted to steps of five programs"


def _lane(name: str, cycles: float, what: str) -> Constant:
    """What a lane takes beside kernels and waits; 5 % more where pessimistic."""
    return Constant(name, cycles, round(1.05 * cycles, 2), "measured", f"{_LANES}: {what}")


CONSTANTS: tuple[Constant, ...] = (
    Constant(
        "sdram_bytes_per_cycle",
        4.0,
        3.0,
        "modelled",
        "chip total: 0.8 / 0.6 B/ns; 1.04 GB/s peak, data sheet claims > 1 GB/s sustained",
    ),
    Constant("dma_bytes_per_cycle", 2.0, 1.5, "modelled", "one core alone: 0.4 / 0.3 B/ns"),
    Constant(
        "dma_fixed_cycles",
        100,
        200,
        "modelled",
        "engine time per transfer beside its bytes; SDRAM word read is 20-30 cycles",
    ),
    _lane("dma_setup_cycles", 5, "tile: a row of an operand is queued"),
    _lane("dma_next_cycles", 70, "half an interrupt, which hands over two transfers"),
    Constant("sdram_word_cycles", 25, 30, "documented", "SARK V2.00 slides: 100-150 ns"),
    Constant(
        "barrier_cycles",
        1110,
        1165,
        "measured",
        f"{_LANES}: last arrival to the next step, whole cycles: packets 470, profiles",
    ),
    _lane("step_cycles", 540, "decode a step, find its tiles"),
    _lane("prepare_cycles", 123, "a step's operand: address, transfers it takes part in"),
    _lane("fetch_cycles", 400, "fetch the next step, end this one; its sum with step_cycles"),
    _lane("tile_cycles", 640, "tile: origin and extents, kernel dispatch"),
    _lane("operand_cycles", 285, "tile: an operand is queued"),
    _kernel("strip_tile_cycles", 240, "strip program: shape of its strips, places"),
    _kernel("strip_operand_cycles", 42, "strip program: an operand's places"),
    _kernel("strip_step_cycles", 190, "strip program: an operand's step from row to row"),
    _kernel("repeat_cycles", 12.9, "strip program: word of a row that is repeated"),
    _kernel("row_cycles", 26, "strip program: row, beside its strips"),
    _kernel("strip_cycles", 23, "strip, beside operands and instructions"),
    _kernel("strip_place_cycles", 16, "strip: place of an operand"),
    _kernel(
        "instr_cycles", 50, "strip instruction: fetch 20, registers and loop of a primitive 30"
    ),
    _kernel("ext_cycles", 12, "strip instruction EXT"),
    _kernel("iota_cycles", 70, "IOTA: a division of the first index, beside instr_cycles"),
    _kernel("iota_fill_cycles", 6, "IOTA along other dims than 2: word"),
    _kernel("reduce_cycles", 273, "RED_*: where it stands, beside instr_cycles"),
    _kernel("reduce_call_add_cycles", 30.5, "RED_ADD_F32: a fold beside its elements"),
    _kernel("reduce_call_f32_cycles", 49.6, "other RED_*_F32: the same"),
    _kernel("reduce_call_i32_cycles", 34.7, "other RED_*: the same"),
    _kernel("reduce_first_cycles", 18, "RED_* along axis 1: first element of a result"),
    _kernel("reduce_add_cycles", 36.5, "RED_ADD_F32: element of a row added to another, 1/4 zeros"),
    _kernel("mac_s28_cycles", 3.5, "28 cycles for two k of 2x2 outputs"),
    _kernel("dot_s28_tile_cycles", 375, "DOT_S28: K-block of a tile"),
    _kernel("dot_s28_row_cycles", 6.9, "DOT_S28: row or column of a K-block: its exponent word"),
    _kernel("dot_s28_pair_cycles", 135, "DOT_S28: pair of rows"),
    _kernel("dot_s28_block_cycles", 43.6, "DOT_S28: 2x2 outputs, beside MACs and chunks"),
    _kernel("dot_s28_chunk_cycles", 1.2, "DOT_S28: 2x2 outputs, per chunk of 8 k"),
    _kernel("dot_s28_finish_row_cycles", 50, "DOT_S28: row of C at the end of a K-block"),
    _kernel("dot_s28_finish_cycles", 29.8, "DOT_S28: int64 to float32, per output and K-block"),
    _kernel("dot_s28_add_cycles", 37.9, "DOT_S28: output, K-blocks after the first"),
    _kernel("mac_f32_cycles", 87.1, "DOT_F32: a product, a sum, steps"),
    _kernel("dot_f32_row_cycles", 550, "DOT_F32: row"),
    _kernel("dot_f32_k_cycles", 37, "DOT_F32: k of a row"),
    _kernel("scan_tile_cycles", 410, "SCAN*: tile"),
    _kernel("scan_f_cycles", 25, "SCAN*: row: clear, lowest, write"),
    _kernel("scan_rows_cycles", 458.5, "SCAN, SCAN_FREE: six rows"),
    _kernel("scan_rows_k_cycles", 20.6, "SCAN, SCAN_FREE: k of six rows"),
    _kernel("scan_row_cycles", 91.9, "SCAN, SCAN_FREE: row where there are fewer than six"),
    _kernel("scan_one_cycles", 13.4, "SCAN, SCAN_FREE: element of such a row"),
    _kernel("scan_columns_cycles", 118, "SCAN, SCAN_K: six k"),
    _kernel("scan_columns_f_cycles", 31.8, "SCAN, SCAN_K: row of six k"),
    _kernel("scan_slow_k_cycles", 59, "SCAN, SCAN_K: k where there are fewer than six"),
    _kernel("scan_slow_cycles", 67, "SCAN, SCAN_K: element where there are fewer than six k"),
    _kernel("scan_finite_cycles", 13.4, "SCAN_K: element, whether it is finite"),
    _kernel("balance_tile_cycles", 71, "BALANCE: tile"),
    _kernel("balance_k_cycles", 18.7, "BALANCE: k"),
    _kernel("balance_cycles", 9.15, "BALANCE: partial exponent"),
    _kernel("quantise_tile_cycles", 300, "QUANTISE: tile"),
    _kernel("quantise_k_cycles", 7.4, "QUANTISE: k: range of the d_k"),
    _kernel("quantise_pair_cycles", 250, "QUANTISE: pair of rows"),
    _kernel("quantise_cycles", 24.3, "QUANTISE: element of a pair, a quarter of them zeros"),
    _kernel("quantise_given_cycles", 19.5, "QUANTISE: the same, exponents given"),
    _kernel("quantise_pad_cycles", 5, "QUANTISE: missing element of a pair's last chunk"),
    _kernel("quantise_slow_cycles", 207, "QUANTISE: element of a row without partner, of odd K"),
    _kernel("quantise_slow_given_cycles", 121, "QUANTISE: the same, exponents given"),
    _kernel("quantise_slow_chunk_cycles", 460, "QUANTISE: 2 x 8 places of such rows"),
    _kernel("transpose_tile_cycles", 330, "TRANSPOSE: tile"),
    _kernel("transpose_row_cycles", 16, "TRANSPOSE: row"),
    _kernel("transpose_cycles", 12, "TRANSPOSE: word"),
    Constant(
        "overlay_cycles",
        1250,
        1350,
        "measured",
        f"{_OVERLAY}: a load beside its pieces; code in system RAM",
    ),
    Constant(
        "overlay_piece_cycles",
        95,
        105,
        "measured",
        f"{_OVERLAY}: a piece beside its transfer and words",
    ),
    Constant(
        "overlay_word_cycles", 4.5, 4.6, "measured", f"{_OVERLAY}: copy a word to ITCM, add it up"
    ),
    Constant(
        "dot_s13_chunk_cycles",
        97.75,
        98.5,
        "measured",
        "docs/kernels.md: 8 k of 3x3 outputs, narrow",
    ),
    Constant(
        "dot_s16_chunk_cycles",
        111.5,
        112.5,
        "measured",
        "docs/kernels.md: 8 k of 3x3 outputs, wide A",
    ),
    Constant(
        "dot_s16_block_cycles",
        42.0,
        46.0,
        "measured",
        "docs/kernels.md: 3x3 block beside its chunks, 11 a row",
    ),
    Constant(
        "dot_s16_finish_cycles", 26, 28, "measured", "docs/kernels.md: sum to float32, per output"
    ),
    Constant(
        "quantise_16_cycles",
        19.0,
        20.5,
        "measured",
        "docs/kernels.md: per element of a tile",
    ),
)

CHIP_CONSTANTS: tuple[Constant, ...] = (
    Constant("packet_cycles", 40, 80, "modelled", "core to core: hardware.md 3, 0.1-0.2 us"),
    Constant("hop_cycles", 100, 200, "modelled", "router to next router; SC&MP plans with 500 ns"),
    Constant("link_short_cycles", 44, 44, "documented", "AN7: 11 symbols of 20 ns, 40-bit packet"),
    Constant("link_long_cycles", 76, 76, "documented", "AN7: 19 symbols of 20 ns, 72-bit packet"),
    Constant("local_word_cycles", 3, 4, "modelled", "load or store of a core's own peripheral"),
    Constant("eth_rx_cycles_per_byte", 48, 64, "modelled", "33 / 25 Mbit/s: vboard.md S15"),
    Constant("eth_tx_cycles_per_byte", 16, 16, "documented", "100 Mbit/s MII"),
    Constant("eth_latency_cycles", 6000, 6000, "modelled", "30 us to the host: vboard.md S14"),
)
"""What only the virtual board needs, in whole cycles; struct chip_costs of vboard/chip/chip.h."""

SETS = ("nominal", "pessimistic")
FRACTION = 16
"""Costs reach C as integers in 1/16 cycle."""


def table(cost_set: str) -> dict[str, int]:
    """All constants of a set in 1/16 units, primitives as prim_<name>; order is the C struct's.

    >>> table("nominal")["barrier_cycles"]
    17760
    """
    if cost_set not in SETS:
        raise ValueError(f"cost set {cost_set!r} is none of {SETS}")
    values = {c.name: round(getattr(c, cost_set) * FRACTION) for c in CONSTANTS}
    slower = 1.0 if cost_set == "nominal" else 1.05
    values |= {f"prim_{p.name}": round(p.cycles * slower * FRACTION) for p in PRIMITIVES}
    return values


def costs_hash(cost_set: str) -> str:
    """First 12 hex digits of the SHA-256 of a set's names and values, the virtual board's too."""
    values = table(cost_set) | {c.name: int(getattr(c, cost_set)) for c in CHIP_CONSTANTS}
    text = ";".join(f"{name}={value}" for name, value in values.items())
    return hashlib.sha256(f"{cost_set}:{text}".encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Power:
    """Published power constants of a SpiNNaker-1 chip, each with its source."""

    chip_idle_w: float = 0.35
    chip_idle_source: str = "Stromatias et al. 2014, as cited in SpiNNMachine version_spin1"
    core_active_w: float = 0.034
    core_active_source: str = "SpiNNMachine measurement note: (59.38 - 31.88) W / 806 cores"
    packet_40_bit_j: float = 1.0e-9
    packet_72_bit_j: float = 1.8e-9
    packet_source: str = "25 pJ a bit a router: SpiNNMachine note citing Painkras et al., JSSC 2013"


POWER = Power()
