"""Our share of a chip's SDRAM, and the numbers host and firmware meet by: keys, ports, tags.

In: nothing. Out: constants for machines/ and the generated header spindle_arena.h. Pages:
docs/spec/run.md (arena, doorbell, completion), docs/spec/barrier.md (keys, router entries).

    arena + 0x0000  session record      what differs per chip; the host writes it before the load
          + 0x0100  status record       docs/spec/run.md
          + 0x0200  core records        18 of 128 bytes, by virtual core
          + 0x1000  command ring        64 commands of 64 bytes
          + 0x2000  IOBUF blocks        18 of 512 bytes, by virtual core
          + 0x4400  overlays            code of the kernel groups, written before the load
          + 0xa400  heap                programs, constants, binding tables, buffers
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

APP_ID = 0x5D
"""SC&MP application id of a session; overridable."""
ARENA_TAG = 0x5D
"""Tag of the ALLOC that made the arena: the firmware finds it in SC&MP's table of tags."""
SESSION_MAGIC = 0x4E495053
"""The bytes SPIN."""

STATUS_OFFSET = 0x0100
CORES_OFFSET = 0x0200
CORE_STRIDE = 128
RING_OFFSET = 0x1000
RING_ENTRIES = 64
IOBUF_OFFSET = 0x2000
IOBUF_BYTES = 512
OVERLAYS_OFFSET = 0x4400
HEAP_OFFSET = 0xA400

KEY_BASE = 0x5D000000
KEY_MASK = 0xFF0000FC
KEY_GENERATION_SHIFT = 8
KEY_SLOT_SHIFT = 2
SLOT_ARRIVE = 0
SLOT_ASK_ARRIVAL = 16
SLOT_RELEASE = 48
N_SLOTS = 64
BRANCHING = 4
"""Places per leader of the arrival tree."""
ASK_CYCLES = 4000
"""A missing packet is asked for after 20 us; each further time twice as late, to 64 times."""
ASK_DOUBLINGS = 6
CROSSING_CYCLES = 1000
"""A question within 5 us of the arrival it asks for has crossed it on the way: not answered."""

DOORBELL_PORT = 1
"""SDP port of the service core that takes doorbells."""
DOORBELL_COMMAND = 0x5D01
"""cmd of a doorbell: arg1 is the sequence of the last command in the ring."""
DONE_COMMAND = 0x5D02
"""cmd of a completion: arg1 sequence, arg2 fault code, arg3 cycles."""


@dataclass(frozen=True)
class Route:
    """One router entry of a chip: packets with key & mask == key go to these virtual cores."""

    key: int
    mask: int
    cores: tuple[int, ...]


def slot_key(slot: int) -> int:
    """Key of a slot, generation and flags 0.

    >>> hex(slot_key(SLOT_RELEASE))
    '0x5d0000c0'
    """
    return KEY_BASE | slot << KEY_SLOT_SHIFT


def routes(place_cores: Sequence[int], service: int) -> list[Route]:
    """Router entries of a chip's barrier, in the order of their numbers (the lowest wins).

    place_cores: virtual core of each place, 1 to 16; service: of the service core, which may be
    the core of place 0. The root of the tree is the service core.
    """
    entries = []
    leaders = range(0, len(place_cores), BRANCHING)
    for leader in leaders:
        if place_cores[leader] != service:
            entries.append(Route(slot_key(SLOT_ARRIVE + leader), KEY_MASK, (service,)))
    group_mask = KEY_MASK & ~(BRANCHING - 1 << KEY_SLOT_SHIFT)
    for leader in leaders:
        if leader + 1 < len(place_cores):
            key = slot_key(SLOT_ARRIVE + leader)
            entries.append(Route(key, group_mask, (place_cores[leader],)))
    for place, core in enumerate(place_cores):
        if core != service:
            entries.append(Route(slot_key(SLOT_ASK_ARRIVAL + place), KEY_MASK, (core,)))
    others = tuple(core for core in place_cores if core != service)
    if others:
        entries.append(Route(slot_key(SLOT_RELEASE), KEY_MASK, others))
    return entries
