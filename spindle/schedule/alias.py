"""May a result take over a parameter's memory? Used for donation and for loop-carried values."""

from __future__ import annotations

from collections.abc import Iterator

from spindle.ir.graph import Op, Region, Value
from spindle.schedule import views

_SAME_MEMORY = frozenset({"reshape", "words"})
"""Kinds that say something else of the same words."""


class Uses:
    """Who reads what in one region; reshapes are looked through, nested regions count."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.made = {value: op for op in region.ops for value in op.results}
        self.users: dict[Value, list[Op]] = {}
        for op in region.ops:
            for value in {self.root(v) for v in _reads(op)}:
                self.users.setdefault(value, []).append(op)

    def root(self, value: Value) -> Value:
        """The value whose memory this one is: reshapes undone."""
        op = self.made.get(value)
        while op is not None and op.kind in _SAME_MEMORY:
            value = op.operands[0]
            op = self.made.get(value)
        return value

    def readers(self, value: Value) -> list[Op]:
        """Ops that read the value, reshapes excluded."""
        return [op for op in self.users.get(self.root(value), []) if op.kind not in _SAME_MEMORY]

    def may_overwrite(self, new: Value, old: Value) -> bool:
        """Whether the op that makes `new` may write into the memory of `old`.

        All other readers of `old` must be able to come first, and the op itself may read `old`
        only where it writes.
        """
        producer = self.made.get(self.root(new))
        if producer is None or producer.kind in _SAME_MEMORY | {"constant"}:
            return False
        later = self._reached(producer)
        others = [op for op in self.readers(old) if op is not producer]
        if any(op in later for op in others) or self.root(old) in self._returned_roots():
            return False
        reads_it = any(self.root(v) is self.root(old) for v in _reads(producer))
        return not reads_it or self._in_place(producer, new, old)

    def _returned_roots(self) -> set[Value]:
        return {self.root(value) for value in self.region.returns}

    def _in_place(self, producer: Op, new: Value, old: Value) -> bool:
        if producer.kind == "fusion":
            return self._fusion_in_place(producer, new, old)
        places = [i for i, v in enumerate(producer.operands) if self.root(v) is self.root(old)]
        if producer.kind == "dynamic_update_slice":
            return places == [0]
        if producer.kind == "while":
            inside = {self.root(v) for v in _free(producer)}
            return places == [producer.results.index(self.root(new))] and (
                self.root(old) not in inside
            )
        return False

    def _fusion_in_place(self, producer: Op, new: Value, old: Value) -> bool:
        (region,) = producer.regions
        space = producer.attrs["space"]
        result = region.returns[producer.results.index(self.root(new))]
        mine = {i for i, v in enumerate(producer.operands) if self.root(v) is self.root(old)}
        for op in region.ops:
            if op.kind == "reduce" and result in op.results:
                return False
            if op.kind == "dot_general" and any(
                region.params.index(v) in mine for v in op.operands
            ):
                return False
        whole = views.identity(space).strides
        seen = [v for v in views.find(region, space) if not v.is_result and v.index in mine]
        same_size = self.root(old).type.n_words == new.type.n_words
        return all(v.strides == whole for v in seen) and same_size

    def _reached(self, start: Op) -> set[Op]:
        reached: set[Op] = set()
        stack = list(start.results)
        while stack:
            value = stack.pop()
            for op in self.users.get(value, []):
                if op not in reached:
                    reached.add(op)
                    stack += op.results
        return reached


def _reads(op: Op) -> Iterator[Value]:
    yield from op.operands
    yield from _free(op)


def _free(op: Op) -> Iterator[Value]:
    """Values that nested regions take from outside."""
    if op.kind == "fusion":
        return
    for region in op.regions:
        inside = set(region.params)
        for inner in region.ops:
            for value in _reads(inner):
                if value not in inside:
                    yield value
            inside |= set(inner.results)
        yield from (value for value in region.returns if value not in inside)
