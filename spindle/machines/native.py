"""NativeMachine: runs Images on this host, through the task loop and kernels of firmware/.

In: Images, bytes. Out: bytes, Run records with cycles of the timing model (docs/spec/timing.md).
One virtual chip; its SDRAM is a byte array, laid out as docs/spec/run.md says: command ring,
status, then the arena. Host bytes count buffers, programs and constants.

Data decide the time of a launch only through whiles. Programs without them are timed once, by a
walk at their first launch; launches then run without clocks.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spindle.errors import FaultError, LostArrayError, MachineError, OutOfMemoryError, UserError
from spindle.image.image import Image, StepInfo
from spindle.ir.graph import TensorType
from spindle.kernels_host.native import PROFILE_BYTES, Board, Launch, Spent, pack_command
from spindle.machines.allocator import Allocator
from spindle.machines.faults import fault_error
from spindle.machines.launches import Launches, LaunchEvent
from spindle.machines.machine import Buffer, Event, Part, Program, Run, StepRun
from spindle.spec import chip, costs, generate, records

RING_ENTRIES = 64
_RING = chip.SDRAM_BASE
_STATUS = _RING + RING_ENTRIES * records.COMMAND.size
_ARENA = _STATUS + records.STATUS.size
_ABORT = _STATUS + 12
"""Address of status.abort (spec/records.py)."""
_CHIP = (0, 0)


@dataclass(eq=False)
class NativeProgram:
    """A loaded Image: its block of SDRAM is program, const, binding table, profile.

    timed: the Run of every launch but for what depends on the data; None: not yet known, or each
    launch needs its own clocks.
    """

    image: Image
    number: int
    addr: int
    loaded: bool = True
    timed: Run | None = None

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
        return self.binding + _align(4 * _n_slots(self.image))


def _align(size_bytes: int) -> int:
    return -(-size_bytes // chip.ARENA_ALIGN) * chip.ARENA_ALIGN


def _n_slots(image: Image) -> int:
    return 2 + len(image.args) + len(image.results)


def _block_bytes(image: Image) -> int:
    parts = (len(image.program), len(image.const), 4 * _n_slots(image))
    return sum(map(_align, parts)) + PROFILE_BYTES * len(image.steps)


class NativeMachine:
    """One chip on the host, 1..17 cores. cost_set: "nominal" or "pessimistic".

    dma_mode: when the data of a transfer moves, 0 at its start, 1 at the wait for it; same bits.
    """

    name = "native"

    def __init__(self, n_cores: int = 17, cost_set: str = "nominal", dma_mode: int = 0) -> None:
        if not 1 <= n_cores <= chip.APPLICATION_CORES:
            raise UserError(
                f"native cannot have {n_cores} cores",
                limit=f"a chip has 1 to {chip.APPLICATION_CORES} application cores",
            )
        if cost_set not in costs.SETS or dma_mode not in (0, 1):
            raise UserError(
                f"native has no cost set {cost_set!r} with DMA mode {dma_mode!r}",
                limit=f"cost sets are {', '.join(costs.SETS)}, DMA modes 0 and 1",
            )
        self.n_cores, self.cost_set = n_cores, cost_set
        self._sdram = np.zeros(chip.SDRAM_USABLE_BYTES, np.uint8)
        self._board = Board(self._sdram, n_cores, cost_set, dma_mode)
        self._allocator = Allocator(_ARENA, chip.SDRAM_USABLE_BYTES - (_ARENA - chip.SDRAM_BASE))
        self._launches = Launches()
        self._lock = threading.RLock()
        self._owned: set[Buffer] = set()
        self._uses: Counter[Buffer] = Counter()
        self._last: dict[Buffer | NativeProgram, LaunchEvent] = {}
        self._programs: set[NativeProgram] = set()
        self._scratch = (0, 0)
        self._sequence = self._n_loaded = 0
        self._host_bytes = self._host_bytes_before = 0
        self._aborting = self._closed = False

    # Memory

    def alloc(self, device: int, size_bytes: int) -> Buffer:
        """Allocate; contents are undefined. Raises OutOfMemoryError with size and what is free."""
        self._need_open()
        if device != 0:
            raise MachineError(f"native has one device, 0; device {device} does not exist")
        buffer = Buffer(device, size_bytes, (Part(_CHIP, self._take(size_bytes), size_bytes),))
        with self._lock:
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
        self._need_alive(buffer)
        raw = np.frombuffer(data, np.uint8)
        if raw.nbytes != buffer.size_bytes:
            raise UserError(f"{raw.nbytes} B were given for a buffer of {buffer.size_bytes} B")
        self._board.view(buffer.parts[0].addr, raw.nbytes)[:] = raw
        self._count(raw.nbytes)

    def read(self, buffer: Buffer) -> bytes:
        """Read a whole Buffer, after the launches that use it. Raises LostArrayError."""
        self._settle(buffer)
        self._need_alive(buffer)
        self._count(buffer.size_bytes)
        return self._board.view(buffer.parts[0].addr, buffer.size_bytes).tobytes()

    def host_bytes(self) -> int:
        """Bytes moved between host and machine since open."""
        return self._host_bytes

    def _count(self, size_bytes: int) -> None:
        with self._lock:
            self._host_bytes += size_bytes

    def _take(self, size_bytes: int) -> int:
        """Allocate; buffers freed while launches use them count as free once those are over."""
        try:
            with self._lock:
                return self._allocator.alloc(size_bytes)
        except OutOfMemoryError:
            self._launches.wait_idle()
            with self._lock:
                return self._allocator.alloc(size_bytes)

    def _release(self, buffer: Buffer) -> None:
        self._uses.pop(buffer, None)
        self._last.pop(buffer, None)
        self._allocator.free(buffer.parts[0].addr)

    def _settle(self, thing: Buffer | NativeProgram) -> None:
        with self._lock:
            event = self._last.get(thing)
        if event is not None:
            event.settle()

    def _need_alive(self, buffer: Buffer) -> None:
        self._need_open()
        if not buffer.alive:
            raise LostArrayError(f"this array is no longer there: {buffer.lost or 'it was freed'}")

    def _need_open(self) -> None:
        if self._closed:
            raise MachineError("this native machine is closed; open another one")

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
            addr = self._take(_block_bytes(image))
        except OutOfMemoryError as error:
            raise _does_not_fit(image, error) from None
        with self._lock:
            self._n_loaded += 1
            program = NativeProgram(image, self._n_loaded, addr)
            self._programs.add(program)
        self._board.write(program.addr, image.program)
        self._board.write(program.const, image.const)
        self._count(len(image.program) + len(image.const))
        return program

    def unload(self, program: Program) -> None:
        """Free a program's memory, after its launches; twice is harmless."""
        native = _own(program)
        if not native.loaded:
            return
        self._settle(native)
        with self._lock:
            native.loaded = False
            self._programs.discard(native)
            self._last.pop(native, None)
            self._allocator.free(native.addr)
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
        native = _own(program)
        self._need_open()
        if not native.loaded:
            raise MachineError(f"{native.image.name} is not loaded any more; load it again")
        _check_buffers(native.image, inputs, outputs)
        for buffer in (*inputs, *outputs):
            self._need_alive(buffer)
        ins, outs = tuple(inputs), tuple(outputs)
        with self._lock:
            host_bytes = self._host_bytes - self._host_bytes_before
            self._host_bytes_before = self._host_bytes
            for buffer in {*ins, *outs}:
                self._uses[buffer] += 1
            event = self._launches.submit(lambda: self._perform(native, ins, outs, host_bytes))
            self._last.update(dict.fromkeys((native, *ins, *outs), event))
        return event

    def abort(self) -> None:
        """Ask the launch under way and all queued ones to leave; returns when they have."""
        with self._lock:
            self._aborting = True
            self._set_abort(1)
        self._launches.wait_idle()
        with self._lock:
            self._aborting = False

    def close(self) -> None:
        """Abort what runs and give everything back; twice is harmless."""
        if not self._closed:
            self.abort()
            self._closed = True
            self._board.close()
            for buffer in self._owned:
                buffer.alive, buffer.lost = False, "its machine was closed"
            self._owned.clear()

    def _set_abort(self, value: int) -> None:
        self._board.view(_ABORT, 4).view(np.uint32)[0] = value

    def _perform(
        self,
        program: NativeProgram,
        inputs: tuple[Buffer, ...],
        outputs: tuple[Buffer, ...],
        host_bytes: int,
    ) -> Run:
        """One launch, in the launches' thread."""
        try:
            _need_inputs(program.image, inputs)
            return self._launch(program, inputs, outputs, host_bytes)
        except (FaultError, LostArrayError) as error:
            for buffer in outputs:
                buffer.alive, buffer.lost = False, f"lost when {error}"
            raise
        finally:
            self._end_uses({*inputs, *outputs})

    def _end_uses(self, buffers: set[Buffer]) -> None:
        with self._lock:
            for buffer in buffers:
                self._uses[buffer] -= 1
                if not self._uses[buffer] and buffer not in self._owned and not self._closed:
                    self._release(buffer)

    def _launch(
        self,
        program: NativeProgram,
        inputs: Sequence[Buffer],
        outputs: Sequence[Buffer],
        host_bytes: int,
    ) -> Run:
        command = self._prepare(program, inputs, outputs)
        self._find_time(program, command)
        self._clear_profile(program)
        image, start = program.image, time.perf_counter()
        if program.timed is not None:
            fault, nonfinite = self._board.launch_untimed(command, _STATUS, len(image.steps))
            run = self._with_counts(program, program.timed, nonfinite)
        else:
            launch = self._board.launch(command, _STATUS, len(image.steps))
            fault, run = launch.fault, self._record(image, launch)
        wall_s = time.perf_counter() - start
        if fault is not None:
            raise fault_error(image, fault)
        return replace(run, host_bytes=host_bytes, wall_s=wall_s)

    def _find_time(self, program: NativeProgram, command: int) -> None:
        """Walk the program once, unless its time depends on data. A fault shows in the launch."""
        image = program.image
        if program.timed is not None or any(info.kernel == "while" for info in image.steps):
            return
        self._clear_profile(program)
        launch = self._board.launch(command, _STATUS, len(image.steps), while_trips=1)
        if launch.fault is None:
            program.timed = self._record(image, launch)

    def _clear_profile(self, program: NativeProgram) -> None:
        self._board.view(program.profile, PROFILE_BYTES * len(program.image.steps))[:] = 0

    def _with_counts(self, program: NativeProgram, run: Run, nonfinite: int) -> Run:
        """Add the non-finite outputs of a launch."""
        if nonfinite == 0:
            return run
        counts = self._board.nonfinite(program.profile, len(run.steps))
        pairs = zip(run.steps, counts, strict=True)
        steps = tuple(replace(step, nonfinite=count) for step, count in pairs)
        return replace(run, steps=steps, nonfinite=nonfinite)

    def _prepare(
        self, program: NativeProgram, inputs: Sequence[Buffer], outputs: Sequence[Buffer]
    ) -> int:
        """Write binding table, status and the command; return its address."""
        bases = [program.const, self._scratch[0]]
        bases += [buffer.parts[0].addr for buffer in (*inputs, *outputs)]
        self._board.write(program.binding, np.array(bases, np.uint32).tobytes())
        with self._lock:
            self._board.write(_STATUS, records.STATUS.pack({"abort": int(self._aborting)}))
        return self._write_command(program)

    def _write_command(self, program: NativeProgram) -> int:
        """Put the next command into the ring; its address."""
        self._sequence += 1
        address = _RING + self._sequence % RING_ENTRIES * records.COMMAND.size
        values = {
            "sequence": self._sequence & 0xFFFFFFFF,
            "image_id": program.number,
            "program": program.addr,
            "program_bytes": len(program.image.program),
            "binding": program.binding,
            "n_slots": _n_slots(program.image),
            "profile": program.profile,
        }
        self._board.write(address, pack_command(values))
        return address

    def _record(self, image: Image, launch: Launch) -> Run:
        pairs = list(zip(image.steps, launch.steps, strict=True))
        return Run(
            machine=self.name,
            program=image.name,
            costs_hash=costs.costs_hash(self.cost_set),
            n_cores=self.n_cores,
            cycles=launch.cycles,
            core_cycles=launch.core_cycles,
            barriers=launch.barriers,
            steps=tuple(_step_run(info, spent) for info, spent in pairs),
            dma_bytes=launch.dma_bytes,
            host_bytes=0,
            packets_sent=launch.packets,
            packets_lost=None,
            nonfinite=launch.nonfinite,
            macs=sum(info.macs * spent.runs for info, spent in pairs),
            wall_s=0.0,
            options=dict(image.options),
        )


def _own(program: Program) -> NativeProgram:
    if not isinstance(program, NativeProgram):
        raise MachineError("this program was loaded on another machine; load it on this one")
    return program


def _step_run(info: StepInfo, spent: Spent) -> StepRun:
    return StepRun(
        id=info.id,
        label=info.label,
        origin=info.origin,
        loc=info.loc,
        runs=spent.runs,
        elapsed=spent.elapsed,
        cycles=spent.cycles,
        compute=spent.compute,
        dma_wait=spent.dma_wait,
        dma_bytes=spent.dma_bytes,
        nonfinite=spent.nonfinite,
    )


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


def _need_inputs(image: Image, inputs: Sequence[Buffer]) -> None:
    """A launch queued before may have lost them."""
    for i, buffer in enumerate(inputs):
        if buffer.lost:
            raise LostArrayError(f"{image.name} did not run: its argument {i} was {buffer.lost}")


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
