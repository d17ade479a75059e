"""Boards that are up at once: the state at READY, kept in a cache folder.

In: BoardOptions and an address. Out: a Board whose monitors are ready, booted here and now the
first time and loaded from a file afterwards. A file's name is a hash of all that decides its
content.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from spindle.errors import InternalError
from spindle.vboard.board import DEFAULT_IP, Board
from spindle.vboard.boot_image import image_hash
from spindle.vboard.build import source_hash
from spindle.vboard.chip_host import chip_costs
from spindle.vboard.options import BoardOptions, places

KEPT_FILES = 12
"""About 15 MB each; the oldest go first."""


def cache_folder() -> Path:
    """Where snapshots lie: XDG_CACHE_HOME or ~/.cache, spindle/vboard below it."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "spindle" / "vboard"


def snapshot_name(options: BoardOptions) -> str:
    """File name for the booted state of such a board, for this build of the emulator."""
    parts = (
        image_hash(),
        source_hash(),
        options.shape,
        options.seed,
        options.pristine,
        options.receiver_depth,
        bytes(chip_costs(options.cost_set)).hex(),
        places(options),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24] + ".board"


def ready_board(
    options: BoardOptions | None = None, ip: str = DEFAULT_IP, cache: Path | None = None
) -> Board:
    """A board whose monitors are ready. Raises UserError."""
    options = options or BoardOptions()
    folder = cache or cache_folder()
    path = folder / snapshot_name(options)
    board = _load(options, path) or _boot(options, path)
    board.set_ip(ip)
    return board


def _boot(options: BoardOptions, path: Path) -> Board:
    board = Board(options)
    board.boot()
    _save(board, path)
    return board


def _load(options: BoardOptions, path: Path) -> Board | None:
    """None: there is no such file, or it is not whole."""
    try:
        data = path.read_bytes()
        os.utime(path)
    except OSError:
        return None
    board = Board(options)
    try:
        board.restore(data, DEFAULT_IP)
    except InternalError:
        board.close()
        return None
    return board


def _save(board: Board, path: Path) -> None:
    """Write the snapshot whole or not at all; a folder that cannot be written is no error."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(board.snapshot())
        os.replace(file.name, path)
        _prune(path.parent)
    except OSError:
        return


def _prune(folder: Path) -> None:
    files = sorted(folder.glob("*.board"), key=lambda file: file.stat().st_mtime)
    for file in files[:-KEPT_FILES]:
        file.unlink(missing_ok=True)
