"""Looking at a board without changing it: what `spindle doctor` prints.

In: a host name. Out: Findings in the order in which things must be right. Nothing is booted,
stopped or loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spindle.errors import MachineError
from spindle.machines.hostd.client import Hostd
from spindle.machines.opening import DEAD, IDLE, LEAST_BYTES, LEFT_BYTES
from spindle.machines.places import ENOUGH_CORES
from spindle.spec import arena, chip

TYPES = {(2, 2): (3, "SpiNN-3, 4 chips"), (8, 8): (5, "SpiNN-5, 48 chips")}
LINKS = {3: {(0, 0): 4, (1, 0): 3, (0, 1): 3, (1, 1): 4}}
"""Working links of each chip of a whole board, as SC&MP leaves them."""
FREE_BYTES = 64 << 20


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, whether it is well, what was found, what to do about it."""

    check: str
    is_well: bool
    found: str
    fix: str = ""


def examine(host: str) -> Iterator[Finding]:
    """Findings about the board at a host name; the last one is the first that stops all others."""
    hostd = Hostd()
    try:
        yield from _examine(hostd, host)
    finally:
        hostd.close()


def _examine(hostd: Hostd, host: str) -> Iterator[Finding]:
    try:
        size = hostd.call("size", host=host)
    except MachineError as error:
        yield Finding("reachable", False, str(error))
        return
    if not size:
        fix = "if the board is on, open it once: opening boots it; else check cable and power"
        yield Finding("booted", False, f"{host} does not answer", fix)
        return
    yield Finding("reachable", True, f"{host} answers")
    yield Finding("booted", True, size["monitor"])
    shape = (size["width"], size["height"])
    if shape not in TYPES:
        fix = "use a single SpiNN-3 or SpiNN-5"
        yield Finding("board type", False, f"{shape[0]}x{shape[1]} chips", fix)
        return
    version, name = TYPES[shape]
    yield Finding("board type", True, f"{name}; its name is spin{version}:{host}")
    found = hostd.call("connect", host=host, version=version, clock=None)
    yield from _applications(hostd, found["chips"])
    for one in found["chips"]:
        yield from _chip(one, LINKS.get(version, {}))


def _applications(hostd: Hostd, chips: list[dict[str, Any]]) -> Iterator[Finding]:
    running: dict[int, int] = {}
    for one in chips:
        for state, app, _ in hostd.call("cores", x=one["x"], y=one["y"])["cores"][1:]:
            if state not in (DEAD, IDLE):
                running[app] = running.get(app, 0) + 1
    for app, n in sorted(running.items()):
        text = f"application {app} on {n} cores"
        if app == arena.APP_ID:
            fix = "it is Spindle's: opening the board stops it"
        else:
            fix = "stop it with the tool that started it, or switch the board off and on"
        yield Finding("running", False, text, fix)
    if not running:
        yield Finding("running", True, "no application")


def _chip(one: Mapping[str, Any], usual: Mapping[tuple[int, int], int]) -> Iterator[Finding]:
    xy = (one["x"], one["y"])
    n_cores, free = len(one["cores"]), one["sdram_bytes"]
    links = len(one["links"])
    names = ", ".join(map(str, one["links"]))
    text = (
        f"{n_cores} of {chip.APPLICATION_CORES} cores free, links {names},"
        f" {free / 2**20:.1f} MB of SDRAM free"
    )
    fixes = []
    if n_cores < ENOUGH_CORES:
        fixes.append("few cores: another chip is taken where one has more")
    elif n_cores < chip.APPLICATION_CORES - 1:
        fixes.append("lanes share the cores that are left: the same bits, slower")
    if free < LEAST_BYTES + LEFT_BYTES or free < FREE_BYTES:
        fixes.append("SDRAM is held: stop what holds it, or switch the board off and on")
    if links < usual.get(xy, links):
        fixes.append("links are missing: one chip is enough to run on, several are not")
    yield Finding(f"chip {xy}", not fixes, text, "; ".join(fixes))
