"""The firmware on a virtual board that has booted the vendor's monitor, opened as run.md says.

In: a booted Board, a chip. Out: launches of Images; bulk data goes in and out by the board's back
door, everything else by SCP and SDP as a host does it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

from vboard.scp_host import ALLOC, AR, INFO, STAGING, BoardWire, Host

from spindle.firmware_build import build, overlays
from spindle.spec import arena as spec
from spindle.spec import chip as chip_spec
from spindle.spec import generate, records
from spindle.vboard.board import CYCLES_PER_MS, SCP_PORT, Board, Datagram

IPTAG, RTR, SDP_NO_REPLY = 26, 29, 0x07
IPTAG_SET, RTR_LOAD = 1 << 16, 2
LOOPBACK = struct.unpack("<I", bytes((127, 0, 0, 1)))[0]
TAG, TAG_PORT = 2, 47000
NUM_CPUS = 0xE5007FBC


@dataclass(frozen=True)
class Completion:
    """The completion message and when the host saw it."""

    time: int
    sequence: int
    code: int
    cycles: int


class FirmwareBoard:
    """One chip, (0, 0) unless said, with the firmware on n_cores of its application cores."""

    def __init__(self, board: Board, chip: int = 0, n_cores: int | None = None) -> None:
        self.board, self.chip = board, chip
        self.at = (board.places[chip].x, board.places[chip].y)
        self.host = Host(BoardWire(board))
        self.sequence = 0
        working = self.host.read(NUM_CPUS, 1, self.at)[0] - 1
        self.n_cores = min(n_cores or working, working)
        self.place_cores = list(range(1, min(self.n_cores, records.LANES) + 1))
        self.service = self.n_cores if self.n_cores > records.LANES else 1
        self._alloc()
        self._session()
        self._routes()
        self.host.scp(IPTAG, (IPTAG_SET | TAG, TAG_PORT, LOOPBACK))
        self._load()

    def scp(self, command: int, *args: int) -> bytes:
        return self.host.scp(command, (*args, 0, 0)[:3], chip=self.at)

    def _alloc(self) -> None:
        largest = struct.unpack_from("<I", self.scp(INFO, 0x5F), 4)[0]
        size = largest - 64 * 1024
        reply = self.scp(ALLOC, spec.APP_ID << 8, size, spec.ARENA_TAG)
        block = struct.unpack_from("<I", reply)[0]
        align = chip_spec.ARENA_ALIGN
        self.arena = -(-block // align) * align
        self.arena_bytes = (block + size - self.arena) // align * align
        self.next_free = self.arena + spec.HEAP_OFFSET
        self.board.set_guard(self.chip, self.arena, self.arena_bytes)

    def _session(self) -> None:
        made = overlays.overlays(build.build(), self.arena)
        record = {
            "magic": spec.SESSION_MAGIC,
            "abi_hash": generate.abi_hash(),
            "arena": self.arena,
            "arena_bytes": self.arena_bytes,
            "n_chips": 1,
            "mesh": self.at,
            "n_places": len(self.place_cores),
            "service": self.service,
            "tag": TAG,
            "place_core": tuple(self.place_cores),
            "overlay": [overlay.fields() for overlay in made],
        }
        zeros = bytes(spec.HEAP_OFFSET - records.RECORDS["session"].size)
        self.write(self.arena, records.RECORDS["session"].pack(record) + zeros)
        for addr, code in overlays.pieces(made):
            self.write(addr, code)

    def _routes(self) -> None:
        routes = spec.routes(self.place_cores, self.service)
        if not routes:
            return
        base = struct.unpack_from("<I", self.scp(ALLOC, spec.APP_ID << 8 | 3, len(routes)))[0]
        assert base != 0
        table = b"".join(
            struct.pack("<HHIII", i, 0, sum(1 << 6 + v for v in r.cores), r.key, r.mask)
            for i, r in enumerate(routes)
        )
        self.host.write(STAGING, table + b"\xff" * 16, self.at)
        self.scp(RTR, len(routes) << 16 | spec.APP_ID << 8 | RTR_LOAD, STAGING, base)

    def _load(self) -> None:
        mask = sum(1 << v for v in range(1, self.n_cores + 1))
        self.host.write(STAGING, build.build().aplx.read_bytes(), self.at)
        self.scp(AR, spec.APP_ID << 24 | mask)
        self.board.run_all(self.board.now + 5 * CYCLES_PER_MS)

    # What LoadedImage of firmware_chip.py needs

    def write(self, addr: int, data: bytes) -> None:
        self.board.write(self.chip, addr, data)

    poke = write

    def words(self, addr: int, *values: int) -> None:
        self.write(addr, struct.pack(f"<{len(values)}I", *values))

    def peek(self, addr: int, size_bytes: int) -> bytes:
        return self.board.read(self.chip, addr, size_bytes)

    def alloc(self, size_bytes: int) -> int:
        addr, align = self.next_free, chip_spec.ARENA_ALIGN
        self.next_free += -(-size_bytes // align) * align
        return addr

    def put_command(self, values: dict[str, int]) -> int:
        self.sequence += 1
        at = self.arena + spec.RING_OFFSET + self.sequence % spec.RING_ENTRIES * 64
        data = records.COMMAND.pack({"sequence": self.sequence, **values})[:-4]
        self.write(at, data + struct.pack("<I", zlib.crc32(data)))
        return self.sequence

    def ring(self, sequence: int) -> None:
        """The doorbell, as a datagram of its own: no reply."""
        x, y = self.at
        port = spec.DOORBELL_PORT << 5 | self.service
        head = struct.pack("<2x8B", SDP_NO_REPLY, 0xFF, port, 0xFF, y, x, 0, 0)
        body = struct.pack("<HH3I", spec.DOORBELL_COMMAND, 0, sequence, 0, 0)
        now = self.board.now
        self.board.inject(Datagram(now, "127.0.0.1", 40001, SCP_PORT, head + body))

    def wait(self, limit_cycles: int) -> Completion:
        until = self.board.now + limit_cycles
        while self.board.now < until:
            self.board.run(until)
            for got in self.board.take():
                if got.port == TAG_PORT:
                    command, _, *words = struct.unpack_from("<HH3I", got.data, 10)
                    assert command == spec.DONE_COMMAND
                    return Completion(got.time, *words)
        raise TimeoutError(f"no completion: {self.status}")

    @property
    def status(self) -> dict[str, Any]:
        layout = records.RECORDS["status"]
        return layout.unpack(self.peek(self.arena + spec.STATUS_OFFSET, layout.size))

    def core(self, virtual: int) -> dict[str, Any]:
        layout = records.RECORDS["core"]
        at = self.arena + spec.CORES_OFFSET + virtual * spec.CORE_STRIDE
        return layout.unpack(self.peek(at, layout.size))

    def application_faults(self) -> list[Any]:
        """Typed errors of cores other than the monitor."""
        monitor = self.board.places[self.chip].monitor
        return [fault for fault in self.board.faults(self.chip) if fault.core != monitor]
