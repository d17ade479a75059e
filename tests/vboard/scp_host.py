"""A host for tests: SCP over an in-process board or over UDP, and a small application to load.

Follows the SDP and SCP layouts: 2 pad bytes, flags, tag, dest port|core, source, dest y, x, source
y, x, command, sequence, three arguments, data; everything little-endian.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Protocol

from spindle.vboard.assemble import assemble
from spindle.vboard.board import CYCLES_PER_MS, SCP_PORT, Board, Datagram

VER, READ, WRITE, AR, NNP, SIG, ALLOC, INFO = 0, 2, 3, 19, 20, 22, 28, 31
OK = 0x80
STAGING = 0x6780_0000
STATE_RUN, STATE_IDLE = 7, 15


class Wire(Protocol):
    """Sends a request and returns the reply, or raises TimeoutError."""

    def ask(self, request: bytes) -> bytes: ...


class BoardWire:
    """A wire to a board in this process; time passes only while it waits."""

    def __init__(self, board: Board, port: int = 40000) -> None:
        self.board, self.port = board, port
        self.log: list[Datagram] = []

    def ask(self, request: bytes) -> bytes:
        board = self.board
        datagram = Datagram(board.now, "127.0.0.1", self.port, SCP_PORT, request)
        board.inject(datagram)
        self.log.append(datagram)
        end = board.now + 1000 * CYCLES_PER_MS
        while board.now < end:
            board.run(end)
            for reply in board.take():
                if reply.port == self.port:
                    return reply.data
        raise TimeoutError("no reply within a second of the board's time")


class UdpWire:
    """A wire over a socket."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((address, SCP_PORT))
        self.socket.settimeout(5.0)

    def ask(self, request: bytes) -> bytes:
        self.socket.send(request)
        return self.socket.recv(2048)

    def close(self) -> None:
        self.socket.close()


@dataclass
class Host:
    """SCP requests over a wire."""

    wire: Wire
    sequence: int = 0

    def scp(
        self,
        command: int,
        args: tuple[int, int, int] = (0, 0, 0),
        data: bytes = b"",
        chip: tuple[int, int] = (0, 0),
    ) -> bytes:
        """Reply from its first argument on; fails on any return code but OK."""
        self.sequence = (self.sequence + 1) & 0xFFFF
        x, y = chip
        head = struct.pack("<2x8B", 0x87, 0xFF, 0, 0xFF, y, x, 0, 0)
        body = struct.pack("<HH3I", command, self.sequence, *args)
        reply = self.wire.ask(head + body + data)
        code, sequence = struct.unpack_from("<HH", reply, 10)
        assert (code, sequence) == (OK, self.sequence), f"rc 0x{code:x} for command {command}"
        return reply[14:]

    def read(self, addr: int, size: int, chip: tuple[int, int] = (0, 0)) -> bytes:
        parts = []
        for at in range(0, size, 256):
            n = min(256, size - at)
            parts.append(self.scp(READ, (addr + at, n, 2 if n % 4 == 0 else 0), chip=chip)[:n])
        return b"".join(parts)

    def write(self, addr: int, data: bytes, chip: tuple[int, int] = (0, 0)) -> None:
        for at in range(0, len(data), 256):
            part = data[at : at + 256]
            unit = 2 if len(part) % 4 == 0 else 0
            self.scp(WRITE, (addr + at, len(part), unit), part, chip)

    def start(self, aplx: bytes, app: int, cores: int, chip: tuple[int, int] = (0, 0)) -> None:
        """Load an APLX and start it on virtual cores (a bit each)."""
        self.write(STAGING, aplx, chip)
        self.scp(AR, (app << 24 | cores, 0, 0), chip=chip)

    def stop(self, app: int) -> None:
        """Stop an application on all chips."""
        self.scp(NNP, (0x003F0000, 5 << 28 | 2 << 16 | 0xFF00 | app, 0x80003F00))

    def state(self, core: int, chip: tuple[int, int] = (0, 0)) -> int:
        return self.read(0xE500_7000 + 128 * core + 44, 4, chip)[2]


APP_START = """
    b start
    b .
    b .
    b .
    b .
    b .
    ldr pc, [pc, #-0xff0]
    b .
start:
    ldr r0, =0x1f7e
    mcr p15, 0, r0, c1, c0, 0
    mov sp, #0x410000
    ldr r0, =0x40000014
    ldr r0, [r0]
    mov r0, r0, lsr #24
    ldr r1, =0xe5007f94
    ldrb r1, [r1, r0]
    ldr r4, =0xe5007000
    add r4, r4, r1, lsl #7
    mov r0, #7
    strb r0, [r4, #46]
"""
"""Low vectors, r1 = virtual core, r4 = its VCPU block, state RUN."""


def aplx(body: str) -> bytes:
    """An application: APP_START, then body (it must not end). The loader reads past its end."""
    code = assemble(APP_START + body + "\n.ltorg\n")
    records = struct.pack("<4I", 2, 0, 0x40, len(code)) + struct.pack("<4I", 4, 0, 0, 0) + bytes(32)
    return records + code


COUNTER = """
    mov r2, #0
again:
    mov r3, #1000
wait:
    subs r3, r3, #1
    bne wait
    add r2, r2, #1
    str r2, [r4, #112]
    b again
"""
"""Counts in user0."""
