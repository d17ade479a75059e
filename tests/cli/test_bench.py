"""spindle bench gemm: figures that add up, and bad usage."""

from __future__ import annotations

import json

import pytest

from spindle.cli.main import main


@pytest.mark.parametrize("data", ["gaussian", "relu"])
def test_gemm(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "gemm", "--size", "96", "--data", data, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    cores, cycles = result["cores"], result["cycles"]
    assert result["mac_per_cycle_per_core"] == pytest.approx(96**3 / cycles / cores)
    assert sum(result["cycles_by_kind"].values()) == pytest.approx(cycles, rel=1e-3)
    assert {"gemm", "quantise", "waiting"} <= result["cycles_by_kind"].keys()
    assert result["max_error"] < 1e-4


def test_gemm_of_512_on_a_virtual_board(capsys: pytest.CaptureFixture[str]) -> None:
    """The bar of bfp28, float32 in SDRAM before and after, everything counted."""
    words = "bench gemm --size 512 --matmul bfp28 --machine iss --json"
    assert main(words.split()) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["machine"] == "iss" and result["cores"] == 16
    assert len(result["costs_hash"]) == 12
    assert result["mac_per_cycle_per_core"] >= 0.18
    assert sum(result["cycles_by_kind"].values()) == pytest.approx(result["cycles"], rel=1e-3)
    assert result["max_error"] < 1e-4


@pytest.mark.parametrize(("matmul", "bar"), [("bfp13", 0.60), ("bfp16", 0.52)])
def test_gemm_on_short_mantissas(
    matmul: str, bar: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bars of bfp13 and bfp16 on native; 500 divides by nothing that the tiles like."""
    for size, part in ((512, 1.0), (500, 0.9)):
        words = f"bench gemm --size {size} --matmul {matmul} --machine native --json"
        assert main(words.split()) == 0
        result = json.loads(capsys.readouterr().out)
        assert result["matmul"] == matmul
        assert result["mac_per_cycle_per_core"] >= bar * part
        assert result["max_error"] < 0.1


def test_float32_takes_longer(capsys: pytest.CaptureFixture[str]) -> None:
    cycles = []
    for matmul in ("bfp28", "float32"):
        assert main(["bench", "gemm", "--size", "32", "--matmul", matmul, "--json"]) == 0
        cycles.append(json.loads(capsys.readouterr().out)["cycles"])
    assert cycles[1] > 2 * cycles[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("gemm --size 0", "--size 0 is out of range; 1 to 1024"),
        ("gemm --size 1025", "--size 1025 is out of range; 1 to 1024"),
        ("gemm --matmul bf16", "matmul='bf16' is not a mode of multiplying"),
        ("conv", "invalid choice: 'conv'"),
    ],
)
def test_bad_usage(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words.split()]) == 2
    assert said in capsys.readouterr().err


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "gemm", "--size", "16"]) == 0
    assert "mac_per_cycle_per_core" in capsys.readouterr().out
