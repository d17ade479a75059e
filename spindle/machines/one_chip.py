"""OneChip: what every machine of one chip does with buffers, programs and launches in the same way.

In: Images, bytes. Out: bytes, Run records. A machine adds how bytes reach its memory and how one
launch runs: `_put`, `_get`, `_launch`, `_set_abort`, `_give_back`. The memory of a program is one
block: program, const, binding table, profile records (docs/spec/run.md, heap).
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from spindle.errors import LostArrayError, MachineError, OutOfMemoryError, UserError
from spindle.image.image import Image
from spindle.ir.graph import TensorType
from spindle.machines.allocator import Allocator
from spindle.machines.launches import Launches, LaunchEvent
from spindle.machines.machine import Buffer, Event, Part, Program, Run
from spindle.spec import chip, generate, records

_T = TypeVar("_T")

PROFILE_BYTES = records.LANES * records.PROFILE.size
"""Bytes of profile records per step."""


@dataclass(eq=False)
class ChipProgram:
    """A loaded Image and where it lies."""

    image: Image
    number: int
    addr: int
    loaded: bool = True

    @property
    def const(self) -> int:
        """Address of the const segment."""
        return self.addr + _align(len(self.image.program))

    @property
    def binding(self) -> int:
        """Address of the binding table."""
        return self.const + _align(len(self.image.const))

    @property
    def profile(self) -> int:
        """Address of the profile records."""
        return self.binding + _align(4 * n_slots(self.image))


def _align(size_bytes: int) -> int:
    return -(-size_bytes // chip.ARENA_ALIGN) * chip.ARENA_ALIGN


def n_slots(image: Image) -> int:
    """Words of the binding table."""
    return 2 + len(image.args) + len(image.results)


def _block_bytes(image: Image) -> int:
    parts = (len(image.program), len(image.const), 4 * n_slots(image))
    return sum(map(_align, parts)) + PROFILE_BYTES * len(image.steps)


class OneChip:
    """One chip with SDRAM from `base` on; Machine but for what is left to the subclass."""

    name = "chip"

    def __init__(self, chip_xy: tuple[int, int], base: int, size_bytes: int) -> None:
        self._chip = chip_xy
        self._allocator = Allocator(base, size_bytes)
        self._launches = Launches()
        self._lock = threading.RLock()
        self._moving = threading.RLock()  # before _lock: bytes move, or places change
        self._owned: set[Buffer] = set()
        self._uses: Counter[Buffer] = Counter()
        self._last: dict[Buffer | ChipProgram, LaunchEvent] = {}
        self._programs: set[ChipProgram] = set()
        self._scratch = (0, 0)
        self._sequence = self._n_loaded = 0
        self._host_bytes = self._host_bytes_before = 0
        self._aborting = self._closed = False

    # What a machine adds

    def _put(self, addr: int, data: bytes | memoryview) -> None:
        """Store bytes in SDRAM."""
        raise NotImplementedError

    def _get(self, addr: int, size_bytes: int) -> bytes:
        """Bytes of SDRAM."""
        raise NotImplementedError

    def _launch(
        self,
        program: ChipProgram,
        inputs: Sequence[Buffer],
        outputs: Sequence[Buffer],
        host_bytes: int,
    ) -> Run:
        """Run one launch to its end; raises FaultError. Called by the launches' thread."""
        raise NotImplementedError

    def _set_abort(self, value: int) -> None:
        """Set the word that lanes look at once per tile."""
        raise NotImplementedError

    def _give_back(self) -> None:
        """Give everything back at close."""
        raise NotImplementedError

    def _new_program(self, image: Image, addr: int) -> ChipProgram:
        return ChipProgram(image, self._n_loaded, addr)

    # Memory

    def alloc(self, device: int, size_bytes: int) -> Buffer:
        """Allocate; contents are undefined. Raises OutOfMemoryError with size and what is free."""
        self._need_open()
        if device != 0:
            raise MachineError(f"{self.name} has one device, 0; device {device} does not exist")
        return self._take(size_bytes, lambda addr: self._own_buffer(device, addr, size_bytes))

    def _own_buffer(self, device: int, addr: int, size_bytes: int) -> Buffer:
        buffer = Buffer(device, size_bytes, (Part(self._chip, addr, size_bytes),))
        self._owned.add(buffer)
        return buffer

    def free(self, buffer: Buffer) -> None:
        """Free; twice is harmless. Launches that use it still run; then its memory goes."""
        with self._lock:
            buffer.alive = False
            if buffer in self._owned:
                self._owned.discard(buffer)
                if not self._uses[buffer]:
                    self._release(buffer)

    def write(self, buffer: Buffer, data: bytes | memoryview) -> None:
        """Fill a whole Buffer, after the launches that use it. Raises UserError on another size."""
        self._settle(buffer)
        raw = np.frombuffer(data, np.uint8)
        with self._moving:
            addr = self._place_of(buffer)
            if raw.nbytes != buffer.size_bytes:
                raise UserError(f"{raw.nbytes} B were given for a buffer of {buffer.size_bytes} B")
            self._put(addr, raw.data)
        self._count(raw.nbytes)

    def read(self, buffer: Buffer) -> bytes:
        """Read a whole Buffer, after the launches that use it. Raises LostArrayError."""
        self._settle(buffer)
        with self._moving:
            addr = self._place_of(buffer)
            self._count(buffer.size_bytes)
            return self._get(addr, buffer.size_bytes)

    def host_bytes(self) -> int:
        """Bytes moved between host and machine since open."""
        return self._host_bytes

    def _count(self, size_bytes: int) -> None:
        with self._lock:
            self._host_bytes += size_bytes

    def _take(self, size_bytes: int, keep: Callable[[int], _T]) -> _T:
        """Allocate and note in `keep` whose it is, in one go: a restart finds both or neither.

        Buffers freed while launches use them count as free once those are over.
        """
        try:
            with self._lock:
                return keep(self._allocator.alloc(size_bytes))
        except OutOfMemoryError:
            self._launches.wait_idle()
            with self._lock:
                return keep(self._allocator.alloc(size_bytes))

    def _release(self, buffer: Buffer) -> None:
        self._uses.pop(buffer, None)
        self._last.pop(buffer, None)
        for part in buffer.parts:
            self._allocator.free(part.addr)

    def _settle(self, thing: Buffer | ChipProgram) -> None:
        with self._lock:
            event = self._last.get(thing)
        if event is not None:
            event.settle()

    def _place_of(self, buffer: Buffer) -> int:
        """Its address, while it is alive."""
        with self._lock:
            self._need_alive(buffer)
            return buffer.parts[0].addr

    def _need_alive(self, buffer: Buffer) -> None:
        self._need_open()
        if not buffer.alive:
            raise LostArrayError(f"this array is no longer there: {buffer.lost or 'it was freed'}")

    def _need_open(self) -> None:
        if self._closed:
            raise MachineError(f"this {self.name} machine is closed; open another one")

    # Programs

    def load(self, image: Image) -> Program:
        """Put an Image on the machine. Raises OutOfMemoryError, naming the largest buffers."""
        self._need_open()
        if image.abi_hash != generate.abi_hash():
            raise UserError(
                f"it was made with records and tables 0x{image.abi_hash:08x}, this machine has"
                f" 0x{generate.abi_hash():08x}",
                where=image.name,
                fix="compile the program again",
            )
        try:
            self._grow_scratch(image.scratch_bytes)
            program = self._take(_block_bytes(image), lambda addr: self._own_program(image, addr))
        except OutOfMemoryError as error:
            raise _does_not_fit(image, error) from None
        with self._moving:
            self._store(program)
        self._count(len(image.program) + len(image.const))
        return program

    def _own_program(self, image: Image, addr: int) -> ChipProgram:
        self._n_loaded += 1
        program = self._new_program(image, addr)
        self._programs.add(program)
        return program

    def _store(self, program: ChipProgram) -> None:
        """Write a program into its block."""
        self._put(program.addr, program.image.program)
        self._put(program.const, program.image.const)

    def unload(self, program: Program) -> None:
        """Free a program's memory, after its launches; twice is harmless."""
        own = _own(program)
        if not own.loaded:
            return
        self._settle(own)
        with self._lock:
            own.loaded = False
            self._programs.discard(own)
            self._last.pop(own, None)
            self._allocator.free(own.addr)
            if not self._programs:
                self._drop_scratch()

    def _grow_scratch(self, size_bytes: int) -> None:
        if size_bytes <= self._scratch[1]:
            return
        self._launches.wait_idle()
        with self._lock:
            before = self._scratch[1]
            self._drop_scratch()
            try:
                self._scratch = (self._allocator.alloc(size_bytes), size_bytes)
            except OutOfMemoryError:
                if before:
                    self._scratch = (self._allocator.alloc(before), before)
                raise

    def _drop_scratch(self) -> None:
        if self._scratch[1]:
            self._allocator.free(self._scratch[0])
        self._scratch = (0, 0)

    # Launches

    def run(self, program: Program, inputs: Sequence[Buffer], outputs: Sequence[Buffer]) -> Event:
        """Queue one launch. Inputs and outputs as the Image's args and results."""
        own = _own(program)
        self._need_open()
        if not own.loaded:
            raise MachineError(f"{own.image.name} is not loaded any more; load it again")
        _check_buffers(own.image, inputs, outputs)
        for buffer in (*inputs, *outputs):
            self._need_alive(buffer)
        ins, outs = tuple(inputs), tuple(outputs)
        with self._lock:
            host_bytes = self._host_bytes - self._host_bytes_before
            self._host_bytes_before = self._host_bytes
            for buffer in {*ins, *outs}:
                self._uses[buffer] += 1
            event = self._launches.submit(lambda: self._perform(own, ins, outs, host_bytes))
            self._last.update(dict.fromkeys((own, *ins, *outs), event))
        return event

    def abort(self) -> None:
        """Ask the launch under way and all queued ones to leave; returns when they have."""
        with self._lock:
            self._aborting = True
            self._set_abort(1)
        self._launches.wait_idle()
        with self._lock:
            self._aborting = False
            self._set_abort(0)

    def close(self) -> None:
        """Abort what runs and give everything back; twice is harmless."""
        if not self._closed:
            with contextlib.suppress(MachineError):
                self.abort()
            self._closed = True
            self._give_back()
            self._lose_all("its machine was closed")

    def _lose_all(self, how: str) -> None:
        """All buffers are gone; `how` is said when one is used."""
        with self._lock:
            for buffer in self._owned | {used for used, n in self._uses.items() if n}:
                buffer.alive, buffer.lost, buffer.parts = False, how, ()
            self._owned.clear()

    def _place_again(self) -> None:
        """Give programs and scratch memory of an empty allocator, and store the programs."""
        if self._scratch[1]:
            self._scratch = (self._allocator.alloc(self._scratch[1]), self._scratch[1])
        for program in sorted(self._programs, key=lambda program: program.number):
            program.addr = self._allocator.alloc(_block_bytes(program.image))
            self._store(program)

    def _perform(
        self,
        program: ChipProgram,
        inputs: tuple[Buffer, ...],
        outputs: tuple[Buffer, ...],
        host_bytes: int,
    ) -> Run:
        """One launch, in the launches' thread."""
        try:
            _need_buffers(program.image, "argument", inputs)
            _need_buffers(program.image, "result", [b for b in outputs if not b.parts])
            return self._launch(program, inputs, outputs, host_bytes)
        except (MachineError, LostArrayError) as error:
            for buffer in outputs:
                buffer.alive, buffer.lost = False, buffer.lost or f"lost when {error}"
            raise
        finally:
            self._end_uses({*inputs, *outputs})

    def _end_uses(self, buffers: set[Buffer]) -> None:
        with self._lock:
            for buffer in buffers:
                self._uses[buffer] -= 1
                if not self._uses[buffer] and buffer not in self._owned and not self._closed:
                    self._release(buffer)


def _own(program: Program) -> ChipProgram:
    if not isinstance(program, ChipProgram):
        raise MachineError("this program was loaded on another machine; load it on this one")
    return program


def _check_buffers(image: Image, inputs: Sequence[Buffer], outputs: Sequence[Buffer]) -> None:
    _check_sizes(image.name, "argument", image.args, inputs)
    _check_sizes(image.name, "result", image.results, outputs)
    for result, arg in image.donated.items():
        if outputs[result] is not inputs[arg]:
            raise UserError(
                f"result {result} lives in the donated argument {arg}, another buffer was given",
                where=image.name,
                fix="pass the argument's buffer as that output",
            )


def _check_sizes(
    name: str, what: str, types: Sequence[TensorType], buffers: Sequence[Buffer]
) -> None:
    if len(types) != len(buffers):
        raise UserError(
            f"{len(buffers)} {what} buffers were given, it has {len(types)} {what}s", where=name
        )
    for i, (wanted, buffer) in enumerate(zip(types, buffers, strict=True)):
        if wanted.size_bytes != buffer.size_bytes:
            raise UserError(
                f"{what} {i} is {wanted}, {wanted.size_bytes} B; its buffer has"
                f" {buffer.size_bytes} B",
                where=name,
            )


def _need_buffers(image: Image, what: str, buffers: Sequence[Buffer]) -> None:
    """A launch queued before may have lost them."""
    for i, buffer in enumerate(buffers):
        if buffer.lost:
            raise LostArrayError(f"{image.name} did not run: its {what} {i} was {buffer.lost}")


def _does_not_fit(image: Image, error: OutOfMemoryError) -> OutOfMemoryError:
    largest = sorted(image.buffers, key=lambda buffer: -buffer[1])[:5]
    names = ", ".join(f"{name} {size} B{f' ({loc})' if loc else ''}" for name, size, loc in largest)
    needs = (
        f"the program needs {_block_bytes(image)} B and {image.scratch_bytes} B of scratch in SDRAM"
    )
    return OutOfMemoryError(
        f"{needs}; its largest buffers: {names}" if names else needs,
        where=image.name,
        limit=error.limit,
        fix="free arrays or programs, or make the batch or the layers smaller",
    )
