"""The helper process itself: takes calls from its standard input, answers on its standard output.

In: frames {"id", "op", arguments} and payload. Out: frames {"id", results} or {"id", "error"}, and
{"done": [sequence, fault code, cycles]} whenever a completion comes in. When the input ends - the
machine was closed, or its process died - the application is stopped and this process ends; where
that fails, {"left": why} is the last frame.

    python -m spindle.machines.hostd.server FOLDER      FOLDER: private, removed at the end
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

from spindle.errors import MachineError, SpindleError
from spindle.machines.hostd import frames
from spindle.machines.hostd.clock import Clock, StatusClock, WallClock
from spindle.machines.hostd.scp import READ, VER, Request, Scp, SilenceError
from spindle.machines.hostd.spinnman_board import SpinnmanBoard
from spindle.spec import arena

SIZE_ADDR = 0xF5007F02
"""Of SC&MP's variables: height and width of the machine in chips."""
VCPU, VCPU_BYTES, N_CORES = 0xE5007000, 128, 18
MAILBOX, STATE, APP = 56, 46, 47
"""Offsets in a core's block."""
QUIET_PORT = 7
"""The firmware takes messages to this port out of its mailbox and drops them."""

Answer = dict[str, Any] | tuple[dict[str, Any], bytes]


class Server:
    """State of the process: one board, one socket for its completions."""

    def __init__(self, requests: BinaryIO, replies: BinaryIO) -> None:
        self._requests, self._replies = requests, replies
        self._lock = threading.Lock()
        self._apps: set[int] = set()
        self._board: SpinnmanBoard | None = None
        self._scp: Scp | None = None
        self._done = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def run(self) -> None:
        """Serve until the input ends, then leave nothing running."""
        while (frame := frames.read(self._requests)) is not None:
            head, payload = frame
            answer = self._answer(head, payload)
            data = answer if isinstance(answer, tuple) else (answer, b"")
            self._reply({"id": head["id"], **data[0]}, data[1])
        try:
            self._leave()
        except Exception as error:
            self._reply({"left": _words(error)})

    def _leave(self) -> None:
        if self._board is None:
            return
        for app in self._apps:
            self.board.stop(app)
            self.board.beacons(True)
        self.board.close()

    def _reply(self, head: dict[str, Any], payload: bytes = b"") -> None:
        with self._lock, contextlib.suppress(OSError):
            self._replies.write(frames.pack(head, payload))
            self._replies.flush()

    def _answer(self, head: dict[str, Any], payload: bytes) -> Answer:
        arguments = {name: value for name, value in head.items() if name not in ("id", "op")}
        try:
            call: Callable[..., Answer] = getattr(self, "op_" + head["op"])
            return call(payload=payload, **arguments)
        except SpindleError as error:
            return {"error": str(error)}
        except Exception as error:
            return {"error": f"{head['op']} failed: {_words(error)}"}

    @property
    def board(self) -> SpinnmanBoard:
        """The board. Raises MachineError before connect."""
        if self._board is None:
            raise MachineError("no board is connected")
        return self._board

    @property
    def scp(self) -> Scp:
        """Our own socket to it."""
        if self._scp is None:
            raise MachineError("no board is connected")
        return self._scp

    # -- operations: payload and named arguments in, a dict (and bytes) out

    def op_connect(
        self, payload: bytes, host: str, version: int, clock: list[Any] | None
    ) -> Answer:
        """Find the board, boot it if it is not booted; what it has."""
        logging.disable(logging.INFO)
        if self._scp is not None:
            self.scp.close()
            self.board.close()
        board_clock: Clock = StatusClock(*clock) if clock else WallClock()
        self._scp = Scp(host, board_clock)
        self._board = SpinnmanBoard(host, version)
        return self._board.description()

    def op_size(self, payload: bytes, host: str) -> Answer:
        """Width and height of a board that answers within some seconds, else nothing."""
        scp = Scp(host, WallClock())
        try:
            (reply,) = scp.ask((255, 255), [Request(VER, (0, 0, 0))], tries=2)
            (size,) = scp.ask((255, 255), [Request(READ, (SIZE_ADDR, 2, 1))])
        except SilenceError:
            return {}
        finally:
            scp.close()
        build = reply[12:].split(b"\0")
        return {"height": size[0], "width": size[1], "monitor": " ".join(map(_text, build[:2]))}

    def op_stop(self, payload: bytes, app: int) -> Answer:
        """Stop an application."""
        self.board.stop(app)
        self._apps.discard(app)
        return {}

    def op_alloc(
        self, payload: bytes, x: int, y: int, size_bytes: int, app: int, tag: int
    ) -> Answer:
        """A block of SDRAM."""
        self._apps.add(app)
        return {"addr": self.board.alloc(x, y, size_bytes, app, tag)}

    def op_routes(self, payload: bytes, x: int, y: int, entries: list[Any], app: int) -> Answer:
        """Router entries."""
        self.board.routes(x, y, entries, app)
        return {}

    def op_load(self, payload: bytes, x: int, y: int, cores: list[int], app: int) -> Answer:
        """The payload as an application on these cores; from now on the monitors are still."""
        self._apps.add(app)
        self.board.beacons(False)
        self.board.load(x, y, cores, payload, app)
        return {}

    def op_tag(self, payload: bytes, tag: int) -> Answer:
        """Have completions sent here."""
        address = self.scp.socket.getsockname()[0]
        if self._done.getsockname()[1] == 0:
            self._done.bind((address, 0))
            threading.Thread(target=self._listen, daemon=True).start()
        self.board.tag(tag, address, self._done.getsockname()[1])
        return {}

    def _listen(self) -> None:
        """In a thread: pass completions on."""
        while True:
            data = self._done.recv(2048)
            if len(data) >= 26:
                command, _, sequence, code, cycles = struct.unpack_from("<HH3I", data, 10)
                if command == arena.DONE_COMMAND:
                    self._reply({"done": [sequence, code, cycles]})

    def op_write(self, payload: bytes, x: int, y: int, pieces: list[list[int]]) -> Answer:
        """Store the payload at [address, size] pieces."""
        self.scp.write((x, y), list(_cut(memoryview(payload), pieces)))
        return {}

    def op_read(self, payload: bytes, x: int, y: int, pieces: list[list[int]]) -> Answer:
        """The bytes of [address, size] pieces."""
        found = self.scp.read((x, y), [(addr, size) for addr, size in pieces])
        return {}, b"".join(found)

    def op_fill(
        self, payload: bytes, x: int, y: int, addr: int, word: int, size_bytes: int
    ) -> Answer:
        """Fill memory."""
        self.scp.fill((x, y), addr, word, size_bytes)
        return {}

    def op_ring(self, payload: bytes, x: int, y: int, core: int, sequence: int) -> Answer:
        """The doorbell."""
        self.scp.send((x, y), core, arena.DOORBELL_PORT, arena.DOORBELL_COMMAND, sequence)
        return {}

    def op_cores(self, payload: bytes, x: int, y: int) -> Answer:
        """[state, application, mailbox command] of each virtual core, core 0 first."""
        (data,) = self.scp.read((x, y), [(VCPU, VCPU_BYTES * N_CORES)])
        blocks = [data[v * VCPU_BYTES :][:VCPU_BYTES] for v in range(N_CORES)]
        return {"cores": [[block[STATE], block[APP], block[MAILBOX]] for block in blocks]}

    def op_knock(self, payload: bytes, x: int, y: int, cores: list[int]) -> Answer:
        """A message to each core that it takes out of its mailbox and forgets."""
        for core in cores:
            self.scp.send((x, y), core, QUIET_PORT, 0, 0)
        return {}

    def op_iobuf(self, payload: bytes, x: int, y: int, cores: list[int]) -> Answer:
        """What cores have said."""
        return {"texts": self.board.iobuf(x, y, cores)}

    def op_router(self, payload: bytes, x: int, y: int, clear: bool) -> Answer:
        """The router's counters of multicast packets, then set to 0 if asked."""
        found = self.board.router_counters(x, y)
        if clear:
            self.board.clear_router_counters(x, y)
        return dict(found)

    def op_resent(self, payload: bytes) -> Answer:
        """How many of our own requests were sent again."""
        return {"resent": self.scp.resent}


def _words(error: Exception) -> str:
    """Type and first line of an error that is none of ours."""
    return f"{type(error).__name__} {(str(error).strip().splitlines() or [''])[0]}".strip()


def _text(data: bytes) -> str:
    return data.decode("ascii", "replace")


def _cut(data: memoryview, pieces: list[list[int]]) -> list[tuple[int, memoryview]]:
    found, at = [], 0
    for addr, size in pieces:
        found.append((addr, data[at : at + size]))
        at += size
    return found


def main(folder: str) -> int:
    """Serve; the folder is removed at the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the machine's to answer
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no reply
    try:
        Server(sys.stdin.buffer, replies).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
