"""fuse: gather ops into `fusion` ops, the tasks of the machine (docs/spec/module.md).

In: a Module after the other passes. Out: a Module whose regions hold only fusions, constants and
ops that move data. The order of work: dots take their epilogues, chains grow from producer to
consumer with reduces as their tails, independent fusions that read the same tensor join, and
scalar fusions join whatever they read. A dot's fusion takes no reduce: its tiles would have to
hold whole rows or columns. With options.fuse False every op stays alone.
"""

from __future__ import annotations

import heapq
from dataclasses import replace

from spindle.errors import InternalError
from spindle.ir.graph import Module, Op, Region, Value
from spindle.ir.kinds import ELEMENTWISE
from spindle.options import Options
from spindle.passes.fuse_emit import Emitter
from spindle.passes.fuse_nodes import Graph, Node


def fuse(module: Module, options: Options) -> Module:
    """Make fusions in every region."""
    return replace(module, body=fuse_region(module.body, options.fuse))


def fuse_region(region: Region, grow: bool) -> Region:
    """Make fusions in one region and those of its loops; `grow` False leaves each op alone."""
    ops = []
    for op in region.ops:
        inner = tuple(fuse_region(body, grow) for body in op.regions)
        ops.append(replace(op, regions=inner) if inner else op)
    graph = Graph(Region(region.params, tuple(ops), region.returns), clone_inputs=grow)
    if grow:
        for dot in [node for node in graph.nodes() if node.head]:
            take_epilogue(graph, dot)
        join_chains(graph)
        join_readers(graph)
        join_scalars(graph)
    return Emitter(graph).region(_in_order(graph))


# Dots and their epilogues


def take_epilogue(graph: Graph, dot: Node) -> None:
    """Grow a dot's node: the chain of only readers, then whole blobs that end at a boundary."""
    while _take_only_reader(graph, dot) or _take_blob(graph, dot):
        pass


def _take_only_reader(graph: Graph, dot: Node) -> bool:
    """Take the one elementwise op that reads what the dot's fusion makes last."""
    for value in graph.writes(dot):
        readers = graph.users.get(value, [])
        if len(readers) != 1 or value in graph.returned or readers[0] not in graph.home:
            continue
        node = graph.home[readers[0]]
        if _is_elementwise(node) and not _has_own_maker(graph, node) and graph.can_merge(dot, node):
            graph.merge(dot, node)
            return True
    return False


def _has_own_maker(graph: Graph, node: Node) -> bool:
    """Tell whether some elementwise op works for this node alone: they belong together.

    m' = 0.9 * m + g is such a node: taken by the dot, it would leave 0.9 * m a task of its own.
    """
    for value in graph.reads(node).direct:
        maker = graph.node_of(value)
        alone = graph.users[value] == node.ops[:1] and value not in graph.returned
        if maker is not None and alone and maker.space == node.space and _is_elementwise(maker):
            return True
    return False


def _take_blob(graph: Graph, dot: Node) -> bool:
    """Take elementwise ops that read no other tensor, back from ends that must be stored anyway.

    relu(h) and h > 0 are such ends (dots and later fusions read them), and so is the end of a
    gelu; 0.1 * g is not, where an optimiser's fusion could compute it.
    """
    blob = _blob(graph, dot)
    ends = [op for op in blob if _is_end(graph, dot, op, blob)]
    taken = _with_makers(graph, ends, blob)
    merged = False
    for op in taken:
        if graph.can_merge(dot, graph.home[op]):
            graph.merge(dot, graph.home[op])
            merged = True
    return merged


def _blob(graph: Graph, dot: Node) -> list[Op]:
    """Return the ops that read tensors of the dot's fusion only (and what is broadcast)."""
    blob: dict[Op, None] = {}
    for op in graph.region.ops[graph.place[dot.ops[0]] :]:
        node = graph.home.get(op)
        if node is None or node.space != dot.space or not _is_elementwise(node):
            continue
        direct = graph.reads(node).direct
        makers = [graph.maker.get(value) for value in direct]
        if makers and all(maker in blob or maker in dot.ops for maker in makers):
            blob[op] = None
    return list(blob)


def _is_end(graph: Graph, dot: Node, op: Op, blob: list[Op]) -> bool:
    """Tell whether an op's result is read, but by no op that could share a fusion with it."""
    inside = {dot, *(graph.home[other] for other in blob)}
    for reader in graph.users.get(op.result, []):
        node = graph.home.get(reader)
        if node is None or node.space != dot.space or node.head:
            continue
        if node in inside or not graph.has_detour(inside, node):
            return False
    return True


def _with_makers(graph: Graph, ends: list[Op], blob: list[Op]) -> list[Op]:
    """Return the ends with all blob ops they are made from, in program order."""
    needed, stack = set[Op](), list(ends)
    while stack:
        op = stack.pop()
        if op not in needed:
            needed.add(op)
            makers = (graph.maker.get(value) for value in op.operands)
            stack += [maker for maker in makers if maker in blob]
    return [op for op in blob if op in needed]


def _is_elementwise(node: Node) -> bool:
    return node.space is not None and all(op.kind in ELEMENTWISE for op in node.ops)


# Everything else


def join_chains(graph: Graph) -> None:
    """Let every elementwise op and reduce join the fusions that make its operands."""
    for op in graph.region.ops:
        if op not in graph.home or graph.home[op].space is None:
            continue
        for value in reversed(list(graph.reads(graph.home[op]).direct)):
            maker, node = graph.node_of(value), graph.home[op]
            if maker is not None and not maker.head and not node.head:
                _try_merge(graph, maker, node)


def join_readers(graph: Graph) -> None:
    """Join fusions over one space that read the same tensor and do not depend on each other."""
    groups: dict[Value, list[Node]] = {}
    for node in graph.nodes():
        if node.space is not None and not node.head:
            for value in graph.reads(node).direct:
                groups.setdefault(value, []).append(node)
    for nodes in groups.values():
        _join(graph, [node.ops[0] for node in nodes])


def join_scalars(graph: Graph) -> None:
    """Join the fusions over a single element, whatever they read; places of slices by themselves.

    Those are waited for by tasks that come early.
    """
    scalars = [node for node in graph.nodes() if node.space == () and not node.head]
    places = [node for node in scalars if _is_place(graph, node)]
    _join(graph, [node.ops[0] for node in places])
    _join(graph, [node.ops[0] for node in scalars if node not in places])


def _is_place(graph: Graph, node: Node) -> bool:
    """Tell whether a dynamic slice is taken, or put, where this node says."""
    readers = [op for value in graph.writes(node) for op in graph.users.get(value, [])]
    return any(op.kind in ("dynamic_slice", "dynamic_update_slice") for op in readers)


def _join(graph: Graph, members: list[Op]) -> None:
    """Merge the nodes of these ops, each into the first earlier one that takes it."""
    kept: list[Op] = []
    for op in members:
        earlier = [other for other in kept if graph.home[other] is not graph.home[op]]
        if not any(_try_merge(graph, graph.home[other], graph.home[op]) for other in earlier):
            kept.append(op)


def _try_merge(graph: Graph, a: Node, b: Node) -> bool:
    if not graph.can_merge(a, b):
        return False
    graph.merge(a, b)
    return True


# Order


def _in_order(graph: Graph) -> list[Node]:
    """Sort the nodes: makers first, else as the program had their last ops."""
    waiting = {node: len(node.before) for node in graph.nodes()}
    key = {node: max(graph.place[op] for op in node.ops) for node in waiting}
    ready = [(key[node], id(node), node) for node, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    order: list[Node] = []
    while ready:
        node = heapq.heappop(ready)[2]
        order.append(node)
        for later in node.after:
            waiting[later] -= 1
            if waiting[later] == 0:
                heapq.heappush(ready, (key[later], id(later), later))
    if len(order) != len(waiting):
        raise InternalError("fuse: fusions depend on each other in a circle")
    return order
