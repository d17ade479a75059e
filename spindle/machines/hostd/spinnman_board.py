"""SpiNNMan's part: boot, discovery, memory blocks, router entries, tags, loading, signals, texts.

In: a host name and calls of server.py. Out: plain data. The only file that imports SpiNNMan; its
configuration is set here, in a process whose HOME and working directory are private and empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spinn_machine import CoreSubset, CoreSubsets, MulticastRoutingEntry, RoutingEntry
from spinn_machine.tags import IPTag
from spinn_machine.version.version_spin1 import VersionSpin1
from spinn_utilities.config_holder import set_config
from spinnman.config_setup import unittest_setup
from spinnman.data.spinnman_data_writer import SpiNNManDataWriter
from spinnman.exceptions import SpinnmanException
from spinnman.processes import ApplicationRunProcess
from spinnman.transceiver import Transceiver, create_transceiver_from_hostname

from spindle.errors import MachineError

STAGING = 0x67800000
"""Where SC&MP takes applications and router tables from."""


class SpinnmanBoard:
    """One board, booted if it was not. version: 3 or 5, SpiNNMan's name of the board type."""

    def __init__(self, host: str, version: int) -> None:
        """Raises MachineError where nothing answers, or what answers is no SC&MP of ours."""
        unittest_setup()
        # A chip of few free cores is no reason to refuse the board; places.py chooses.
        setattr(VersionSpin1, "minimum_cores_expected", property(lambda self: 1))  # noqa: B010
        set_config("Machine", "version", str(version))
        self.host = host
        try:
            self._board: Transceiver = create_transceiver_from_hostname(host)
            self._machine = self._board.get_machine_details()
        except (SpinnmanException, OSError) as error:
            raise MachineError(
                f"no board could be found or booted at {host} ({_words(error)}); check its power,"
                " the network, and that it is a SpiNN-" + str(version)
            ) from error
        SpiNNManDataWriter.mock().set_machine(self._machine)

    def description(self) -> dict[str, Any]:
        """Chips with their idle cores, links and free SDRAM."""
        chips = [
            {
                "x": chip.x,
                "y": chip.y,
                "cores": list(chip.placable_processors_ids),
                "links": sorted(link.source_link_id for link in chip.router.links),
                "sdram_bytes": chip.sdram,
                "ip": chip.ip_address,
            }
            for chip in self._machine.chips
        ]
        return {"chips": chips, "width": self._machine.width, "height": self._machine.height}

    def alloc(self, x: int, y: int, size_bytes: int, app: int, tag: int) -> int:
        """Address of a block of SDRAM that SC&MP keeps under (app, tag)."""
        return int(self._board.malloc_sdram(x, y, size_bytes, app, tag))

    def routes(self, x: int, y: int, entries: Sequence[Sequence[Any]], app: int) -> None:
        """Load router entries (key, mask, virtual cores) in their order."""
        made = [
            MulticastRoutingEntry(key, mask, RoutingEntry(processor_ids=cores, link_ids=[]))
            for key, mask, cores in entries
        ]
        self._board.load_multicast_routes(x, y, made, app)

    def tag(self, tag: int, address: str, port: int) -> None:
        """Direct a fixed IP tag of the root chip to a socket of this host."""
        root = self._machine.boot_chip
        self._board.set_ip_tag(
            IPTag(root.ip_address or self.host, root.x, root.y, tag, address, port)
        )

    def load(self, x: int, y: int, cores: Sequence[int], aplx: bytes, app: int) -> None:
        """Write an application to one chip and start it on virtual cores there."""
        self._board.write_memory(x, y, STAGING, aplx)
        subsets = CoreSubsets([CoreSubset(x, y, cores)])
        ApplicationRunProcess(self._board.get_scamp_connection_selector()).run(app, subsets, False)

    def stop(self, app: int) -> None:
        """Stop an application everywhere; SC&MP frees its memory and router entries."""
        self._board.stop_application(app)

    def beacons(self, on: bool) -> None:
        """Have the monitors keep their clocks together, with packets of their own, or not."""
        self._board.control_sync(on)

    def iobuf(self, x: int, y: int, cores: Sequence[int]) -> dict[int, str]:
        """What cores have said, by virtual core."""
        found = self._board.get_iobuf(CoreSubsets([CoreSubset(x, y, cores)]))
        return {text.p: text.iobuf for text in found}

    def router_counters(self, x: int, y: int) -> dict[str, int]:
        """Packets since the counters were cleared: multicast local, external, dropped."""
        counters = self._board.get_router_diagnostics(x, y)
        return {
            "local": counters.n_local_multicast_packets,
            "external": counters.n_external_multicast_packets,
            "dropped": counters.n_dropped_multicast_packets,
        }

    def clear_router_counters(self, x: int, y: int) -> None:
        """Set them to 0."""
        self._board.clear_router_diagnostic_counters((x, y))

    def close(self) -> None:
        """Close the sockets."""
        self._board.close()


def _words(error: Exception) -> str:
    """The first line of an error of SpiNNMan, or its type where it has no words."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
