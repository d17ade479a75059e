"""Cores of a chip that meet by the firmware's barrier.c, compiled for the host, over lossy packets.

In: number of places, whether the root is a core of its own, how long each lane computes, which
deliveries are lost. Out: what every core did, and its counters. Time is in cycles; a packet takes
PACKET_CYCLES. What session.c does around the barrier is done here by `Core`.
"""

from __future__ import annotations

import ctypes
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from spindle.kernels_host import build
from spindle.spec import arena as spec
from spindle.spec import records

PACKET_CYCLES = 48
SENDING_CYCLES = 20
LIMIT_CYCLES = 200_000_000
GO, STOP, END, START, WAIT, MISSED, UNUSUAL = range(7)
U32 = ctypes.c_uint32
SEND = ctypes.CFUNCTYPE(None, ctypes.c_void_p, U32)


class Barrier(ctypes.Structure):
    """struct barrier of barrier.h."""

    _fields_ = (
        ("slot", U32 * spec.N_SLOTS),
        ("received", U32 * 4),
        ("news", U32),
        ("place", U32),
        ("is_root", U32),
        ("group", U32 * 6),
        ("n_children", U32),
        ("child", U32 * 6),
        *((name, U32) for name in ("own_bits", "ask_slot", "n_receivers", "generation", "phase")),
        *((name, U32) for name in ("expected", "flags", "sent_at", "ask_at", "ask_after")),
        *((name, U32) for name in ("sent", "resent", "asked")),
    )


def library(folder: Path) -> ctypes.CDLL:
    """barrier.c for the host; `set_send` takes the function behind barrier_send."""
    glue = folder / "glue.c"
    glue.write_text(
        '#include "barrier.h"\n'
        "static void (*send)(struct barrier *, uint32_t);\n"
        "void set_send(void (*to)(struct barrier *, uint32_t));\n"
        "void set_send(void (*to)(struct barrier *, uint32_t)) { send = to; }\n"
        "void barrier_send(struct barrier *b, uint32_t key) { send(b, key); }\n"
        "static uint32_t now;\n"
        "void set_now(uint32_t time);\n"
        "void set_now(uint32_t time) { now = time; }\n"
        "uint32_t barrier_now(void) { return now; }\n"
        "uint32_t barrier_bytes(void);\n"
        "uint32_t barrier_bytes(void) { return sizeof(struct barrier); }\n"
    )
    names = ("barrier.c", "barrier_arrive.c", "barrier_look.c")
    sources = [str(build.FIRMWARE / "hal" / "spinnaker" / name) for name in names]
    made = folder / "barrier.so"
    flags = [*build.HOST_FLAGS, *build.includes("spinnaker"), "-shared"]
    build.compile_c([*flags, *sources, str(glue), "-o", str(made)])
    loaded = ctypes.CDLL(str(made))
    assert loaded.barrier_bytes() == ctypes.sizeof(Barrier)
    return loaded


@dataclass
class Core:
    """One core's program: launches of `work` cycles between barriers, as session.c runs them."""

    number: int
    place: int
    barrier: Barrier
    launch: int = 0
    step: int = 0
    ran: list[tuple[int, int]] = field(default_factory=list)
    """(launch, step)"""
    done: list[tuple[int, int, int]] = field(default_factory=list)
    """(launch, step, how the barrier behind it ended)"""
    busy: bool = False
    ended: list[int] = field(default_factory=list)


class Chip:
    """Runs `n_launches` launches of `n_steps` steps; work(launch, step, place) is in cycles.

    loses(n, key) says whether delivery n is lost; stop_at = (launch, step, place) stops there.
    """

    def __init__(
        self,
        loaded: ctypes.CDLL,
        n_places: int,
        spare: bool,
        work: Callable[[int, int, int], int] = lambda *_: 500,
        loses: Callable[[int, int], bool] = lambda *_: False,
        n_launches: int = 2,
        n_steps: int = 3,
        stop_at: tuple[int, int, int] | None = None,
    ) -> None:
        self.c, self.work, self.loses = loaded, work, loses
        self.n_launches, self.n_steps, self.stop_at = n_launches, n_steps, stop_at
        self.now, self.n_deliveries, self.n_lost, self.order = 0, 0, 0, 0
        self.events: list[tuple[int, int, Callable[[], None]]] = []
        self.started = self.finished = 0
        n_cores = n_places + spare
        self.service = n_cores - 1 if spare else 0
        self.routes = spec.routes(range(n_places), self.service)
        self.cores = [self._core(i, n_places, spare) for i in range(n_cores)]
        self.by_address = {ctypes.addressof(core.barrier): core for core in self.cores}
        self.callback = SEND(self._send)
        self.c.set_send(self.callback)

    def _core(self, number: int, n_places: int, spare: bool) -> Core:
        place = number if number < n_places else records.NO_PLACE
        core = Core(number, place, Barrier())
        is_root = number == self.service
        self.c.barrier_init(
            ctypes.byref(core.barrier), place, n_places, int(is_root), int(not spare)
        )
        self.c.barrier_idle(ctypes.byref(core.barrier))
        return core

    # Time and packets

    def at(self, time: int, what: Callable[[], None]) -> None:
        self.order += 1
        heapq.heappush(self.events, (time, self.order, what))

    def _send(self, address: int, key: int) -> None:
        for route in self.routes:
            if key & route.mask == route.key:
                for number in route.cores:
                    self._deliver(self.cores[number], key)
                return
        raise AssertionError(f"no route for 0x{key:08x}")

    def _deliver(self, core: Core, key: int) -> None:
        self.n_deliveries += 1
        if self.loses(self.n_deliveries - 1, key):
            self.n_lost += 1
            return
        self.at(self.now + SENDING_CYCLES + PACKET_CYCLES, lambda: self._receive(core, key))

    def _receive(self, core: Core, key: int) -> None:
        """What the multicast handler does."""
        core.barrier.slot[key >> 2 & 63] = key
        core.barrier.received[key >> 6 & 3] += 1
        core.barrier.news = 1
        if not core.busy:
            self._wake(core)

    def run(self) -> None:
        """Until all launches are over and nothing happens any more."""
        self._root_next()
        while self.events and self.now < LIMIT_CYCLES:
            self.now, _, what = heapq.heappop(self.events)
            what()
        assert self.now < LIMIT_CYCLES, "the cores never came to rest"

    # What session.c and serve.c do

    def _root_next(self) -> None:
        if self.started < self.n_launches:
            root = self.cores[self.service]
            self.started += 1
            self.c.barrier_release(ctypes.byref(root.barrier), START)
            self._begin(root)

    def _begin(self, core: Core) -> None:
        core.launch, core.step = self.started, 0
        self._compute(core)

    def _compute(self, core: Core) -> None:
        core.busy = True
        core.ran.append((core.launch, core.step))
        has_lanes = core.place != records.NO_PLACE
        cycles = self.work(core.launch, core.step, core.place) if has_lanes else 0
        self.at(self.now + cycles, lambda: self._arrive(core))

    def _flags(self, core: Core) -> int:
        if core.place == records.NO_PLACE:
            return WAIT
        if (core.launch, core.step, core.place) == self.stop_at:
            return STOP
        return END if core.step == self.n_steps - 1 else GO

    def _arrive(self, core: Core) -> None:
        core.busy = False
        self.c.barrier_arrive(ctypes.byref(core.barrier), self._flags(core), self.now)
        self._wake(core)

    def _wake(self, core: Core) -> None:
        root = core.number == self.service
        if root and self.finished == self.started:
            return
        self.c.set_now(self.now)
        found = self.c.barrier_look(ctypes.byref(core.barrier), 0)
        if found == UNUSUAL:
            found = self.c.barrier_poll(ctypes.byref(core.barrier), self.now)
        if found == WAIT:
            if self.c.barrier_asks(ctypes.byref(core.barrier)):
                self._alarm(core)
            return
        self._released(core, self._look(core, found))

    def _alarm(self, core: Core) -> None:
        when = core.barrier.ask_at
        state = (core.launch, core.step, when)

        def ring() -> None:
            if not core.busy and (core.launch, core.step, core.barrier.ask_at) == state:
                self._wake(core)

        self.at(max(when, self.now + 1), ring)

    def _look(self, core: Core, found: int) -> int:
        if found != MISSED:
            return found
        if self.started != core.launch:
            return START
        return END if self.finished == core.launch else GO

    def _released(self, core: Core, found: int) -> None:
        if core.launch and (not core.ended or core.ended[-1] != core.launch):
            core.done.append((core.launch, core.step, found))
        if found == GO:
            core.step += 1
            self._compute(core)
            return
        if not core.ended or core.ended[-1] != core.launch:
            core.ended.append(core.launch)
        if core.number == self.service:
            self.finished = self.started
            self.at(self.now + 3000, self._root_next)
        elif found == START:
            self._begin(core)
        else:
            self.c.barrier_idle(ctypes.byref(core.barrier))
            self._wake(core)

    # What came out

    @property
    def sent(self) -> int:
        return sum(core.barrier.sent for core in self.cores)

    @property
    def received(self) -> int:
        return sum(core.barrier.received[0] + core.barrier.received[3] for core in self.cores)

    @property
    def resent(self) -> int:
        return sum(core.barrier.resent for core in self.cores)
