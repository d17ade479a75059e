"""Writes the merged nodes of `fuse` as ops of a new Region.

In: a Graph and its nodes in order. Out: a Region of fusions, constants and ops that move data.
A fusion's results are the old values; the values of its body are new.
"""

from __future__ import annotations

from spindle.ir.graph import Op, Region, Value
from spindle.ir.rewrite import splat_value
from spindle.passes.fuse_nodes import Graph, Node


class Emitter:
    """Builds the new region; splat constants appear on it only where a whole value is read."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.ops: list[Op] = []
        self._constants: set[Op] = set()

    def region(self, nodes: list[Node]) -> Region:
        """Return the region with every node written, in the given order."""
        for node in nodes:
            operands = tuple(self.graph.reads(node).all)
            self._need_constants(operands)
            self.ops.append(node.ops[0] if node.space is None else self._fusion(node, operands))
        old = self.graph.region
        self._need_constants(old.returns)
        return Region(old.params, tuple(self.ops), old.returns)

    def _need_constants(self, values: tuple[Value, ...]) -> None:
        for value in values:
            maker = self.graph.maker.get(value)
            fresh = maker is not None and maker not in self._constants
            if maker is not None and fresh and splat_value(maker) is not None:
                self._constants.add(maker)
                self.ops.append(maker)

    def _fusion(self, node: Node, operands: tuple[Value, ...]) -> Op:
        results = tuple(self.graph.writes(node))
        inner = {value: Value(value.type) for value in operands}
        params = tuple(inner[value] for value in operands)
        body: list[Op] = []
        for op in self.graph.body_order(node.ops):
            self._copy(op, inner, body)
        region = Region(params, tuple(body), tuple(inner[value] for value in results))
        return Op("fusion", operands, results, {"space": node.space}, (region,), _loc(node))

    def _copy(self, op: Op, inner: dict[Value, Value], body: list[Op]) -> None:
        """Append an op of the body."""
        operands = tuple(inner[value] for value in op.operands)
        inner[op.result] = Value(op.result.type)
        body.append(Op(op.kind, operands, (inner[op.result],), op.attrs, loc=op.loc))


def _loc(node: Node) -> str:
    """The source line of the dot, else of the last op that has one."""
    if node.head:
        return node.ops[0].loc
    return next((op.loc for op in reversed(node.ops) if op.loc), "")
