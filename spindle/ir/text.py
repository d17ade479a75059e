"""The text form of a Module: one op a line, exact, and read back to an equal Module.

In: a Module or its text. Out: text or a Module. The form (docs/spec/module.md lists the kinds):

    module "step" {
      param %0 : f32[64] as "x"
      %1 = constant 0.5 : f32[64]
      %2 = add %0, %1 : f32[64]  # model.py:41 (loss)
      %3 = reduce %2, %c {dims=(0,), reducer='add'} : f32[]
      result %2 as "y" in 0
    }

`as` gives a parameter's or result's path, `in` the parameter whose buffer a result may take.
A constant is one number (the same everywhere), a list, or bits'hex words' in row-major order.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from spindle.errors import InternalError
from spindle.ir.dtypes import FLOATS
from spindle.ir.graph import (
    DTYPES,
    ConvNumerics,
    DotNumerics,
    GivenNumerics,
    Module,
    Op,
    ReduceTree,
    Region,
    TensorType,
    Value,
)
from spindle.ir.rewrite import Array, splat_array, splat_value

LIST_LIMIT = 32
"""Constants with more elements than this, not all equal, are written as hex words."""

_RECORDS = {
    record.__name__: record for record in (ConvNumerics, DotNumerics, GivenNumerics, ReduceTree)
}


# Numbering


def number(module: Module) -> Module:
    """Return the same Module with values named "0", "1", ... in order of definition."""
    counter = iter(range(2**62))
    return replace(module, body=_numbered(module.body, counter))


def _numbered(region: Region, counter: Iterator[int]) -> Region:
    names: dict[Value, Value] = {}

    def fresh(values: tuple[Value, ...]) -> tuple[Value, ...]:
        names.update((value, Value(value.type, str(next(counter)))) for value in values)
        return tuple(names[value] for value in values)

    params = fresh(region.params)
    ops = []
    for op in region.ops:
        operands = tuple(names[value] for value in op.operands)
        results = fresh(op.results)
        inner = tuple(_numbered(r, counter) for r in op.regions)
        ops.append(replace(op, operands=operands, results=results, regions=inner))
    return Region(params, tuple(ops), tuple(names[value] for value in region.returns))


def _named(module: Module) -> Module:
    """Keep the names if each is there and its own, else number the values."""
    names = [value.name for value in _values(module.body)]
    return module if all(names) and len(set(names)) == len(names) else number(module)


def _values(region: Region) -> Iterator[Value]:
    yield from region.params
    for op in region.ops:
        yield from op.results
        for inner in op.regions:
            yield from _values(inner)


# Printing


def to_text(module: Module, *, elide: bool = False) -> str:
    """Print a Module. With `elide` large constants are cut: for reading only.

    Values without unique names are numbered first. Ends with a newline.
    """
    module = _named(module)
    head = f"module {json.dumps(module.name)} "
    mesh = f"mesh {dict(module.mesh)} " if module.mesh else ""
    lines = [head + mesh + "{", *_param_lines(module)]
    lines += _op_lines(module.body, "  ", elide)
    lines += [_result_line(module, i) for i in range(len(module.body.returns))]
    return "\n".join([*lines, "}", ""])


def _param_lines(module: Module) -> list[str]:
    names = module.param_names
    return [
        f"  param %{value.name} : {value.type}" + (f" as {json.dumps(names[i])}" if names else "")
        for i, value in enumerate(module.body.params)
    ]


def _result_line(module: Module, index: int) -> str:
    line = f"  result %{module.body.returns[index].name}"
    if module.result_names:
        line += f" as {json.dumps(module.result_names[index])}"
    if index in module.donated:
        line += f" in {module.donated[index]}"
    return line


def _op_lines(region: Region, indent: str, elide: bool) -> Iterator[str]:
    for op in region.ops:
        loc = f"  # {op.loc}" if op.loc else ""
        yield indent + _op_head(op, elide) + (" {" if op.regions else "") + loc
        for i, inner in enumerate(op.regions):
            if i:
                yield indent + "} {"
            yield from _region_lines(inner, indent + "  ", elide)
        if op.regions:
            yield indent + "}"


def _region_lines(region: Region, indent: str, elide: bool) -> Iterator[str]:
    for value in region.params:
        yield f"{indent}param %{value.name} : {value.type}"
    yield from _op_lines(region, indent, elide)
    yield f"{indent}return {_names(region.returns)}".rstrip()


def _op_head(op: Op, elide: bool) -> str:
    parts = [f"{_names(op.results)} = {op.kind}"]
    if op.kind == "constant":
        parts.append(_constant_text(op, elide))
    if op.operands:
        parts.append(_names(op.operands))
    attrs = {key: value for key, value in op.attrs.items() if op.kind != "constant"}
    if attrs:
        parts.append("{" + ", ".join(f"{k}={v!r}" for k, v in sorted(attrs.items())) + "}")
    types = ", ".join(str(value.type) for value in op.results)
    return " ".join([*parts, f": {types}"])


def _names(values: tuple[Value, ...]) -> str:
    return ", ".join(f"%{value.name}" for value in values)


def _constant_text(op: Op, elide: bool) -> str:
    array: Array = op.attrs["value"]
    splat = splat_value(op)
    if splat is not None:
        return _scalar_text(splat)
    if array.size <= LIST_LIMIT:
        return "[" + ", ".join(_scalar_text(np.asarray(x)) for x in array.reshape(-1)) + "]"
    if elide:
        return f"<{array.size} elements>"
    return f"bits'{_words(array)}'"


def _scalar_text(x: Array) -> str:
    if not _is_float(x.dtype):
        return str(x.item())
    text = str(x.item()) if x.dtype != np.float32 else str(np.float32(x))
    exact = np.asarray(float(text)).astype(x.dtype).tobytes() == x.tobytes()
    return text if exact else f"bits'{_words(x.reshape(1))}'"


def _is_float(dtype: Any) -> bool:
    return any(DTYPES[name] == dtype for name in FLOATS)


def _words(array: Array) -> str:
    """Write elements as hex words of their own width."""
    width = array.dtype.itemsize
    words = np.ascontiguousarray(array).view(f"u{width}").flat
    digits = 8 if array.dtype == np.bool_ else 2 * width
    return " ".join(f"{word:0{digits}x}" for word in words)


# Reading


def from_text(text: str) -> Module:
    """Read what `to_text` printed. Raises InternalError with the line it cannot read."""
    return _Reader(text).module()


class _Reader:
    """A cursor over the lines; one method for each form of line."""

    def __init__(self, text: str) -> None:
        self.lines = [line.strip() for line in text.splitlines()]
        self.lines = [line for line in self.lines if line and not line.startswith("#")]
        self.at = 0

    def module(self) -> Module:
        try:
            return self._module()
        except (ValueError, KeyError, IndexError, SyntaxError, AttributeError, TypeError) as error:
            line = self.lines[min(self.at, len(self.lines) - 1)] if self.lines else ""
            raise InternalError(f"Module text: cannot read {line!r} ({error})") from error

    def _module(self) -> Module:
        head = self._take("module ")
        name, end = json.JSONDecoder().raw_decode(head)
        mesh_text = head[end:].removesuffix("{").strip().removeprefix("mesh").strip()
        mesh = ast.literal_eval(mesh_text) if mesh_text else {}
        scope: dict[str, Value] = {}
        params, names = self._params(scope)
        ops = self._ops(scope)
        results = [_parse_result(line) for line in self._while("result ")]
        body = Region(params, ops, tuple(scope[r[0]] for r in results))
        donated = {i: r[2] for i, r in enumerate(results) if r[2] is not None}
        titles = tuple(r[1] for r in results if r[1] is not None)
        return Module(name, body, donated, names, titles, mesh)

    def _take(self, start: str) -> str:
        line = self.lines[self.at]
        if not line.startswith(start):
            raise ValueError(f"expected {start!r}")
        self.at += 1
        return line[len(start) :]

    def _while(self, start: str) -> Iterator[str]:
        while self.lines[self.at].startswith(start):
            yield self._take(start)

    def _params(self, scope: dict[str, Value]) -> tuple[tuple[Value, ...], tuple[str, ...]]:
        params, names = [], []
        for line in self._while("param "):
            head, _, path = line.partition(" as ")
            name, type_ = head.split(" : ")
            params.append(_define(scope, name, type_))
            names += [json.loads(path)] if path else []
        return tuple(params), tuple(names)

    def _ops(self, scope: dict[str, Value]) -> tuple[Op, ...]:
        ops = []
        while self.lines[self.at].startswith("%"):
            ops.append(self._op(scope))
        return tuple(ops)

    def _op(self, scope: dict[str, Value]) -> Op:
        line, _, loc = self.lines[self.at].partition("  # ")
        self.at += 1
        opens = line.endswith(" {")
        head, types = line.removesuffix(" {").rsplit(" : ", 1)
        left, right = head.split(" = ", 1)
        kind, _, rest = right.partition(" ")
        shapes = [_parse_type(t) for t in types.replace("], ", "];").split(";")]
        operands, attrs = _parse_rest(kind, rest, shapes[0], scope)
        regions = self._regions() if opens else ()
        names = left.split(", ")
        results = tuple(_define(scope, n, str(t)) for n, t in zip(names, shapes, strict=True))
        return Op(kind, operands, results, attrs, regions, loc)

    def _regions(self) -> tuple[Region, ...]:
        regions = [self._region()]
        while self.lines[self.at] == "} {":
            self.at += 1
            regions.append(self._region())
        self._take("}")
        return tuple(regions)

    def _region(self) -> Region:
        scope: dict[str, Value] = {}
        params, _ = self._params(scope)
        ops = self._ops(scope)
        names = self._take("return").strip()
        returns = tuple(scope[name] for name in names.split(", ")) if names else ()
        return Region(params, ops, returns)


def _define(scope: dict[str, Value], name: str, type_: str) -> Value:
    if name in scope:
        raise ValueError(f"{name} is defined twice")
    scope[name] = Value(_parse_type(type_), name.removeprefix("%"))
    return scope[name]


def _parse_type(text: str) -> TensorType:
    dtype, _, extents = text.removesuffix("]").partition("[")
    if dtype not in DTYPES:
        raise ValueError(f"unknown type {text!r}")
    return TensorType(tuple(int(n) for n in extents.split(",") if n), dtype)


def _parse_result(line: str) -> tuple[str, str | None, int | None]:
    """Read `%5 as "name" in 3` -> (value name, path or None, parameter index or None)."""
    name, _, rest = line.partition(" ")
    title = None
    if rest.startswith("as "):
        title, end = json.JSONDecoder().raw_decode(rest[3:])
        rest = rest[3 + end :].strip()
    return name, title, int(rest.removeprefix("in ")) if rest else None


def _parse_rest(
    kind: str, rest: str, type_: TensorType, scope: Mapping[str, Value]
) -> tuple[tuple[Value, ...], dict[str, Any]]:
    if kind == "constant":
        return (), {"value": _parse_constant(rest, type_)}
    names, _, attrs = rest.partition("{")
    operands = tuple(scope[name.strip()] for name in names.split(",") if name.strip())
    return operands, _parse_attrs(attrs.removesuffix("}")) if attrs else {}


def _parse_attrs(text: str) -> dict[str, Any]:
    call = ast.parse(f"f({text})", mode="eval").body
    assert isinstance(call, ast.Call)
    return {str(word.arg): _parse_attr(word.value) for word in call.keywords}


def _parse_attr(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        words = {str(word.arg): ast.literal_eval(word.value) for word in node.keywords}
        return _RECORDS[node.func.id](**words)
    return ast.literal_eval(node)


def _parse_constant(text: str, type_: TensorType) -> Array:
    if text.startswith("<"):
        raise ValueError("the constant was elided: print without elide to read back")
    if text.startswith("["):
        inner = text[1:-1]
        flat = [_parse_scalar(x, type_.dtype) for x in inner.split(", ") if x]
        return np.array(flat, DTYPES[type_.dtype]).reshape(type_.shape)
    if text.startswith("bits'") and " " in text:
        return _parse_words(text, type_.dtype).reshape(type_.shape)
    return splat_array(_parse_scalar(text, type_.dtype), type_)


def _parse_scalar(text: str, dtype: str) -> Array:
    if text.startswith("bits'"):
        return _parse_words(text, dtype).reshape(())
    if dtype == "i1":
        return np.asarray({"True": True, "False": False}[text])
    return np.asarray(float(text) if dtype in FLOATS else int(text)).astype(DTYPES[dtype])


def _parse_words(text: str, dtype: str) -> Array:
    words = np.array([int(word, 16) for word in text[5:-1].split()], np.uint64)
    if dtype == "i1":
        return words.astype(np.bool_)
    return words.astype(f"u{DTYPES[dtype].itemsize}").view(DTYPES[dtype])
