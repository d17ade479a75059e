"""What a virtual board is: shape, seed, which cores are dead, which one is the monitor, the links.

In: the switches of `spindle board`. Out: a BoardOptions, and one Place per chip. All choices that a
seed makes are made here.

     link   0 E      1 NE     2 N      3 W      4 SW     5 S
     step  (+1,0)  (+1,+1)  (0,+1)  (-1,0)  (-1,-1)  (0,-1)
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from spindle.errors import UserError

CORES = 18
SHAPES = ((1, 1), (2, 2))
"""One chip, and a SpiNN-3. The vendor's monitor finds no routes on 1x2 or 2x1 chips."""
LINK_STEPS = ((1, 0), (1, 1), (0, 1), (-1, 0), (-1, -1), (0, -1))
MAX_DEPTH = 8
"""CC_MAX_DEPTH of chip/parts.h: packets that a receiver has room for."""
DeadCore = tuple[int, int, int]


@dataclass(frozen=True)
class BoardOptions:
    """Everything that decides what a board does with its input.

    shape: (width, height) in chips; (2, 2) is a SpiNN-3. dead_cores: (x, y, physical core), or
    None for the default (one dead core on one chip; none on a pristine board). pristine: zeroed
    memories, core 0 is every chip's monitor. lose: probability per application multicast packet.
    quantum: longest stretch of one core in cycles, 0 = free; results do not depend on it.
    allow_faults: typed errors are only listed.
    """

    shape: tuple[int, int] = (2, 2)
    seed: int = 1
    pristine: bool = False
    dead_cores: tuple[DeadCore, ...] | None = None
    lose: float = 0.0
    receiver_depth: int = 1
    quantum: int = 0
    allow_faults: bool = False
    cost_set: str = "nominal"

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise UserError(
                f"a board of {self.shape[0]}x{self.shape[1]} chips cannot be emulated",
                where="--shape",
                limit="the shapes are " + " and ".join(f"{w}x{h}" for w, h in SHAPES),
            )
        if not 0.0 <= self.lose < 1.0:
            raise UserError(f"{self.lose} is no loss rate", where="--lose", limit="0 <= rate < 1")
        if not 1 <= self.receiver_depth <= MAX_DEPTH:
            raise UserError(
                f"a receiver cannot hold {self.receiver_depth} packets",
                where="receiver_depth",
                limit=f"1 to {MAX_DEPTH}",
            )

    @property
    def n_chips(self) -> int:
        """Number of chips."""
        return self.shape[0] * self.shape[1]


@dataclass(frozen=True)
class Place:
    """One chip: position, working physical cores (a bit each), monitor, chip behind each link."""

    x: int
    y: int
    cores_ok: int
    monitor: int
    has_ethernet: bool
    neighbours: tuple[int, ...]


def chip_positions(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """(x, y) of every chip in the order of their indices.

    >>> chip_positions((2, 2))
    [(0, 0), (1, 0), (0, 1), (1, 1)]
    """
    return [(x, y) for y in range(shape[1]) for x in range(shape[0])]


def neighbours(shape: tuple[int, int], x: int, y: int) -> tuple[int, ...]:
    """Index of the chip behind each link of (x, y), -1 where there is none.

    A SpiNN-3 is wired round in y only (hardware reference 4.2); other shapes are not wired round.

    >>> neighbours((2, 2), 0, 0)
    (1, 3, 2, -1, -1, 2)
    """
    height = shape[1]
    positions = chip_positions(shape)
    found = []
    for dx, dy in LINK_STEPS:
        there = (x + dx, (y + dy) % height if shape == (2, 2) else y + dy)
        found.append(positions.index(there) if there in positions else -1)
    return tuple(found)


def random_dead_cores(shape: tuple[int, int], count: int, seed: int) -> tuple[DeadCore, ...]:
    """`count` different cores chosen by the seed; no chip loses more than 16."""
    all_cores = [(x, y, p) for x, y in chip_positions(shape) for p in range(CORES)]
    Random(f"dead cores {seed}").shuffle(all_cores)
    left = dict.fromkeys(chip_positions(shape), CORES - 2)
    dead: list[DeadCore] = []
    for x, y, p in all_cores:
        if len(dead) < count and left[x, y]:
            left[x, y] -= 1
            dead.append((x, y, p))
    if len(dead) < count:
        raise UserError(
            f"{count} cores cannot be dead", where="--dead-cores", limit=f"at most {len(dead)}"
        )
    return tuple(sorted(dead))


def places(options: BoardOptions) -> list[Place]:
    """One Place per chip, in the order of chip_positions. Raises UserError."""
    dead = options.dead_cores
    if dead is None:
        dead = () if options.pristine else random_dead_cores(options.shape, 1, options.seed)
    _check_dead(options.shape, dead)
    found = []
    for x, y in chip_positions(options.shape):
        working = [p for p in range(CORES) if (x, y, p) not in dead]
        if len(working) < 2:
            raise UserError(
                f"chip ({x}, {y}) has {len(working)} working cores",
                where="--dead-cores",
                limit="a chip needs a monitor and one more",
            )
        mask = sum(1 << p for p in working)
        monitor = _monitor(options, working, x, y)
        links = neighbours(options.shape, x, y)
        found.append(Place(x, y, mask, monitor, (x, y) == (0, 0), links))
    return found


def _check_dead(shape: tuple[int, int], dead: tuple[DeadCore, ...]) -> None:
    for x, y, p in dead:
        if (x, y) not in chip_positions(shape) or not 0 <= p < CORES:
            raise UserError(
                f"there is no core ({x}, {y}, {p})",
                where="--dead-cores",
                limit=f"the board has {shape[0]}x{shape[1]} chips with cores 0 to {CORES - 1}",
            )


def _monitor(options: BoardOptions, working: list[int], x: int, y: int) -> int:
    """The core that wins the boot ROM's arbitration; anyone but 0 unless pristine."""
    if options.pristine:
        return working[0]
    others = [p for p in working if p != 0]
    return Random(f"monitor {options.seed} {x} {y}").choice(others)
