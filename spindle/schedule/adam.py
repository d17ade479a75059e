"""Find whole Adam updates in a fusion body: they become one primitive with the same bits.

    m' = b1*m + c1*g;  v' = b2*v + c2*(g*g) or (c2*g)*g;  p' = p - (alpha*m') / (sqrt(v') + eps)

b1, c1, b2, c2, alpha, eps must be the same for all elements; factors may stand in either order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from spindle.ir.graph import Op, Region, Value
from spindle.spec.tables import ADAM_G_LAST


@dataclass(frozen=True, eq=False)
class Match:
    """sources: p, m, v, g, b1, c1, b2, c2, alpha, eps; results: p', m', v'. last: p's subtract."""

    sources: tuple[Value, ...]
    results: tuple[Value, Value, Value]
    inner: tuple[Op, ...]
    last: Op
    flags: int


def find(region: Region) -> list[Match]:
    """Return every Adam update of the body, in order."""
    finder = _Finder(region)
    matches = [finder.match(op) for op in region.ops if op.kind == "subtract"]
    return [match for match in matches if match is not None]


class _Finder:
    def __init__(self, region: Region) -> None:
        self.region = region
        self.made = {value: op for op in region.ops for value in op.results}
        self.users: dict[Value, list[Op]] = {}
        for op in region.ops:
            for value in op.operands:
                self.users.setdefault(value, []).append(op)

    def match(self, last: Op) -> Match | None:
        """Match backwards from p - q."""
        p, quotient = last.operands
        parts = self._quotient(quotient)
        if parts is None:
            return None
        for alpha, m_new in self._factors(parts[0]):
            for root, eps in self._terms(parts[1]):
                found = self._moments(last, p, alpha, m_new, root, eps)
                if found:
                    return found
        return None

    def _moments(
        self,
        last: Op,
        p: Value,
        alpha: Value,
        m_new: Value,
        root: Value,
        eps: Value,
    ) -> Match | None:
        sqrt = self.made.get(root)
        if sqrt is None or sqrt.kind != "sqrt":
            return None
        v_new = sqrt.operands[0]
        for b1, m, c1, g in self._blend(m_new):
            for b2, v, second, flags in self._second(v_new, g):
                uniform = (b1, c1, b2, second, alpha, eps)
                if all(self._uniform(value) for value in uniform):
                    sources = (p, m, v, g, b1, c1, b2, second, alpha, eps)
                    return self._finish(last, sources, (last.result, m_new, v_new), flags)
        return None

    def _finish(
        self, last: Op, sources: tuple[Value, ...], results: tuple[Value, Value, Value], flags: int
    ) -> Match | None:
        inner = tuple(self._between(results, set(sources)))
        outside = set(results)
        for op in inner:
            users = self.users.get(op.result, [])
            leaks = any(user not in inner for user in users) or op.result in self.region.returns
            if op.result in outside:
                leaks = any(user not in inner for user in users)
            if leaks:
                return None
        return Match(sources, results, inner, last, flags)

    def _between(self, results: tuple[Value, ...], sources: set[Value]) -> Iterator[Op]:
        seen: set[Op] = set()
        stack = list(results)
        while stack:
            value = stack.pop()
            op = self.made.get(value)
            if value in sources or op is None or op in seen:
                continue
            seen.add(op)
            yield op
            stack += op.operands

    def _pair(self, value: Value, kind: str) -> Iterator[tuple[Value, Value]]:
        op = self.made.get(value)
        if op is not None and op.kind == kind:
            a, b = op.operands
            yield a, b
            yield b, a

    def _factors(self, value: Value) -> Iterator[tuple[Value, Value]]:
        return self._pair(value, "multiply")

    def _terms(self, value: Value) -> Iterator[tuple[Value, Value]]:
        return self._pair(value, "add")

    def _quotient(self, value: Value) -> tuple[Value, Value] | None:
        op = self.made.get(value)
        if op is None or op.kind != "divide":
            return None
        return op.operands[0], op.operands[1]

    def _blend(self, value: Value) -> Iterator[tuple[Value, Value, Value, Value]]:
        """value = b*x + c*y."""
        op = self.made.get(value)
        if op is None or op.kind != "add":
            return
        for b, x in self._factors(op.operands[0]):
            for c, y in self._factors(op.operands[1]):
                yield b, x, c, y

    def _second(self, value: Value, g: Value) -> Iterator[tuple[Value, Value, Value, int]]:
        """value = b2*v + c2*(g*g), or + (c2*g)*g: yields b2, v, c2, flags."""
        for b2, v, left, right in self._blend(value):
            square = self.made.get(right)
            if square is None or square.kind != "multiply":
                continue
            if square.operands == (g, g):
                yield b2, v, left, 0
            if left is g:
                for c2, factor in self._factors(right):
                    if factor is g:
                        yield b2, v, c2, ADAM_G_LAST

    def _uniform(self, value: Value) -> bool:
        if value.type.size == 1:
            return True
        op = self.made.get(value)
        if op is None:
            return False
        if op.kind == "constant":
            return True
        return op.kind == "broadcast_in_dim" and self._uniform(op.operands[0])
