"""Geometry of convolutions, their forms, and the rules that verify holds them to."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spindle.errors import InternalError
from spindle.ir.convolution import dilated, form, geometry
from spindle.ir.graph import GivenNumerics, Op, TensorType, Value
from spindle.ir.kind_needs import BadOpError
from spindle.ir.kind_rules import RULES
from spindle.ir.verify import verify, verify_lowered

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import conv_data as data


def op_of(**attrs: object) -> Op:
    lhs, rhs = np.zeros((4, 3, 7, 8), np.float32), np.zeros((6, 3, 3, 3), np.float32)
    return data.conv_op(lhs, rhs, **attrs)


def test_extents_of_the_result() -> None:
    assert geometry(op_of()).result == (7, 8)
    assert geometry(op_of(padding=((0, 0), (0, 0)), strides=(2, 3))).result == (3, 2)
    assert geometry(op_of(lhs_dilation=(2, 1))).result == (13, 8)
    assert geometry(op_of(rhs_dilation=(3, 4))).result == (3, 2)
    assert geometry(op_of(padding=((-3, -2), (0, 0)))).result == (0, 6)
    assert dilated(0, 3) == 0 and dilated(1, 3) == 1 and dilated(4, 3) == 10


def test_groups_are_taken_out_of_the_extents() -> None:
    shape = geometry(op_of(batch_groups=2))
    assert (shape.images, shape.channels, shape.outputs, shape.groups) == (2, 3, 3, 2)
    assert shape.result_type == (2, 6, 7, 8) and shape.contracted == 27 and shape.places == 56


def test_feature_before_batch_is_a_weight_gradient() -> None:
    assert form(op_of()) == "forward"
    for name, layer in data.LAYERS.items():
        found = [form(op) for op in data.training(layer).body.ops if op.kind == "convolution"]
        assert sorted(found) == ["forward", "forward", "weight_gradient"], name


BAD = [
    ({"lhs_axes": (0, 1, 2)}, "lhs_axes needs all 4 axes"),
    ({"lhs_axes": (0, 1, 2, 2)}, "names an axis twice"),
    ({"strides": (1,)}, "strides needs 2 entries"),
    ({"strides": (0, 1)}, "must be positive"),
    ({"precision": "LOW"}, "precision 'LOW'"),
    ({"feature_groups": 2, "batch_groups": 2}, "one group count must be 1"),
    ({"feature_groups": 0}, "one group count must be 1"),
    ({"feature_groups": 3}, "input features differ"),
    ({"batch_groups": 3}, "does not divide the batch"),
    ({"batch_groups": 4}, "do not divide the outputs"),
    ({"padding": ((0, 0), (0, 0))}, "the result is"),
]


@pytest.mark.parametrize(("attrs", "reason"), BAD)
def test_a_rule_for_each_attribute(attrs: dict[str, object], reason: str) -> None:
    good = op_of()
    verify(data.module_with(good))
    with pytest.raises(InternalError, match=reason):
        verify(data.module_with(replace(good, attrs={**good.attrs, **attrs})))


def test_no_convolution_after_the_passes() -> None:
    with pytest.raises(InternalError, match="outside a fusion"):
        verify_lowered(data.module_with(op_of()))


def dot_of(*lengths: int) -> Op:
    axes = {"lhs_batch": (0,), "lhs_contract": (2,), "rhs_batch": (0,), "rhs_contract": (2,)}
    shapes = [((2, 3, 5), "f32"), ((2, 4, 5), "f32"), *(((n,), "i32") for n in lengths)]
    values = tuple(Value(TensorType(shape, dtype)) for shape, dtype in shapes)
    attrs = {**axes, "precision": "DEFAULT", "numerics": GivenNumerics()}
    return Op("dot_general", values, (Value(TensorType((2, 3, 4), "f32")),), attrs)


def test_given_exponents_have_their_lengths() -> None:
    RULES["dot_general"](dot_of(10, 6, 8))
    for lengths, reason in (((10, 6), "needs 5 operands"), ((10, 6, 6), "must be i32")):
        with pytest.raises(BadOpError, match=reason):
            RULES["dot_general"](dot_of(*lengths))
