"""The firmware on a dirty board under the vendor's monitor: opened, rung and heard as by a host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from firmware_board import FirmwareBoard
from firmware_chip import LoadedImage, native_bytes
from test_firmware_chip import CORE, FAULT, adam_image, random_args
from test_firmware_time import slow_lane

from spindle.image.image import Image
from spindle.spec import arena as spec
from spindle.spec import records
from spindle.vboard.board import CYCLES_PER_MS, Board
from spindle.vboard.options import BoardOptions
from spindle.vboard.snapshots import ready_board

RUN, IDLE = 7, 15
LAUNCH_CYCLES = 100_000

MakeBoard = Callable[..., Board]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("boards")


@pytest.fixture
def make_board(cache: Path) -> Iterator[MakeBoard]:
    boards: list[Board] = []

    def make(**options: object) -> Board:
        made = ready_board(BoardOptions(**options), cache=cache)  # type: ignore[arg-type]
        boards.append(made.__enter__())
        return boards[-1]

    yield make
    for board in boards:
        board.close()


def check_open(firmware: FirmwareBoard) -> None:
    for virtual in range(1, firmware.n_cores + 1):
        assert firmware.core(virtual)["state"] == CORE["IDLE"]
        assert firmware.host.state(virtual, firmware.at) == RUN
        text = int.from_bytes(firmware.peek(0xE5007000 + 128 * virtual + 88, 4), "little")
        assert firmware.host.read(text + 16, 15, firmware.at) == b"spindle: ready\n"


@pytest.mark.parametrize("chip", [0, 1, 3])
def test_adam_on_a_chip_of_a_dirty_board(make_board: MakeBoard, chip: int) -> None:
    firmware = FirmwareBoard(make_board(), chip)
    check_open(firmware)
    loaded, args = LoadedImage(firmware, adam_image()), random_args(adam_image())
    wanted = native_bytes(adam_image(), args)
    for sequence in (1, 2, 3):
        done = loaded.launch(*args)
        assert (done.sequence, done.code) == (sequence, FAULT["NONE"])
        assert loaded.result_bytes() == wanted
    status = firmware.status
    assert status["packets_sent"] == status["packets_received"]
    assert status["packets_resent"] == 0
    assert firmware.application_faults() == []


@pytest.mark.parametrize("n_cores", [1, 7])
def test_fewer_cores(make_board: MakeBoard, n_cores: int) -> None:
    firmware = FirmwareBoard(make_board(), 0, n_cores)
    loaded, args = LoadedImage(firmware, adam_image()), random_args(adam_image())
    assert loaded.launch(*args, limit_cycles=200_000_000).code == FAULT["NONE"]
    assert loaded.result_bytes() == native_bytes(adam_image(), args)
    assert firmware.application_faults() == []


def test_lost_packets(make_board: MakeBoard) -> None:
    firmware = FirmwareBoard(make_board(lose=0.01))
    loaded, args = LoadedImage(firmware, adam_image()), random_args(adam_image())
    assert loaded.launch(*args).code == FAULT["NONE"]
    assert loaded.result_bytes() == native_bytes(adam_image(), args)
    assert firmware.status["packets_sent"] > firmware.status["packets_received"]
    assert firmware.status["packets_resent"] > 0


def test_stop_gives_everything_back(make_board: MakeBoard) -> None:
    """A second session on the same board, after the first was stopped in the middle of a launch."""
    board = make_board()
    first = FirmwareBoard(board)
    loaded, args = LoadedImage(first, adam_image()), random_args(adam_image())
    first.ring(loaded.queue(*args))
    board.run_all(board.now + CYCLES_PER_MS)
    first.host.stop(spec.APP_ID)
    board.run_all(board.now + 20 * CYCLES_PER_MS)
    assert [first.host.state(v) for v in range(1, first.n_cores + 1)] == [IDLE] * first.n_cores
    second = FirmwareBoard(board)
    assert second.arena == first.arena and second.arena_bytes == first.arena_bytes
    again = LoadedImage(second, adam_image())
    assert again.launch(*args).code == FAULT["NONE"]
    assert again.result_bytes() == native_bytes(adam_image(), args)


def test_cycles_agree_between_launches(make_board: MakeBoard) -> None:
    firmware = FirmwareBoard(make_board())
    loaded, args = LoadedImage(firmware, adam_image()), random_args(adam_image())
    cycles = [loaded.launch(*args).cycles for _ in range(3)]
    assert max(cycles) - min(cycles) <= max(cycles) // 200


def lane_cycles(loaded: LoadedImage) -> int:
    """From the first lane's start, which is its first transfer, to the last one's end."""
    words = np.frombuffer(loaded.chip.peek(loaded.profile_at, loaded.profile_bytes), "<u4")
    table = words.reshape(len(loaded.image.steps), records.LANES, -1)
    names = [field.name for field in records.PROFILE.fields]
    columns = [table[:, :, names.index(name)] for name in ("cycles", "barrier")]
    return int(sum(columns).sum(axis=0).max())


@pytest.mark.parametrize("make", [adam_image, lambda: slow_lane(3, 1)], ids=["adam", "one_tile"])
def test_launch_overhead(
    make_board: MakeBoard, make: Callable[[], Image], capsys: pytest.CaptureFixture[str]
) -> None:
    """Datagram in to datagram out, without the lanes' own time: the design's bar is 0.5 ms."""
    firmware = FirmwareBoard(make_board())
    image = make()
    loaded, args = LoadedImage(firmware, image), random_args(image)
    sequence = loaded.queue(*args)
    start = firmware.board.now
    firmware.ring(sequence)
    done = firmware.wait(50_000_000)
    lanes = lane_cycles(loaded)
    overhead = done.time - start - lanes
    with capsys.disabled():
        print(f"\ndatagram to datagram: {lanes} + {overhead} cycles", end="")
    assert overhead <= LAUNCH_CYCLES
