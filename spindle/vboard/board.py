"""A virtual board for Python: power on, boot, run, datagrams, looks inside.

In: BoardOptions, boot image, datagrams with their time. Out: datagrams with their time, memory,
faults, a trace hash. All times are cycles of the 200 MHz clock since power on. The time of a board
moves only in run() and boot(); nothing here waits for the host's clock.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from spindle.errors import InternalError, UserError
from spindle.vboard.boot_image import HARDWARE, boot_image
from spindle.vboard.build import library
from spindle.vboard.chip_host import ChipCosts, Fault, FaultCode, chip_costs
from spindle.vboard.options import BoardOptions, Place, places

CYCLES_PER_MS = 200_000
NETWORK_READY_MS = 30_000
SCP_PORT = 17893
BOOT_PORT = 54321
DEFAULT_IP = "127.83.0.1"
MAX_DATAGRAM = 1472

_U8, _U32, _U64, _I32 = ctypes.c_uint8, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int32
_PTR, _BOOL = ctypes.c_void_p, ctypes.c_bool


def _words(*names: str) -> list[tuple[str, type[ctypes.c_uint32]]]:
    return [(name, _U32) for name in names]


class _Options(ctypes.Structure):
    _fields_ = (
        ("seed", _U64),
        *_words("n_chips", "receiver_depth", "lose_rate", "quantum", "pristine", "allow_faults"),
        *_words("ip", "hardware"),
    )


class _Place(ctypes.Structure):
    _fields_ = (
        *_words("x", "y", "cores_ok", "monitor", "has_ethernet"),
        ("neighbours", _I32 * 6),
    )


class _Datagram(ctypes.Structure):
    _fields_ = (
        ("time", _U64),
        *_words("ip", "port", "own_port", "size_bytes"),
        ("data", _U8 * MAX_DATAGRAM),
    )


class _Fault(ctypes.Structure):
    _fields_ = (*_words("code", "core", "pc", "addr"), ("cycle", _U64), ("count", _U64))


_SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "new": (_PTR, (_PTR, _PTR, _PTR)),
    "free": (None, (_PTR,)),
    "run": (_U64, (_PTR, _U64)),
    "now": (_U64, (_PTR,)),
    "hash": (_U64, (_PTR,)),
    "boot": (None, (_PTR, _U32, ctypes.c_char_p, _U32)),
    "is_ready": (_BOOL, (_PTR,)),
    "set_ip": (_BOOL, (_PTR, _U32)),
    "inject": (_BOOL, (_PTR, _U64, _U32, _U32, _U32, ctypes.c_char_p, _U32)),
    "take": (_BOOL, (_PTR, _PTR)),
    "snapshot": (_PTR, (_PTR, _PTR)),
    "snapshot_free": (None, (_PTR,)),
    "restore": (_BOOL, (_PTR, _PTR, _U64)),
    "memory_read": (_BOOL, (_PTR, _U32, _U32, _PTR, _U32)),
    "memory_write": (_BOOL, (_PTR, _U32, _U32, ctypes.c_char_p, _U32)),
    "tcm": (_PTR, (_PTR, _U32, _U32, _U32)),
    "core": (None, (_PTR, _U32, _U32, _PTR)),
    "instructions": (_U64, (_PTR, _U32, _U32)),
    "cycles": (_U64, (_PTR, _U32, _U32)),
    "faults": (_U32, (_PTR, _U32, _PTR)),
    "router_counts": (None, (_PTR, _U32, _PTR)),
    "counts": (None, (_PTR, _PTR)),
    "set_guard": (None, (_PTR, _U32, _U32, _U32)),
}


def _functions() -> dict[str, ctypes._NamedFuncPointer]:
    found = {}
    for name, (result, arguments) in _SIGNATURES.items():
        function = library()[f"vboard_{name}"]
        function.restype = result  # type: ignore[assignment]
        function.argtypes = arguments  # type: ignore[assignment]
        found[name] = function
    return found


@dataclass(frozen=True)
class Datagram:
    """One UDP datagram: time in cycles, the host's address and port, the board's port, payload.

    To the board: it reaches the wire at `time`. From the board: the host sees it at `time`.
    """

    time: int
    ip: str
    port: int
    own_port: int
    data: bytes


@dataclass(frozen=True)
class CoreView:
    """A core from outside: pc, CPSR, r0..r14, and whether it sleeps, is held, failed, exists."""

    pc: int
    cpsr: int
    regs: tuple[int, ...]
    asleep: bool
    held: bool
    failed: bool
    exists: bool


def ip_number(ip: str) -> int:
    """Number of a dotted address, first octet in the top byte.

    >>> hex(ip_number("127.83.0.1"))
    '0x7f530001'
    """
    return int.from_bytes(bytes(int(part) for part in ip.split(".")), "big")


def ip_text(number: int) -> str:
    """Dotted form of ip_number.

    >>> ip_text(0x7F530001)
    '127.83.0.1'
    """
    return ".".join(str(part) for part in number.to_bytes(4, "big"))


class Board:
    """A board that was just switched on: no monitor runs until boot() or boot datagrams."""

    def __init__(self, options: BoardOptions | None = None, ip: str = DEFAULT_IP) -> None:
        """Power on. Raises UserError for impossible options, MemoryError."""
        self.options = options or BoardOptions()
        self.places = places(self.options)
        self.ip = ip
        self._c = _functions()
        costs: ChipCosts = chip_costs(self.options.cost_set)
        self._board = self._c["new"](
            ctypes.byref(self._c_options()), self._c_places(), ctypes.byref(costs)
        )
        if not self._board:
            raise MemoryError("no memory for the virtual board")

    def _c_options(self) -> _Options:
        o = self.options
        lose, ip = int(o.lose * 2**32), ip_number(self.ip)
        numbers = (o.n_chips, o.receiver_depth, lose, o.quantum, o.pristine, o.allow_faults)
        return _Options(o.seed, *numbers, ip, HARDWARE)

    def _c_places(self) -> object:
        def row(p: Place) -> _Place:
            links = (_I32 * 6)(*p.neighbours)
            return _Place(p.x, p.y, p.cores_ok, p.monitor, p.has_ethernet, links)

        return (_Place * len(self.places))(*map(row, self.places))

    def close(self) -> None:
        """Free the board; the object is dead afterwards."""
        if self._board:
            self._c["free"](self._board)
        self._board = None

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- time

    @property
    def now(self) -> int:
        """Cycles since power on."""
        return int(self._c["now"](self._board))

    def run(self, until: int) -> int:
        """Run to a cycle, or to the first datagram due to the host; return the new time."""
        return int(self._c["run"](self._board, until))

    def run_all(self, until: int) -> list[Datagram]:
        """Run to a cycle; return the datagrams that came."""
        found = self.take()
        while self.run(until) < until:
            found += self.take()
        return found + self.take()

    # -- boot

    def start_image(self, image: bytes | None = None) -> None:
        """Give the root chip its boot image at once, as if it had come over the wire."""
        data = image or boot_image()
        self._c["boot"](self._board, 0, data, len(data))

    def is_ready(self) -> bool:
        """True when the monitors of all chips have finished their start-up."""
        return bool(self._c["is_ready"](self._board))

    def boot(self) -> None:
        """Boot and run until ready, in steps of 10 ms. Raises InternalError when it takes 30 s."""
        self.start_image()
        while not self.is_ready():
            if self.now > NETWORK_READY_MS * CYCLES_PER_MS:
                raise InternalError(f"the virtual board is not ready after {NETWORK_READY_MS} ms")
            self.run_all(self.now + 10 * CYCLES_PER_MS)

    def set_ip(self, ip: str) -> None:
        """Move a booted board to another address. Raises InternalError when that fails."""
        if ip == self.ip:
            return
        if not self._c["set_ip"](self._board, ip_number(ip)):
            raise InternalError(f"the monitor's own address {self.ip} was not found in its memory")
        self.ip = ip

    # -- datagrams

    def inject(self, datagram: Datagram) -> None:
        """Hand a datagram to the wire at its time (>= now). Raises UserError when it cannot be."""
        ip, data = ip_number(datagram.ip), datagram.data
        ports = (datagram.port, datagram.own_port)
        if not self._c["inject"](self._board, datagram.time, ip, *ports, data, len(data)):
            raise UserError(
                f"a datagram of {len(data)} bytes for cycle {datagram.time} was refused",
                where="the virtual board",
                limit=f"at most {MAX_DATAGRAM} bytes, not before cycle {self.now}",
            )

    def take(self) -> list[Datagram]:
        """Datagrams that the host has got by now, oldest first."""
        found: list[Datagram] = []
        raw = _Datagram()
        while self._c["take"](self._board, ctypes.byref(raw)):
            data = ctypes.string_at(ctypes.addressof(raw) + _Datagram.data.offset, raw.size_bytes)
            found.append(Datagram(raw.time, ip_text(raw.ip), raw.port, raw.own_port, data))
        return found

    # -- state as bytes

    def hash(self) -> int:
        """Trace hash: of every packet on links, every datagram sent, and the state now."""
        return int(self._c["hash"](self._board))

    def snapshot(self) -> bytes:
        """The whole state. Raises InternalError while datagrams are under way."""
        size = _U64()
        pointer = self._c["snapshot"](self._board, ctypes.byref(size))
        if not pointer:
            raise InternalError("no snapshot: datagrams are under way")
        try:
            return ctypes.string_at(pointer, size.value)
        finally:
            self._c["snapshot_free"](pointer)

    def restore(self, data: bytes, ip: str) -> None:
        """Load a snapshot of a board with the same options, taken when its address was `ip`."""
        if not self._c["restore"](self._board, data, len(data)):
            raise InternalError("the snapshot does not belong to a board of these options")
        self.ip = ip

    # -- inside

    def read(self, chip: int, addr: int, size_bytes: int) -> bytes:
        """Shared memory of a chip behind its cores' backs. Raises ValueError outside memory."""
        data = ctypes.create_string_buffer(size_bytes)
        if not self._c["memory_read"](self._board, chip, addr, data, size_bytes):
            raise ValueError(f"0x{addr:08x} is no memory")
        return data.raw

    def write(self, chip: int, addr: int, data: bytes) -> None:
        """Store into shared memory behind the cores' backs. Raises ValueError outside memory."""
        if not self._c["memory_write"](self._board, chip, addr, data, len(data)):
            raise ValueError(f"0x{addr:08x} is no memory")

    def tcm(self, chip: int, core: int, addr: int, size_bytes: int) -> bytes:
        """Bytes of a core's ITCM (address below 0x8000) or DTCM."""
        is_dtcm = addr >= 0x0040_0000
        base = self._c["tcm"](self._board, chip, core, is_dtcm)
        return ctypes.string_at(base + addr - (0x0040_0000 if is_dtcm else 0), size_bytes)

    def core(self, chip: int, core: int) -> CoreView:
        """State of a physical core."""
        v = (_U32 * 18)()
        self._c["core"](self._board, chip, core, v)
        bits = [bool(v[2] >> i & 1) for i in range(4)]
        return CoreView(v[0], v[1], tuple(v[3:]), *bits)

    def instructions(self, chip: int, core: int) -> int:
        """Instructions a physical core has executed."""
        return int(self._c["instructions"](self._board, chip, core))

    def cycles(self, chip: int, core: int) -> int:
        """Local time of a physical core."""
        return int(self._c["cycles"](self._board, chip, core))

    def faults(self, chip: int) -> list[Fault]:
        """Typed errors of a chip, one entry per instruction, at most 64."""
        array = (_Fault * 64)()
        count = self._c["faults"](self._board, chip, array)
        return [
            Fault(FaultCode(f.code), f.core, f.pc, f.addr, f.cycle, f.count) for f in array[:count]
        ]

    def router_counts(self, chip: int) -> tuple[int, int, int]:
        """Packets (routed, dropped, lost on purpose) of a chip since power on."""
        counts = (_U64 * 3)()
        self._c["router_counts"](self._board, chip, counts)
        return counts[0], counts[1], counts[2]

    def counts(self) -> tuple[int, int, int, int]:
        """(datagrams in, out, refused; windows of time run)."""
        counts = (_U64 * 4)()
        self._c["counts"](self._board, counts)
        return counts[0], counts[1], counts[2], counts[3]

    def set_guard(self, chip: int, base: int, size_bytes: int) -> None:
        """From now on an application may store only to this SDRAM range; size 0: anywhere."""
        self._c["set_guard"](self._board, chip, base, size_bytes)
