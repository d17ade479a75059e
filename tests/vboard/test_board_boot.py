"""The vendor's monitor boots on 1 to 4 chips, dirty or pristine, and answers.

The link masks and the phases are those of a healthy SpiNN-3 (hardware reference 4.4 and 5.5).
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from scp_host import ALLOC, COUNTER, INFO, SIG, STATE_IDLE, STATE_RUN, VER, BoardWire, Host, aplx

from spindle.errors import InternalError, UserError
from spindle.vboard.board import BOOT_PORT, CYCLES_PER_MS, Board, Datagram
from spindle.vboard.boot_image import boot_image
from spindle.vboard.options import BoardOptions, chip_positions
from spindle.vboard.snapshots import ready_board

SV = 0xE500_7F00
SIGNAL_USR0, MAILBOX_SIGNAL = 10, 3
LINK_EN = {(0, 0): 0x27, (1, 0): 0x2C, (0, 1): 0x25, (1, 1): 0x3C}
CHIPS = chip_positions((2, 2))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("boards")


@pytest.fixture
def board(cache: Path) -> Iterator[Board]:
    with ready_board(cache=cache) as made:
        yield made


def test_a_dirty_board_boots_itself(board: Board) -> None:
    assert board.is_ready()
    assert 3_000 * CYCLES_PER_MS < board.now < 5_000 * CYCLES_PER_MS
    for chip, place in enumerate(CHIPS):
        sv = board.read(chip, SV, 256)
        assert (sv[1], sv[0]) == place
        assert (sv[3], sv[2]) == (2, 2)
        assert sv[0x65] == LINK_EN[place]
        assert sv[0xBC] == bin(board.places[chip].cores_ok).count("1")


def test_application_cores_wait_and_only_monitors_read_undefined_memory(board: Board) -> None:
    for chip, place in enumerate(board.places):
        working = [p for p in range(18) if place.cores_ok >> p & 1]
        assert all(board.core(chip, p).asleep for p in working)
        assert {fault.core for fault in board.faults(chip)} == {place.monitor}
        states = [board.read(chip, 0xE500_7000 + 128 * v + 46, 1)[0] for v in range(len(working))]
        assert states == [STATE_RUN] + [STATE_IDLE] * (len(working) - 1)


@pytest.mark.parametrize("chip", CHIPS)
def test_each_chip_answers(board: Board, chip: tuple[int, int]) -> None:
    host = Host(BoardWire(board))
    reply = host.scp(VER, chip=chip)
    assert reply[12:] == b"SC&MP/SpiNNaker\x004.0.0\0"
    assert reply[:4] == bytes((0, board.places[CHIPS.index(chip)].monitor, chip[1], chip[0]))
    (summary,) = struct.unpack_from("<I", host.scp(INFO, (0x5F, 0, 0), chip=chip))
    assert summary >> 8 & 0x3F == LINK_EN[chip]


@pytest.mark.parametrize("chip", CHIPS)
def test_memory_of_each_chip_is_written_and_read(board: Board, chip: tuple[int, int]) -> None:
    host = Host(BoardWire(board))
    (base,) = struct.unpack_from("<I", host.scp(ALLOC, (30 << 8, 4096, 1), chip=chip))
    data = bytes(i * 7 & 0xFF for i in range(1003))
    host.write(base, data, chip)
    assert host.read(base, len(data), chip) == data
    assert board.read(CHIPS.index(chip), base, len(data)) == data


def test_an_application_is_loaded_runs_and_is_stopped(board: Board) -> None:
    host = Host(BoardWire(board))
    host.start(aplx(COUNTER), app=30, cores=0x1E, chip=(1, 0))
    board.run_all(board.now + CYCLES_PER_MS)
    assert [host.state(v, (1, 0)) for v in range(1, 6)] == [STATE_RUN] * 4 + [STATE_IDLE]
    assert struct.unpack("<I", host.read(0xE500_7000 + 128 + 112, 4, (1, 0)))[0] > 10
    host.stop(30)
    board.run_all(board.now + 5 * CYCLES_PER_MS)
    assert [host.state(v, (1, 0)) for v in range(1, 6)] == [STATE_IDLE] * 5


def test_a_signal_reaches_every_chip(board: Board) -> None:
    """Signals are multicast from the root monitor; ours asks each core's mailbox."""
    host = Host(BoardWire(board))
    for chip in CHIPS:
        host.start(aplx(COUNTER), app=30, cores=0x6, chip=chip)
    before = [board.router_counts(chip)[0] for chip in range(4)]
    host.scp(SIG, (0, SIGNAL_USR0 << 16 | 0xFF00 | 30, 0))
    board.run_all(board.now + 3 * CYCLES_PER_MS)
    after = [board.router_counts(chip)[0] for chip in range(4)]
    assert all(b > a for a, b in zip(before, after, strict=True))
    for chip in range(4):
        command = board.read(chip, 0xE500_7000 + 128 + 56, 1)[0]
        (message,) = struct.unpack("<I", board.read(chip, 0xE500_7000 + 128 + 48, 4))
        assert (command, message) == (MAILBOX_SIGNAL, SIGNAL_USR0)


def test_a_fault_stops_an_application_core_and_is_listed(board: Board) -> None:
    host = Host(BoardWire(board))
    host.start(aplx("ldr r0, =0xf1000080\nldr r0, [r0]\nstop: b stop"), app=30, cores=2)
    board.run_all(board.now + CYCLES_PER_MS)
    (fault,) = [f for f in board.faults(0) if f.core != board.places[0].monitor]
    assert (fault.code.name, fault.addr) == ("UNSUPPORTED", 0xF100_0080)
    assert board.core(0, fault.core).failed


def test_a_store_outside_the_arena_is_a_fault(board: Board) -> None:
    board.set_guard(0, 0x6100_0000, 0x1000)
    store = "ldr r0, =0x61000ffc\nstr r0, [r0]\nstr r0, [r0, #4]\nstop: b stop"
    Host(BoardWire(board)).start(aplx(store), app=30, cores=2)
    board.run_all(board.now + CYCLES_PER_MS)
    faults = [f for f in board.faults(0) if f.core != board.places[0].monitor]
    assert [(f.code.name, f.addr) for f in faults] == [("GUARD", 0x6100_1000)]


def test_the_quantum_does_not_show(board: Board) -> None:
    with Board(BoardOptions(quantum=64)) as other:
        other.boot()
        assert (other.now, other.hash()) == (board.now, board.hash())


def test_a_snapshot_is_the_board(board: Board) -> None:
    with Board() as other:
        other.restore(board.snapshot(), board.ip)
        assert (other.now, other.hash()) == (board.now, board.hash())
        end = board.now + 20 * CYCLES_PER_MS
        board.run_all(end)
        other.run_all(end)
        assert other.hash() == board.hash()
    with Board(BoardOptions(shape=(1, 1))) as other, pytest.raises(InternalError):
        other.restore(board.snapshot(), board.ip)


def test_a_damaged_snapshot_is_made_again(tmp_path: Path) -> None:
    options = BoardOptions(shape=(1, 1))
    with ready_board(options, cache=tmp_path) as board:
        expected = board.hash()
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:1_000_000])
    for _ in range(2):
        with ready_board(options, cache=tmp_path) as board:
            assert board.hash() == expected
    assert file.stat().st_size > 1_000_000


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with ready_board(BoardOptions(shape=(1, 1)), cache=tmp_path / "file") as board:
        assert board.is_ready()


def test_a_board_moves_to_another_address(board: Board) -> None:
    board.set_ip("127.83.7.9")
    assert board.read(0, SV + 0xF0, 4) == bytes((127, 83, 7, 9))
    assert Host(BoardWire(board)).scp(VER)[12:17] == b"SC&MP"


def test_one_chip_boots(cache: Path) -> None:
    with ready_board(BoardOptions(shape=(1, 1)), cache=cache) as board:
        assert board.read(0, SV + 2, 2) == bytes((1, 1))
        assert Host(BoardWire(board)).scp(VER)[12:17] == b"SC&MP"


def test_a_pristine_board_boots(cache: Path) -> None:
    with ready_board(BoardOptions(pristine=True), cache=cache) as board:
        assert Host(BoardWire(board)).scp(VER, chip=(1, 1))[:4] == bytes((0, 0, 1, 1))


def boot_messages(image: bytes) -> list[bytes]:
    """The datagrams with which a host boots a board."""
    words = struct.unpack(f"<{len(image) // 4}I", image)
    swapped = struct.pack(f">{len(words)}I", *words)
    blocks = [swapped[at : at + 1024] for at in range(0, len(swapped), 1024)]
    head = struct.Struct(">H4I").pack
    fills = [head(1, 3, 255 << 8 | n, 0, 0) + block for n, block in enumerate(blocks)]
    return [head(1, 1, 0, 0, len(blocks) - 1), *fills, head(1, 5, 1, 0, 0)]


def test_boot_datagrams_start_a_cold_board() -> None:
    with Board(BoardOptions(shape=(1, 1))) as board:
        for message in boot_messages(boot_image()):
            board.inject(Datagram(board.now, "127.0.0.1", 40000, BOOT_PORT, message))
            board.run_all(board.now + CYCLES_PER_MS)
        board.run_all(board.now + 100 * CYCLES_PER_MS)
        assert board.instructions(0, board.places[0].monitor) > 1_000_000


def test_an_image_with_a_block_missing_does_not_start() -> None:
    messages = boot_messages(boot_image())
    del messages[7]
    with Board(BoardOptions(shape=(1, 1))) as board:
        for message in messages:
            board.inject(Datagram(board.now, "127.0.0.1", 40000, BOOT_PORT, message))
        board.run_all(board.now + 10 * CYCLES_PER_MS)
        assert board.instructions(0, board.places[0].monitor) == 0


def test_a_datagram_of_the_past_is_refused(board: Board) -> None:
    with pytest.raises(UserError, match="was refused"):
        board.inject(Datagram(board.now - 1, "127.0.0.1", 40000, 17893, b""))
    with pytest.raises(UserError, match="1473 bytes"):
        board.inject(Datagram(board.now, "127.0.0.1", 40000, 17893, bytes(1473)))
