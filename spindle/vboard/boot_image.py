"""The vendor's monitor image, as SpiNNMan would send it.

In: scamp.boot of the installed package SpiNNMan. Out: the image with its system variables (bytes
384 to 511) set for a board. The image is read where it is installed and never copied.
"""

from __future__ import annotations

import hashlib
import struct
from functools import cache
from importlib.resources import files

from spindle.errors import UserError

SV_OFFSET = 384
SV_SIZE = 128
UNIX_TIME = 1_700_000_000
"""Written as the time of boot, so that a board's own boot is always the same."""

SV_BOOT_VALUES: tuple[tuple[int, str, int], ...] = (
    (0x0C, "B", 4),  # p2pb_repeats
    (0x0D, "B", 4),  # p2p_sql
    (0x0E, "B", 0x33),  # clk_div
    (0x1C, "I", UNIX_TIME),  # unix_time
    (0x24, "H", 200),  # cpu_clk, MHz
    (0x26, "H", 130),  # mem_clk, MHz
    (0x28, "B", 0x3F),  # forward
    (0x2A, "B", 200),  # peek_time, us
    (0x2B, "B", 1),  # led_period
    (0x2C, "B", 50),  # netinit_bc_wait
    (0x30, "I", 0x502),  # led0: two, GPIO 0 and 5
    (0x40, "B", 1),  # root_chip
    (0x41, "B", 7),  # num_buf
    (0x42, "B", 20),  # boot_delay, us
    (0x48, "I", 1024),  # sysram_heap, words
    (0x50, "I", 16384),  # iobuf_size
    (0x54, "I", 8388608),  # sdram_bufs
    (0x58, "I", 32768),  # sysbuf_size, words
    (0x5C, "I", UNIX_TIME),  # boot_sig
    (0x65, "B", 0x3F),  # link_en
)
"""(offset, struct code, value); the rest is zero. Source: SpiNNMan system_variable_boot_values.py,
and version3transceiver.py for led0."""
HW_VER_OFFSET = 0x0A
HARDWARE = 3
"""Board type in the image and in the serial ROM: a SpiNN-3."""


@cache
def vendor_image() -> bytes:
    """Bytes of scamp.boot as installed. Raises UserError without SpiNNMan."""
    try:
        data = files("spinnman").joinpath("messages", "spinnaker_boot", "boot_data", "scamp.boot")
        return data.read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise UserError(
            "the monitor image scamp.boot is not installed",
            where="the virtual board",
            fix="install the package SpiNNMan",
        ) from error


def system_variables() -> bytes:
    """The 128 bytes that the host writes into the image."""
    block = bytearray(SV_SIZE)
    for offset, code, value in SV_BOOT_VALUES:
        struct.pack_into("<" + code, block, offset, value)
    block[HW_VER_OFFSET] = HARDWARE
    return bytes(block)


def boot_image() -> bytes:
    """The image as it starts on the root chip."""
    image = vendor_image()
    return image[:SV_OFFSET] + system_variables() + image[SV_OFFSET + SV_SIZE :]


def image_hash() -> str:
    """First 16 hex digits of the SHA-256 of boot_image()."""
    return hashlib.sha256(boot_image()).hexdigest()[:16]
