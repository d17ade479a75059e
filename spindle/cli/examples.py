"""Finds the examples, ordinary JAX programs, for the commands that run them.

In: an example's name. Out: its module, imported as Python does when it runs the file: the folder
is first on the path, so that the examples find each other.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from spindle.errors import UserError

FOLDER = "examples"


def load_example(name: str) -> Any:
    """Import examples/NAME.py, of the clone this package is in or of its installation.

    Raises UserError where it is in neither, or where what it imports is missing.
    """
    places = (Path(__file__).resolve().parents[2], Path(sys.prefix, "share", "spindle"))
    folders = [place / FOLDER for place in places]
    folder = next((folder for folder in folders if (folder / f"{name}.py").is_file()), None)
    if folder is None:
        missing = folders[0] / f"{name}.py"
        raise UserError(f"{FOLDER}/{name}.py is missing: no {missing}", fix="install spindle again")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return importlib.import_module(name)
