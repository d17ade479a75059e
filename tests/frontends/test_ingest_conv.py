"""stablehlo.convolution and reverse: every attribute arrives; what stays out is said."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from jax import lax

from spindle.errors import UnsupportedError
from spindle.frontends.ingest import ingest
from spindle.ir.evaluate import evaluate
from spindle.ir.graph import Module, Op, walk
from spindle.ir.text import from_text, to_text
from spindle.ir.verify import verify

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import conv_data as data


def convolutions(module: Module) -> list[Op]:
    verify(module)
    assert to_text(from_text(to_text(module))) == to_text(module)
    return [op for op in walk(module.body) if op.kind == "convolution"]


def test_the_three_convolutions_of_a_strided_layer() -> None:
    forward, weights, images = convolutions(data.training(data.LAYERS["3x3 strided"]))
    assert forward.attrs == {
        **data.PLAIN,
        "lhs_axes": (0, 3, 1, 2),
        "rhs_axes": (3, 2, 0, 1),
        "out_axes": (0, 3, 1, 2),
        "strides": (2, 2),
        "padding": ((1, 1), (0, 1)),
    }
    assert weights.attrs["lhs_axes"] == (3, 0, 1, 2) and weights.attrs["rhs_dilation"] == (2, 2)
    assert weights.attrs["out_axes"] == (2, 3, 0, 1) and weights.attrs["strides"] == (1, 1)
    assert images.attrs["lhs_dilation"] == (2, 2) and images.attrs["rhs_axes"] == (2, 3, 0, 1)


def test_groups_and_negative_padding() -> None:
    forward, weights, _ = convolutions(data.training(data.LAYERS["depthwise"]))
    assert forward.attrs["feature_groups"] == 4 and weights.attrs["batch_groups"] == 4
    _, weights, _ = convolutions(data.training(data.LAYERS["1x1 strided"]))
    assert weights.attrs["padding"] == ((0, 0), (0, 0))
    (cropped, *_) = convolutions(data.training(data.LAYERS["cropped"]))
    assert cropped.attrs["padding"] == ((-1, 2), (0, -2))


def test_precision_of_the_program_is_kept() -> None:
    x, w = np.ones((2, 3, 9), np.float32), np.ones((5, 3, 4), np.float32)

    def f(x: object, w: object) -> object:
        return lax.conv(x, w, (1,), "SAME", precision=lax.Precision.HIGHEST)

    (op,) = convolutions(data.module_of(f, (x, w)))
    assert op.attrs["precision"] == "HIGHEST"


SHORT = """func.func @main(%x: tensor<1x4x1xTYPE>, %w: tensor<3x1x1xTYPE>) -> tensor<1x2x1xOUT> {
  %y = stablehlo.convolution(%x, %w) dim_numbers = [b, 0, f]x[0, i, o]->[b, 0, f],
    window = {REVERSE} {batch_group_count = 1 : i64, feature_group_count = 1 : i64}
    : (tensor<1x4x1xTYPE>, tensor<3x1x1xTYPE>) -> tensor<1x2x1xOUT>
  return %y : tensor<1x2x1xOUT>
}"""


def short(dtype: str = "f32", out: str = "", reverse: str = "") -> str:
    text = SHORT.replace("TYPE", dtype).replace("OUT", out or dtype)
    return text.replace("REVERSE", reverse)


def test_attributes_left_away_are_ones_and_zeros() -> None:
    (op,) = convolutions(ingest(short()))
    assert op.attrs["strides"] == op.attrs["lhs_dilation"] == op.attrs["rhs_dilation"] == (1,)
    assert op.attrs["padding"] == ((0, 0),) and op.attrs["reversal"] == (False,)
    assert op.attrs["precision"] == "DEFAULT"


def test_window_reversal() -> None:
    module = ingest(short(reverse="reverse = [true]"))
    x = np.arange(4, dtype=np.float32).reshape(1, 4, 1)
    w = np.array([1, 10, 100], np.float32).reshape(3, 1, 1)
    assert evaluate(module, [x, w])[0].reshape(-1).tolist() == [12, 123]


def test_reverse_flips() -> None:
    x = np.arange(6, dtype=np.int32).reshape(2, 3)
    module = data.module_of(lambda x: lax.rev(x, (1, 0)), (x,))
    verify(module)
    assert (evaluate(module, [x])[0] == x[::-1, ::-1]).all()


@pytest.mark.parametrize("dtype", ["i32", "ui32"])
def test_integers_of_32_bits(dtype: str) -> None:
    (op,) = convolutions(ingest(short(dtype)))
    assert op.result.dtype == dtype


@pytest.mark.parametrize(
    ("dtype", "out", "words"),
    [
        ("f64", "", "cast to float32"),
        ("i1", "", "cast both sides"),
    ],
)
def test_other_types_are_refused(dtype: str, out: str, words: str) -> None:
    with pytest.raises(UnsupportedError, match=words):
        ingest(short(dtype, out))
