"""Virtual boards for tests of the machines on them: started once per switches, or for one test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from vboard.scp_host import Host, UdpWire

from spindle.image.image import Image
from spindle.machines.board import BoardMachine
from spindle.machines.iss import IssMachine
from spindle.machines.machine import Buffer, Event, Machine
from spindle.vboard.process import BoardProcess


@contextmanager
def iss(**switches: Any) -> Iterator[IssMachine]:
    """A machine on a virtual board of its own."""
    machine = IssMachine(**switches)
    try:
        yield machine
    finally:
        machine.close()


@contextmanager
def board(*words: str) -> Iterator[tuple[BoardProcess, Host]]:
    """A virtual board that no machine has opened, and an SCP host on it."""
    with BoardProcess(words) as process:
        wire = UdpWire(process.address)
        try:
            yield process, Host(wire)
        finally:
            wire.close()


def buffer_of(machine: Machine, array: np.ndarray) -> Buffer:
    data = np.ascontiguousarray(array).tobytes()
    buffer = machine.alloc(0, len(data))
    machine.write(buffer, data)
    return buffer


def start(
    machine: Machine, image: Image, args: Sequence[np.ndarray]
) -> tuple[Event, list[Buffer], list[Buffer]]:
    """Load and start it; the event, inputs, outputs."""
    inputs = [buffer_of(machine, arg) for arg in args]
    outputs = [
        inputs[image.donated[j]] if j in image.donated else machine.alloc(0, t.size_bytes)
        for j, t in enumerate(image.results)
    ]
    return machine.run(machine.load(image), inputs, outputs), inputs, outputs


def is_running(machine: BoardMachine) -> bool:
    """Whether the helper process lives."""
    return machine._hostd._process.poll() is None
