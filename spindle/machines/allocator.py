"""Allocator: which bytes of one chip's SDRAM are taken. Best fit, 128-byte aligned, coalescing.

In: sizes. Out: addresses. It moves nothing and knows no data.
"""

from __future__ import annotations

from bisect import bisect_left

from spindle.errors import OutOfMemoryError
from spindle.spec.chip import ARENA_ALIGN


class Allocator:
    """Free space of the arena base .. base + size_bytes; `base` is aligned.

    >>> allocator = Allocator(0x60000000, 1024)
    >>> hex(allocator.alloc(100)), hex(allocator.alloc(4))
    ('0x60000000', '0x60000080')
    """

    def __init__(self, base: int, size_bytes: int) -> None:
        self._starts = [base]
        self._sizes = {base: size_bytes // ARENA_ALIGN * ARENA_ALIGN}
        self._taken: dict[int, int] = {}

    @property
    def free_bytes(self) -> int:
        """Free bytes, in however many pieces."""
        return sum(self._sizes.values())

    @property
    def largest_bytes(self) -> int:
        """Bytes of the largest free piece."""
        return max(self._sizes.values(), default=0)

    def alloc(self, size_bytes: int) -> int:
        """Take `size_bytes` (0 counts as 1) from the smallest piece that has them; its address.

        Raises OutOfMemoryError with the size and what is free.
        """
        size = -(-max(1, size_bytes) // ARENA_ALIGN) * ARENA_ALIGN
        fitting = [(length, start) for start, length in self._sizes.items() if length >= size]
        if not fitting:
            raise OutOfMemoryError(
                f"{size_bytes} B of SDRAM are needed on a chip",
                limit=f"{self.free_bytes} B are free, the largest piece has {self.largest_bytes} B",
                fix="free arrays or programs that are no longer needed",
            )
        length, start = min(fitting)
        self._remove(start)
        if length > size:
            self._insert(start + size, length - size)
        self._taken[start] = size
        return start

    def free(self, address: int) -> None:
        """Give back what `alloc` returned. Raises KeyError where it is not taken."""
        start, size = address, self._taken.pop(address)
        index = bisect_left(self._starts, start)
        after = self._starts[index] if index < len(self._starts) else None
        before = self._starts[index - 1] if index else None
        if after is not None and after == start + size:
            size += self._remove(after)
        if before is not None and before + self._sizes[before] == start:
            start, size = before, size + self._remove(before)
        self._insert(start, size)

    def _insert(self, start: int, size: int) -> None:
        self._starts.insert(bisect_left(self._starts, start), start)
        self._sizes[start] = size

    def _remove(self, start: int) -> int:
        self._starts.remove(start)
        return self._sizes.pop(start)
