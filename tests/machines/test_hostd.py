"""The helper's parts: frames, requests that are late by the board's clock, refusals."""

from __future__ import annotations

import io
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from spindle.errors import MachineError
from spindle.machines.hostd import frames, scp
from spindle.machines.hostd.client import Hostd

ADDRESS = f"127.83.3.{os.getpid() % 200 + 1}"
"""Of this process's stand-in; virtual boards start at the other end."""


class FakeClock:
    """A board's time that a test moves."""

    def __init__(self, step_ns: int) -> None:
        self.time_ns, self.step_ns = 0, step_ns

    def now_ns(self) -> int:
        self.time_ns += self.step_ns
        return self.time_ns


@contextmanager
def monitor(answer: Callable[[int, bytes], int | None], step_ns: int) -> Iterator[scp.Scp]:
    """A stand-in for SC&MP: answer(n, request) is the code to reply with to the n-th, or None."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((ADDRESS, scp.PORT))
    stop = threading.Event()
    sock.settimeout(0.05)

    def serve() -> None:
        n = 0
        while not stop.is_set():
            try:
                data, host = sock.recvfrom(2048)
            except TimeoutError:
                continue
            code = answer(n, data)
            n += 1
            if code is not None:
                (sequence,) = struct.unpack_from("<H", data, 12)
                sock.sendto(bytes(10) + struct.pack("<HH", code, sequence) + data[14:18], host)

    thread = threading.Thread(target=serve)
    thread.start()
    made = scp.Scp(ADDRESS, FakeClock(step_ns))
    try:
        yield made
    finally:
        made.close()
        stop.set()
        thread.join()
        sock.close()


def requests(n: int) -> list[scp.Request]:
    return [scp.Request(scp.READ, (i, 4, 2)) for i in range(n)]


def check(replies: list[bytes]) -> None:
    assert replies == [struct.pack("<I", i) for i in range(len(replies))]


def test_replies_come_in_the_order_of_requests() -> None:
    with monitor(lambda n, data: scp.OK, 0) as made:
        check(made.ask((0, 0), requests(100)))
        assert made.resent == 0


def test_a_lost_reply_is_asked_for_again() -> None:
    with monitor(lambda n, data: None if n in (3, 5) else scp.OK, scp.LATE_NS) as made:
        check(made.ask((0, 0), requests(20)))
        assert made.resent == 2


def test_nothing_is_late_while_the_board_s_time_stands_still() -> None:
    """The reply takes four silences of wall time."""
    gate = threading.Event()

    def answer(n: int, data: bytes) -> int:
        gate.wait(4 * scp.SILENCE_S)
        return scp.OK

    with monitor(answer, scp.LATE_NS // 100) as made:
        check(made.ask((0, 0), requests(1)))
        assert made.resent == 0


def test_busy_is_tried_again_and_refusal_is_an_error() -> None:
    with monitor(lambda n, data: 0x8D if n == 0 else scp.OK, scp.PAUSE_NS // 4) as made:
        check(made.ask((0, 0), requests(3)))
        assert made.resent == 1
    with monitor(lambda n, data: 0x84, 0) as made, pytest.raises(MachineError, match="RC_ARG"):
        made.ask((0, 0), requests(1))


def test_a_busy_monitor_is_given_time() -> None:
    """Each time it says so, the board's clock goes on before it is asked again."""
    moments: list[int] = []
    busy = 3

    def answer(n: int, data: bytes) -> int:
        moments.append(made._clock.time_ns)
        return 0x8D if n < busy else scp.OK

    with monitor(answer, scp.PAUSE_NS // 4) as made:
        check(made.ask((0, 0), requests(1)))
        assert made.resent == busy
    assert all(b - a >= scp.PAUSE_NS for a, b in pairwise(moments))


def test_silence_ends() -> None:
    with (
        monitor(lambda n, data: None, 2 * scp.LATE_NS) as made,
        pytest.raises(scp.SilenceError, match="does not answer"),
    ):
        made.ask((0, 0), requests(1), tries=2)


def test_frames() -> None:
    stream = io.BytesIO(frames.pack({"a": 1}, b"xyz") + frames.pack({}) + b"\0\0")
    assert frames.read(stream) == ({"a": 1}, b"xyz")
    assert frames.read(stream) == ({}, b"")
    assert frames.read(stream) is None


def test_calls_that_cannot_be() -> None:
    hostd = Hostd()
    for op, words in (("nothing", "nothing failed"), ("resent", "no board is connected")):
        with pytest.raises(MachineError, match=words):
            hostd.call(op)
    hostd.close()
    with pytest.raises(MachineError, match="has ended"):
        hostd.call("resent")
