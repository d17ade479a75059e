"""Energy of finished launches, from published power constants (spec/costs.py POWER).

In: seconds, busy core seconds, deliveries of packets. Out: Energy, joules by part. The sum is a
model, not a measurement: LEFT_OUT says what no published constant covers.
"""

from __future__ import annotations

from dataclasses import dataclass

from spindle.spec.costs import POWER

SOURCES: tuple[str, ...] = (
    f"chip {POWER.chip_idle_w} W, always: {POWER.chip_idle_source}",
    f"busy core +{POWER.core_active_w} W: {POWER.core_active_source}",
    f"packet {POWER.packet_40_bit_j * 1e9:.1f} nJ: {POWER.packet_source}",
)
LEFT_OUT = (
    "Not counted: SDRAM transfers beyond the idle chip's share, the board's regulators, FPGAs and"
    " Ethernet, time between launches, and the host."
)


@dataclass(frozen=True)
class Energy:
    """Joules of the chips being on, of busy cores, and of packets."""

    chips_j: float
    cores_j: float
    packets_j: float

    @property
    def total_j(self) -> float:
        """Joules of all parts."""
        return self.chips_j + self.cores_j + self.packets_j


def energy(seconds: float, busy_core_s: float, packets: int, chips: int = 1) -> Energy:
    """Return the joules of `seconds` on `chips` chips.

    packets: deliveries; each counts as 40 bits through one router, so that a release, one packet to
    many cores, counts more than it takes.
    """
    return Energy(
        chips_j=seconds * POWER.chip_idle_w * chips,
        cores_j=busy_core_s * POWER.core_active_w,
        packets_j=packets * POWER.packet_40_bit_j,
    )
