"""Array: a tensor that lives on a machine; Python reads it only when asked to.

In: a Buffer of a Machine. Out: NumPy arrays (`__array__`, each first read is counted by the
machine as host bytes). Everything on a machine is 32-bit little-endian words: bool is 0 or 1,
ir/held.py says how words hold bfloat16, float16 and integers of 8, 16 and 64 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from spindle.errors import LostArrayError, SpindleError, UserError
from spindle.ir.graph import DTYPES, TensorType
from spindle.ir.held import HELD, hold, release, words_type
from spindle.machines.machine import Buffer, Machine

NDArray = np.ndarray[Any, Any]

WORDS = {"f32": "<f4", "i32": "<i4", "ui32": "<u4", "i1": "<u4"}
"""NumPy's little-endian type of the words."""


def to_words(host: NDArray, tensor: TensorType) -> memoryview:
    """Return the machine's bytes of a host array of the tensor's shape."""
    if tensor.dtype in HELD:
        host, tensor = hold(host, tensor.dtype), words_type(tensor)
    words = np.ascontiguousarray(host, dtype=WORDS[tensor.dtype])
    return words.reshape(-1).view(np.uint8).data


def from_words(data: bytes, tensor: TensorType) -> NDArray:
    """Return the host array (a copy, of DTYPES[dtype]) of the machine's bytes."""
    if tensor.dtype in HELD:
        return release(from_words(data, words_type(tensor)), tensor.dtype)
    words = np.frombuffer(data, WORDS[tensor.dtype]).reshape(tensor.shape)
    return words.astype(DTYPES[tensor.dtype])


class Array(NDArrayOperatorsMixin):
    """A tensor on a machine, as `spindle.jit` and `spindle.compile` take and return it.

    Reading (`np.asarray`, `float`, indexing, printing) moves it to the host once; so does
    arithmetic outside a program, which NumPy does there. An array that was donated, deleted or
    lost raises LostArrayError when used; the message says how it went.
    """

    def __init__(
        self, machine: Machine, buffer: Buffer, tensor: TensorType, *, weak_type: bool = False
    ) -> None:
        self.machine, self.tensor, self.weak_type = machine, tensor, weak_type
        self._buffer: Buffer | None = buffer
        self._host: NDArray | None = None
        self._lost: LostArrayError | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements per axis."""
        return self.tensor.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy type of the elements."""
        return DTYPES[self.tensor.dtype]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.tensor.size

    @property
    def nbytes(self) -> int:
        """Bytes on the machine."""
        return self.tensor.size_bytes

    @property
    def buffer(self) -> Buffer:
        """The memory on the machine. Raises LostArrayError where it is gone."""
        if self._lost is not None:
            raise self._lost
        if self._buffer is None:
            raise LostArrayError("this array was deleted", fix="keep a copy: np.asarray(array)")
        if not self._buffer.alive:
            how = self._buffer.lost or "its memory was freed"
            raise LostArrayError(f"this array is lost: {how}", fix="make it anew")
        return self._buffer

    def is_deleted(self) -> bool:
        """Say whether it was donated, deleted or lost."""
        return self._buffer is None or not self._buffer.alive

    def delete(self) -> None:
        """Free the memory on the machine now; later use raises LostArrayError."""
        buffer, self._buffer, self._host = self._buffer, None, None
        if buffer is not None and buffer.alive:
            self.machine.free(buffer)

    def mark_lost(self, reason: LostArrayError) -> None:
        """Give up the buffer, which a launch took over (or spoiled), without freeing it."""
        self._buffer, self._host, self._lost = None, None, reason

    def block_until_ready(self) -> Array:
        """Return itself: launches are complete when they return."""
        return self

    def __del__(self) -> None:
        try:
            if self._buffer is not None:
                self.delete()
        except (SpindleError, AttributeError, OSError):
            pass

    def _read(self) -> NDArray:
        buffer = self.buffer
        if self._host is None:
            data = self.machine.read(buffer) if self.size else b""
            self._host = from_words(data, self.tensor)
            self._host.flags.writeable = False
        return self._host

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray:
        host = self._read()
        if dtype is not None and np.dtype(dtype) != host.dtype:
            return host.astype(dtype)
        return host.copy() if copy else host

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """`a += b` makes a new host array, as with JAX; another `out=` cannot be written."""
        out = kwargs.get("out", ())
        if any(isinstance(x, Array) for x in out):
            if not (len(out) == 1 and inputs and out[0] is inputs[0]):
                raise UserError(
                    "NumPy cannot write into an array that lives on a machine",
                    where=f"out= of {ufunc.__name__}",
                    fix="take the result it returns instead",
                )
            del kwargs["out"]
        host = [np.asarray(x) if isinstance(x, Array) else x for x in inputs]
        return getattr(ufunc, method)(*host, **kwargs)

    def __jax_array__(self) -> Any:
        import jax.numpy

        return jax.numpy.asarray(self._read())

    def item(self) -> Any:
        """Return the only element as a Python number."""
        return self._read().item()

    def tolist(self) -> Any:
        """Return nested lists of Python numbers."""
        return self._read().tolist()

    def __getitem__(self, index: Any) -> Any:
        return self._read()[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read()) if not self.shape else self.shape[0]

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        return self._read().__index__()

    def __bool__(self) -> bool:
        return bool(self._read())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if not self.shape else format(str(self), spec)

    def __repr__(self) -> str:
        if self.is_deleted():
            return f"Array({self.tensor}, deleted)"
        return f"Array({np.array2string(self._read(), separator=', ')}, dtype={self.dtype})"
