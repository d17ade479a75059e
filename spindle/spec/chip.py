"""Facts of one SpiNNaker-1 chip and our memory map of a core.

Sources: SpiNNaker data sheet (memory sizes, clocks), SpiNNMan's usable SDRAM figure, MACHINE rules
of docs/machine.md (our map).
"""

from __future__ import annotations

SDRAM_BASE = 0x60000000
SDRAM_BYTES = 128 * 1024 * 1024
SDRAM_USABLE_BYTES = 123_469_792
"""What SC&MP leaves to applications, as SpiNNMan reports it on a booted board."""

ITCM_BYTES = 32 * 1024
ITCM_LOADABLE_BYTES = 0x7F00
"""SC&MP's loader and its stack lie above while it copies (SpiNNaker tools, boot_aplx.s)."""
ITCM_WINDOW_BASE = 0x6460
"""The overlay window, up to the end of ITCM: code of one kernel group at a time."""
ITCM_WINDOW_BYTES = ITCM_BYTES - ITCM_WINDOW_BASE
OVERLAY_PIECE_BYTES = 512
"""An overlay comes through a buffer of so many bytes among the runtime's variables."""
SYSRAM_USER_BASE = 0xE5000100
SYSRAM_USER_BYTES = 4096
"""System RAM that SC&MP leaves to applications (spinnaker_tools, sark.h: sv.sysram_base)."""
DTCM_BASE = 0x00400000
DTCM_BYTES = 64 * 1024
DTCM_RUNTIME_BYTES = 4 * 1024
DTCM_ARENA_BYTES = 54 * 1024
DTCM_SYS_STACK_BYTES = 2432
DTCM_TABLES_BYTES = 1664
DTCM_MODE_STACKS_BYTES = 2 * 1024

RECORD_SLOT_BYTES = 1536
"""A step with its task record fits in one slot; two slots lie at the start of the kernel arena."""
TILE_ARENA_BYTES = DTCM_ARENA_BYTES - 2 * RECORD_SLOT_BYTES
"""What tasks may use: offsets in operand and task records count from its start."""
RESIDENT_ARENA_BYTES = 20 * 1024
"""End of the tile arena: tiles that stay for a later task of the same lane (RESIDENT operands)."""
HALF_ARENA_BYTES = (TILE_ARENA_BYTES - RESIDENT_ARENA_BYTES) // 2
"""A task that is not EXCLUSIVE keeps to one half; neighbours alternate, so tiles can prefetch."""

DMA_MAX_BYTES = 65536
CORES_PER_CHIP = 18
APPLICATION_CORES = 17
ARENA_ALIGN = 128
TILE_ALIGN = 8
