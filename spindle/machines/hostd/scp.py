"""SCP over UDP, several requests under way: what moves our data beside SpiNNMan.

In: requests for SC&MP. Out: their replies in order. SpiNNMan's own calls wait for one list of 256
bytes pieces at a time and count late replies in wall time; here a whole list of pieces of many
buffers is one call, and a reply is late by the board's clock. Page: hardware notes on SCP in
docs/board.md.

    datagram = 2 bytes, SDP header 8, command and sequence 4, three arguments 12, data <= 256
"""

from __future__ import annotations

import socket
import struct
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spindle.errors import MachineError
from spindle.machines.hostd.clock import Clock

PORT = 17893
VER, READ, WRITE, FILL = 0, 2, 3, 5
OK = 0x80
RETRY_CODES = {0x81, 0x86, 0x8B, 0x8D, 0x8E}
"""LEN, TIMEOUT, P2P_NOREPLY, P2P_BUSY, P2P_TIMEOUT: as SpiNNMan does."""
CODES = {0x82: "SUM", 0x83: "CMD", 0x84: "ARG", 0x85: "PORT", 0x87: "ROUTE", 0x88: "CPU"}
DATA_BYTES = 256
WINDOW = 7
"""Requests under way; SC&MP has 8 transient tags for replies."""
LATE_NS = 1_000_000_000
TRIES = 10
PAUSE_NS, PAUSE_LOOK_S = 10_000_000, 0.001
"""Before a request that was refused for now is sent again; wall time between two looks."""
SILENCE_S = 0.1
"""So long may nothing come before the board's clock is asked."""
REPLY_EXPECTED, NO_REPLY = 0x87, 0x07
TRANSIENT_TAG, HOST_PORT = 0xFF, 0xFF

Chip = tuple[int, int]


class SilenceError(MachineError):
    """A request was sent TRIES times and had no reply."""


@dataclass(frozen=True)
class Request:
    """One SCP request to the monitor of a chip."""

    command: int
    args: tuple[int, int, int]
    data: bytes | memoryview = b""


@dataclass
class _Waiting:
    index: int
    datagram: bytes
    since_ns: int | None = None
    tries: int = 1


class Scp:
    """A socket to a board's Ethernet chip. One call at a time. resent: datagrams sent again."""

    def __init__(self, host: str, clock: Clock) -> None:
        """Raises MachineError where `host` is no name or address."""
        self.host, self._clock = host, clock
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.connect((host, PORT))
        except OSError as error:
            self.socket.close()
            raise MachineError(
                f"{host!r} cannot be reached ({error.strerror}); check the name and the network"
            ) from error
        self.socket.settimeout(SILENCE_S)
        self._sequence = self.resent = 0
        self._tries = TRIES

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    # -- memory

    def write(self, chip: Chip, pieces: Sequence[tuple[int, memoryview]]) -> None:
        """Store bytes at addresses, all pieces in one stream of requests."""
        self.ask(chip, [r for addr, data in pieces for r in _write_requests(addr, data)])

    def read(self, chip: Chip, pieces: Sequence[tuple[int, int]]) -> list[bytes]:
        """Bytes at (address, size), all pieces in one stream of requests."""
        requests = [list(_read_requests(addr, size)) for addr, size in pieces]
        replies = iter(self.ask(chip, [r for piece in requests for r in piece]))
        return [
            b"".join(next(replies)[: request.args[1]] for request in piece) for piece in requests
        ]

    def fill(self, chip: Chip, addr: int, word: int, size_bytes: int) -> None:
        """Fill memory with a word; size in bytes, multiple of 4."""
        self.ask(chip, [Request(FILL, (addr, word, size_bytes))])

    # -- messages

    def send(self, chip: Chip, core: int, port: int, command: int, arg1: int) -> None:
        """An SDP message to a virtual core, without reply."""
        head = _header(NO_REPLY, port << 5 | core, chip)
        self.socket.send(head + struct.pack("<HH3I", command, 0, arg1, 0, 0))

    def ask(self, chip: Chip, requests: Sequence[Request], tries: int = TRIES) -> list[bytes]:
        """Replies from their first argument on. Raises MachineError on refusal or silence."""
        self._tries = tries
        replies = [b""] * len(requests)
        todo, waiting = deque(enumerate(requests)), dict[int, _Waiting]()
        while todo or waiting:
            while todo and len(waiting) < WINDOW:
                index, request = todo.popleft()
                self._start(chip, index, request, waiting)
            data = self._receive()
            if data is None:
                self._send_late(waiting)
            else:
                self._take(data, waiting, replies)
        return replies

    def _start(
        self, chip: Chip, index: int, request: Request, waiting: dict[int, _Waiting]
    ) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        body = struct.pack("<HH3I", request.command, self._sequence, *request.args)
        datagram = _header(REPLY_EXPECTED, 0, chip) + body + request.data
        waiting[self._sequence] = _Waiting(index, datagram)
        self._send(datagram)

    def _send(self, datagram: bytes) -> None:
        try:
            self.socket.send(datagram)
        except OSError as error:
            raise self._gone(error) from error

    def _receive(self) -> bytes | None:
        try:
            return self.socket.recv(2048)
        except TimeoutError:
            return None
        except OSError as error:
            raise self._gone(error) from error

    def _gone(self, error: OSError) -> MachineError:
        return MachineError(f"no board answers at {self.host} ({error.strerror}); check its power")

    def _take(self, data: bytes, waiting: dict[int, _Waiting], replies: list[bytes]) -> None:
        if len(data) < 14:
            return
        code, sequence = struct.unpack_from("<HH", data, 10)
        entry = waiting.get(sequence)
        if entry is None:
            return  # the reply to a request that was sent twice
        if code == OK:
            replies[entry.index] = data[14:]
            del waiting[sequence]
        elif code in RETRY_CODES:
            self._pause()
            self._send_again(entry)
        else:
            name = CODES.get(code, hex(code))
            raise MachineError(f"the monitor at {self.host} refused a request (RC_{name})")

    def _now(self) -> int:
        try:
            return self._clock.now_ns()
        except OSError as error:
            raise self._gone(error) from error

    def _pause(self) -> None:
        """Give a monitor that is busy some of the board's time."""
        end = self._now() + PAUSE_NS
        while self._now() < end:
            time.sleep(PAUSE_LOOK_S)

    def _send_late(self, waiting: dict[int, _Waiting]) -> None:
        """Send again what has had no reply for LATE_NS of the board's time."""
        now = self._now()
        for entry in waiting.values():
            if entry.since_ns is None:
                entry.since_ns = now
            elif now - entry.since_ns > LATE_NS:
                entry.since_ns = now
                self._send_again(entry)

    def _send_again(self, entry: _Waiting) -> None:
        if entry.tries >= self._tries:
            raise SilenceError(
                f"the board at {self.host} does not answer; check its power and the network"
            )
        entry.tries += 1
        self.resent += 1
        self._send(entry.datagram)


def _header(flags: int, dest: int, chip: Chip) -> bytes:
    x, y = chip
    return struct.pack("<2x8B", flags, TRANSIENT_TAG, dest, HOST_PORT, y, x, 0, 0)


def _unit(addr: int, size_bytes: int) -> int:
    """SC&MP's code for how to access memory: 0 bytes, 1 half words, 2 words."""
    both = addr | size_bytes
    return 0 if both & 1 else 1 if both & 2 else 2


def _write_requests(addr: int, data: memoryview) -> Iterator[Request]:
    for at in range(0, len(data), DATA_BYTES):
        part = data[at : at + DATA_BYTES]
        yield Request(WRITE, (addr + at, len(part), _unit(addr + at, len(part))), part)


def _read_requests(addr: int, size_bytes: int) -> Iterator[Request]:
    for at in range(0, size_bytes, DATA_BYTES):
        size = min(DATA_BYTES, size_bytes - at)
        yield Request(READ, (addr + at, size, _unit(addr + at, size)))
