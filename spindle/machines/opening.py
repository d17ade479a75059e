"""Opening a session on a board, and opening it again after a core has died (docs/spec/run.md).

In: a connected Hostd, a Layout. Out: a Session: an arena, router entries, a tag, and the firmware
waiting for launches. Raises MachineError with what stands in the way.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from spindle.errors import MachineError
from spindle.firmware_build import build, overlays
from spindle.machines.hostd.client import Hostd
from spindle.machines.hostd.clock import Clock
from spindle.machines.places import Layout
from spindle.machines.transfer import Carrier
from spindle.spec import arena, chip, generate, records

TAG = 2
"""Fixed IP tag of completions."""
LEFT_BYTES = 64 * 1024
"""Of the largest free block: left to others."""
LEAST_BYTES = 1 << 20
READY_NS = 1_000_000_000
POLL_S = 0.003
DEAD, RTE, RUN, IDLE = 0, 2, 7, 15
RTE_SWERR, RTE_VER = 13, 20
"""States and run-time errors of SC&MP that open knows."""
CORE_IDLE = records.FLAGS["CORE"]["IDLE"]
RTE_CODE_ADDR = 0xE5007000 + 44


@dataclass(frozen=True)
class Session:
    """An open session on one chip."""

    layout: Layout
    arena: int
    arena_bytes: int

    @property
    def status(self) -> int:
        """Address of the status record."""
        return self.arena + arena.STATUS_OFFSET

    @property
    def heap(self) -> int:
        """Address of the heap."""
        return self.arena + arena.HEAP_OFFSET

    @property
    def heap_bytes(self) -> int:
        """Bytes of the heap."""
        return self.arena_bytes - arena.HEAP_OFFSET


@dataclass(frozen=True)
class Opening:
    """What opening needs."""

    hostd: Hostd
    clock: Clock
    host: str
    app: int

    def call(self, layout: Layout, op: str, payload: bytes = b"", **arguments: Any) -> Any:
        """A call about the layout's chip."""
        x, y = layout.chip
        return self.hostd.call(op, payload, x=x, y=y, **arguments)


def clear_board(opening: Opening, chips: list[dict[str, Any]]) -> bool:
    """Stop what a session of ours left; True where something was.

    Raises MachineError where another application runs.
    """
    found = _running(opening, chips)
    foreign = sorted(found - {opening.app})
    if foreign:
        raise MachineError(
            f"the board {opening.host} runs application {', '.join(map(str, foreign))}; stop it"
            " first, or use another board"
        )
    opening.hostd.call("stop", app=opening.app)
    wait_until(opening, lambda: not _running(opening, chips), "its cores do not stop")
    return bool(found)


def _running(opening: Opening, chips: list[dict[str, Any]]) -> set[int]:
    """Applications of all cores that are neither idle nor dead, monitors left out."""
    calls = [opening.hostd.call("cores", x=chip["x"], y=chip["y"]) for chip in chips]
    cores = [core for call in calls for core in call["cores"][1:]]
    return {app for state, app, _ in cores if state not in (DEAD, IDLE)}


def wait_until(opening: Opening, holds: Any, what: str) -> None:
    """Ask again and again, for READY_NS of the board's time. Raises MachineError."""
    end = opening.clock.now_ns() + READY_NS
    while not holds():
        if opening.clock.now_ns() > end:
            raise MachineError(f"the board {opening.host} is unwell: {what}; switch it off and on")
        time.sleep(POLL_S)


def open_session(opening: Opening, layout: Layout, free_bytes: int, carrier: Carrier) -> Session:
    """The steps of docs/spec/run.md. free_bytes: of the chip's largest free block."""
    session = _take_arena(opening, layout, free_bytes)
    carrier.zero(session.arena, arena.HEAP_OFFSET)
    firmware = build.build()
    made = overlays.overlays(firmware, session.arena)
    record = _session_record(session, made)
    carrier.write([(session.arena, record), *overlays.pieces(made)])
    entries = arena.routes(layout.place_cores, layout.service)
    if entries:
        plain = [[e.key, e.mask, list(e.cores)] for e in entries]
        opening.call(layout, "routes", entries=plain, app=opening.app)
    opening.hostd.call("tag", tag=TAG)
    opening.call(
        layout, "load", firmware.aplx.read_bytes(), cores=list(layout.cores), app=opening.app
    )
    wait_until(opening, lambda: _is_ready(opening, session, carrier), "its cores do not start")
    return session


def _take_arena(opening: Opening, layout: Layout, free_bytes: int) -> Session:
    size = free_bytes - LEFT_BYTES
    if size < LEAST_BYTES:
        raise MachineError(
            f"chip {layout.chip} of {opening.host} has {free_bytes} B of SDRAM free, Spindle needs"
            f" {LEAST_BYTES + LEFT_BYTES} B; stop what holds the rest, or switch the board off and"
            " on"
        )
    block = opening.call(layout, "alloc", size_bytes=size, app=opening.app, tag=arena.ARENA_TAG)[
        "addr"
    ]
    start = -(-block // chip.ARENA_ALIGN) * chip.ARENA_ALIGN
    return Session(layout, start, (block + size - start) // chip.ARENA_ALIGN * chip.ARENA_ALIGN)


def _session_record(session: Session, made: list[overlays.Overlay]) -> bytes:
    layout = session.layout
    return records.SESSION.pack(
        {
            "magic": arena.SESSION_MAGIC,
            "abi_hash": generate.abi_hash(),
            "arena": session.arena,
            "arena_bytes": session.arena_bytes,
            "n_chips": 1,
            "mesh": layout.chip,
            "root": (0, 0),
            "n_places": len(layout.place_cores),
            "service": layout.service,
            "tag": TAG,
            "place_core": layout.place_cores,
            "overlay": [overlay.fields() for overlay in made],
        }
    )


def _is_ready(opening: Opening, session: Session, carrier: Carrier) -> bool:
    cores = session.layout.cores
    at = session.arena + arena.CORES_OFFSET
    spans = [(at + core * arena.CORE_STRIDE, records.CORE.size) for core in cores]
    if all(records.CORE.unpack(data)["state"] == CORE_IDLE for data in carrier.read(spans)):
        return True
    states = opening.call(session.layout, "cores")["cores"]
    failed = [core for core in cores if states[core][0] == RTE]
    if failed:
        raise _start_error(opening, session, failed[0])
    return False


def _start_error(opening: Opening, session: Session, core: int) -> MachineError:
    """Why a core gave up at its start."""
    x, y = session.layout.chip
    span = [RTE_CODE_ADDR + 128 * core, 1]
    code = opening.hostd.fetch("read", x=x, y=y, pieces=[span])[1][0]
    reasons = {
        RTE_VER: "the firmware was built for other records than this Spindle; build it again",
        RTE_SWERR: "it found no arena; open the machine again",
    }
    reason = reasons.get(code, "switch the board off and on")
    return MachineError(f"core ({x}, {y}, {core}) of {opening.host} stopped, code {code}: {reason}")
