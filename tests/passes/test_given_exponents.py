"""given_exponents: d and exponent words are the evaluator's, on every kind of data."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from pass_tools import module_of

from spindle.ir import evaluate_conv
from spindle.ir.convolution import geometry
from spindle.ir.dot_modes import conv_numerics
from spindle.ir.evaluate import evaluate
from spindle.ir.evaluate_dot import EMPTY, EMPTY_EXPONENT, NONFINITE_FLAG, Quantised
from spindle.ir.rewrite import Builder
from spindle.options import Options
from spindle.passes import given_exponents

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import conv_data as data

PAIRS = [data.operands(name, 4, 6, 4, 5, 3) for name in data.OPERANDS]
PAIRS += [tuple(np.tile(x, (1, 2, 1, 1)) for x in data.nonfinite(name)) for name in data.NONFINITE]


def words(found: Quantised, nothing: int) -> np.ndarray:
    """Exponent words of rows, flat."""
    flags = found.nonfinite * np.int32(NONFINITE_FLAG)
    e = np.where(found.e[:, :, 0] == EMPTY, nothing, found.e[:, :, 0])
    return ((e & 0xFFFF) | flags).reshape(-1)


@pytest.mark.parametrize("mode", data.BFP_MODES)
@pytest.mark.parametrize("form", data.FORMS)
@pytest.mark.parametrize("groups", [{}, {"feature_groups": 2}, {"batch_groups": 2}])
@pytest.mark.parametrize("pair", PAIRS)
def test_words_of_the_definition(pair, groups, form, mode):
    a, b = pair
    b = b[:, : 6 // groups.get("feature_groups", 1)]
    op = data.conv_op(a, b, form, **groups)
    shape, lhs = geometry(op), data.laid_out(a, form)
    images = evaluate_conv.images_of(op, lhs, shape)
    kernel = evaluate_conv.kernel_of(op, b, shape)
    numerics = conv_numerics(op, Options(matmul=mode))
    balanced = mode == "bfp28"
    d = evaluate_conv.balance(images, kernel) * balanced
    nothing = 0 if balanced else EMPTY_EXPONENT
    sides = [evaluate_conv.quantised(images, d, numerics)]
    sides.append(evaluate_conv.quantised(kernel, -d, numerics))
    builder = Builder()
    values = given_exponents.emit(builder, op, shape, numerics)
    *given_d, rows, columns = evaluate(module_of(builder, list(op.operands), values), [lhs, b])
    order = np.tile if form == "forward" else np.repeat
    assert len(given_d) == balanced
    if balanced:
        assert (given_d[0].reshape(d.shape[0], -1) == [order(row, 9) for row in d]).all()
    assert (rows.reshape(-1, shape.places) == words(sides[0], nothing)[:, None]).all()
    assert (columns == words(sides[1], nothing)).all()
