"""Fault records in sentences: what a core said before it stopped, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spindle.errors import FaultError
from spindle.image.image import Image
from spindle.spec import records

_NAMES = {number: name for name, number in records.FLAGS["FAULT"].items()}
_MEANING = {
    "GUARD": "a kernel wrote outside of the tile arena of its core's DTCM",
    "BAD_STEP": "an entry of the program stream makes no sense",
    "BAD_KERNEL": "it names a kernel that does not exist",
    "BAD_ADDRESS": "a transfer leaves its memory",
    "BAD_CRC": "the CRC of its command does not match",
    "ABORTED": "it was aborted",
    "DMA": "a transfer was too long, or still under way at a barrier",
    "CORE": "its core met an exception and stopped for good",
    "OVERLAY": "the code of its kernel group, kept in SDRAM, is damaged; open the machine again",
    "BARRIER": "its lanes came to a barrier by different ways",
}


def fault_error(image: Image, fault: Mapping[str, Any]) -> FaultError:
    """Make the FaultError of an unpacked fault record."""
    name = _NAMES.get(fault["code"], "UNKNOWN")
    meaning = _MEANING.get(name, "a fault code that this Spindle does not know")
    detail = f"stream offset {fault['pc']}, words " + ", ".join(map(_hex, fault["word"]))
    if name == "CORE":
        detail = (
            f"run-time error {fault['word'][0]}, core {fault['word'][1]}, pc {_hex(fault['pc'])}"
        )
    where = f"on lane {fault['lane']} in {step_name(image, fault['step'])}"
    return FaultError(
        f"{image.name} stopped {where}: {meaning} (fault {fault['code']} {name}, {detail})"
    )


def _hex(word: int) -> str:
    return f"0x{word:08x}"


def step_name(image: Image, number: int) -> str:
    """What to call a step: number, label, source line."""
    if number >= len(image.steps):
        return f"step {number} (the end)"
    info = image.steps[number]
    place = f" at {info.loc}" if info.loc else ""
    return f"step {number} {info.label}{place}"
