"""A board on UDP: requests, two boards at once, the status port, a taken address, recording."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from scp_host import ALLOC, VER, Host, UdpWire

from spindle.errors import MachineError, UserError
from spindle.vboard.board import SCP_PORT
from spindle.vboard.record import read_log, replay
from spindle.vboard.server import Server, bind_board


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@contextmanager
def serving(**options: object) -> Iterator[Server]:
    """A server that runs in a thread."""
    with Server(**options) as server:  # type: ignore[arg-type]
        done = threading.Event()
        thread = threading.Thread(target=server.run, args=(done.is_set,))
        thread.start()
        try:
            yield server
        finally:
            done.set()
            thread.join()


@contextmanager
def host_of(server: Server) -> Iterator[Host]:
    wire = UdpWire(server.address)
    try:
        yield Host(wire)
    finally:
        wire.close()


def status(server: Server, request: object) -> dict[str, object]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5.0)
        sock.sendto(json.dumps(request).encode(), (server.address, server.status_port))
        answer = json.loads(sock.recv(65536))
    assert isinstance(answer, dict)
    return answer


def test_a_host_talks_to_two_boards_at_once() -> None:
    with serving() as one, serving() as two, host_of(one) as a, host_of(two) as b:
        assert one.address != two.address
        for n, host in enumerate((a, b)):
            base = int.from_bytes(host.scp(ALLOC, (30 << 8, 1024, 1))[:4], "little")
            host.write(base, bytes([n]) * 1024, chip=(0, 0))
            assert host.read(base, 1024) == bytes([n]) * 1024
            assert host.scp(VER, chip=(1, 1))[12:17] == b"SC&MP"


def test_the_boards_own_address_is_where_the_monitor_says() -> None:
    with serving() as server, host_of(server) as host:
        own = host.read(0xF500_7FF0, 4)
        assert ".".join(map(str, own)) == server.address


def test_ports_are_not_shared() -> None:
    address, scp, boot = bind_board()
    try:
        with pytest.raises(MachineError, match=f"{address} cannot be taken"):
            Server(address=address)
        other, *socks = bind_board()
        assert other != address
        for sock in socks:
            sock.close()
    finally:
        scp.close()
        boot.close()
    with pytest.raises(MachineError, match=r"192\.0\.2\.1 cannot be taken"):
        bind_board("192.0.2.1")


def test_the_status_port_says_the_clock() -> None:
    with serving() as server:
        first = status(server, {"do": "clock"})
        time.sleep(0.05)
        second = status(server, {"do": "clock"})
        assert first["ready"] is True
        assert int(str(second["time_ns"])) - int(str(first["time_ns"])) > 10_000_000
        assert int(str(second["cycles"])) * 5 == second["time_ns"]
        assert status(server, {"do": "faults"})["faults"] == []
        assert status(server, {"do": "x"}) == {"error": "unknown request 'x'"}
        assert "error" in status(server, [1])


def test_time_does_not_run_ahead_of_the_wall() -> None:
    with serving(slow=20.0) as server:
        begin, first = time.monotonic(), int(str(status(server, {"do": "clock"})["time_ns"]))
        time.sleep(0.3)
        passed = int(str(status(server, {"do": "clock"})["time_ns"])) - first
        assert 0 < passed < (time.monotonic() - begin) / 20 * 1e9 + 3e6
    with serving(slow=100.0) as server, host_of(server) as host:
        assert host.scp(VER, chip=(1, 1))[12:17] == b"SC&MP"
    with pytest.raises(UserError, match="--slow"):
        Server(slow=0.5)


def test_the_arena_reaches_a_guarded_board_only() -> None:
    arena = {"do": "arena", "x": 1, "y": 0, "base": 0x61000000, "size_bytes": 4096}
    with serving(guard=True) as server:
        assert status(server, arena) == {"guard": True}
        assert "error" in status(server, arena | {"x": 7})
    with serving() as server:
        assert status(server, arena) == {"guard": False}


@pytest.mark.parametrize("cold", [False, True])
def test_a_recorded_session_replays(tmp_path: Path, cold: bool) -> None:
    path = tmp_path / "session.log"
    with serving(record=path, cold=cold) as server:
        if cold:
            time.sleep(0.02)
        else:
            with host_of(server) as host:
                for chip in ((0, 0), (1, 1)):
                    host.scp(VER, chip=chip)
    log = read_log(path)
    value, datagrams = replay(log, quantum=64)
    assert value == log.hash
    assert len(datagrams) == len(log.inputs) == (0 if cold else 2)


def test_what_is_too_large_for_a_frame_is_dropped() -> None:
    with serving() as server, host_of(server) as host:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(bytes(4000), (server.address, SCP_PORT))
        assert host.scp(VER)[12:17] == b"SC&MP"
