"""The real firmware on one emulated chip, without a monitor: this plays the monitor's few parts.

In: number of cores, chip options. Out: launches of Images, records, completions. The
linked sections are put where the loader puts them; maps, tag table and message buffers of SC&MP are
written into system RAM; doorbells go through the mailbox of the service core.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spindle.firmware_build import build, elf, overlays
from spindle.image.image import Image
from spindle.spec import arena as spec
from spindle.spec import chip as chip_spec
from spindle.spec import generate, records
from spindle.vboard.assemble import assemble
from spindle.vboard.chip_host import NO_LINKS, ChipOptions, Rig, RigOptions

ARENA = 0x60240080
ARENA_BYTES = 64 * 1024 * 1024
SV, VCPU = 0xE5007F00, 0xE5007000
TAG_TABLE = 0x67900000
MESSAGES, N_MESSAGES = 0xE5001200, 8
ROUTER, SC = 0xF1000000, 0xF2000000
MONITOR = 0
TRAMPOLINE = "mov r0, #0x5d\nmov pc, #0\n"
SEGMENT_ALIGN = 128


@dataclass(frozen=True)
class Done:
    """One completion message, and the records beside it."""

    sequence: int
    code: int
    cycles: int
    status: dict[str, Any]


class FirmwareChip:
    """A chip whose virtual cores 1..n_cores run the firmware; core n is the service core.

    n_cores 1..17; with 17 the last has no lanes. Virtual core v is physical core `physical[v]`.
    """

    def __init__(self, n_cores: int = 17, options: ChipOptions | None = None, **costs: int) -> None:
        chip = options or ChipOptions()
        self.rig = Rig(
            RigOptions((replace(chip, has_ethernet=False),), (NO_LINKS,), "nominal", costs)
        )
        self.n_cores = n_cores
        self.physical = [MONITOR, *((5 * v) % 17 + 1 for v in range(1, 18))]
        self.place_cores = list(range(1, min(n_cores, records.LANES) + 1))
        self.service = n_cores if n_cores > records.LANES else 1
        self.cycle = 100
        self.sequence = 0
        self.next_free = ARENA + spec.HEAP_OFFSET
        self.firmware = build.build()
        self.overlays = overlays.overlays(self.firmware, ARENA)
        self._system_ram()
        self._arena()
        self._routes()
        self._load()

    # What the monitor and the host do at open

    def _system_ram(self) -> None:
        p2v = bytearray(20)
        for v, p in enumerate(self.physical):
            p2v[p] = v
        self.poke(SV + 0x94, bytes(p2v))
        self.poke(SV + 0xA8, bytes(self.physical) + bytes(2))
        self.words(SV + 0xDC, TAG_TABLE)
        self.words(TAG_TABLE + 4 * (spec.APP_ID << 8 | spec.ARENA_TAG), ARENA)
        self.words(SV + 0xEC, 0)
        buffers = [MESSAGES + 292 * i for i in range(N_MESSAGES)]
        for this, after in zip(buffers, [*buffers[1:], 0], strict=True):
            self.words(this, after)
        self.words(SV + 0x68, buffers[0], N_MESSAGES << 16)
        self.poke(VCPU, bytes(128 * 18))

    def _arena(self) -> None:
        self.poke(ARENA, bytes(spec.HEAP_OFFSET))
        self.poke(ARENA, records.RECORDS["session"].pack(self.session_record()))
        for addr, code in overlays.pieces(self.overlays):
            self.poke(addr, code)

    def session_record(self) -> dict[str, Any]:
        """Fields of the session record."""
        return {
            "magic": spec.SESSION_MAGIC,
            "abi_hash": generate.abi_hash(),
            "arena": ARENA,
            "arena_bytes": ARENA_BYTES,
            "n_chips": 1,
            "n_places": len(self.place_cores),
            "service": self.service,
            "tag": 3,
            "place_core": tuple(self.place_cores),
            "overlay": [overlay.fields() for overlay in self.overlays],
        }

    def _routes(self) -> None:
        self.rig.write(self.cycle, ROUTER, 0x00400001, core=MONITOR)
        for entry, route in enumerate(spec.routes(self.place_cores, self.service)):
            mask = sum(1 << 6 + self.physical[core] for core in route.cores)
            for base, word in ((0x4000, mask), (0x8000, route.key), (0xC000, route.mask)):
                self.rig.write(self.cycle, ROUTER + base + 4 * entry, word, core=MONITOR)
        self.cycle += 100

    def _load(self) -> None:
        data, self.elf = self.firmware.elf.read_bytes(), elf.read(self.firmware.elf)
        text, opening, cold, tables = (
            build.contents(data, self.elf.section(name)) for name in build.COPIED
        )
        window = self.elf.section(".open").addr
        tables_at = self.elf.section(".tables").addr - chip_spec.DTCM_BASE
        self.poke(0xE5000000, assemble(TRAMPOLINE))
        self.poke(chip_spec.SYSRAM_USER_BASE, cold)
        for v in range(1, self.n_cores + 1):
            self.rig.load(text, core=self.physical[v])
            self.rig.load(opening, core=self.physical[v], at=window)
            self.rig.load(tables, core=self.physical[v], dtcm=True, at=tables_at)
            self.rig.start(self.cycle, core=self.physical[v], pc=0xE5000000)
        self.run(200_000)

    # Memory and time

    def peek(self, addr: int, size_bytes: int) -> bytes:
        return self.rig.peek(addr, size_bytes)

    def poke(self, addr: int, data: bytes) -> None:
        self.rig.poke(addr, data)

    def words(self, addr: int, *values: int) -> None:
        self.poke(addr, struct.pack(f"<{len(values)}I", *values))

    def word(self, addr: int) -> int:
        return int(struct.unpack("<I", self.rig.peek(addr, 4))[0])

    def record(self, name: str, addr: int) -> dict[str, Any]:
        layout = records.RECORDS[name]
        return layout.unpack(self.rig.peek(addr, layout.size))

    @property
    def status(self) -> dict[str, Any]:
        return self.record("status", ARENA + spec.STATUS_OFFSET)

    def core(self, virtual: int) -> dict[str, Any]:
        return self.record("core", ARENA + spec.CORES_OFFSET + virtual * spec.CORE_STRIDE)

    def vcpu(self, virtual: int) -> bytes:
        return self.rig.peek(VCPU + 128 * virtual, 128)

    def run(self, cycles: int) -> None:
        self.cycle += cycles
        self.rig.run(self.cycle)

    def alloc(self, size_bytes: int) -> int:
        addr = self.next_free
        self.next_free += -(-size_bytes // SEGMENT_ALIGN) * SEGMENT_ALIGN
        assert self.next_free <= ARENA + ARENA_BYTES
        return addr

    # The monitor's mailboxes

    def send(self, virtual: int, command: int, message: int = 0) -> None:
        """Put a command into a core's mailbox and interrupt it."""
        block = VCPU + 128 * virtual
        self.words(block + 48, message)
        self.poke(block + 56, bytes([command]))
        interrupt = 0x5EC00000 | 1 << self.physical[virtual]
        self.rig.write(self.cycle, SC + 0x08, interrupt, core=MONITOR)
        self.cycle += 1

    def take_buffer(self) -> int:
        buffer = self.word(SV + 0x68)
        count, most = struct.unpack("<HH", self.rig.peek(SV + 0x6C, 4))
        self.words(SV + 0x68, self.word(buffer))
        self.poke(SV + 0x6C, struct.pack("<HH", count + 1, most))
        return buffer

    def free_buffer(self, buffer: int) -> None:
        count, most = struct.unpack("<HH", self.rig.peek(SV + 0x6C, 4))
        self.words(buffer, self.word(SV + 0x68))
        self.words(SV + 0x68, buffer)
        self.poke(SV + 0x6C, struct.pack("<HH", count - 1, most))

    def ring(self, sequence: int) -> None:
        """The doorbell datagram as SC&MP delivers it."""
        buffer = self.take_buffer()
        port = spec.DOORBELL_PORT << 5 | self.service
        header = struct.pack("<HHBBBBHH", 24, 0, 0x07, 0xFF, port, 0xFF, 0, 0)
        body = struct.pack("<HHIII", spec.DOORBELL_COMMAND, 0, sequence, 0, 0)
        self.poke(buffer + 4, header + body)
        self.send(self.service, 1, buffer)

    def completion(self) -> tuple[int, ...] | None:
        """(tag, command, sequence, code, cycles) of the message the service core pushed, taken."""
        block = VCPU + 128 * self.service
        if self.word(SV + 0xEC) == 0:
            return None
        message = self.word(block + 52)
        data = self.rig.peek(message, 32)
        assert self.word(SV + 0xEC) == 1 << self.service
        self.words(SV + 0xEC, 0)
        self.free_buffer(message)
        self.poke(block + 57, b"\0")
        return data[9], *struct.unpack_from("<H", data, 16), *struct.unpack_from("<3I", data, 20)

    # Launches

    def put_command(self, values: dict[str, int], *, spoil: int = 0) -> int:
        """Write the next command into the ring; its sequence."""
        self.sequence += 1
        at = ARENA + spec.RING_OFFSET + self.sequence % spec.RING_ENTRIES * records.COMMAND.size
        data = records.COMMAND.pack({"sequence": self.sequence, **values})[:-4]
        self.poke(at, data + struct.pack("<I", zlib.crc32(data) ^ spoil))
        return self.sequence

    def wait(self, limit_cycles: int, step_cycles: int = 20_000) -> Done:
        """Run until a completion comes."""
        until = self.cycle + limit_cycles
        while self.cycle < until:
            self.run(step_cycles)
            found = self.completion()
            if found is not None:
                assert found[:2] == (3, spec.DONE_COMMAND)
                return Done(*found[2:], self.status)
        raise TimeoutError(f"no completion after {limit_cycles} cycles: {self.status}")


@dataclass
class LoadedImage:
    """An Image in the arena of a chip (FirmwareChip, FirmwareBoard), and its buffers."""

    chip: Any
    image: Image
    profile: bool = True

    def __post_init__(self) -> None:
        chip, image = self.chip, self.image
        self.program = chip.alloc(len(image.program))
        self.const = chip.alloc(max(4, len(image.const)))
        self.scratch = chip.alloc(max(4, image.scratch_bytes))
        chip.poke(self.program, image.program)
        chip.poke(self.const, image.const)
        self.args = [chip.alloc(t.size_bytes) for t in image.args]
        self.results = [
            self.args[image.donated[j]] if j in image.donated else chip.alloc(t.size_bytes)
            for j, t in enumerate(image.results)
        ]
        bases = (self.const, self.scratch, *self.args, *self.results)
        self.binding = chip.alloc(4 * len(bases))
        chip.words(self.binding, *bases)
        self.profile_bytes = records.RECORDS["profile"].size * records.LANES * len(image.steps)
        self.profile_at = chip.alloc(self.profile_bytes) if self.profile else 0

    def command(self) -> dict[str, int]:
        return {
            "image_id": 1,
            "program": self.program,
            "program_bytes": len(self.image.program),
            "binding": self.binding,
            "n_slots": 2 + len(self.args) + len(self.results),
            "profile": self.profile_at,
        }

    def queue(self, *args: np.ndarray) -> int:
        """Write arguments and a command; its sequence."""
        for addr, arg in zip(self.args, args, strict=True):
            self.chip.poke(addr, np.ascontiguousarray(arg).tobytes())
        if self.profile_at:
            self.chip.poke(self.profile_at, bytes(self.profile_bytes))
        return self.chip.put_command(self.command())

    def launch(self, *args: np.ndarray, limit_cycles: int = 50_000_000) -> Any:
        self.chip.ring(self.queue(*args))
        return self.chip.wait(limit_cycles)

    def result_bytes(self) -> list[bytes]:
        pairs = zip(self.results, self.image.results, strict=True)
        return [self.chip.peek(addr, t.size_bytes) for addr, t in pairs]


def native_bytes(image: Image, args: Sequence[np.ndarray], n_cores: int = 17) -> list[bytes]:
    """The result bytes of the same launch on native."""
    from spindle.machines.native import NativeMachine

    machine = NativeMachine(n_cores=n_cores)
    program = machine.load(image)
    inputs = [machine.alloc(0, t.size_bytes) for t in image.args]
    for buffer, arg in zip(inputs, args, strict=True):
        machine.write(buffer, np.ascontiguousarray(arg).tobytes())
    outputs = [
        inputs[image.donated[j]] if j in image.donated else machine.alloc(0, t.size_bytes)
        for j, t in enumerate(image.results)
    ]
    machine.run(program, inputs, outputs).wait(60)
    found = [machine.read(buffer) for buffer in outputs]
    machine.close()
    return found


assert chip_spec.SDRAM_BASE < ARENA
