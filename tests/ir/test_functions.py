"""Elementary functions: error in ulp against long double, special cases, C twin, tables current."""

from __future__ import annotations

import ctypes
import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spindle.ir import functions

ROOT = Path(__file__).resolve().parents[2]
NAN, INF = np.float32(np.nan), np.float32(np.inf)
MAX_ULP = 0.54

EXACT = {
    "exponential": np.exp,
    "exponential_minus_one": np.expm1,
    "log": np.log,
    "log_plus_one": np.log1p,
    "tanh": np.tanh,
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "rsqrt": lambda x: 1 / np.sqrt(x),
}
C_NAMES = {
    "exponential": "fn_exp",
    "exponential_minus_one": "fn_expm1",
    "log": "fn_log",
    "log_plus_one": "fn_log1p",
    "tanh": "fn_tanh",
    "logistic": "fn_logistic",
    "rsqrt": "fn_rsqrt",
    "power": "fn_pow",
}
HOST_FLAGS = [
    *["-O2", "-mcpu=native", "-shared", "-fPIC", "-std=c11", "-ffp-contract=off"],
    *["-fno-fast-math", "-fwrapv", "-fno-strict-aliasing", "-fno-sanitize=undefined"],
    *["-Wall", "-Wextra", "-Werror"],
]


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def apply(name: str, *args: np.ndarray) -> np.ndarray:
    return getattr(functions, name)(*(a.view(np.uint32) for a in args)).view(np.float32)


def edges() -> np.ndarray:
    """Bits around every power of two and around the functions' branch points."""
    exact = [0, 0x7F800000, 0x7FC00000, 0x7F800001, 0x7FFFFFFF, 1, 2, 0x7FFFFF, 0x7F7FFFFF]
    points = [88.72284, 103.97208, 87.33655, 17.328679, 9.0109, 0.34657359, 0.70710677]
    centres = [field << 23 for field in range(1, 255)]
    centres += np.array(points, np.float32).view(np.uint32).tolist()
    around = [c + step for c in centres for step in range(-40, 41)]
    positive = np.array([*exact, *around], np.int64)
    return np.concatenate([positive, positive | 0x80000000]).astype(np.uint32)


def inputs(n: int, seed: int) -> np.ndarray:
    """float32: any bits, magnitudes people use, close to 1, the range of exp; and the edges."""
    rng = np.random.default_rng(seed)
    anything = rng.integers(0, 2**32, n, dtype=np.uint32).view(np.float32)
    usual = rng.standard_normal(n) * 10 ** rng.uniform(-3, 2, n)
    near_one = 1 + rng.standard_normal(n) * 10 ** rng.uniform(-7, 0, n)
    parts = [anything, usual, near_one, rng.uniform(-110, 110, n), edges().view(np.float32)]
    return np.concatenate([part.astype(np.float32, copy=False) for part in parts])


def worst_ulp(got: np.ndarray, exact: np.ndarray) -> float:
    """Largest error in units of the last place; Inf and NaN must agree exactly."""
    with np.errstate(all="ignore"):
        rounded = exact.astype(np.float32)
    assert (np.isnan(got) == np.isnan(rounded)).all()
    finite = np.isfinite(rounded) & np.isfinite(got)
    assert (got[~finite & ~np.isnan(got)] == rounded[~finite & ~np.isnan(got)]).all()
    exponent = np.frexp(exact[finite].astype(np.float64))[1]
    unit = np.ldexp(1.0, np.maximum(exponent - 24, -149))
    return float(np.max(np.abs(got[finite].astype(np.longdouble) - exact[finite]) / unit))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", EXACT)
def test_unary_error(name):
    x = inputs(150_000, seed=1)
    assert worst_ulp(apply(name, x), EXACT[name](x.astype(np.longdouble))) < MAX_ULP


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_power_error_on_any_bits():
    x = inputs(100_000, seed=2)
    y = np.random.default_rng(3).permutation(inputs(100_000, seed=4))
    exact = np.power(x.astype(np.longdouble), y.astype(np.longdouble))
    assert worst_ulp(apply("power", x, y), exact) < MAX_ULP


def test_power_of_a_decay_rate_over_a_million_steps():
    t = np.arange(1, 1_000_001, 3).astype(np.float32)
    for base in (0.9, 0.99, 0.999, 0.99999994):
        x = np.full_like(t, base)
        exact = np.power(x.astype(np.longdouble), t.astype(np.longdouble))
        assert worst_ulp(apply("power", x, t), exact) < MAX_ULP


def test_power_close_to_one_with_results_over_the_whole_range():
    rng = np.random.default_rng(5)
    x = (1 + rng.integers(1, 5000, 200_000) * rng.choice([-1, 1], 200_000) * 2.0**-24).astype("f4")
    x = x[x != 1]
    y = (rng.uniform(-100, 88, x.size) / np.log(x.astype(np.float64))).astype(np.float32)
    exact = np.power(x.astype(np.longdouble), y.astype(np.longdouble))
    assert worst_ulp(apply("power", x, y), exact) < MAX_ULP


def test_power_special_cases_are_those_of_ieee_pow():
    values = floats(0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 2.5, -2.5, INF, -INF, NAN, 1e-45,
                    -1e-45, 3.4e38, -3.4e38, 2**24 - 1, 2**24, 1 - 2**24, 1e-30)  # fmt: skip
    x, y = (g.ravel() for g in np.meshgrid(values, values, indexing="ij"))
    with np.errstate(all="ignore"):
        expected = np.power(x.astype(np.float64), y.astype(np.float64)).astype(np.float32)
    got = apply("power", x, y)
    expected_bits = np.where(np.isnan(expected), 0x7FC00000, expected.view(np.uint32))
    off = np.abs(got.view(np.uint32).astype(np.int64) - expected_bits)
    special = ~np.isfinite(expected) | (expected == 0) | (np.abs(expected) == 1)
    assert off[special].max() == 0
    assert off.max() <= 1


def test_exact_results():
    whole = np.arange(-149, 128)
    assert (apply("power", np.full(277, 2, "f4"), whole.astype("f4")) == np.ldexp(1.0, whole)).all()
    assert apply("exponential", floats(0, -0.0)).tolist() == [1, 1]
    assert apply("logistic", floats(0, -0.0)).tolist() == [0.5, 0.5]
    assert apply("rsqrt", floats(4, 0.25, 1, 2**-126)).tolist() == [0.5, 2, 1, 2.0**63]
    assert apply("log", floats(1)).view(np.uint32).tolist() == [0]


@pytest.mark.parametrize("name", ["exponential_minus_one", "log_plus_one", "tanh"])
def test_odd_at_zero(name):
    x = floats(0, -0.0, 1e-45, -1e-45, 1e-40, -1e-40)
    assert (apply(name, x).view(np.uint32) == x.view(np.uint32)).all()


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("exponential", [INF, -INF, 88.8, -104], [INF, 0, INF, 0]),
        ("exponential_minus_one", [INF, -INF, 89], [INF, -1, INF]),
        ("log", [INF, 0, -0.0, -1, -INF], [INF, -INF, -INF, NAN, NAN]),
        ("log_plus_one", [INF, -1, -1.5, -INF], [INF, -INF, NAN, NAN]),
        ("tanh", [INF, -INF], [1, -1]),
        ("logistic", [INF, -INF, 200, -200], [1, 0, 1, 0]),
        ("rsqrt", [INF, 0, -0.0, -1, -INF], [0, INF, -INF, NAN, NAN]),
    ],
)
def test_special_values(name, x, y):
    got = apply(name, floats(*x)).view(np.uint32)
    assert got.tolist() == floats(*y).view(np.uint32).tolist()


def test_functions_keep_shapes():
    assert functions.exponential(np.zeros((), np.uint32)).shape == ()
    assert functions.power(np.zeros((0, 3), np.uint32), np.zeros((0, 3), np.uint32)).shape == (0, 3)


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> ctypes.CDLL:
    """fn.c built for the host with a loop around each function."""
    folder = tmp_path_factory.mktemp("fn")
    loops = ['#include "fn.h"', "#include <stddef.h>"]
    for name in C_NAMES.values():
        second = ", y[i]" if name == "fn_pow" else ""
        loops.append(
            f"void loop_{name}(const uint32_t *x, const uint32_t *y, uint32_t *out, size_t n)"
            f"{{ (void)y; for (size_t i = 0; i < n; i++) out[i] = {name}(x[i]{second}); }}"
        )
    (folder / "loops.c").write_text("\n".join(loops))
    firmware = ROOT / "spindle/firmware"
    includes = [f"-I{firmware / 'include'}", f"-I{firmware / 'hal/host'}"]
    sources = [str(firmware / "kernels/fn.c"), str(folder / "loops.c")]
    command = [sys.executable, "-m", "ziglang", "cc", *HOST_FLAGS, *includes, *sources]
    subprocess.run([*command, "-o", str(folder / "fn.so")], check=True)
    return ctypes.CDLL(str(folder / "fn.so"))


@pytest.mark.parametrize("name", C_NAMES)
def test_c_twin_gives_the_same_bits(library, name):
    x = inputs(260_000, seed=6).view(np.uint32)
    y = np.random.default_rng(7).permutation(inputs(260_000, seed=8).view(np.uint32))
    y[::5] = np.random.default_rng(9).integers(-40, 41, y[::5].size).astype("f4").view(np.uint32)
    out = np.empty_like(x)
    pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (x, y, out)]
    getattr(library, f"loop_{C_NAMES[name]}")(*pointers, ctypes.c_size_t(x.size))
    args = (x, y) if name == "power" else (x,)
    assert x.size >= 1_000_000
    assert (out == getattr(functions, name)(*args)).all()


def test_committed_tables_are_current():
    spec = importlib.util.spec_from_file_location("make_tables", ROOT / "tools/make_tables.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for path, text in module.render().items():
        assert path.read_text() == text, f"{path.name} is stale: run tools/make_tables.py"
