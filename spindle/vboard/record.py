"""The log of a board's input, written while it runs and run again.

A text file, one JSON object a line:

    {"format": 1, "options": {..}, "ip": "127.83.0.1", "cold": false, "image": "..."}
    {"t": 764000000, "from": ["127.0.0.1", 40000], "to": 17893, "data": "00008700.."}
    {"t": 764000100, "guard": [0, 1614807040, 1048576]}
    {"end": 770000000, "hash": "0123456789abcdef"}

t and end are cycles. A file without its last line (the process was killed) ends at its last
datagram.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from spindle.errors import UserError
from spindle.vboard.board import Board, Datagram
from spindle.vboard.boot_image import image_hash
from spindle.vboard.options import BoardOptions
from spindle.vboard.snapshots import ready_board

FORMAT = 1


@dataclass(frozen=True)
class Guard:
    """From cycle `time` on an application of `chip` may store only to [base, base + size_bytes)."""

    time: int
    chip: int
    base: int
    size_bytes: int


@dataclass(frozen=True)
class Log:
    """A whole log; end and hash are None when the recording was cut off."""

    options: BoardOptions
    ip: str
    cold: bool
    inputs: tuple[Datagram | Guard, ...]
    end: int | None
    hash: int | None


def hash_text(value: int) -> str:
    """A trace hash as it is printed.

    >>> hash_text(255)
    '00000000000000ff'
    """
    return f"{value:016x}"


class Recorder:
    """Writes the inputs of one board to a file, each line at once."""

    def __init__(self, path: Path, board: Board, cold: bool) -> None:
        """Open the file. Raises UserError when it cannot be written."""
        try:
            self._file: IO[str] = path.open("w", buffering=1, encoding="utf-8")
        except OSError as error:
            raise UserError(f"{path}: {error.strerror}", where="--record") from error
        options = asdict(board.options)
        self._line(format=FORMAT, options=options, ip=board.ip, cold=cold, image=image_hash())

    def _line(self, **fields: object) -> None:
        self._file.write(json.dumps(fields) + "\n")

    def datagram(self, datagram: Datagram) -> None:
        """Add a datagram that was handed to the board."""
        d = datagram
        self._line(t=d.time, **{"from": [d.ip, d.port]}, to=d.own_port, data=d.data.hex())

    def guard(self, guard: Guard) -> None:
        """Add a change of the guarded range."""
        self._line(t=guard.time, guard=[guard.chip, guard.base, guard.size_bytes])

    def close(self, board: Board) -> None:
        """Write the end: the board's time and trace hash."""
        self._line(end=board.now, hash=hash_text(board.hash()))
        self._file.close()


def read_log(path: Path) -> Log:
    """Read a log. Raises UserError for a file that is none, or of another monitor image."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        head = json.loads(lines[0])
        good = head["format"] == FORMAT
        entries = [json.loads(line) for line in lines[1:]]
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", where="--replay") from error
    except (ValueError, LookupError, TypeError) as error:
        raise UserError(f"{path} is no log of a virtual board", where="--replay") from error
    if not good or head["image"] != image_hash():
        raise UserError(
            f"{path} was recorded with another monitor image or format",
            where="--replay",
            fix="install the SpiNNMan version it was recorded with, or record it again",
        )
    tail = entries.pop() if entries and "end" in entries[-1] else {}
    return Log(
        _options(head["options"]),
        head["ip"],
        head["cold"],
        tuple(_inputs(entries)),
        tail.get("end"),
        int(tail["hash"], 16) if tail else None,
    )


def _options(fields: dict[str, object]) -> BoardOptions:
    dead = fields["dead_cores"]
    if isinstance(dead, list):
        fields["dead_cores"] = tuple(tuple(core) for core in dead)
    shape = fields["shape"]
    fields["shape"] = tuple(shape) if isinstance(shape, list) else shape
    return BoardOptions(**fields)  # type: ignore[arg-type]


def _inputs(entries: list[dict[str, object]]) -> Iterator[Datagram | Guard]:
    for entry in entries:
        match entry:
            case {"t": int(time), "from": [str(ip), int(port)], "to": int(to), "data": str(data)}:
                yield Datagram(time, ip, port, to, bytes.fromhex(data))
            case {"t": int(time), "guard": [int(chip), int(base), int(size)]}:
                yield Guard(time, chip, base, size)


def start_board(options: BoardOptions, ip: str, cold: bool) -> Board:
    """A board as a log begins: just switched on (cold), or ready."""
    return Board(options, ip) if cold else ready_board(options, ip)


def replay(log: Log, quantum: int = 0) -> tuple[int, list[Datagram]]:
    """Run a log from its start to its end; return the trace hash and all datagrams to the host.

    quantum: longest stretch of a core in cycles, 0 = free; the result does not depend on it.
    """
    options = BoardOptions(**(asdict(log.options) | {"quantum": quantum}))
    with start_board(options, log.ip, log.cold) as board:
        found: list[Datagram] = []
        for entry in log.inputs:
            found += board.run_all(entry.time)
            apply_input(board, entry)
        if log.end is not None:
            found += board.run_all(log.end)
        return board.hash(), found


def apply_input(board: Board, entry: Datagram | Guard) -> None:
    """Give one input to a board that has reached its time."""
    if isinstance(entry, Guard):
        board.set_guard(entry.chip, entry.base, entry.size_bytes)
    else:
        board.inject(entry)
