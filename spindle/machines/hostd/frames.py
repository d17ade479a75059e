"""Frames between a machine and its helper process: a JSON object and bytes, over pipes.

    u32 JSON bytes | u32 payload bytes | JSON | payload

Pipes end with either process, so neither outlives the other; at link speeds of some MB/s copying
the bytes through them costs nothing that is seen.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

_HEAD = struct.Struct("<II")


def pack(head: dict[str, Any], payload: bytes | memoryview = b"") -> bytes:
    """One frame."""
    text = json.dumps(head).encode()
    return b"".join((_HEAD.pack(len(text), len(payload)), text, payload))


def read(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next frame; None where the other side has gone."""
    head = _exactly(stream, _HEAD.size)
    if head is None:
        return None
    text_bytes, payload_bytes = _HEAD.unpack(head)
    text, payload = _exactly(stream, text_bytes), _exactly(stream, payload_bytes)
    if text is None or payload is None:
        return None
    return json.loads(text), payload


def _exactly(stream: BinaryIO, size: int) -> bytes | None:
    data = stream.read(size)
    return data if len(data) == size else None
