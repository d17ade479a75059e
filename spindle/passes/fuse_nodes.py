"""The graph that `fuse` works on: nodes are future fusions, or ops that stay as they are.

In: a Region after the other passes. Out: a Graph whose nodes can be merged, with the rules of
docs/spec/module.md and the limits of the machine checked before each merge.

Cheap ops (splat constants, iotas, broadcasts, and compare or convert of an input) have no node:
every node that reads one computes its own clone. Where something else needs such a value (a dot,
a reshape, the region's end), a node of its own makes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from spindle.ir.graph import Op, Region, Value
from spindle.ir.kinds import ELEMENTWISE
from spindle.ir.rewrite import splat_value, users

MAX_OPERANDS = 12
"""Tensor operands and results of one fusion, of the 16 operand registers of a strip program."""
MAX_WITH_HEAD = 11
"""The same of a fusion with a dot: its two operands and its sums take 7 registers."""
MAX_LIVE = 32
"""Values of a fusion's body alive at once, its constants and what it spreads from broadcasts, which
live from its start to its end: the temporaries of a strip program."""
MAX_RECORD = 176
"""Length of a fusion's task record, 8 bytes each: an op or constant takes 1, a tensor 7."""


@dataclass(eq=False)
class Node:
    """One future op: `ops` in program order; `space` is None where the op is no fusion's."""

    ops: list[Op]
    space: tuple[int, ...] | None
    before: set[Node] = field(default_factory=set)
    after: set[Node] = field(default_factory=set)

    @property
    def head(self) -> bool:
        """Whether a dot_general starts it."""
        return self.space is not None and self.ops[0].kind == "dot_general"

    @property
    def tail_dims(self) -> tuple[int, ...] | None:
        """The axes its reduces go over, None without one."""
        return next((op.attrs["dims"] for op in self.ops if op.kind == "reduce"), None)


@dataclass(frozen=True)
class Reads:
    """What a node takes from outside, as ordered sets (dicts without values).

    head: the operands of its dot. direct: elements of its space. whole: all else (broadcasts;
    operands of an op that is no fusion's).
    """

    head: dict[Value, None]
    direct: dict[Value, None]
    whole: dict[Value, None]

    @property
    def all(self) -> dict[Value, None]:
        """Every value once: the order of the fusion's operands."""
        return {**self.head, **self.direct, **self.whole}


class Graph:
    """The nodes of one region; `clone_inputs` lets compare and convert of inputs be cheap."""

    def __init__(self, region: Region, clone_inputs: bool) -> None:
        self.region = region
        self.place = {op: i for i, op in enumerate(region.ops)}
        self.maker = {value: op for op in region.ops for value in op.results}
        self.users = users(region)
        self.returned = set(region.returns)
        self.cheap: set[Op] = set()
        for op in region.ops:
            if self._is_cheap(op, clone_inputs):
                self.cheap.add(op)
        self.home: dict[Op, Node] = {}
        self._make_nodes()

    # Which ops are cloned

    def _is_cheap(self, op: Op, clone_inputs: bool) -> bool:
        if op.kind in ("iota", "broadcast_in_dim") or splat_value(op) is not None:
            return True
        if op.kind not in ("compare", "convert") or not clone_inputs:
            return False
        return all(self._is_input(value) for value in op.operands)

    def _is_input(self, value: Value) -> bool:
        """Whether a value is a parameter, a reshaped one, or a clone itself."""
        op = self.maker.get(value)
        if op is not None and op.kind in ("reshape", "words"):
            return self._is_input(op.operands[0])
        return op is None or op in self.cheap

    def _is_needed_whole(self, op: Op) -> bool:
        """Whether a cheap op's value must stand in memory."""
        (value,) = op.results
        readers = self.users.get(value, [])
        return value in self.returned or any(
            reader.kind == "broadcast_in_dim"
            or not is_fused(reader)
            or reader.kind == "dot_general"
            for reader in readers
        )

    # Nodes and edges

    def _make_nodes(self) -> None:
        for op in self.region.ops:
            if op.kind == "constant" and splat_value(op) is not None:
                continue
            if op not in self.cheap or self._is_needed_whole(op):
                self.home[op] = Node([op], _space(op))
        for node in self.nodes():
            for value in self.reads(node).all:
                maker = self.maker.get(value)
                if maker in self.home:
                    node.before.add(self.home[maker])
                    self.home[maker].after.add(node)

    def nodes(self) -> list[Node]:
        """Return every node once, in program order of its first op."""
        return list(dict.fromkeys(self.home.values()))

    def node_of(self, value: Value) -> Node | None:
        """Return the node that makes a value, None for parameters and clones."""
        maker = self.maker.get(value)
        return None if maker is None else self.home.get(maker)

    def reads(self, *nodes: Node) -> Reads:
        """Return what these nodes, taken as one, read from outside, in order."""
        reads = Reads({}, {}, {})
        inside = {op for node in nodes for op in node.ops}
        for node in nodes:
            for op in node.ops:
                self._collect(op, node.space is not None, inside, reads)
        return reads

    def _collect(self, op: Op, fused: bool, inside: set[Op], reads: Reads) -> None:
        if not fused or op.kind in ("dot_general", "broadcast_in_dim"):
            target = reads.head if op.kind == "dot_general" else reads.whole
            target.update(dict.fromkeys(op.operands))
            return
        for value in op.operands[:1] if op.kind == "reduce" else op.operands:
            maker = self.maker.get(value)
            if maker is None or (maker not in self.cheap and maker not in inside):
                reads.direct[value] = None
            elif maker in self.cheap and maker not in inside:
                self._collect(maker, True, inside, reads)

    def writes(self, *nodes: Node) -> list[Value]:
        """Return the values of these nodes that others read, or the region returns."""
        inside = {op for node in nodes for op in node.ops}
        made = [value for node in nodes for op in node.ops for value in op.results]
        return [value for value in made if self._is_read_outside(value, inside)]

    def _is_read_outside(self, value: Value, inside: set[Op]) -> bool:
        if value in self.returned:
            return True
        maker = self.maker[value]
        if maker in self.cheap:
            return self._is_needed_whole(maker)
        return any(reader not in inside for reader in self.users.get(value, []))

    # Merging

    def can_merge(self, a: Node, b: Node) -> bool:
        """Tell whether one fusion may hold both nodes: grammar, no cycle, limits."""
        if a is b or a.space is None or a.space != b.space or (a.head and b.head):
            return False
        if not self._fits_grammar(a, b):
            return False
        if self.has_detour({a}, b) or self.has_detour({b}, a):
            return False
        return self._fits_machine(a, b)

    def _fits_grammar(self, a: Node, b: Node) -> bool:
        dims_a, dims_b = a.tail_dims, b.tail_dims
        if None not in (dims_a, dims_b) and dims_a != dims_b:
            return False
        if (a.head or b.head) and (dims_a or dims_b) is not None:
            return False
        reads = [self.reads(a), self.reads(b)]
        crossing = [self.node_of(value) for r in reads for value in (*r.head, *r.whole)]
        return a not in crossing and b not in crossing

    def has_detour(self, sources: set[Node], b: Node) -> bool:
        """Tell whether another node reads from one of `sources` and feeds `b`, directly or not."""
        last = max(self.place[op] for op in b.ops)
        seen = {*sources, b}
        stack = [node for source in sources for node in source.after]
        while stack:
            node = stack.pop()
            if node in seen or self.place[node.ops[0]] > last:
                continue
            seen.add(node)
            if b in node.after:
                return True
            stack += node.after
        return False

    def _fits_machine(self, a: Node, b: Node) -> bool:
        reads = self.reads(a, b)
        n_tensors = len(reads.all) + len(self.writes(a, b))
        if n_tensors > (MAX_WITH_HEAD if a.head or b.head else MAX_OPERANDS):
            return False
        ops = [*a.ops, *b.ops]
        kept = self._kept_registers(ops, len(reads.whole))
        if len(ops) + kept + 7 * n_tensors > MAX_RECORD:
            return False
        return self.peak_live(ops, set(self.writes(a, b))) + kept <= MAX_LIVE

    def _kept_registers(self, ops: list[Op], n_spread: int) -> int:
        """Temporaries of the whole program: different constants, and scalars or rows spread."""
        constants = (op for op in self.body_order(ops) if op.kind == "constant")
        values = {(op.result.dtype, _pattern(op)) for op in constants}
        return len(values) + n_spread

    def peak_live(self, ops: list[Op], stored: set[Value]) -> int:
        """Count body values alive at once; `stored` ones have operand registers."""
        order = list(self.body_order(ops))
        last = {value: i for i, op in enumerate(order) for value in op.operands}
        alive, peak = set[Value](), 0
        for i, op in enumerate(order):
            if op.kind not in ("constant", "reduce"):
                alive |= set(op.results) - stored
            peak = max(peak, len(alive))
            alive -= {value for value in op.operands if last[value] == i}
        return peak

    def body_order(self, ops: list[Op]) -> Iterator[Op]:
        """Yield the ops of a fusion's body, clones before their first reader, reduces last."""
        seen: set[Op] = set()
        inside = set(ops)
        tails = [op for op in ops if op.kind == "reduce"]
        key = {op: (op.kind != "dot_general", self.place[op]) for op in ops}
        for op in sorted(inside.difference(tails), key=key.__getitem__):
            yield from self._with_clones(op, inside, seen)
        tails.sort(key=key.__getitem__)
        for op in tails:
            yield from self._clones(op, inside, seen)
        yield from tails

    def _with_clones(self, op: Op, inside: set[Op], seen: set[Op]) -> Iterator[Op]:
        if op in seen:
            return
        seen.add(op)
        yield from self._clones(op, inside, seen)
        yield op

    def _clones(self, op: Op, inside: set[Op], seen: set[Op]) -> Iterator[Op]:
        """Yield what an op reads of cheap ops, as far as not seen yet."""
        if op.kind in ("dot_general", "broadcast_in_dim"):
            return
        for value in op.operands:
            maker = self.maker.get(value)
            if maker in self.cheap and maker not in inside:
                yield from self._with_clones(maker, inside, seen)

    def merge(self, a: Node, b: Node) -> Node:
        """Put b's ops into a; the caller has asked `can_merge`."""
        a.ops = sorted([*a.ops, *b.ops], key=lambda op: (op.kind != "dot_general", self.place[op]))
        for op in b.ops:
            self.home[op] = a
        for near, far in (("before", "after"), ("after", "before")):
            for node in getattr(b, near):
                getattr(node, far).discard(b)
                if node is not a:
                    getattr(node, far).add(a)
                    getattr(a, near).add(node)
        a.before.discard(b)
        a.after.discard(b)
        return a


def is_fused(op: Op) -> bool:
    """Tell whether an op's place is in a fusion."""
    return op.kind in ELEMENTWISE or op.kind in (
        "iota",
        "broadcast_in_dim",
        "reduce",
        "dot_general",
    )


def _pattern(op: Op) -> bytes:
    return bytes(splat_value(op).tobytes())


def _space(op: Op) -> tuple[int, ...] | None:
    if not is_fused(op):
        return None
    return op.operands[0].shape if op.kind == "reduce" else op.result.shape
