"""spindle bench nets: figures that add up, tables, and bad usage."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from spindle.cli import bench_nets
from spindle.cli.main import main
from spindle.report.shares import PARTS

pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["bench", "nets", "embedding", "--repeats", "2", "--json"]) == 0
    parsed: dict[str, Any] = json.loads(out.getvalue())
    return parsed


def test_figures(found: dict[str, Any]) -> None:
    figures = found["embedding"]
    shares, cycles = figures["shares"], figures["cycles_per_step"]
    assert sum(shares[part] for part in PARTS) == pytest.approx(1)
    assert all(share >= 0 for share in shares.values())
    n_macs = 3 * 32 * 64 * 256 + 3 * 32 * 10 * 64  # two dense layers, forward and both gradients
    assert figures["machine"] == "native" and figures["cores"] == 16
    assert figures["mac_per_cycle_per_core"] == pytest.approx(n_macs / (16 * cycles))
    assert figures["simulated_s_per_step"] == pytest.approx(cycles / 200e6)
    assert figures["host_bytes_per_step"] == 32 * 64 * 4 + 32 * 4 + 4 + 4, "a batch in, a loss out"
    assert figures["ratio"] == pytest.approx(figures["wall_s"] / figures["jax_cpu_wall_s"])
    assert figures["joules_per_step"] > 0 and figures["sdram_bytes_per_step"] > 64 * 256 * 4


def test_tables(found: dict[str, Any]) -> None:
    console = Console(width=120, file=io.StringIO(), record=True)
    bench_nets.print_tables(console, {"one": found["embedding"], "two": found["embedding"]})
    out = console.export_text()
    assert out.startswith("Machine native: 16 busy of 17 cores; options matmul=bfp28")
    assert out.count("one") >= 3 and out.count("two") == 3
    assert "SDRAM MB" in out and "dma wait" in out and "JAX on CPU ms" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("cnn", "spindle bench nets: there is no net 'cnn'; use mlp_dropout, cnn_mnist, "),
        ("lstm --repeats 0", "--repeats 0 times nothing; use 1 or more"),
        ("--matmul bfp12", "matmul='bfp12' is not a mode of multiplying"),
        ("--machine abacus", "machine 'abacus' is not known"),
        ("--fast", "unrecognized arguments: --fast"),
    ],
)
def test_bad_usage(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "nets", *words.split()]) == 2
    out, err = capsys.readouterr()
    assert out == "" and said in err and err.count("\n") == 1


def test_no_mnist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mnist.npz").write_bytes(b"torn")
    monkeypatch.setenv("SPINDLE_DATA", str(tmp_path))
    assert main(["bench", "nets", "cnn_mnist"]) == 1
    assert "mnist.npz is not the MNIST file of Keras" in capsys.readouterr().err


def test_every_example_with_a_net_is_measured() -> None:
    folder = Path(__file__).resolve().parents[2] / "examples"
    nets = {
        path.stem for path in folder.glob("*.py") if "def forward(params, stats" in path.read_text()
    }
    assert nets == set(bench_nets.NETS)
