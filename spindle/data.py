"""MNIST as Keras keeps it: one file mnist.npz, found on this host or fetched by Keras.

In: the file in the folder $SPINDLE_DATA, else in Keras's cache, else what Keras downloads into its
cache. Out: NumPy arrays. Nothing is written but by Keras.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spindle.errors import UserError

NAME = "mnist.npz"
Part = tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]


def mnist() -> tuple[Part, Part]:
    """Return (images, labels) to train on and to test with.

    images: float32 [60000, 28, 28] and [10000, 28, 28], 0 to 1; labels: int32. Raises UserError
    where the file is nowhere and Keras is not installed, or where it is no MNIST.
    """
    path = find()
    try:
        with np.load(path) as arrays:
            return _part(arrays, "train", 60_000), _part(arrays, "test", 10_000)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path} is not the MNIST file of Keras: {error}",
            fix=f"put Keras's {NAME} there, or remove it",
        ) from error


def find() -> Path:
    """Return where mnist.npz is, downloaded by Keras where it is nowhere yet."""
    given = os.environ.get("SPINDLE_DATA")
    cache = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"), "datasets")
    folders = [Path(given)] if given else []
    for path in (folder / NAME for folder in (*folders, cache)):
        if path.is_file():
            return path
    return _downloaded(cache / NAME)


def _downloaded(path: Path) -> Path:
    try:
        from keras.datasets import mnist as keras_mnist
    except ImportError as error:
        raise UserError(
            f"{NAME} is neither in the folder $SPINDLE_DATA nor at {path}",
            fix="set SPINDLE_DATA to a folder that has it, or pip install keras, which fetches it",
        ) from error
    keras_mnist.load_data()
    return path


def _part(arrays: Any, name: str, count: int) -> Part:
    images, labels = arrays[f"x_{name}"], arrays[f"y_{name}"]
    if images.shape != (count, 28, 28) or labels.shape != (count,):
        raise ValueError(f"x_{name} is {images.shape}, y_{name} {labels.shape}")
    return images.astype(np.float32) / np.float32(255), labels.astype(np.int32)
