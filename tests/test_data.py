"""MNIST as Keras keeps it: where it is looked for, and what is said where it is not right."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from spindle import data
from spindle.errors import UserError


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The folder $SPINDLE_DATA and Keras's cache, both empty; Keras is not installed."""
    given, keras = tmp_path / "given", tmp_path / "keras"
    for folder in (given, keras / "datasets"):
        folder.mkdir(parents=True)
    monkeypatch.setenv("SPINDLE_DATA", str(given))
    monkeypatch.setenv("KERAS_HOME", str(keras))
    monkeypatch.setitem(sys.modules, "keras", None)
    monkeypatch.setitem(sys.modules, "keras.datasets", None)
    return given, keras / "datasets"


def save(folder: Path, test_images: int = 10_000) -> None:
    """Write a file of MNIST's shapes, which packs well."""
    images = [np.zeros((n, 28, 28), np.uint8) for n in (60_000, test_images)]
    images[0][0, 0, :2] = 255, 51
    digits = [np.full(len(part), 7, np.uint8) for part in images]
    named = {"x_train": images[0], "y_train": digits[0], "x_test": images[1], "y_test": digits[1]}
    np.savez_compressed(folder / data.NAME, **named)


def test_types_and_range(places: tuple[Path, Path]) -> None:
    save(places[0])
    (x, y), (test_x, test_y) = data.mnist()
    assert x.shape == (60_000, 28, 28) and test_x.shape == (10_000, 28, 28)
    assert x.dtype == np.float32 and y.dtype == test_y.dtype == np.int32
    assert x[0, 0, :3].tolist() == [1.0, np.float32(0.2), 0.0] and set(y) == {7}


def test_the_given_folder_comes_first(places: tuple[Path, Path]) -> None:
    given, cache = places
    (cache / data.NAME).touch()
    assert data.find() == cache / data.NAME
    (given / data.NAME).touch()
    assert data.find() == given / data.NAME


def test_nowhere(places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for given in (str(places[0]), ""):
        monkeypatch.setenv("SPINDLE_DATA", given)
        with pytest.raises(UserError) as raised:
            data.mnist()
        assert "mnist.npz is neither in the folder $SPINDLE_DATA nor at " in str(raised.value)
        assert str(places[1]) in str(raised.value) and "pip install keras" in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 torn"])
def test_not_an_archive(content: bytes, places: tuple[Path, Path]) -> None:
    (places[0] / data.NAME).write_bytes(content)
    with pytest.raises(UserError, match=r"is not the MNIST file of Keras"):
        data.mnist()


def test_other_shapes(places: tuple[Path, Path]) -> None:
    save(places[0], 9_999)
    with pytest.raises(UserError, match=r"x_test is \(9999, 28, 28\), y_test \(9999,\)"):
        data.mnist()


def test_without_a_part(places: tuple[Path, Path]) -> None:
    np.savez(places[0] / data.NAME, x_train=np.zeros((60_000, 28, 28), np.uint8))
    with pytest.raises(UserError, match="y_train"):
        data.mnist()
