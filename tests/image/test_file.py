"""Image files: what is written is read; a damaged one is refused with its reason."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest
from hand_plans import add_bias, count_down, running_rows

from spindle.codegen.emit import emit
from spindle.errors import UserError
from spindle.image import file
from spindle.image.image import Image
from spindle.image.text import disassemble

IMAGE = emit(count_down(50))


@pytest.mark.parametrize("plan", [count_down(50), add_bias(4, 4, (4, 4)), running_rows(2, 3, 8)])
def test_round_trip(plan, tmp_path: Path) -> None:
    image = emit(plan)
    path = tmp_path / "net.spindle"
    image.save(path)
    assert Image.load(path) == image


def signed(data: bytes) -> bytes:
    """With a new digest, so that what is inside is looked at."""
    return data[:-32] + hashlib.sha256(data[:-32]).digest()


def with_word(data: bytes, offset: int, value: int) -> bytes:
    return signed(data[:offset] + struct.pack("<I", value) + data[offset + 4 :])


def flipped(data: bytes, offset: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]


DATA = file.to_bytes(IMAGE)
META_AT = 16 + 3 * 16
REFUSED = {
    "magic": (b"ELF!" + DATA[4:], "does not begin with 'SPDL'"),
    "empty": (b"", "does not begin"),
    "head only": (DATA[:20], "ends early, after 20 bytes"),
    "version": (with_word(DATA, 4, 2), "version is 2, this Spindle reads 1"),
    "hash": (with_word(DATA, 8, 5), "records and tables 0x00000005"),
    "cut": (DATA[:-1], "SHA-256"),
    "flipped": (flipped(DATA, 200), "SHA-256"),
    "crc": (signed(flipped(DATA, 200)), "CRC of section 1"),
    "outside": (with_word(DATA, 16 + 4, 1 << 30), "section 1 lies outside"),
    "too many": (with_word(DATA, 12, 1 << 20), "lies outside"),
    "missing": (with_word(DATA, 12, 2), "section 3 is missing"),
    "swapped": (with_word(with_word(DATA, 16, 2), 32, 1), "description does not make sense"),
}


@pytest.mark.parametrize("data, sentence", REFUSED.values(), ids=list(REFUSED))
def test_refused(data: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.spindle"
    path.write_bytes(data)
    with pytest.raises(UserError, match=sentence) as raised:
        file.load(path)
    assert str(path) in str(raised.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: No such file"):
        Image.load(tmp_path / "none.spindle")


def test_every_flipped_byte_is_noticed() -> None:
    for offset in range(0, len(DATA), 37):
        with pytest.raises(UserError):
            file.from_bytes(flipped(DATA, offset))


def test_listing() -> None:
    text = disassemble(IMAGE)
    assert "BRANCH to" in text and "where [scratch+0] = 0" in text
    assert "STRIP [1,1,50,1] by [1,1,16,1]" in text and "ADD_I32" in text
    assert text.count("LOOP_END") == 1 and text.rstrip().endswith("END")
