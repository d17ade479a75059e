"""Which values share memory: may a result take over a parameter's, which slices are views.

Used for donation, for loop-carried values and for dynamic_slice.
"""

from __future__ import annotations

from collections.abc import Iterator

from spindle.ir.graph import Op, Region, Value
from spindle.schedule import views

_NO_VIEW = ("while", "dynamic_slice", "dynamic_update_slice")
"""Readers that need a slice of its own: they carry it on, or have registers in its address."""
_SAME_MEMORY = frozenset({"reshape", "words"})
"""Kinds that say something else of the same words."""


class Uses:
    """Who reads what in one region; reshapes and views are looked through, nested regions count.

    views: the dynamic slices that need no memory of their own.
    """

    def __init__(self, region: Region) -> None:
        self.region = region
        self.made = {value: op for op in region.ops for value in op.results}
        self.fed: dict[Value, list[Op]] = {}
        for op in region.ops:
            for value in set(_reads(op)):
                self.fed.setdefault(value, []).append(op)
        self.views: frozenset[Op] = frozenset()
        self.users = self._users()
        returned = self._returned_roots()
        sliced = [op for op in region.ops if _slices_rows(op) and op.result not in returned]
        self.views = frozenset(op for op in sliced if not self._is_kept(op.result))
        self.users = self._users()

    def _users(self) -> dict[Value, list[Op]]:
        users: dict[Value, list[Op]] = {}
        for op in self.region.ops:
            for value in {self.root(v) for v in _reads(op)}:
                users.setdefault(value, []).append(op)
        return users

    def _is_kept(self, value: Value) -> bool:
        return any(op.kind in _NO_VIEW for op in self.readers(value))

    def root(self, value: Value) -> Value:
        """The value whose memory this one is: reshapes undone, of a view what it looks into."""
        op = self.made.get(value)
        while op is not None and self._shares(op):
            value = op.operands[0]
            op = self.made.get(value)
        return value

    def _shares(self, op: Op) -> bool:
        return op.kind in _SAME_MEMORY or op in self.views

    def readers(self, value: Value) -> list[Op]:
        """Ops that read the value, those that only give it another name excluded."""
        return [op for op in self.users.get(self.root(value), []) if not self._shares(op)]

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
            for op in self.fed.get(value, []):
                if op not in reached:
                    reached.add(op)
                    stack += op.results
        return reached


def _slices_rows(op: Op) -> bool:
    """A dynamic slice that lies densely in its operand: whole but along the first axis."""
    if op.kind != "dynamic_slice" or 0 in op.result.shape:
        return False
    whole, sizes = op.operands[0].shape, tuple(op.attrs["sizes"])
    axis = next((i for i, n in enumerate(whole) if n > 1), 0)
    return whole[axis + 1 :] == sizes[axis + 1 :] and whole[axis] > sizes[axis]


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
