"""bf16 constants come out of a program bit for bit, however MLIR writes them."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from spindle.errors import UnsupportedError
from spindle.frontends.dense_text import bf16_array
from spindle.frontends.ingest import ingest
from spindle.ir.evaluate import evaluate

CONSTANT = """func.func @main() -> tensor<{shape}bf16> {{
  %0 = stablehlo.constant dense<{data}> : tensor<{shape}bf16>
  return %0 : tensor<{shape}bf16>
}}"""


def bits(shape: str, data: str) -> np.ndarray:
    (array,) = evaluate(ingest(CONSTANT.format(shape=shape, data=data)), [])
    assert array.dtype == ml_dtypes.bfloat16
    return array.view(np.uint16)


def test_every_bit_pattern() -> None:
    wanted = np.arange(1 << 16, dtype=np.uint16)
    got = bits("256x256x", '"0x' + wanted.tobytes().hex() + '"')
    assert np.array_equal(got.reshape(-1), wanted)


@pytest.mark.parametrize(
    ("shape", "data", "wanted"),
    [
        ("", "1.5", 0x3FC0),
        ("2x3x", "-0.0", [[0x8000] * 3] * 2),
        ("2x1x", "[[1.0], [0x7FC1]]", [[0x3F80], [0x7FC1]]),
        ("0x", "", []),
    ],
)
def test_forms(shape: str, data: str, wanted: object) -> None:
    assert bits(shape, data).tolist() == wanted


def test_other_texts_are_not_read() -> None:
    assert bf16_array("dense_resource<blob> : tensor<2xbf16>") is None
    program = CONSTANT.format(shape="2x", data="1.0").replace("dense<1.0>", "dense_resource<blob>")
    blob = '{-# dialect_resources: { builtin: { blob: "0x040000000000803F" } } #-}'
    with pytest.raises(UnsupportedError, match="whose data cannot be read"):
        ingest(f"module {{ {program} }}\n{blob}")
