"""Make the tables of the elementary functions: spindle/ir/function_tables.py and its C twin.

In: nothing but 80-digit decimal arithmetic. Out: the two committed files, printed numbers of
docs/spec/functions.md. Run `python tools/make_tables.py` after a change; a test runs `render` and
compares. Polynomials interpolate at Chebyshev nodes, which is within a fraction of a bit of the
best fit at these degrees.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, getcontext
from pathlib import Path

getcontext().prec = 80
ROOT = Path(__file__).resolve().parent.parent
PYTHON_PATH = ROOT / "spindle/ir/function_tables.py"
C_PATH = ROOT / "spindle/firmware/include/function_tables.h"

ONE, TWO, HALF = Decimal(1), Decimal(2), Decimal("0.5")
LN2 = TWO.ln()
LOG2E = ONE / LN2
TINY = Decimal("1e-25")  # stands for 0 where a formula divides by its argument

EXP2_STEPS = 64
LOG_STEPS = 64
LOG_SPLIT = 27  # first interval counted as below 1 of the next octave: 1 + 26.5 / 64 ~ sqrt(2)
RSQRT_STEPS = 32  # per octave, two octaves

Function = Callable[[Decimal], Decimal]


def fixed(value: Decimal, bits: int) -> int:
    """Round value * 2^bits to an integer."""
    return int((value * TWO**bits).to_integral_value())


def log2(x: Decimal) -> Decimal:
    return x.ln() / LN2


def fit(function: Function, low: Decimal, high: Decimal, degree: int) -> list[Decimal]:
    """Coefficients, lowest power first, of the interpolant at degree + 1 Chebyshev nodes."""
    n = degree + 1
    cosines = [Decimal(round(math.cos(math.pi * (i + 0.5) / n), 9)) for i in range(n)]
    nodes = [(low + high) / 2 + (high - low) / 2 * c for c in cosines]
    return monomials(nodes, divided_differences(nodes, [function(x or TINY) for x in nodes]))


def divided_differences(nodes: list[Decimal], values: list[Decimal]) -> list[Decimal]:
    table = list(values)
    for level in range(1, len(nodes)):
        for i in range(len(nodes) - 1, level - 1, -1):
            table[i] = (table[i] - table[i - 1]) / (nodes[i] - nodes[i - level])
    return table


def monomials(nodes: list[Decimal], newton: list[Decimal]) -> list[Decimal]:
    """Expand a Newton form into powers."""
    result = [newton[-1]]
    for node, coefficient in zip(reversed(nodes[:-1]), reversed(newton[:-1]), strict=True):
        shifted = [Decimal(0), *result]
        result = [s - node * r for s, r in zip(shifted, [*result, Decimal(0)], strict=True)]
        result[0] += coefficient
    return result


def reciprocals() -> list[int]:
    """round(512 / (1 + i/64)) for the intervals centred on 1 + i/64, i = 0..64."""
    return [fixed(512 / (1 + Decimal(i) / LOG_STEPS), 0) for i in range(LOG_STEPS + 1)]


def log2_table() -> list[int]:
    """-log2 of the reciprocal, less 1 from LOG_SPLIT on, Q55."""
    return [
        fixed(-log2(Decimal(c) / 512) - (i >= LOG_SPLIT), 55) for i, c in enumerate(reciprocals())
    ]


def largest_z() -> Decimal:
    """Largest |m * c - 1| over all intervals of the reciprocal table."""
    ends = [
        (1 + (Decimal(i) + side) / LOG_STEPS) * Decimal(c) / 512 - 1
        for i, c in enumerate(reciprocals())
        for side in (-HALF, HALF)
        if 0 <= i + side <= LOG_STEPS
    ]
    return max(abs(z) for z in ends)


def log2_poly() -> list[int]:
    """(log2(1 + z) / z - log2(e)) / z in powers of z: Q31, Q26, Q21, Q16."""
    z = largest_z()
    terms = fit(lambda x: (log2(1 + x) / x - LOG2E) / x, -z, z, 3)
    return [fixed(t, bits) for t, bits in zip(terms, (31, 26, 21, 16), strict=True)]


def exp2_poly() -> list[int]:
    """(2^(t/64) - 1) / t in powers of t, Q37."""
    terms = fit(lambda t: (((t / EXP2_STEPS) * LN2).exp() - 1) / t, Decimal(0), ONE, 2)
    return [fixed(t, 37) for t in terms]


def expm1_poly() -> list[int]:
    """(exp(x) - 1 - x) / x^2 in powers of x, |x| <= 1/2, Q31."""
    return [fixed(t, 31) for t in fit(lambda x: (x.exp() - 1 - x) / (x * x), -HALF, HALF, 6)]


def tanh_poly() -> list[int]:
    """(tanh(x) / x - 1) / y in powers of y = x^2, 0 <= y <= 1/4, Q31."""

    def ratio(y: Decimal) -> Decimal:
        x = y.sqrt()
        e = (2 * x).exp()
        return ((e - 1) / (e + 1) / x - 1) / y

    return [fixed(t, 31) for t in fit(ratio, Decimal(0), HALF * HALF, 5)]


def rsqrt_centres() -> list[Decimal]:
    halves = [1 + (Decimal(i) + HALF) / RSQRT_STEPS for i in range(RSQRT_STEPS)]
    return halves + [2 * c for c in halves]


def rsqrt_poly() -> list[int]:
    """((1 + z)^-1/2 - 1) / z in powers of z, |z| <= 1/60: Q31, Q27, Q23, Q19."""
    edge = ONE / 60
    terms = fit(lambda z: (1 / (1 + z).sqrt() - 1) / z, -edge, edge, 3)
    return [fixed(t, bits) for t, bits in zip(terms, (31, 27, 23, 19), strict=True)]


def tables() -> dict[str, tuple[str, list[int]]]:
    """Name -> (C element type, values)."""
    exp2 = [fixed((LN2 * i / EXP2_STEPS).exp(), 31) for i in range(EXP2_STEPS)]
    return {
        "EXP2_TABLE": ("uint32_t", exp2),
        "EXP2_POLY": ("uint32_t", exp2_poly()),
        "LOG_RECIPROCAL": ("uint16_t", reciprocals()),
        "LOG2_TABLE": ("int64_t", log2_table()),
        "LOG2_POLY": ("int32_t", log2_poly()),
        "RSQRT_TABLE": ("uint16_t", [fixed(1 / c.sqrt(), 16) for c in rsqrt_centres()]),
        "RSQRT_POLY": ("int32_t", rsqrt_poly()),
        "EXPM1_POLY": ("int32_t", expm1_poly()),
        "TANH_POLY": ("int32_t", tanh_poly()),
    }


def constants() -> dict[str, int]:
    high = int(LOG2E * TWO**31)
    return {
        "LOG2E_HIGH": high,
        "LOG2E_LOW": fixed(LOG2E * TWO**31 - high, 32),
        "LOG2E_Q62": fixed(LOG2E, 62),
        "LN2_Q32": fixed(LN2, 32),
        "LOG_SPLIT": LOG_SPLIT,
    }


def rows(values: list[int]) -> list[str]:
    widest = max(map(abs, values))
    per_row = 4 if widest >= 1 << 32 else 6 if widest >= 1 << 24 else 8
    chunks = [values[i : i + per_row] for i in range(0, len(values), per_row)]
    return ["    " + ", ".join(map(str, chunk)) + "," for chunk in chunks]


def render_python() -> str:
    lines = [
        '"""Tables of the elementary functions; docs/spec/functions.md says what each holds.',
        "",
        "Generated by tools/make_tables.py: do not edit.",
        '"""',
        "",
        "# fmt: off",
    ]
    lines += [f"{name} = {value}" for name, value in constants().items()]
    for name, (_, values) in tables().items():
        lines += [f"{name} = (", *rows(values), ")"]
    return "\n".join(lines) + "\n"


def c_integer(value: int) -> str:
    if abs(value) < 1 << 31:
        return str(value)
    return f"{value}u" if value < 1 << 32 else f"INT64_C({value})"


def render_c() -> str:
    lines = [
        "/* Tables of the elementary functions; docs/spec/functions.md says what each holds.",
        " *",
        " * Generated by tools/make_tables.py: do not edit.",
        " */",
        "#ifndef SPINDLE_FUNCTION_TABLES_H",
        "#define SPINDLE_FUNCTION_TABLES_H",
        "",
        "#include <stdint.h>",
        "",
    ]
    lines += [f"#define {name} {c_integer(value)}" for name, value in constants().items()]
    for name, (kind, values) in tables().items():
        suffix = {"uint32_t": "u", "int64_t": "LL"}.get(kind, "")
        body = [row.replace(",", suffix + ",") for row in rows(values)]
        lines += ["", f"static const {kind} {name}[{len(values)}] = {{", *body, "};"]
    return "\n".join([*lines, "", "#endif"]) + "\n"


def render() -> dict[Path, str]:
    """Both files: {path: text}."""
    return {PYTHON_PATH: render_python(), C_PATH: render_c()}


def main() -> None:
    for path, text in render().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    sizes = {"uint16_t": 2, "uint32_t": 4, "int32_t": 4, "int64_t": 8}
    total = sum(sizes[kind] * len(values) for kind, values in tables().values())
    print(f"{total} bytes of tables, largest |z| of the logarithm {float(largest_z()):.6f}")


if __name__ == "__main__":
    main()
