"""Run one kernel on one tile from Python, or a whole task tile by tile: for tests and exploring.

In: records as dicts (spec/records.py field names) and word arrays. Out: the arrays, changed in
place. Nothing here is on the way of a compiled program; that is firmware/rt.
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spindle.kernels_host.build import library
from spindle.kernels_host.records import KernelArgs, RescueChunk, Tile
from spindle.spec import records
from spindle.spec.records import FLAGS, NO_DIM, STRIP
from spindle.spec.tables import KERNEL, PRIM

Words = np.ndarray[Any, Any]
Fields = Mapping[str, Any]

_ON_MANTISSAS = (KERNEL["DOT_S28"], KERNEL["DOT_S13"], KERNEL["DOT_S16"])
_DOTS = (*_ON_MANTISSAS, KERNEL["DOT_F32"])


@dataclass(frozen=True)
class Place:
    """A tile: origin and extent per dim, and whether it is the first and last along inner."""

    origin: tuple[int, ...]
    extent: tuple[int, ...]
    first_inner: bool = True
    last_inner: bool = True


def work_words(task: Fields, program: Sequence[Fields]) -> int:
    """Words of the whole workspace: kernel's own, temporaries, reduce states (where imm says)."""
    own = int(library().kernel_work_words(records.TASK.pack(task)))
    temps = int(task.get("temps", own)) + int(task.get("n_temps", 0)) * STRIP
    ends = [own, temps]
    first, last = PRIM["RED_ADD_F32"], PRIM["RED_OR_I32"]
    for i, instr in enumerate(program):
        if first <= instr["prim"] <= last:
            outputs = {1: task["tile"][2], 2: task["tile"][1], 3: 1}[instr["reg"][2]]
            ends.append(program[i + 1]["imm"] + (1 + program[i + 1]["reg"][0]) * outputs)
    return max(ends)


def run_kernel(
    task: Fields,
    operands: Sequence[Fields],
    program: Sequence[Fields],
    place: Place,
    data: Sequence[Words | None],
    work: Words,
    rescue: tuple[Words, Words] | None = None,
    *,
    plain: bool = False,
) -> int:
    """Run a task's kernel on one tile; return the number of outputs the non-finite rule decided.

    data: per operand its tile as C-contiguous 4-byte words, laid out as docs/spec/image.md says;
    None for a LAZY one. work: uint32 workspace of `work_words`, kept between tiles along inner.
    rescue: original float32 A [rows, K] and B [columns, K] of the tile, for dots with Inf or NaN.
    plain: without the host-only variants.
    """
    lib = library(plain=plain)
    args, keep = _args(task, operands, program, place, data, work)
    lib.kernel_compute(ctypes.byref(args))
    decided = 0
    if place.last_inner and task["kernel"] in _DOTS:
        if lib.kernel_flagged(ctypes.byref(args)) and rescue is not None:
            decided = _rescue(lib, args, rescue, int(task["tile"][3]))
        lib.kernel_epilogue(ctypes.byref(args))
    del keep
    return decided


def _args(
    task: Fields,
    operands: Sequence[Fields],
    program: Sequence[Fields],
    place: Place,
    data: Sequence[Words | None],
    work: Words,
) -> tuple[KernelArgs, Any]:
    head = dict(task) | {
        "n_operands": len(operands),
        "n_instrs": len(program),
        "n_terms": 0,
    }
    text = records.TASK.pack(head)
    text += b"".join(records.OPERAND.pack(operand) for operand in operands)
    text += b"".join(records.INSTR.pack(instr) for instr in program)
    buffer = ctypes.create_string_buffer(text, len(text))
    args = KernelArgs()
    args.point_into(ctypes.addressof(buffer), head)
    four = ctypes.c_uint32 * 4
    args.tile = Tile(four(*place.origin), four(*place.extent), place.first_inner, place.last_inner)
    for i, words in enumerate(data):
        args.data[i] = None if words is None else _address(words)
    args.work = _address(work)
    return args, buffer


def _address(words: Words) -> int:
    assert words.itemsize == 4 and words.flags.c_contiguous and words.flags.writeable
    return int(words.ctypes.data)


def _rescue(
    lib: ctypes.CDLL, args: KernelArgs, rescue: tuple[Words, Words], chunk_size: int
) -> int:
    a, b = (np.ascontiguousarray(x) for x in rescue)
    n_k = a.shape[1]
    lib.kernel_rescue_begin(ctypes.byref(args))
    for k in range(0, n_k, chunk_size):
        chunk = RescueChunk(a.ctypes.data + 4 * k, b.ctypes.data + 4 * k, n_k, 1, n_k, 1)
        chunk.kn = min(chunk_size, n_k - k)
        lib.kernel_rescue_chunk(ctypes.byref(args), ctypes.byref(chunk))
    return int(lib.kernel_rescue_end(ctypes.byref(args)))


def run_task(
    task: Fields,
    operands: Sequence[Fields],
    program: Sequence[Fields],
    arrays: Sequence[Words | None],
    *,
    plain: bool = False,
) -> int:
    """Run every tile of a task on flat arrays (an operand's addr.offset and strides are bytes).

    Lazy operands of a dot on mantissas (4 and 5) are A [batch, M, K] and B [batch, N, K], dense.
    Returns the number of outputs the non-finite rule decided.
    """
    work = np.full(work_words(task, program) + 2, 0xA5A5A5A5, np.uint32)
    decided = 0
    data: list[Words | None] = [None] * len(operands)
    for place in places(task):
        for i, (operand, array) in enumerate(zip(operands, arrays, strict=True)):
            once = task["inner"] != NO_DIM and operand["stride"][task["inner"]] == 0
            if not (once and not place.first_inner):
                data[i] = _load(operand, place, array)
        decided += run_kernel(
            task, operands, program, place, data, work, _lazy(task, place, arrays), plain=plain
        )
        _store(task, operands, place, arrays, data)
    return decided


def _store(
    task: Fields,
    operands: Sequence[Fields],
    place: Place,
    arrays: Sequence[Words | None],
    data: Sequence[Words | None],
) -> None:
    for operand, array, words in zip(operands, arrays, data, strict=True):
        if operand.get("flags", 0) & FLAGS["OPERAND"]["STORE"]:
            inner = task["inner"]
            if place.last_inner or operand["stride"][inner] != 0:
                assert array is not None and words is not None
                array[_index(operand, place)] = words


def _lazy(task: Fields, place: Place, arrays: Sequence[Words | None]) -> tuple[Words, Words] | None:
    if task["kernel"] not in _ON_MANTISSAS:
        return None
    a, b = arrays[4], arrays[5]
    assert a is not None and b is not None
    batch, rows, columns, _ = (
        slice(o, o + n) for o, n in zip(place.origin, place.extent, strict=True)
    )
    return a[batch][0, rows], b[batch][0, columns]


def places(task: Fields) -> Iterator[Place]:
    """Every tile of a task; tiles along inner follow one another."""
    inner = task["inner"]
    dims = [d for d in range(4) if d != inner] + ([] if inner == NO_DIM else [inner])
    starts = [range(0, task["extent"][d], task["tile"][d]) for d in dims]
    for chosen in itertools.product(*starts):
        origin = [0, 0, 0, 0]
        for d, start in zip(dims, chosen, strict=True):
            origin[d] = start
        extent = [min(task["tile"][d], task["extent"][d] - origin[d]) for d in range(4)]
        first = inner == NO_DIM or origin[inner] == 0
        last = inner == NO_DIM or origin[inner] + extent[inner] == task["extent"][inner]
        yield Place(tuple(origin), tuple(extent), first, last)


def _load(operand: Fields, place: Place, array: Words | None) -> Words | None:
    flags = operand.get("flags", 0)
    if flags & FLAGS["OPERAND"]["LAZY"]:
        return None
    index = _index(operand, place)
    if array is None or flags & FLAGS["OPERAND"]["INTERNAL"]:
        return np.full(index.size, 0xA5A5A5A5, np.uint32)
    return np.ascontiguousarray(array[index])


def _index(operand: Fields, place: Place) -> Words:
    """Word numbers in the flat array of each word of the tile in DTCM."""
    fast = operand["fast"]
    free = operand.get("granule1", 1)
    granules = (1, free, free, operand.get("granule3", 1))
    units, align = operand.get("unit_words", 1), operand.get("align_words", 1)
    rows = np.array([operand.get("addr", {}).get("offset", 0) // 4])
    for dim in range(4):
        stride, granule = operand["stride"][dim] // 4, granules[dim]
        if stride != 0 and dim != fast:
            last = (place.origin[dim] + place.extent[dim] - 1) // granule
            here = np.arange(place.origin[dim] // granule, last + 1) * stride
            rows = (rows[:, None] + here).reshape(-1)
    n = units * (1 if fast == NO_DIM else place.extent[fast])
    start = 0 if fast == NO_DIM else place.origin[fast] * operand["stride"][fast] // 4
    index: Words = (rows[:, None] + start + np.arange(-(-n // align) * align)).reshape(-1)
    return index
