"""BoardMachine: runs Images on a SpiNNaker board, real or virtual, through its helper process.

In: Images, bytes. Out: bytes, Run records with the cycles of the cores' own timers. One chip of the
board; firmware loaded once at open; a launch is a command in the chip's ring, a doorbell, and a
completion that the chip sends (docs/spec/run.md). The board is asked only after silence.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spindle.errors import FaultError, MachineError
from spindle.image.image import Image
from spindle.kernels_host.native import pack_command
from spindle.machines.allocator import Allocator
from spindle.machines.faults import fault_error, step_name
from spindle.machines.health import is_stopped, what_is_wrong
from spindle.machines.hostd.client import Hostd
from spindle.machines.hostd.clock import Clock
from spindle.machines.machine import Buffer, Run
from spindle.machines.one_chip import PROFILE_BYTES, ChipProgram, OneChip, n_slots
from spindle.machines.opening import Opening, Session, clear_board, open_session, wait_until
from spindle.machines.places import Layout, choose_layout
from spindle.machines.profiles import spent
from spindle.machines.transfer import Carrier, ScpCarrier
from spindle.spec import arena, records

LOOK_S = 0.1
"""Wall time between two looks at whether board and helper are alive."""
SILENCE_NS = 1_000_000_000
"""Board time without a completion before the board itself is asked."""
DEAF_NS = 10 * SILENCE_NS
"""For so long the doorbell is rung again before the board is given up."""
FAULT = records.FLAGS["FAULT"]
ABORT_OFFSET = records.STATUS.offset("abort")


@dataclass(frozen=True)
class BoardSwitches:
    """How to open a board. version: 3 or 5; cores: limit per chip; app: application id."""

    version: int
    cores: int | None = None
    app: int = arena.APP_ID


class BoardMachine(OneChip):
    """A board at a host name. Raises MachineError where it cannot be opened."""

    name = "board"
    costs_hash = ""
    """Of the constants behind its cycles; a real board has none."""

    def __init__(
        self, host: str, clock: Clock, switches: BoardSwitches, hostd: Hostd | None = None
    ) -> None:
        """hostd: a helper process for the machine to take over; None: it starts one."""
        self.host, self.clock = host, clock
        self._hostd = hostd or Hostd()
        self._opening = Opening(self._hostd, clock, host, switches.app)
        try:
            self._chips = self._connect(switches.version)
            layout = choose_layout(self._chips, switches.cores)
            self.carrier = self._make_carrier(layout.chip)
            self._session = self._open(layout)
        except BaseException:
            self._hostd.close()
            raise
        self.n_cores = len(layout.place_cores)
        super().__init__(layout.chip, self._session.heap, self._session.heap_bytes)
        self._dead = ""
        self._before: Mapping[str, Any] = _status_at_open(layout)

    # Opening

    def _connect(self, version: int) -> list[dict[str, Any]]:
        """Find or boot the board, stop what we left there; its chips."""
        size = self._hostd.call("size", host=self.host)
        _check_size(self.host, version, size)
        call: dict[str, Any] = {
            "host": self.host,
            "version": version,
            "clock": self._clock_address(),
        }
        chips: list[dict[str, Any]] = self._hostd.call("connect", **call)["chips"]
        if clear_board(self._opening, chips):
            chips = self._hostd.call("connect", **call)["chips"]
        return chips

    def _clock_address(self) -> list[Any] | None:
        """Where the helper may ask for the board's time; None: it is the wall's."""
        return None

    def _make_carrier(self, chip: tuple[int, int]) -> Carrier:
        return ScpCarrier(self._hostd, chip)

    def _open(self, layout: Layout) -> Session:
        x, y = layout.chip
        free = next(c["sdram_bytes"] for c in self._chips if (c["x"], c["y"]) == (x, y))
        return open_session(self._opening, layout, free, self.carrier)

    # Memory

    def _need_open(self) -> None:
        super()._need_open()
        if self._dead:
            raise MachineError(self._dead)

    def _put(self, addr: int, data: bytes | memoryview) -> None:
        self.carrier.write([(addr, _words(data))])

    def _get(self, addr: int, size_bytes: int) -> bytes:
        return self.carrier.read([(addr, size_bytes)])[0]

    def _store(self, program: ChipProgram) -> None:
        image = program.image
        self.carrier.write([(program.addr, image.program), (program.const, image.const)])

    # Launches

    def _launch(
        self,
        program: ChipProgram,
        inputs: Sequence[Buffer],
        outputs: Sequence[Buffer],
        host_bytes: int,
    ) -> Run:
        start = time.perf_counter()
        if self._aborting:
            raise fault_error(program.image, _aborted())
        try:
            self._ring(self._prepare(program, inputs, outputs))
            status, profile = self._finish(program)
            run = self._record(program, status, profile, host_bytes, time.perf_counter() - start)
            self._before = status
            if status["fault"]["code"]:
                raise self._fault(program.image, status)
        except MachineError as error:
            if not isinstance(error, FaultError):
                self._dead = str(error)
                self._lose_all(f"lost with its machine: {error}")
            raise
        return run

    def _prepare(
        self, program: ChipProgram, inputs: Sequence[Buffer], outputs: Sequence[Buffer]
    ) -> int:
        """Write binding table and command, clear the profile; the command's sequence."""
        bases = [program.const, self._scratch[0]]
        bases += [buffer.parts[0].addr for buffer in (*inputs, *outputs)]
        self._sequence += 1
        sequence = self._sequence & 0xFFFFFFFF
        values = {
            "sequence": sequence,
            "image_id": program.number,
            "program": program.addr,
            "program_bytes": len(program.image.program),
            "binding": program.binding,
            "n_slots": n_slots(program.image),
            "profile": program.profile,
        }
        ring = self._session.arena + arena.RING_OFFSET
        command = ring + sequence % arena.RING_ENTRIES * records.COMMAND.size
        self.carrier.zero(program.profile, PROFILE_BYTES * len(program.image.steps))
        table = np.array(bases, "<u4").tobytes()
        self.carrier.write([(program.binding, table), (command, pack_command(values))])
        return sequence

    def _ring(self, sequence: int) -> None:
        layout = self._session.layout
        self._opening.call(layout, "ring", core=layout.service, sequence=sequence)

    def _finish(self, program: ChipProgram) -> tuple[Mapping[str, Any], bytes]:
        """Wait for the launch; status record and profile."""
        self._await(program.image, self._sequence & 0xFFFFFFFF)
        size = PROFILE_BYTES * len(program.image.steps)
        status, profile = self.carrier.read(
            [(self._session.status, records.STATUS.size), (program.profile, size)]
        )
        return records.STATUS.unpack(status), profile

    def _await(self, image: Image, sequence: int) -> None:
        """Return when the launch is over. Raises FaultError where its cores are deaf."""
        begun = since = self._now()
        before: dict[str, Any] | None = None
        while self._hostd.completion(sequence, LOOK_S) is None:
            now = self._now()
            if now - since < SILENCE_NS:
                continue
            status = self._status()
            if status["last_done"] == sequence:
                return  # the completion was lost
            if status == before:
                self._need_answers(image, status["step"])
            if status["last_started"] != sequence:
                if now - begun > DEAF_NS:
                    raise self._gone()
                self._ring(sequence)  # the doorbell was lost
            since, before = now, status

    def _now(self) -> int:
        try:
            return self.clock.now_ns()
        except OSError as error:
            raise self._gone() from error

    def _gone(self) -> MachineError:
        return MachineError(f"the board {self.host} does not answer any more; open it again")

    def _status(self) -> dict[str, Any]:
        (data,) = self.carrier.read([(self._session.status, records.STATUS.size)])
        return records.STATUS.unpack(data)

    def _record(
        self,
        program: ChipProgram,
        status: Mapping[str, Any],
        profile: bytes,
        host_bytes: int,
        wall_s: float,
    ) -> Run:
        found = spent(program.image, profile, self.n_cores)
        counts = {
            name: (status[name] - self._before[name]) & 0xFFFFFFFF
            for name in ("packets_sent", "packets_received", "packets_resent")
        }
        lost = counts["packets_sent"] - counts["packets_received"]
        return Run(
            machine=self.name,
            program=program.image.name,
            costs_hash=self.costs_hash,
            n_cores=self.n_cores,
            cycles=status["cycles"],
            core_cycles=found.core_cycles,
            barriers=found.barriers,
            steps=found.steps,
            dma_bytes=found.dma_bytes,
            host_bytes=host_bytes,
            packets_sent=counts["packets_sent"],
            packets_lost=lost,
            nonfinite=status["nonfinite"],
            macs=found.macs,
            wall_s=wall_s,
            options=dict(program.image.options) | self._notes(),
            packets_resent=counts["packets_resent"],
        )

    def _notes(self) -> dict[str, object]:
        """What a report says of this machine beside the options."""
        note = self._session.layout.note
        found: dict[str, object] = {"carrier": self.carrier.name}
        return found | ({"cores": note} if note else {})

    # Faults

    def _fault(self, image: Image, status: Mapping[str, Any]) -> FaultError:
        """The error of a launch that ended with a fault; a dead core costs the session."""
        error = fault_error(image, status["fault"])
        if status["crashed"]:
            self._restart(f"core {status['crashed'] - 1} met an exception")
        return error

    def _need_answers(self, image: Image, step: int) -> None:
        """A core that is not ours or deaf, or does not leave when aborted, costs the session."""
        try:
            what = what_is_wrong(self._opening, self._session.layout)
        except OSError as gone:
            raise self._gone() from gone
        if not what and not self._aborting:
            return
        what = what or "its cores did not leave when aborted"
        error = FaultError(
            f"{image.name} hangs in {step_name(image, step)}: {what}; the board was restarted,"
            " arrays are lost"
        )
        self._restart(str(error))
        raise error

    def _restart(self, why: str) -> None:
        """Stop, open again, put programs back. Buffers are lost."""
        with self._moving, self._lock:
            self._lose_all(f"lost when its board was restarted: {why}")
            opening, layout = self._opening, self._session.layout
            self._hostd.call("stop", app=opening.app)
            wait_until(opening, lambda: is_stopped(opening, layout), "its cores do not stop")
            self._hostd.forget_completions()
            self._session = self._open(layout)
            self._allocator = Allocator(self._session.heap, self._session.heap_bytes)
            self._sequence = 0
            self._before = _status_at_open(layout)
            self._place_again()

    # The end

    def _set_abort(self, value: int) -> None:
        if self._dead:
            return
        data = value.to_bytes(4, "little")
        self.carrier.write([(self._session.status + ABORT_OFFSET, data)])

    def _give_back(self) -> None:
        """Have our application stopped; where that fails, say so: it may still hold the board."""
        if why := self._hostd.close():
            app = self._opening.app
            print(
                f"spindle: the board {self.host} may still run application {app}: {why}; opening it"
                " again stops it",
                file=sys.stderr,
            )

    # What else a board tells

    def router_counters(self, clear: bool = False) -> dict[str, int]:
        """The chip's multicast packets, as SpiNNMan reads them: local, external, dropped."""
        found: dict[str, int] = self._opening.call(self._session.layout, "router", clear=clear)
        return {name: found[name] for name in ("local", "external", "dropped")}

    def core_records(self) -> list[dict[str, Any]]:
        """Each core's record of itself (spec/records.py, core), places first."""
        at, layout = self._session.arena + arena.CORES_OFFSET, self._session.layout
        cores = dict.fromkeys((*layout.place_cores, layout.service))
        spans = [(at + core * arena.CORE_STRIDE, records.CORE.size) for core in cores]
        return [records.CORE.unpack(data) for data in self.carrier.read(spans)]

    def texts(self) -> dict[int, str]:
        """What the cores have said (IOBUF), by virtual core."""
        layout = self._session.layout
        found = self._opening.call(layout, "iobuf", cores=list(layout.cores))["texts"]
        return {int(core): text for core, text in found.items()}

    def resent(self) -> int:
        """How many of our own requests have been sent again since open."""
        return int(self._hostd.call("resent")["resent"])


def _words(data: bytes | memoryview) -> memoryview:
    """Bytes as a flat memoryview."""
    return memoryview(data).cast("B")


def _status_at_open(layout: Layout) -> dict[str, Any]:
    """Counters from which those of the first launch are counted.

    A record has the deliveries of the END release before it and not its own (docs/spec/barrier.md):
    the first one is counted as if a launch had ended before.
    """
    deliveries = len({*layout.place_cores} - {layout.service})
    counters = dict.fromkeys(("packets_sent", "packets_received"), -deliveries & 0xFFFFFFFF)
    return records.STATUS.unpack(records.STATUS.pack(counters))


def _aborted() -> dict[str, Any]:
    return {**records.FAULT.unpack(bytes(records.FAULT.size)), "code": FAULT["ABORTED"]}


def _check_size(host: str, version: int, size: Mapping[str, Any]) -> None:
    """The type of a booted board is its size. Raises MachineError."""
    if not size:
        return  # not booted yet
    shape, wanted = (size["width"], size["height"]), {3: (2, 2), 5: (8, 8)}[version]
    if shape in ((2, 2), (8, 8)) and shape != wanted:
        other = 3 if shape == (2, 2) else 5
        raise MachineError(
            f"the board {host} has {shape[0]}x{shape[1]} chips: it is a SpiNN-{other}, not a"
            f" SpiNN-{version}; open it as spin{other}:{host}"
        )
