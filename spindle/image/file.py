"""Image files (`net.spindle`): write, read, refuse. docs/spec/image.md, File, draws the format.

Bytes become an Image here and nowhere else; a file that is not sound is a UserError in a sentence.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spindle.errors import UserError
from spindle.image.image import Image, StepInfo
from spindle.ir.graph import DTYPES, TensorType
from spindle.spec import generate

MAGIC = b"SPDL"
VERSION = 1
META, PROGRAM, CONST = 1, 2, 3
_HEAD = struct.Struct("<4sIII")
_SECTION = struct.Struct("<IIII")
_DIGEST_BYTES = 32
_TYPE = re.compile(r"(\w+)\[([\d,]*)\]")


def save(image: Image, path: str | os.PathLike[str]) -> None:
    """Write an Image to `path`."""
    Path(path).write_bytes(to_bytes(image))


def load(path: str | os.PathLike[str]) -> Image:
    """Read an Image. Raises UserError, naming file and reason, where it is not a sound one."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"the image cannot be read: {error.strerror}", where=str(path)) from error
    return from_bytes(data, str(path))


def to_bytes(image: Image) -> bytes:
    """The file's bytes; equal Images give equal bytes."""
    meta = json.dumps(_meta(image), sort_keys=True).encode()
    parts = ((META, meta), (PROGRAM, image.program), (CONST, image.const))
    offset = _HEAD.size + _SECTION.size * len(parts)
    out = _HEAD.pack(MAGIC, VERSION, image.abi_hash, len(parts))
    for number, part in parts:
        out += _SECTION.pack(number, offset, len(part), zlib.crc32(part))
        offset += len(part)
    out += b"".join(part for _, part in parts)
    return out + hashlib.sha256(out).digest()


def from_bytes(data: bytes, where: str = "image") -> Image:
    """Read the bytes of a file; `where` names it in messages. Raises UserError."""
    abi_hash, sections = _sections(data, where)
    try:
        meta = json.loads(sections[META])
        return _image(meta, abi_hash, sections[PROGRAM], sections[CONST])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refuse(where, f"its description does not make sense ({error})") from error


def _meta(image: Image) -> dict[str, Any]:
    return {
        "name": image.name,
        "args": [str(t) for t in image.args],
        "results": [str(t) for t in image.results],
        "donated": sorted(image.donated.items()),
        "arg_names": image.arg_names,
        "result_names": image.result_names,
        "options": image.options,
        "scratch_bytes": image.scratch_bytes,
        "steps": [vars(step) for step in image.steps],
        "buffers": image.buffers,
    }


def _image(meta: Mapping[str, Any], abi_hash: int, program: bytes, const: bytes) -> Image:
    return Image(
        name=meta["name"],
        abi_hash=abi_hash,
        program=program,
        const=const,
        scratch_bytes=int(meta["scratch_bytes"]),
        args=tuple(parse_type(t) for t in meta["args"]),
        results=tuple(parse_type(t) for t in meta["results"]),
        donated={int(result): int(arg) for result, arg in meta["donated"]},
        steps=tuple(StepInfo(**step) for step in meta["steps"]),
        arg_names=tuple(meta["arg_names"]),
        result_names=tuple(meta["result_names"]),
        buffers=tuple((name, size, loc) for name, size, loc in meta["buffers"]),
        options=dict(meta["options"]),
    )


def parse_type(text: str) -> TensorType:
    """Read what str(TensorType) writes. Raises ValueError.

    >>> parse_type("f32[3,4]").shape
    (3, 4)
    """
    match = _TYPE.fullmatch(text)
    if match is None or match[1] not in DTYPES:
        raise ValueError(f"{text!r} is not a type")
    return TensorType(tuple(int(n) for n in match[2].split(",") if n), match[1])


def _sections(data: bytes, where: str) -> tuple[int, dict[int, bytes]]:
    if data[:4] != MAGIC:
        raise _refuse(where, "it does not begin with 'SPDL'")
    if len(data) < _HEAD.size + _DIGEST_BYTES:
        raise _refuse(where, f"it ends early, after {len(data)} bytes")
    _, version, abi_hash, count = _HEAD.unpack_from(data)
    if version != VERSION:
        raise _refuse(where, f"its version is {version}, this Spindle reads {VERSION}")
    if abi_hash != generate.abi_hash():
        raise _refuse(
            where,
            f"it was made with records and tables 0x{abi_hash:08x}, this Spindle has"
            f" 0x{generate.abi_hash():08x}",
        )
    if hashlib.sha256(data[:-_DIGEST_BYTES]).digest() != data[-_DIGEST_BYTES:]:
        raise _refuse(where, "its SHA-256 does not match: it was cut short or changed")
    sections = dict(_section(data, i, where) for i in range(count))
    missing = {META, PROGRAM, CONST} - set(sections)
    if missing:
        raise _refuse(where, f"section {min(missing)} is missing")
    return abi_hash, sections


def _section(data: bytes, index: int, where: str) -> tuple[int, bytes]:
    end = len(data) - _DIGEST_BYTES
    head = _HEAD.size + index * _SECTION.size
    if head + _SECTION.size > end:
        raise _refuse(where, f"section {index} lies outside of the file")
    number, offset, size, crc = _SECTION.unpack_from(data, head)
    if offset + size > end:
        raise _refuse(where, f"section {number} lies outside of the file")
    part = data[offset : offset + size]
    if zlib.crc32(part) != crc:
        raise _refuse(where, f"the CRC of section {number} does not match")
    return number, part


def _refuse(where: str, reason: str) -> UserError:
    return UserError(
        f"this is not an image this Spindle can load: {reason}",
        where=where,
        fix="compile the program again",
    )
