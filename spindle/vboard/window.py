"""The back door of a virtual board: bytes between its memory and a file that the host maps too.

In: requests of the status port with pieces of a chip's memory; the bytes lie one after another from
the file's start. Out: the same bytes there or here. It takes no time of the board and is no part of
its recorded input, so a board that records refuses it.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from pathlib import Path

from spindle.vboard.board import Board
from spindle.vboard.options import chip_positions

WINDOW_BYTES = 1 << 22


class Window:
    """The file, mapped at the first request that names it."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._path = ""
        self._map: mmap.mmap | None = None

    def answer(self, asked: Mapping[str, object]) -> dict[str, object]:
        """{"do": "poke" or "peek", "file", "x", "y", "pieces": [[address, bytes], ..]}."""
        try:
            chip = chip_positions(self._board.options.shape).index((asked["x"], asked["y"]))  # type: ignore[arg-type]
            window = self._open(str(asked["file"]))
            pieces: list[tuple[int, int]] = asked["pieces"]  # type: ignore[assignment]
            at = 0
            if sum(size for _, size in pieces) > WINDOW_BYTES:
                raise ValueError(f"the pieces are larger than the file of {WINDOW_BYTES} bytes")
            for addr, size in pieces:
                if asked["do"] == "poke":
                    self._board.write(chip, addr, window[at : at + size])
                else:
                    window[at : at + size] = self._board.read(chip, addr, size)
                at += size
        except (LookupError, ValueError, TypeError, OSError) as error:
            return {"error": f"the back door needs a file, a chip and pieces of memory: {error}"}
        return {"bytes": at}

    def _open(self, path: str) -> mmap.mmap:
        if self._map is None or path != self._path:
            self.close()
            with Path(path).open("r+b") as file:
                self._map, self._path = mmap.mmap(file.fileno(), WINDOW_BYTES), path
        return self._map

    def close(self) -> None:
        """Unmap the file."""
        if self._map is not None:
            self._map.close()
        self._map = None
