"""What a user of SpiNNMan does, in a process of its own (SpiNNMan keeps global state).

Arguments: address, APLX file. Prints one JSON line of what was found. HOME should be an empty
folder.
"""

import json
import sys
import time
from pathlib import Path

from spinn_machine import CoreSubsets
from spinn_utilities.config_holder import set_config
from spinnman.config_setup import unittest_setup
from spinnman.data.spinnman_data_writer import SpiNNManDataWriter
from spinnman.model.enums import CPUState
from spinnman.transceiver import Transceiver, create_transceiver_from_hostname

APP = 30


def session(address: str, aplx: Path) -> dict[str, object]:
    transceiver = create_transceiver_from_hostname(address)
    found: dict[str, object] = {}
    machine = transceiver.get_machine_details()
    SpiNNManDataWriter.mock().set_machine(machine)  # execute_flood asks it for the chips
    chips = sorted((chip.x, chip.y) for chip in machine.chips)
    found["chips"] = chips
    found["cores"] = sum(chip.n_processors for chip in machine.chips)
    found["links"] = {
        f"{c.x},{c.y}": sorted(link.source_link_id for link in c.router.links)
        for c in machine.chips
    }
    found["memory"] = [check_memory(transceiver, x, y) for x, y in chips]
    found.update(run_application(transceiver, chips, aplx))
    transceiver.close()
    return found


def check_memory(transceiver: Transceiver, x: int, y: int) -> bool:
    data = bytes((i * i + x + 2 * y) & 0xFF for i in range(20_000))
    base = transceiver.malloc_sdram(x, y, len(data), APP)
    transceiver.write_memory(x, y, base, data)
    return bytes(transceiver.read_memory(x, y, base, len(data))) == data


def run_application(
    transceiver: Transceiver, chips: list[tuple[int, int]], aplx: Path
) -> dict[str, object]:
    cores = CoreSubsets()
    for x, y in chips:
        cores.add_processor(x, y, 1)
        cores.add_processor(x, y, 3)
    transceiver.execute_flood(cores, str(aplx), APP)
    running = transceiver.get_core_state_count(APP, CPUState.RUNNING)
    counts = [transceiver.read_user(x, y, 1, 0) for x, y in chips]
    transceiver.stop_application(APP)
    time.sleep(0.1)
    left = transceiver.get_core_state_count(APP, CPUState.RUNNING)
    return {"running": running, "counting": [count > 0 for count in counts], "left": left}


if __name__ == "__main__":
    unittest_setup()
    set_config("Machine", "version", "3")
    print(json.dumps(session(sys.argv[1], Path(sys.argv[2]))))
