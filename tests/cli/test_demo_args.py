"""Bad usage of the command line: one sentence on stderr, status 2, nothing on stdout."""

from __future__ import annotations

import importlib.util

import pytest

from spindle.cli import demo
from spindle.cli.main import main
from spindle.errors import FaultError

BAD = {
    "--machine native --cores 0": "native cannot have 0 cores; a chip has 1 to 17 application",
    "--machine native --cores 18": "native cannot have 18 cores; a chip has 1 to 17 application",
    "--epochs 0": "--epochs 0 trains nothing; use 1 or more",
    "--batch 0": "--batch 0 is out of range: the training set has 1437 images; use 1 to 1437",
    "--batch 1438": "--batch 1438 is out of range: the training set has 1437 images",
    "--seed -1": "--seed -1 is no seed; use 0 to 4294967295",
    "--max-tile 7": "max_tile=7 is too small; the limit is 8",
    "--machine native --lose 0.1": "native has no switch 'lose'; it has cost_set, dma_mode",
    "--machine abacus": "machine 'abacus' is not known; use 'native'",
    "--batch many": "argument --batch: invalid int value: 'many'; see spindle demo --help",
    "--fast": "unrecognized arguments: --fast",
}


@pytest.mark.parametrize("words", BAD)
def test_bad_usage(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", *words.split()]) == 2
    out, err = capsys.readouterr()
    assert out == "" and BAD[words] in err and err.count("\n") == 1


def test_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fly"]) == 2
    assert "invalid choice: 'fly'" in capsys.readouterr().err


def test_no_command_prints_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "demo" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["demo", "--help"]])
def test_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 0
    assert "usage: spindle" in capsys.readouterr().out


def test_scikit_learn_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(demo, "load_example", lambda name: type("Example", (), {"N_TRAIN": 1437}))
    assert main(["demo", "--machine", "native"]) == 1
    err = capsys.readouterr().err
    assert err == (
        "spindle: spindle demo: scikit-learn, which has the images, is missing;"
        " pip install 'spindle[demo]'\n"
    )


def test_example_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "EXAMPLE", "none")
    assert main(["demo"]) == 2
    assert "none.py is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (KeyboardInterrupt(), "spindle demo: interrupted, nothing is kept"),
        (FaultError("lane 3 stopped"), "lane 3 stopped"),
    ],
)
def test_failed_work(
    raised: BaseException,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*arguments: object) -> None:
        raise raised

    monkeypatch.setattr(demo, "train", fail)
    assert main(["demo", "--machine", "native", "--json"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err == f"spindle: {said}\n"
