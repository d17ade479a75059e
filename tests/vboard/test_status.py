"""The host's side of the status port: every answer belongs to its request."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from spindle.vboard import status
from spindle.vboard.board import Board
from spindle.vboard.options import BoardOptions
from spindle.vboard.status import StatusPort
from spindle.vboard.window import WINDOW_BYTES, Window


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        yield made


def test_a_late_answer_is_not_the_next_one(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "ANSWER_S", 0.0)
    monkeypatch.setattr(status, "LOOK_S", 0.05)
    port = StatusPort(*server.getsockname())
    with pytest.raises(TimeoutError):
        port.ask({"do": "clock"})
    late, host = server.recvfrom(65536)
    server.sendto(json.dumps({"time_ns": 1, "id": json.loads(late)["id"]}).encode(), host)

    def answer() -> None:
        request, host = server.recvfrom(65536)
        server.sendto(json.dumps({"time_ns": 2, "id": json.loads(request)["id"]}).encode(), host)

    monkeypatch.setattr(status, "ANSWER_S", 10.0)
    thread = threading.Thread(target=answer)
    thread.start()
    assert port.time_ns() == 2
    thread.join()
    port.close()


def test_nobody_waits_for_a_process_that_has_ended(server: socket.socket) -> None:
    port = StatusPort(*server.getsockname())
    with pytest.raises(TimeoutError):
        port.ask({"do": "clock"}, lives=lambda: False)
    port.close()


@pytest.mark.parametrize("do", ["peek", "poke"])
def test_pieces_larger_than_the_window_are_refused(do: str, tmp_path: Path) -> None:
    file = tmp_path / "window"
    file.write_bytes(bytes(WINDOW_BYTES))
    window = Window(Board(BoardOptions((1, 1))))
    place = {"do": do, "file": str(file), "x": 0, "y": 0}
    half = WINDOW_BYTES // 2
    for last, fits in ((half - 4, True), (half, True), (half + 4, False)):
        answer = window.answer(place | {"pieces": [[0x60000000, half], [0x61000000, last]]})
        assert ("bytes" in answer) is fits, answer
    window.close()
