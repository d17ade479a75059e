"""A virtual board on UDP: what a host finds at an address.

In: datagrams at ports 17893 (SCP, SDP) and 54321 (boot) of a loopback address. Out: the board's
datagrams; a status port that says the board's clock. The sockets are a thin front: each datagram is
handed to the board at the board's time, and recorded if asked.

The board's time never runs ahead of the wall clock by more than LEAD_MS; it may lag (a busy board
is slower than real time), and a lag beyond MAX_LAG_MS is not caught up. slow = F: F times slower
than real time.

    host socket <-> scp, boot socket <-> Server.step() <-> Board.run(), inject(), take()
    {"do": "clock"} <-> status socket
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from spindle.errors import MachineError, UserError
from spindle.vboard.board import BOOT_PORT, CYCLES_PER_MS, SCP_PORT, Board, Datagram
from spindle.vboard.options import BoardOptions, chip_positions
from spindle.vboard.record import Guard, Recorder, apply_input, start_board
from spindle.vboard.window import Window

LEAD_MS = 2.0
MAX_LAG_MS = 50.0
ACTIVE_S = 0.02
"""For so long after a datagram the board may run ahead: a reply does not wait for the wall."""
SLICE_S = 0.0005
"""Wall time between two looks at the sockets that a busy board aims at."""
SLICE_CYCLES = (2_000, 200_000)
IDLE_WAIT_S = 0.001
RECEIVE_BUFFER = 4 << 20
ADDRESSES = [f"127.83.{n >> 8}.{n & 255}" for n in range(1, 1024) if n & 255 not in (0, 255)]


def _bind(address: str, port: int) -> socket.socket:
    """Bind exclusively: never shared with another board."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if sys.platform == "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.setblocking(False)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def _bind_both(address: str) -> tuple[socket.socket, socket.socket]:
    scp = _bind(address, SCP_PORT)
    try:
        return scp, _bind(address, BOOT_PORT)
    except OSError:
        scp.close()
        raise


def bind_board(address: str | None = None) -> tuple[str, socket.socket, socket.socket]:
    """Take both ports of an address, or of the first free one of ADDRESSES.

    Returns (address, SCP socket, boot socket). Raises MachineError when it is taken or not local.
    """
    for candidate in [address] if address else ADDRESSES:
        try:
            return candidate, *_bind_both(candidate)
        except OSError as error:
            if address:
                raise MachineError(
                    f"ports {SCP_PORT} and {BOOT_PORT} of {address} cannot be taken "
                    f"({error.strerror}); stop the board that has them, or leave the address out"
                ) from error
    raise MachineError(
        f"no address {ADDRESSES[0]} to {ADDRESSES[-1]} has ports {SCP_PORT} and {BOOT_PORT} free; "
        "stop other virtual boards, or give the loopback device such addresses"
    )


class Server:
    """A board with sockets. Use: server = Server(...); server.run(stop=lambda: False)."""

    def __init__(
        self,
        options: BoardOptions | None = None,
        *,
        address: str | None = None,
        cold: bool = False,
        slow: float = 1.0,
        guard: bool = False,
        record: Path | None = None,
    ) -> None:
        """Take an address and bring the board up there. Raises UserError, MachineError."""
        if slow < 1.0:
            raise UserError(f"{slow} is no slowness", where="--slow", limit="1 or more")
        self.address, self._scp, self._boot = bind_board(address)
        self._status = _bind(self.address, 0)
        try:
            self.board: Board = start_board(options or BoardOptions(), self.address, cold)
            self._recorder = Recorder(record, self.board, cold) if record else None
        except BaseException:
            self._close_sockets()
            raise
        self._window = Window(self.board)
        self._guard = guard
        self._rate = CYCLES_PER_MS * 1000 / slow
        self._slice = SLICE_CYCLES[0]
        self._rebase()
        self._last_datagram = 0.0

    @property
    def status_port(self) -> int:
        """UDP port of the status socket."""
        return int(self._status.getsockname()[1])

    def close(self) -> None:
        """Close sockets and log, free the board."""
        if self._recorder:
            self._recorder.close(self.board)
        self._window.close()
        self._close_sockets()
        self.board.close()

    def _close_sockets(self) -> None:
        for sock in (self._scp, self._boot, self._status):
            sock.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- time

    def _rebase(self) -> None:
        self._wall0, self._cycles0 = time.monotonic(), self.board.now

    def _target(self) -> int:
        """How far the board may run now."""
        wall = time.monotonic()
        due = self._cycles0 + int((wall - self._wall0) * self._rate)
        if due - self.board.now > MAX_LAG_MS * self._rate / 1000:
            self._rebase()
            due = self.board.now + self._slice
        if wall - self._last_datagram < ACTIVE_S:
            due += int(LEAD_MS * self._rate / 1000)
        return due

    def run(self, stop: Callable[[], bool]) -> None:
        """Serve until stop() is true; it is asked at least every few milliseconds."""
        while not stop():
            self.step()

    def step(self) -> None:
        """Let time pass up to one slice, then look at the sockets; waits at most IDLE_WAIT_S."""
        due = self._target() - self.board.now
        is_behind = due >= min(self._slice, self._rate * IDLE_WAIT_S / 2)
        if is_behind:
            self._run_slice(min(due, self._slice))
            self._send()
        self._receive(0.0 if is_behind else IDLE_WAIT_S)

    def _run_slice(self, cycles: int) -> None:
        """Run, and choose the next slice by the speed: how soon a request is seen."""
        wall, begin = time.perf_counter(), self.board.now
        self.board.run(begin + cycles)
        speed = (self.board.now - begin) / max(time.perf_counter() - wall, 1e-6)
        low, high = SLICE_CYCLES
        self._slice = int(min(max(speed * SLICE_S, low), high))

    # -- datagrams

    def _send(self) -> None:
        for datagram in self.board.take():
            try:
                self._scp.sendto(datagram.data, (datagram.ip, datagram.port))
            except OSError:
                continue  # the host is gone, or its buffer is full: lost, as on a wire

    def _receive(self, wait_s: float) -> None:
        ready, _, _ = select.select([self._scp, self._boot, self._status], [], [], wait_s)
        for sock in ready:
            for data, (ip, port) in _drain(sock):
                if sock is self._status:
                    self._status.sendto(self._answer(data), (ip, port))
                else:
                    own_port = SCP_PORT if sock is self._scp else BOOT_PORT
                    self._input(Datagram(self.board.now, ip, port, own_port, data))
                    self._last_datagram = time.monotonic()

    def _input(self, entry: Datagram | Guard) -> None:
        try:
            apply_input(self.board, entry)
        except UserError:
            return  # larger than a frame: no wire would carry it
        if self._recorder:
            if isinstance(entry, Guard):
                self._recorder.guard(entry)
            else:
                self._recorder.datagram(entry)

    # -- status

    def _answer(self, request: bytes) -> bytes:
        """The answer, with the request's "id" where it has one."""
        try:
            asked = json.loads(request)
            answer = self._answer_to(asked["do"], asked)
        except (ValueError, LookupError, TypeError):
            return b'{"error": "not a JSON object with a member \\"do\\""}'
        return json.dumps(answer | {k: asked[k] for k in ("id",) if k in asked}).encode()

    def _answer_to(self, what: object, asked: dict[str, object]) -> dict[str, object]:
        if what == "clock":
            return self._clock()
        if what == "faults":
            return self._clock() | {"faults": self._faults()}
        if what == "arena":
            return self._arena(asked)
        if what in ("peek", "poke") and self._recorder:
            return {"error": "this board records its input"}
        if what in ("peek", "poke"):
            return self._window.answer(asked)
        return {"error": f"unknown request {what!r}"}

    def _clock(self) -> dict[str, object]:
        now = self.board.now
        received, sent, refused, _ = self.board.counts()
        return {
            "cycles": now,
            "time_ns": now * 5,
            "ready": self.board.is_ready(),
            "received": received,
            "sent": sent,
            "refused": refused,
        }

    def _faults(self) -> list[dict[str, object]]:
        """At most the first 16 of each chip, application cores only."""
        found: list[dict[str, object]] = []
        for chip, (x, y) in enumerate(chip_positions(self.board.options.shape)):
            monitor = self.board.places[chip].monitor
            faults = [f for f in self.board.faults(chip) if f.core != monitor]
            for f in faults[:16]:
                place = {"code": f.code.name.lower(), "x": x, "y": y, "core": f.core}
                found.append(
                    place | {"pc": f.pc, "addr": f.addr, "cycle": f.cycle, "count": f.count}
                )
        return found

    def _arena(self, asked: dict[str, object]) -> dict[str, object]:
        """{"do": "arena", "x": 0, "y": 0, "base": n, "size_bytes": n}: what --guard allows."""
        if not self._guard:
            return {"guard": False}
        try:
            x, y, base, size = (int(str(asked[k])) for k in ("x", "y", "base", "size_bytes"))
            chip = chip_positions(self.board.options.shape).index((x, y))
        except (LookupError, ValueError):
            return {"error": "arena needs x, y of a chip, base and size_bytes"}
        self._input(Guard(self.board.now, chip, base, size))
        return {"guard": True}


def _drain(sock: socket.socket) -> Iterator[tuple[bytes, tuple[str, int]]]:
    while True:
        try:
            data, address = sock.recvfrom(65536)
        except BlockingIOError:
            return
        except OSError:
            continue  # an ICMP answer to an earlier datagram
        yield data, address
