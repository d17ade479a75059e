"""ctypes binding of the virtual board of one chip (firmware/hal/host/native.h).

In: SDRAM as a byte array that holds a command, its binding table and program (docs/spec/run.md).
Out: a Launch: cycles, faults, and what every step spent on every lane. machines/native.py runs
images on it; schedule/estimate.py walks them without data.
"""

from __future__ import annotations

import ctypes
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spindle.kernels_host.build import library
from spindle.spec import chip, costs, records

PROFILE_BYTES = records.LANES * records.RECORDS["profile"].size
"""Bytes of profile records per step."""
_NAMES = [field.name for field in records.RECORDS["profile"].fields]


class _Result(ctypes.Structure):
    _fields_ = [
        ("cycles", ctypes.c_uint64),
        ("dma_bytes", ctypes.c_uint64),
        ("core_cycles", ctypes.c_uint64 * chip.APPLICATION_CORES),
        ("barriers", ctypes.c_uint32),
        ("packets", ctypes.c_uint32),
        ("nonfinite", ctypes.c_uint32),
        ("lost", ctypes.c_uint32),
        ("n_steps", ctypes.c_uint32),
        ("elapsed", ctypes.POINTER(ctypes.c_uint64)),
    ]


@dataclass(frozen=True)
class Spent:
    """One step of a launch; cycles, compute, dma_wait: per lane. Units: cycles, bytes."""

    runs: int
    elapsed: int
    cycles: tuple[int, ...]
    compute: tuple[int, ...]
    dma_wait: tuple[int, ...]
    barrier: tuple[int, ...]
    dma_bytes: int
    nonfinite: int
    tiles: int


@dataclass(frozen=True)
class Launch:
    """One finished launch. fault: an unpacked fault record, or None. core_cycles: busy ones."""

    fault: dict[str, Any] | None
    cycles: int
    core_cycles: tuple[int, ...]
    barriers: int
    packets: int
    dma_bytes: int
    nonfinite: int
    steps: tuple[Spent, ...]


class Board:
    """A chip with `n_cores` application cores; `sdram` is its memory from SDRAM_BASE on.

    dma_mode 0 moves data when a transfer is queued, 1 when it is waited for. One launch at a time;
    `launch` leaves the interpreter's lock, so other threads go on.
    """

    def __init__(
        self, sdram: npt.NDArray[np.uint8], n_cores: int, cost_set: str, dma_mode: int = 0
    ) -> None:
        self.sdram = sdram
        self.n_cores = n_cores
        self._library = _declare(library())
        values = costs.table(cost_set).values()
        self._costs = (ctypes.c_uint32 * len(values))(*values)
        self._board = self._library.native_open(
            sdram.ctypes.data, sdram.nbytes, n_cores, dma_mode, ctypes.byref(self._costs)
        )
        if not self._board:
            raise MemoryError("the host has no memory for a virtual board")

    def launch(self, command: int, status: int, n_steps: int, *, while_trips: int = 0) -> Launch:
        """Run the command at SDRAM address `command`, timed; with while_trips >= 1 only walk it.

        n_steps: how many step ids the program has. Raises MemoryError where the host has no memory
        for the timing.
        """
        elapsed = (ctypes.c_uint64 * max(1, n_steps))()
        result = _Result(n_steps=n_steps, elapsed=elapsed)
        arguments = (self._board, command, status, ctypes.byref(result))
        if while_trips:
            self._library.native_estimate(*arguments, while_trips)
        else:
            self._library.native_launch(*arguments, 1)
        _need_memory(result)
        return self._record(command, status, result, list(elapsed)[:n_steps])

    def walk(self, command: int, status: int) -> tuple[int, float] | None:
        """Walk a command's program once without data: its cycles, and how long a core is busy on

        average. None where it stops with a fault.
        """
        elapsed = (ctypes.c_uint64 * 1)()
        result = _Result(n_steps=1, elapsed=elapsed)
        arguments = (self._board, command, status, ctypes.byref(result))
        code = self._library.native_estimate(*arguments, 1)
        _need_memory(result)
        n_active = min(self.n_cores, records.LANES)
        return None if code else (int(result.cycles), sum(result.core_cycles) / n_active)

    def launch_untimed(
        self, command: int, status: int, n_steps: int
    ) -> tuple[dict[str, Any] | None, int]:
        """Run the command without clocks, which is quicker; the fault or None, non-finite count.

        Of the profile records only the non-finite counts are filled.
        """
        result = _Result(n_steps=n_steps)
        code = self._library.native_launch(self._board, command, status, ctypes.byref(result), 0)
        _need_memory(result)
        return self._fault(status) if code else None, int(result.nonfinite)

    def nonfinite(self, profile: int, n_steps: int) -> list[int]:
        """Non-finite outputs of each step, from the profile records at `profile`."""
        counts = self._profile(profile, n_steps)[:, :, _NAMES.index("nonfinite")]
        return [int(count) for count in counts.sum(1)]

    def _fault(self, status: int) -> dict[str, Any]:
        fault: dict[str, Any] = self.unpack("status", status)["fault"]
        return fault

    def _record(self, command: int, status: int, result: _Result, elapsed: list[int]) -> Launch:
        fault = self._fault(status)
        profile = self.unpack("command", command)["profile"]
        n_active = min(self.n_cores, records.LANES)
        return Launch(
            fault=fault if fault["code"] else None,
            cycles=int(result.cycles),
            core_cycles=tuple(int(c) for c in result.core_cycles[:n_active]),
            barriers=int(result.barriers),
            packets=int(result.packets),
            dma_bytes=int(result.dma_bytes),
            nonfinite=int(result.nonfinite),
            steps=self._spent(profile, elapsed),
        )

    def _profile(self, profile: int, n_steps: int) -> npt.NDArray[np.uint32]:
        raw = self.view(profile, n_steps * PROFILE_BYTES).view(np.uint32)
        return raw.reshape(n_steps, records.LANES, len(_NAMES))

    def _spent(self, profile: int, elapsed: list[int]) -> tuple[Spent, ...]:
        table = self._profile(profile, len(elapsed)).tolist()
        return tuple(_spent(rows, total) for rows, total in zip(table, elapsed, strict=True))

    def view(self, address: int, size_bytes: int) -> npt.NDArray[np.uint8]:
        """The bytes of SDRAM at `address`; writing into them writes the memory."""
        start = address - chip.SDRAM_BASE
        return self.sdram[start : start + size_bytes]

    def write(self, address: int, data: bytes) -> None:
        """Copy bytes into SDRAM."""
        self.view(address, len(data))[:] = np.frombuffer(data, np.uint8)

    def unpack(self, record: str, address: int) -> dict[str, Any]:
        """Read a record of spec/records.py."""
        layout = records.RECORDS[record]
        return layout.unpack(self.view(address, layout.size).tobytes())

    def close(self) -> None:
        """Free the board; twice is harmless."""
        board, self._board = self._board, None
        self._library.native_close(board)


def pack_command(values: Mapping[str, int]) -> bytes:
    """A command record with its CRC."""
    data = records.COMMAND.pack({**values, "crc": 0})[:-4]
    return data + zlib.crc32(data).to_bytes(4, "little")


def _need_memory(result: _Result) -> None:
    if result.lost:
        raise MemoryError("the host has no memory to time a launch on the virtual board")


def _spent(rows: list[list[int]], elapsed: int) -> Spent:
    columns = dict(zip(_NAMES, zip(*rows, strict=True), strict=True))
    return Spent(
        runs=max(columns["runs"]),
        elapsed=elapsed,
        cycles=columns["cycles"],
        compute=columns["compute"],
        dma_wait=columns["dma_wait"],
        barrier=columns["barrier"],
        dma_bytes=sum(columns["dma_bytes"]),
        nonfinite=sum(columns["nonfinite"]),
        tiles=sum(columns["tiles"]),
    )


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    word, pointer = ctypes.c_uint32, ctypes.c_void_p
    library.native_open.argtypes = [pointer, word, word, word, pointer]
    library.native_open.restype = pointer
    library.native_launch.argtypes = [pointer, word, word, pointer, word]
    library.native_launch.restype = word
    library.native_estimate.argtypes = [pointer, word, word, pointer, word]
    library.native_estimate.restype = word
    library.native_close.argtypes = [pointer]
    library.native_close.restype = None
    return library
