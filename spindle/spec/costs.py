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


_FITTED = "emulated chip, 2026-11-25, fitted to the steps of the MLP demo"

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
    Constant(
        "dma_setup_cycles", 70, 75, "measured", f"{_FITTED}: core writes three registers, ring"
    ),
    Constant("sdram_word_cycles", 25, 30, "documented", "SARK V2.00 slides: 100-150 ns"),
    Constant("barrier_cycles", 400, 500, "modelled", "4x4 tree of packets, 2.0 / 2.5 us"),
    Constant("step_cycles", 1100, 1150, "measured", f"{_FITTED}: decode a step, set up its tiles"),
    Constant(
        "tile_cycles",
        1600,
        1700,
        "measured",
        f"{_FITTED}: tile origin and extents, kernel dispatch",
    ),
    Constant(
        "operand_cycles",
        300,
        330,
        "measured",
        f"{_FITTED}: address and rows of one operand of a tile",
    ),
    Constant(
        "instr_cycles", 30, 34, "measured", f"{_FITTED}: strip instruction: fetch, registers, call"
    ),
    Constant("strip_cycles", 220, 230, "measured", f"{_FITTED}: strip: advance operand pointers"),
    Constant(
        "mac_s28_cycles",
        3.5,
        3.5,
        "measured",
        "docs/kernels.md: 28 cycles for two k of 2x2 outputs",
    ),
    Constant(
        "dot_s28_block_cycles",
        48.0,
        51.0,
        "measured",
        "docs/kernels.md: 2x2 block beside its MACs and chunks, 32 columns; 16 columns",
    ),
    Constant(
        "dot_s28_chunk_cycles",
        1.75,
        2.0,
        "measured",
        "docs/kernels.md: 2x2 block, per chunk of 8 k, from K = 32, 64, 128",
    ),
    Constant(
        "dot_s28_finish_cycles",
        29.5,
        33,
        "measured",
        "docs/kernels.md: int64 to float32, per output and K-block",
    ),
    Constant(
        "dot_s28_add_cycles", 37.9, 42, "measured", "docs/kernels.md: K-blocks after the first"
    ),
    Constant("mac_f32_cycles", 96.5, 96.5, "measured", "kernels.md 4: libgcc per MAC"),
    Constant("scan_cycles", 13.0, 14.0, "measured", _FITTED),
    Constant("scan_one_cycles", 6.5, 7.5, "modelled", "per element: one of the two maxima"),
    Constant("balance_cycles", 9.0, 10.0, "measured", f"{_FITTED}: per partial exponent"),
    Constant("quantise_cycles", 23.2, 25.0, "measured", _FITTED),
    Constant("transpose_cycles", 3.5, 4.0, "measured", "kernels.md 5: 2.9 for int16 pairs"),
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
    6400
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
