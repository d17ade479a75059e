"""Hostd: the helper process of one open board, seen from the machine that owns it.

In: calls by name (server.py, op_*). Out: their results; completions of launches as they come. Calls
of several threads are served one after another; a call that was interrupted leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO, cast

from spindle.errors import MachineError
from spindle.machines.hostd import frames

PACKAGE = Path(__file__).resolve().parents[3]
STOP_S = 5.0
LOG = "hostd.log"
ENDED = "the helper process of this machine has ended{}; open the machine again"

Reply = tuple[dict[str, Any], bytes]


class Hostd:
    """The process, started; it ends with close(), and by itself when this process ends."""

    def __init__(self) -> None:
        folder = tempfile.mkdtemp(prefix="spindle-")
        self.log = Path(folder) / LOG
        command = [sys.executable, "-m", "spindle.machines.hostd.server", folder]
        environment = os.environ | {"HOME": folder, "PYTHONPATH": _python_path()}
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._changed = threading.Condition()
        self._replies: dict[int, Reply] = {}
        self._awaited: set[int] = set()
        self._done: dict[int, tuple[int, int]] = {}
        self._n_calls = 0
        self._ended = False
        self._left = ""
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        works = (self._write, self._read)
        self._threads = [threading.Thread(target=work, daemon=True) for work in works]
        for thread in self._threads:
            thread.start()

    # -- calls

    def call(self, op: str, payload: bytes | memoryview = b"", **arguments: Any) -> dict[str, Any]:
        """Result of an operation without bytes. Raises MachineError with the helper's sentence."""
        return self.fetch(op, payload, **arguments)[0]

    def fetch(self, op: str, payload: bytes | memoryview = b"", **arguments: Any) -> Reply:
        """Result of an operation, and its bytes."""
        with self._changed:
            self._n_calls += 1
            number = self._n_calls
            self._awaited.add(number)
        try:
            self._outgoing.put(frames.pack({"id": number, "op": op, **arguments}, payload))
            with self._changed:
                self._changed.wait_for(lambda: number in self._replies or self._ended)
                reply = self._replies.pop(number, None)
        finally:
            with self._changed:
                self._awaited.discard(number)
                self._replies.pop(number, None)
        if reply is None:
            raise self._ended_error()
        if "error" in reply[0]:
            raise MachineError(reply[0]["error"])
        return reply

    # -- completions

    def completion(self, sequence: int, timeout_s: float) -> tuple[int, int] | None:
        """(fault code, cycles) of a launch, taken; None where it has not come in time.

        Raises MachineError where the helper has ended.
        """
        end = time.monotonic() + timeout_s
        with self._changed:
            while sequence not in self._done and not self._ended:
                left = end - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return self._done.pop(sequence, None)
            if self._ended and sequence not in self._done:
                raise self._ended_error()
            return self._done.pop(sequence)

    def forget_completions(self) -> None:
        """Drop what has come: numbers of launches begin anew with a session."""
        with self._changed:
            self._done = {}

    def _ended_error(self) -> MachineError:
        """With the last words of the helper, where it had any."""
        try:
            lines = self.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return MachineError(ENDED.format(f" ({lines[-1]})" if lines else ""))

    # -- threads

    def _write(self) -> None:
        """A thread's: frames go out whole, whatever interrupts the caller; at the end, no more."""
        assert self._process.stdin
        with contextlib.suppress(OSError), self._process.stdin as stream:
            while (frame := self._outgoing.get()) is not None:
                stream.write(frame)
                stream.flush()

    def _read(self) -> None:
        """A thread's: replies and completions come in."""
        stream = cast(BinaryIO, self._process.stdout)
        while (frame := frames.read(stream)) is not None:
            head, payload = frame
            with self._changed:
                if "done" in head:
                    sequence, code, cycles = head["done"]
                    self._done = {sequence: (code, cycles)}
                elif "left" in head:
                    self._left = head["left"]
                elif (number := head.pop("id")) in self._awaited:
                    self._replies[number] = (head, payload)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self, patience_s: float = STOP_S) -> str:
        """Have the application stopped and the process end; twice is harmless.

        Returns why the board could not be left in order, or nothing.
        """
        self._outgoing.put(None)
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._left = f"it did not answer within {patience_s:g} s"
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(STOP_S)
        assert self._process.stdout
        self._process.stdout.close()
        shutil.rmtree(self.log.parent, ignore_errors=True)
        return self._left


def _python_path() -> str:
    known = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join(
        [str(PACKAGE), *(os.path.abspath(p) for p in known.split(os.pathsep) if p)]
    )
