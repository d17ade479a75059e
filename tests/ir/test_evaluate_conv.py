"""convolution of the evaluator: plain integers, the bound, JAX, non-finite values, order."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import jax
import numpy as np
import pytest
from jax import lax

from spindle.ir import evaluate_dot as dots
from spindle.ir.convolution import form, geometry
from spindle.ir.dot_modes import conv_numerics, of_mode
from spindle.ir.evaluate import evaluate
from spindle.ir.graph import ConvNumerics

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import conv_data as data
from numerics_data import EDGE_K
from test_evaluate_dot import exponent, nonfinite_meaning, rne, to_float32

FORMS = ("forward", "weight_gradient")


def run(op, lhs, rhs, mode="bfp28"):
    return evaluate(data.module_with(op), [lhs, rhs], data.Options(matmul=mode))[0]


CLOSE = {"bfp28": 0, "float32": 0, "bfp16": 1e-3, "bfp13": 1e-2}
"""In units of a result's largest element."""


@pytest.mark.parametrize("mode", data.MODES)
@pytest.mark.parametrize("name", data.LAYERS)
def test_a_layer_and_its_gradients_mean_what_jax_computes(name, mode):
    layer = data.LAYERS[name]
    args = data.arguments(layer)
    got = evaluate(data.training(layer), list(args), data.Options(matmul=mode))
    want = jax.jit(layer.training)(*args)
    for ours, theirs in zip(got, want, strict=True):
        np.testing.assert_allclose(
            ours, theirs, rtol=1e-5, atol=2e-5 + CLOSE[mode] * abs(theirs).max()
        )


def test_batch_groups_and_reversal_mean_what_jax_computes():
    rng = np.random.default_rng(0)
    x, w = data.floats(rng, (4, 5, 5, 3)), data.floats(rng, (3, 3, 3, 6))

    def grouped(x, w):
        return lax.conv_general_dilated(
            x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"), batch_group_count=2
        )

    module = data.module_of(grouped, (x, w))
    np.testing.assert_allclose(
        evaluate(module, [x, w])[0], jax.jit(grouped)(x, w), rtol=1e-5, atol=2e-5
    )


# Bits, from the page and plain Python integers


def counts(x):
    return bool(np.isfinite(x) and x != 0)


def tops(rows):
    """Largest exponent per row and channel of [rows, C, H, W]; None where nothing counts."""
    return [
        [max((exponent(x) for x in channel.flat if counts(x)), default=None) for channel in row]
        for row in rows
    ]


def most(values):
    return max((value for value in values if value is not None), default=None)


def relative(table):
    found = []
    for c in range(len(table[0])):
        steps = [row[c] - most(row) for row in table if row[c] is not None]
        found.append(most(steps))
    return found


def slow_exponents(a, b, balanced):
    """d per channel, E per image, F per output feature; None where nothing has one."""
    ta, tb = tops(a), tops(b)
    pairs = zip(relative(ta), relative(tb), strict=True)
    d = [0 if not balanced or x is None or y is None else (y - x) // 2 for x, y in pairs]
    e = [most(v + s for v, s in zip(row, d, strict=True) if v is not None) for row in ta]
    f = [most(v - s for v, s in zip(row, d, strict=True) if v is not None) for row in tb]
    return d, e, f


def slow_terms(a, b, place, stride, order):
    """(image element or 0, weight, channel) of one output in contracted order; padding is 1."""
    channels, window = range(a.shape[0]), list(np.ndindex(*b.shape[1:]))
    if order == "forward":
        index = [(c, w) for w in window for c in channels]
    else:
        index = [(c, w) for c in channels for w in window]
    for c, w in index:
        at = [p * stride + i - 1 for p, i in zip(place, w, strict=True)]
        inside = all(0 <= i < n for i, n in zip(at, a.shape[1:], strict=True))
        yield (a[(c, *at)] if inside else np.float32(0)), b[(c, *w)], c


def mantissa(x, d, e, bits=28):
    if not counts(x):
        return 0
    limit = 2 ** (bits - 1) - 1
    return min(max(rne(Fraction(float(x)) * Fraction(2) ** (d + bits - 2 - e)), -limit), limit)


def slow_whole(terms, e, f, mode):
    """bfp16 or bfp13: one exact sum, rounded once."""
    bits, drop = {"bfp16": (16, 7), "bfp13": (13, 0)}[mode]
    if e is None or f is None:
        return np.float32(0)
    s = sum(mantissa(x, 0, e, bits) * mantissa(w, 0, f, bits) // 2**drop for x, w, _ in terms)
    s += len(terms) // 2 if drop else 0
    return to_float32(Fraction(s) * Fraction(2) ** (e + f - 2 * (bits - 2) + drop))


def slow_output(terms, d, e, f, k_block):
    total, e, f = np.float32(0), e or 0, f or 0
    for start in range(0, len(terms), k_block):
        block = terms[start : start + k_block]
        s = sum(mantissa(x, d[c], e) * mantissa(w, -d[c], f) for x, w, c in block)
        value = to_float32(Fraction(s) * Fraction(2) ** (e + f - 52))
        total = np.float32(total + value) if start else value
    return total


@pytest.mark.parametrize("mode", data.BFP_MODES)
@pytest.mark.parametrize("order", FORMS)
@pytest.mark.parametrize("name", [name for name in data.OPERANDS if name != "overflow"])
def test_bits_equal_plain_python_integers(name, order, mode):
    a, b = data.operands(name, 2, 3, 2, 4, 3)
    balanced = mode == "bfp28"
    numerics = ConvNumerics("bfp28", order, k_block=8) if balanced else None
    op = data.conv_op(a, b, order, strides=(2, 2), numerics=numerics)
    got = run(op, data.laid_out(a, order), b, mode)
    d, e, f = slow_exponents(a, b, balanced)
    for m, n, *place in np.ndindex(*got.shape):
        terms = list(slow_terms(a[m], b[n], place, 2, order))
        if balanced:
            want = slow_output(terms, d, e[m], f[n], 8)
        else:
            want = slow_whole(terms, e[m], f[n], mode)
        assert got[(m, n, *place)].view(np.uint32) == want.view(np.uint32), (m, n, place)


# The bound


def check_bound(op, lhs, rhs, mode):
    order = form(op)
    a, b = data.matrices(op, lhs, rhs, order)
    exact = a.astype(np.longdouble) @ b.astype(np.longdouble).swapaxes(1, 2)
    shape = geometry(op)
    got = run(op, lhs, rhs, mode).transpose(0, 2, 3, 1)
    got = got.reshape(shape.images * shape.places, shape.groups, shape.outputs).swapaxes(0, 1)
    assert (np.abs(got - exact) <= data.bound(op, lhs, rhs, order, mode)).all()


SHAPES = [(2, 3, 4, 6, 3), (1, 70, 2, 4, 3), (3, 5, 3, 7, 5), (2, 1, 1, 5, 1)]


@pytest.mark.parametrize("mode", data.BFP_MODES)
@pytest.mark.parametrize("order", FORMS)
@pytest.mark.parametrize("name", [name for name in data.OPERANDS if name != "overflow"])
def test_error_stays_in_the_bound(name, order, mode):
    for shape in SHAPES:
        a, b = data.operands(name, *shape)
        for attrs in ({}, {"strides": (2, 2)}, {"lhs_dilation": (2, 2)}, {"rhs_dilation": (1, 2)}):
            check_bound(data.conv_op(a, b, order, **attrs), data.laid_out(a, order), b, mode)


@pytest.mark.parametrize("mode", data.BFP_MODES)
@pytest.mark.parametrize("order", FORMS)
@pytest.mark.parametrize(("channels", "window"), [*((k, 1) for k in EDGE_K), (57, 3), (113, 3)])
def test_largest_mantissas_at_block_edges(channels, window, order, mode):
    a, b = data.operands("all max", 2, channels, 2, 3, window)
    check_bound(data.conv_op(a, b, order), data.laid_out(a, order), b, mode)


@pytest.mark.parametrize("mode", data.BFP_MODES)
def test_a_long_contraction(mode):
    """63 images of 40 x 40: 100,800 positions."""
    a, b = data.operands("constant", 63, 1, 2, 40, 40)
    transposed = a.swapaxes(0, 1), np.repeat(b[:, :1], 63, axis=1)
    lhs = data.laid_out(transposed[0], "weight_gradient")
    check_bound(data.conv_op(*transposed, "weight_gradient"), lhs, transposed[1], mode)


# Form, order, non-finite


def test_only_the_order_of_blocks_tells_the_forms_apart():
    a, b = data.operands("channel scales", 2, 70, 3, 4, 3)
    short = data.operands("channel scales", 2, 50, 3, 4, 3)
    for (x, w), same in (((a, b), False), (short, True)):
        results = [run(data.conv_op(x, w, order), data.laid_out(x, order), w) for order in FORMS]
        assert (results[0] == results[1]).all() == same


def test_reversal_is_a_reversed_kernel_bit_for_bit():
    a, b = data.operands("channel scales", 2, 70, 3, 4, 3)
    turned = run(data.conv_op(a, b, reversal=(True, False)), a, b)
    plain = run(data.conv_op(a, b), a, np.ascontiguousarray(b[:, :, ::-1]))
    assert (turned.view(np.uint32) == plain.view(np.uint32)).all()


@pytest.mark.parametrize("mode", data.BFP_MODES)
@pytest.mark.parametrize("order", FORMS)
@pytest.mark.parametrize("name", data.NONFINITE)
def test_infinities_and_nans(name, order, mode):
    a, b = data.nonfinite(name)
    op, lhs = data.conv_op(a, b, order), data.laid_out(a, order)
    windows, kernel = data.matrices(op, lhs, b, order)
    expected = nonfinite_meaning(windows[0], kernel[0].T).reshape(4, 5, 5, 4).transpose(0, 3, 1, 2)
    got = run(op, lhs, b, mode)
    special = ~np.isfinite(expected)
    assert special.any() and not special.all()
    assert (got.view(np.uint32)[np.isnan(expected)] == 0x7FC00000).all()
    infinite = special & ~np.isnan(expected)
    assert (got[infinite] == expected[infinite]).all()
    clean = [np.where(np.isfinite(x), x, np.float32(0)) for x in (lhs, b)]
    assert (run(op, *clean, mode)[~special] == got[~special]).all()


def test_an_infinite_weight_meets_the_zeros_of_padding():
    a, b = data.operands("gauss", 1, 1, 1, 3, 3)
    b[0, 0, 0, 0] = np.inf
    got = run(data.conv_op(a, b), a, b)
    assert np.isnan(got[0, 0, 0]).all() and np.isinf(got[0, 0, 1, 1])
    valid = run(data.conv_op(a, b, padding=((0, 0), (0, 0))), a, b)
    assert np.isinf(valid).all()


def test_overflow_is_the_infinity_that_the_order_gives():
    a, b = data.operands("constant", 1, 1024, 1, 1, 1)
    a, b = np.sign(a) * np.float32(3e38), np.sign(b)
    padding = ((0, 0), (0, 0))
    assert run(data.conv_op(a, b, padding=padding), a, b)[0, 0, 0, 0] == np.inf
    b[0, 512:] = -1
    assert np.isnan(run(data.conv_op(a, b, padding=padding), a, b)[0, 0, 0, 0])


def test_float32_mode_rounds_each_step_in_order():
    a, b = data.operands("gauss", 1, 3, 2, 4, 3)
    for order in FORMS:
        got = run(data.conv_op(a, b, order), data.laid_out(a, order), b, "float32")
        for n, *place in np.ndindex(2, 4, 4):
            terms = [x * w for x, w, _ in slow_terms(a[0], b[n], place, 1, order)]
            total = terms[0]
            for term in terms[1:]:
                total = np.float32(total + term)
            assert got[(0, n, *place)] == total


def test_integers_wrap():
    a, b = np.full((1, 2, 1, 1), 2**30, np.int32), np.full((1, 2, 1, 1), 3, np.int32)
    got = run(data.conv_op(a, b, padding=((0, 0), (0, 0))), a, b)
    assert got.tolist() == [[[[(6 * 2**30 + 2**31) % 2**32 - 2**31]]]]


@pytest.mark.parametrize(
    ("images", "channels", "outputs", "window"), [(0, 2, 3, 3), (2, 0, 3, 3), (2, 2, 0, 3)]
)
def test_nothing_gives_nothing_or_plus_zero(images, channels, outputs, window):
    a = np.ones((images, channels, 4, 4), np.float32)
    b = -np.ones((outputs, channels, window, window), np.float32)
    got = run(data.conv_op(a, b), a, b)
    assert got.shape == (images, outputs, 4, 4) and not got.view(np.uint32).any()


def test_windows_that_do_not_fit_and_images_that_are_cropped_away():
    a, b = data.operands("gauss", 1, 2, 2, 3, 5)
    assert run(data.conv_op(a, b, padding=((0, 0), (1, 1))), a, b).shape == (1, 2, 0, 1)
    cropped = data.conv_op(a, b[:, :, :1, :1], padding=((-2, -2), (0, 0)))
    assert run(cropped, a, b[:, :, :1, :1]).shape == (1, 2, 0, 3)


def test_the_whole_image_counts_for_its_exponent():
    """A large element that no window meets costs accuracy all the same: the exponent is one."""
    a, b = data.operands("gauss", 1, 2, 2, 5, 1)
    attrs = {"strides": (2, 2), "padding": ((0, 0), (0, 0))}
    before = run(data.conv_op(a, b, **attrs), a, b)
    a[0, 0, 1, 1] = 1e6
    after = run(data.conv_op(a, b, **attrs), a, b)
    assert (before != after).any()
    np.testing.assert_allclose(before, after, atol=1e-1)


def test_options_and_precision_decide_the_mode():
    a, b = data.operands("gauss", 1, 3, 2, 4, 3)
    for precision, matmul, mode in (
        ("DEFAULT", "float32", "float32"),
        ("HIGHEST", "float32", "bfp28"),
        ("HIGH", "float32", "bfp16"),
        ("DEFAULT", "bfp13", "bfp13"),
        ("float32", "bfp28", "float32"),
    ):
        op = data.conv_op(a, b, precision=precision)
        found = conv_numerics(op, data.Options(matmul=matmul))
        plain = of_mode(mode)
        assert found == ConvNumerics(mode, "forward", plain.mantissa, plain.k_block)
    assert dots.NONFINITE_FLAG == 1 << 16
