"""NativeMachine: runs Images on this host, through the task loop and kernels of firmware/.

In: Images, bytes. Out: bytes, Run records with cycles of the timing model (docs/spec/timing.md).
One virtual chip; its SDRAM is a byte array, laid out as docs/spec/run.md says: command ring,
status, then the arena. Host bytes count buffers, programs and constants.

Data decide the time of a launch only through whiles. Programs without them are timed once, by a
walk at their first launch; launches then run without clocks.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spindle.errors import UserError
from spindle.image.image import Image, StepInfo
from spindle.kernels_host.native import PROFILE_BYTES, Board, Launch, Spent, pack_command
from spindle.machines.faults import fault_error
from spindle.machines.machine import Buffer, Run, StepRun
from spindle.machines.one_chip import ChipProgram, OneChip, n_slots
from spindle.spec import arena, chip, costs, records

_RING = chip.SDRAM_BASE
_STATUS = _RING + arena.RING_ENTRIES * records.COMMAND.size
_ARENA = _STATUS + records.STATUS.size
_ABORT = _STATUS + records.STATUS.offset("abort")
_CHIP = (0, 0)


@dataclass(eq=False)
class NativeProgram(ChipProgram):
    """timed: the Run of every launch but for what depends on the data; None: not yet known, or each
    launch needs its own clocks.
    """

    timed: Run | None = None


class NativeMachine(OneChip):
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
        super().__init__(_CHIP, _ARENA, chip.SDRAM_USABLE_BYTES - (_ARENA - chip.SDRAM_BASE))

    def _new_program(self, image: Image, addr: int) -> NativeProgram:
        return NativeProgram(image, self._n_loaded, addr)

    def _put(self, addr: int, data: bytes | memoryview) -> None:
        raw = np.frombuffer(data, np.uint8)
        self._board.view(addr, raw.nbytes)[:] = raw

    def _get(self, addr: int, size_bytes: int) -> bytes:
        return self._board.view(addr, size_bytes).tobytes()

    def _give_back(self) -> None:
        self._board.close()

    def _set_abort(self, value: int) -> None:
        self._board.view(_ABORT, 4).view(np.uint32)[0] = value

    def _launch(
        self,
        program: ChipProgram,
        inputs: Sequence[Buffer],
        outputs: Sequence[Buffer],
        host_bytes: int,
    ) -> Run:
        assert isinstance(program, NativeProgram)
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
        address = _RING + self._sequence % arena.RING_ENTRIES * records.COMMAND.size
        values = {
            "sequence": self._sequence & 0xFFFFFFFF,
            "image_id": program.number,
            "program": program.addr,
            "program_bytes": len(program.image.program),
            "binding": program.binding,
            "n_slots": n_slots(program.image),
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
