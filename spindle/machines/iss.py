"""IssMachine: a virtual board of our own, started for this machine, opened as any board.

In: switches of the virtual board (docs/board.md). Out: a BoardMachine that waits in the board's
time and takes its board down when it closes.
"""

from __future__ import annotations

from typing import Any

from spindle.errors import MachineError, UserError
from spindle.machines.backdoor import BackdoorCarrier
from spindle.machines.board import BoardMachine, BoardSwitches
from spindle.machines.hostd.client import STOP_S, Hostd
from spindle.machines.hostd.clock import StatusClock
from spindle.machines.opening import Session
from spindle.machines.places import Layout
from spindle.machines.transfer import Carrier
from spindle.spec import costs
from spindle.vboard.process import BoardProcess

WORDS = {"shape", "dead_cores", "lose", "slow", "seed", "address", "record"}
"""Switches with a value, as `spindle board` takes them."""
FLAGS = {"pristine", "cold", "guard"}
SHAPE = "2x2"
CARRIERS = ("scp", "backdoor")


class IssMachine(BoardMachine):
    """A virtual board and the machine on it. switches: see docs/machine.md."""

    name = "iss"
    costs_hash = costs.costs_hash("nominal")

    def __init__(self, *, cores: int | None = None, carrier: str = "scp", **switches: Any) -> None:
        if carrier not in CARRIERS:
            raise UserError(f"iss has no carrier {carrier!r}", fix=f"use {' or '.join(CARRIERS)}")
        words, self._carrier_name = board_words(switches), carrier
        hostd = Hostd()  # it starts while the board does
        try:
            self._process = BoardProcess(words)
        except BaseException:
            hostd.close()
            raise
        try:
            address, port = self._process.address, self._process.status_port
            self._status_clock = StatusClock(address, port)
            super().__init__(address, self._status_clock, BoardSwitches(3, cores), hostd)
        except BaseException:
            self._process.close()
            raise

    def _make_carrier(self, chip: tuple[int, int]) -> Carrier:
        if self._carrier_name == "backdoor":
            return BackdoorCarrier(self._process, chip)
        return super()._make_carrier(chip)

    def _open(self, layout: Layout) -> Session:
        """Open, and tell a guarded board what is ours (its `--guard`)."""
        session = super()._open(layout)
        x, y = layout.chip
        arena: dict[str, object] = {"base": session.arena, "size_bytes": session.arena_bytes}
        self._process.ask({"do": "arena", "x": x, "y": y} | arena)
        return session

    def _clock_address(self) -> list[Any] | None:
        return [self._process.address, self._process.status_port]

    def _now(self) -> int:
        if not self._process.is_alive():
            raise self._gone()
        return super()._now()

    def _gone(self) -> MachineError:
        return MachineError("the virtual board was stopped; open the machine again")

    def _give_back(self) -> None:
        self._hostd.close(STOP_S if self._process.is_alive() else 0.2)
        self.carrier.close()
        self._process.close()
        self._status_clock.close()

    def board_faults(self) -> list[Any]:
        """Typed errors of application cores: what a real board would not tell."""
        found = self._process.ask({"do": "faults"})["faults"]
        assert isinstance(found, list)
        return found


def board_words(switches: dict[str, Any]) -> list[str]:
    """Arguments for `spindle board`. Raises UserError for a switch that is not known."""
    if switches.get("shape", SHAPE) != SHAPE:
        raise UserError(
            f"iss has no shape {switches['shape']!r}", limit=f"SpiNNMan knows boards of {SHAPE}"
        )
    unknown = set(switches) - WORDS - FLAGS
    if unknown:
        known = ", ".join(sorted(WORDS | FLAGS))
        raise UserError(
            f"iss has no switch {min(unknown)!r}", fix=f"it has cores, carrier, {known}"
        )
    words = []
    for name, value in switches.items():
        option = "--" + name.replace("_", "-")
        if name in FLAGS:
            words += [option] * bool(value)
        elif value is not None:
            words += [option, str(value)]
    return words
