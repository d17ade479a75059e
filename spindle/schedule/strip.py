"""Strip programs: turn a fusion's elementwise body into instructions over registers.

In: a fusion op and its iteration dims. Out: Strip: views of operands and results, instructions.
Registers 0..15 are operands (views), 16.. temporaries; docs/spec/kernels.md lists the forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from spindle.errors import InternalError, UserError
from spindle.ir.graph import DTYPES, Op, Region, Value
from spindle.ir.plan import Instr
from spindle.ir.rewrite import splat_value
from spindle.schedule import adam, select
from spindle.schedule.dims import Dims
from spindle.spec.records import MAX_OPERANDS, MAX_TEMPS

FIRST_TEMP = MAX_OPERANDS


@dataclass(frozen=True)
class View:
    """A tensor seen over the space: parameter or result number, element strides per space axis."""

    is_result: bool
    index: int
    strides: tuple[int, ...]
    reduced: bool = False


@dataclass
class Strip:
    """A strip program. reduces: positions of RED instructions in `program`."""

    views: list[View] = field(default_factory=list)
    prologue: list[Instr] = field(default_factory=list)
    body: list[Instr] = field(default_factory=list)
    n_temps: int = 0

    @property
    def program(self) -> tuple[Instr, ...]:
        """Prologue, then body."""
        return (*self.prologue, *self.body)


def bits(value: object, dtype: str) -> int:
    """32-bit pattern of one constant element.

    >>> hex(bits(1.0, "f32"))
    '0x3f800000'
    """
    if dtype == "i1":
        return int(bool(value))
    return int(np.asarray(value, DTYPES[dtype]).reshape(1).view(np.uint32)[0])


def build(
    region: Region, views: Sequence[View], dims: Dims, head: tuple[Value, int] | None, first: int
) -> Strip:
    """Emit the program of a fusion body.

    views: what `views.find` found, in register order from `first`. head: (value, register) that
    the kernel has computed before the program runs (C of a dot).
    """
    builder = _Builder(region, list(views), dims, first)
    if head is not None:
        builder.regs[head[0]] = head[1]
    return builder.run()


class _Builder:
    def __init__(self, region: Region, views: list[View], dims: Dims, first: int) -> None:
        self.region, self.dims = region, dims
        self.strip = Strip(views)
        self.view_reg = {(v.is_result, v.index, v.strides): first + i for i, v in enumerate(views)}
        if first + len(views) > MAX_OPERANDS:
            raise InternalError(f"a task needs {first + len(views)} operands, {MAX_OPERANDS} fit")
        self.regs: dict[Value, int] = {}
        self.consts: dict[int, int] = {}
        self.bcasts: dict[int, int] = {}
        self.free: list[int] = []
        self.ops = [op for op in region.ops if op.kind != "dot_general"]
        self.adams = adam.find(region)
        self.uses = self._last_uses()
        self.outputs = self._outputs()

    def run(self) -> Strip:
        skipped = {op for match in self.adams for op in match.inner}
        heads = {match.last: match for match in self.adams}
        for position, op in enumerate(self.ops):
            if op in heads:
                self._adam(heads[op])
            elif op not in skipped:
                self._op(op)
            self._release(position)
        self._returns()
        return self.strip

    def _outputs(self) -> dict[Value, list[int]]:
        out: dict[Value, list[int]] = {}
        for index, value in enumerate(self.region.returns):
            for (is_result, number, _), reg in self.view_reg.items():
                if is_result and number == index:
                    out.setdefault(value, []).append(reg)
        return out

    def _last_uses(self) -> dict[Value, int]:
        uses: dict[Value, int] = {}
        place = {op: i for i, op in enumerate(self.ops)}
        for position, op in enumerate(self.ops):
            for value in op.operands[:1] if op.kind == "reduce" else op.operands:
                uses[value] = position
        for match in self.adams:
            for value in match.sources:
                uses[value] = max(uses.get(value, 0), place[match.last])
        for value in self.region.returns:
            uses[value] = len(self.ops)
        return uses

    def _temp(self) -> int:
        return self.free.pop() if self.free else self._fresh()

    def _fresh(self) -> int:
        """A temporary nobody had before: what the prologue sets must outlive the whole body."""
        self.strip.n_temps += 1
        if self.strip.n_temps > MAX_TEMPS:
            raise InternalError(f"a strip program needs more than {MAX_TEMPS} temporaries")
        return FIRST_TEMP + self.strip.n_temps - 1

    def _release(self, position: int) -> None:
        kept = set(self.consts.values()) | set(self.bcasts.values())
        for value, reg in list(self.regs.items()):
            if self.uses.get(value, -1) <= position and reg >= FIRST_TEMP and reg not in kept:
                others = [v for v, r in self.regs.items() if r == reg and v is not value]
                del self.regs[value]
                if not others:
                    self.free.append(reg)

    def _dst(self, value: Value) -> int:
        regs = self.outputs.get(value)
        return regs[0] if regs else self._temp()

    def _const(self, pattern: int) -> int:
        if pattern not in self.consts:
            reg = self._fresh()
            self.strip.prologue.append(Instr("SPLAT", (reg,), pattern))
            self.consts[pattern] = reg
        return self.consts[pattern]

    def _view(self, value: Value, strides: tuple[int, ...]) -> int:
        """Register of a parameter view; what is not indexed along columns is spread first."""
        index = self.region.params.index(value)
        reg = self.view_reg[False, index, strides]
        per_dim = self.dims.strides(strides)
        if per_dim[2] != 0 or self.dims.extents[2] == 1:
            return reg
        if reg not in self.bcasts:
            temp = self._fresh()
            scalar = per_dim[1] == 0
            code = self.strip.prologue if scalar else self.strip.body
            code.append(Instr("BCAST", (temp, reg)))
            self.bcasts[reg] = temp
        return self.bcasts[reg]

    def _source(self, value: Value) -> int:
        if value in self.regs:
            return self.regs[value]
        return self._view(value, self.dims.identity)

    def _op(self, op: Op) -> None:
        if op.kind == "constant":
            self._constant(op)
        elif op.kind == "broadcast_in_dim":
            self._broadcast(op)
        elif op.kind == "iota":
            self._iota(op)
        elif op.kind == "reduce":
            self._reduce(op)
        elif op.kind == "clamp":
            self._clamp(op)
        else:
            self._elementwise(op)

    def _constant(self, op: Op) -> None:
        value = splat_value(op)
        if value is None:
            raise InternalError(f"a constant of {op.result.type} inside a fusion is not a splat")
        if op.result in self.uses:
            self.regs[op.result] = self._const(bits(value, op.result.dtype))

    def _broadcast(self, op: Op) -> None:
        (source,) = op.operands
        if source in self.region.params:
            strides = self.dims.broadcast(source.shape, op.attrs["dims"])
            self.regs[op.result] = self._view(source, strides)
        else:
            self.regs[op.result] = self._source(source)

    def _iota(self, op: Op) -> None:
        dim, divisor, modulus = self.dims.iota(op.attrs["dim"])
        dst = self._dst(op.result)
        if dim is None:
            self.strip.body.append(Instr("SPLAT", (dst,), divisor))
        else:
            self.strip.body += [Instr("IOTA", (dst, dim), divisor), Instr("EXT", (), modulus)]
        if op.result.dtype == "f32":
            self.strip.body.append(Instr("U32_TO_F32", (dst, dst)))
        self.regs[op.result] = dst

    def _elementwise(self, op: Op) -> None:
        name, swapped = select.primitive(op)
        sources = [self._source(value) for value in op.operands]
        dst = self._dst(op.result)
        if name == "SELECT":
            pred, yes, no = sources
            self.strip.body.append(Instr(name, (dst, pred, yes), no))
        else:
            ordered = reversed(sources) if swapped else sources
            self.strip.body.append(Instr(name, (dst, *ordered)))
        self.regs[op.result] = dst

    def _clamp(self, op: Op) -> None:
        low, x, high = (self._source(value) for value in op.operands)
        names = select.ELEMENTWISE[op.result.dtype]
        dst = self._dst(op.result)
        temp = self._temp()
        self.strip.body += [
            Instr(names["maximum"], (temp, x, low)),
            Instr(names["minimum"], (dst, temp, high)),
        ]
        self.free.append(temp)
        self.regs[op.result] = dst

    def _reduce(self, op: Op) -> None:
        name = select.reducer(op)
        source, init = op.operands
        producer = next((o for o in self.ops if init in o.results), None)
        if producer is None or producer.kind != "constant":
            raise UserError(
                "a reduction's initial value is not a constant",
                where=op.loc,
                fix="start from a constant and add the value afterwards",
            )
        pattern = bits(np.asarray(producer.attrs["value"]).reshape(-1)[0], init.dtype)
        src = self._source(source)
        for reg in self.outputs.get(op.result, ()):
            levels = self.dims.tree_levels() if name in select.TREE_REDUCERS else 0
            self.strip.body += [
                Instr(name, (reg, src, self.dims.reduce_axis), pattern),
                Instr("EXT", (levels,), 0),
            ]

    def _adam(self, match: adam.Match) -> None:
        sources = [self._source(value) for value in match.sources]
        p, m, v, g, b1, c1, b2, c2, alpha, eps = sources
        dst = tuple(self._dst(value) for value in match.results)
        second = g | b1 << 8 | c1 << 16 | b2 << 24
        self.strip.body += [
            Instr("ADAM_F32", dst, match.flags),
            Instr("EXT", (p, m, v), second),
            Instr("EXT", (c2, alpha, eps)),
        ]
        for value, reg in zip(match.results, dst, strict=True):
            self.regs[value] = reg

    def _returns(self) -> None:
        reduced = {op.result for op in self.ops if op.kind == "reduce"}
        for value, regs in self.outputs.items():
            if value in reduced:
                continue
            source = self._source(value)
            for reg in regs:
                if reg != source:
                    self.strip.body.append(Instr("COPY", (reg, source)))
