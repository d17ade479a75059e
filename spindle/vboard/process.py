"""A virtual board as a process of its own, for a machine that uses it.

In: switches of `spindle board`. Out: its address, its clock, its faults. The process ends with
close(), and by itself when this process dies: its standard input closes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType

from spindle.errors import MachineError
from spindle.vboard.status import StatusPort

STOP_S = 10.0


class BoardProcess:
    """`spindle board` with these switches, ready to be used."""

    def __init__(self, switches: Sequence[str] = ()) -> None:
        """Start it and wait until it is ready. Raises MachineError with its own sentence."""
        command = [sys.executable, "-m", "spindle.cli.main", "board", "--until-eof", *switches]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
            start_new_session=True,  # Ctrl-C is for the machine's process, not for its board
        )
        assert self._process.stdout and self._process.stderr
        line = self._process.stdout.readline()
        if not line:
            sentence = self._process.stderr.read().strip()
            self._process.wait()
            raise MachineError(f"the virtual board did not start: {sentence}")
        ready = json.loads(line)
        self.address = str(ready["address"])
        self.status_port = int(ready["status_port"])
        self.pid = self._process.pid
        self._status = StatusPort(self.address, self.status_port)

    def ask(self, request: dict[str, object]) -> dict[str, object]:
        """Answer of the status port. Raises MachineError when there is none."""
        try:
            return self._status.ask(request, self.is_alive)
        except OSError as error:
            raise MachineError(
                f"the virtual board at {self.address} does not answer ({error}); it was stopped, "
                "or its processor is taken: open the machine again"
            ) from error

    def time_ns(self) -> int:
        """The board's own time since power on, for waits that must not depend on its speed."""
        return int(str(self.ask({"do": "clock"})["time_ns"]))

    def is_alive(self) -> bool:
        """True while the process runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """Stop it; no error when it is gone already."""
        self._status.close()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> BoardProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
