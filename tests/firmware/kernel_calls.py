"""Calls of single kernel functions in an ARM program: strip primitives, folds, sums of products.

In: NumPy arrays of float32 bits or integers. Out: what the function wrote, or its cycles. Structures
are laid out as kernels/strip.h and kernels/dot_s28.h say for 32-bit pointers.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import arm_cycles
import numpy as np
from arm_program import ArmProgram

STRIP = 64
N_REGS, N_WORD, STRIP_WORDS = 48, 49, 96
CHUNK = 8


@dataclass(frozen=True)
class Call:
    """A function with its arguments in memory, and where its result will be."""

    program: ArmProgram
    name: str
    arguments: tuple[int, ...]
    out: int
    n_out: int

    def run(self, dtype: str = "uint32") -> np.ndarray:
        """Run it; the words it wrote."""
        self.program.call(self.name, *self.arguments)
        return self.program.read(self.out, self.n_out, dtype)

    def cycles(self) -> int:
        """Run it instruction by instruction; cycles of the model, call and return included."""
        return arm_cycles.count(self.program.trace(self.name, *self.arguments))


def prim(
    program: ArmProgram, name: str, sources: Sequence[np.ndarray], *, imm: int = 0, n: int = STRIP
) -> Call:
    """A strip primitive on up to three sources; the third one's register goes into imm."""
    program.reset()
    out = program.reserve(4 * (n + 1))
    places = [out, *(program.place(source) for source in sources)]
    words = np.zeros(STRIP_WORDS, np.uint32)
    words[: len(places)] = places
    words[N_WORD] = n
    imm = 3 if len(sources) == 3 else imm
    instr = struct.pack("<4BI", 0, 0, 1, 2, imm)
    arguments = (program.place(words), program.place(np.frombuffer(instr, np.uint8)))
    return Call(program, name, arguments, out, n)


def adam(program: ArmProgram, moving: Sequence[np.ndarray], constants: Sequence[np.ndarray]) -> Call:
    """ADAM_F32 on p, m, v, g and b1, c1, b2, c2, alpha, eps; out: p', m', v' one after the other."""
    program.reset()
    n = len(moving[0])
    out = program.reserve(12 * n)
    outs = [out + 4 * n * i for i in range(3)]
    places = [*outs, *map(program.place, moving), *map(program.place, constants)]
    words = np.zeros(STRIP_WORDS, np.uint32)
    words[: len(places)] = places
    words[N_WORD] = n
    instrs = struct.pack("<4BI", 0, 0, 1, 2, 0)
    instrs += struct.pack("<4BI", 0, 3, 4, 5, 6 | 7 << 8 | 8 << 16 | 9 << 24)
    instrs += struct.pack("<4BI", 0, 10, 11, 12, 0)
    arguments = (program.place(words), program.place(np.frombuffer(instrs, np.uint8)))
    return Call(program, "prim_adam_f32", arguments, out, 3 * n)


def merge(program: ArmProgram, acc: np.ndarray, x: np.ndarray) -> Call:
    """merge_add_f32: acc[i] + x[i]."""
    program.reset()
    out = program.place(acc)
    return Call(program, "merge_add_f32", (out, program.place(x), len(x)), out, len(x))


def panel(rows: np.ndarray, pitch: int) -> np.ndarray:
    """[F][K] int32 (F even, K a multiple of 8) as chunks of `pitch` words (docs/spec/image.md)."""
    n_f, n_k = rows.shape
    out = np.zeros((n_k // CHUNK, pitch), np.int32)
    chunks = rows.reshape(n_f // 2, 2, n_k // CHUNK, CHUNK).transpose(2, 0, 3, 1)
    out[:, : n_f * CHUNK] = chunks.reshape(n_k // CHUNK, -1)
    return out


def dot_sums(program: ArmProgram, a: np.ndarray, b: np.ndarray, start: np.ndarray) -> Call:
    """dot_s28_sums of two rows a[2][K] and b[N][K] on top of start[2][N]."""
    program.reset()
    pitch_a, pitch_b = 16, len(b) * CHUNK + 16
    guard = program.reserve(64)
    places = program.place(panel(a, pitch_a)), program.place(panel(b, pitch_b))
    pair = np.array([*places, pitch_a, pitch_b, len(b), a.shape[1] // CHUNK], np.uint32)
    out = program.place(start)
    assert guard
    return Call(program, "dot_s28_sums", (out, program.place(pair)), out, start.size)
