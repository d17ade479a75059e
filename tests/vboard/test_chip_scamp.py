"""The vendor's monitor boots on four chips without a host: dirty memories, one dead core."""

import importlib.util
import struct
from pathlib import Path

import pytest

from spindle.vboard.chip_host import ALL_CORES, ChipOptions, Rig, RigOptions

MS = 200_000
SV_IN_IMAGE, SV = 384, 0xF5007F00
SPIN3_LINKS = (
    (1, 3, 2, -1, -1, 2),
    (-1, -1, 3, 0, 2, 3),
    (3, 1, 0, -1, -1, 0),
    (-1, -1, 1, 2, 0, 1),
)
SPINNMAN = importlib.util.find_spec("spinnman")
DEAD_CHIP, DEAD_CORE = 1, 7

pytestmark = pytest.mark.skipif(SPINNMAN is None, reason="the package spinnman holds the image")


def image() -> bytes:
    """The boot image with the host's values for a 4-chip board (hardware.md 5.4)."""
    assert SPINNMAN is not None and SPINNMAN.origin is not None
    folder = Path(SPINNMAN.origin).parent / "messages" / "spinnaker_boot" / "boot_data"
    data = bytearray((folder / "scamp.boot").read_bytes())
    fields = ((0x0A, "B", 3), (0x0C, "2B", 4, 4), (0x0E, "B", 0x33), (0x24, "2H", 200, 130))
    fields += ((0x28, "4B", 0x3F, 0, 200, 1), (0x2C, "B", 50), (0x30, "I", 0x502))
    fields += (
        (0x40, "4B", 1, 7, 20, 0),
        (0x48, "2I", 1024, 0),
        (0x50, "3I", 16384, 8 << 20, 32768),
    )
    for offset, form, *values in fields:
        struct.pack_into("<" + form, data, SV_IN_IMAGE + offset, *values)
    return bytes(data)


def boot(quantum: int, until_ms: int) -> Rig:
    chips = [
        ChipOptions(
            cores_ok=ALL_CORES & ~(1 << DEAD_CORE) if i == DEAD_CHIP else ALL_CORES,
            has_ethernet=i == 0,
            pristine=False,
            quantum=quantum,
        )
        for i in range(4)
    ]
    rig = Rig(RigOptions(tuple(chips), SPIN3_LINKS))
    srom = struct.pack("<H6x12BH2x", 0x803D, 127, 0, 0, 2, 127, 0, 0, 1, 255, 0, 0, 0, 17893)
    for chip in range(4):
        rig.rom_power_on(3 + chip, srom.ljust(32, b"\0") if chip == 0 else bytes(32), chip=chip)
    rig.rom_load(1000, image())
    rig.run(until_ms * MS)
    return rig


def test_all_chips_come_up_with_their_links_and_cores() -> None:
    rig = boot(0, 4000)
    systems = [rig.peek(SV, 256, chip=chip) for chip in range(4)]
    assert [sv[0x2D] for sv in systems] == [0xFF] * 4
    assert [struct.unpack_from("<H", sv)[0] for sv in systems] == [0x000, 0x100, 0x001, 0x101]
    assert [sv[0x65] for sv in systems] == [0x27, 0x2C, 0x25, 0x3C]  # hardware.md 4.4
    assert [sv[0xBC] for sv in systems] == [18, 17, 18, 18]
    for chip in range(4):  # application cores idle in WFI, the monitor waits for events
        cores = [c for c in range(18) if (chip, c) != (DEAD_CHIP, DEAD_CORE)]
        assert all(rig.state(core=core, chip=chip).asleep for core in cores)
    rig.close()


def test_boot_does_not_depend_on_the_quantum() -> None:
    hashes = set()
    for quantum in (0, 11):
        rig = boot(quantum, 1000)
        hashes.add(rig.hash())
        rig.close()
    assert len(hashes) == 1
