"""The vendor's monitor boots on four chips without a host: dirty memories, one dead core."""

import struct

from spindle.vboard.boot_image import boot_image
from spindle.vboard.chip_host import ALL_CORES, ChipOptions, Rig, RigOptions

MS = 200_000
SV = 0xF5007F00
SPIN3_LINKS = (
    (1, 3, 2, -1, -1, 2),
    (-1, -1, 3, 0, 2, 3),
    (3, 1, 0, -1, -1, 0),
    (-1, -1, 1, 2, 0, 1),
)
DEAD_CHIP, DEAD_CORE = 1, 7


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
    rig.rom_load(1000, boot_image())
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
