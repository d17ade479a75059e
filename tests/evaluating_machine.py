"""A Machine for tests of the code above the seam: it runs Modules with the evaluator.

In: Images that hold their Module. Out: what evaluate() gives, through buffers of bytes, so that
donation, transfers and lifetimes can be checked without compiler and kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from spindle.array import from_words, to_words
from spindle.errors import LostArrayError, UserError
from spindle.image.image import Image
from spindle.ir.evaluate import evaluate
from spindle.ir.graph import Module
from spindle.machines.machine import Buffer, Part, Run
from spindle.options import Options


@dataclass(frozen=True)
class ModuleImage(Image):
    """An Image that is only its signature and its Module."""

    module: Module | None = None
    chosen: Options = field(default_factory=Options)


def module_image(module: Module, options: Options) -> ModuleImage:
    """Stand where compile_module stands."""
    return ModuleImage(
        name=module.name,
        abi_hash=0,
        program=b"",
        const=b"",
        scratch_bytes=0,
        args=tuple(value.type for value in module.body.params),
        results=tuple(value.type for value in module.body.returns),
        donated=dict(module.donated),
        steps=(),
        arg_names=module.param_names,
        result_names=module.result_names,
        module=module,
        chosen=options,
    )


@dataclass(frozen=True, eq=False)
class EvaluatorProgram:
    """A loaded ModuleImage."""

    image: ModuleImage


@dataclass
class EvaluatorEvent:
    """A launch that computes when waited for."""

    work: Callable[[], Run]

    def done(self) -> bool:
        return False

    def wait(self, timeout_s: float | None = None) -> Run:
        return self.work()


class EvaluatorMachine:
    """Buffers are bytes in a dict; `interrupt` raises it in the next run instead of computing."""

    def __init__(self) -> None:
        self.name = "evaluator"
        self.memory: dict[Buffer, bytes] = {}
        self.moved = self.moved_before = self.aborts = self.launches = 0
        self.programs: set[EvaluatorProgram] = set()
        self.interrupt: BaseException | None = None

    def load(self, image: Any) -> EvaluatorProgram:
        program = EvaluatorProgram(image)
        self.programs.add(program)
        return program

    def unload(self, program: Any) -> None:
        self.programs.discard(program)

    def alloc(self, device: int, size_bytes: int) -> Buffer:
        buffer = Buffer(device, size_bytes, (Part((0, 0), 0x60000000, size_bytes),))
        self.memory[buffer] = b"\xa5" * size_bytes
        return buffer

    def free(self, buffer: Buffer) -> None:
        self.memory.pop(buffer, None)
        buffer.alive = False

    def write(self, buffer: Buffer, data: bytes | memoryview) -> None:
        if len(data) != buffer.size_bytes:
            raise UserError(f"{len(data)} bytes for a buffer of {buffer.size_bytes}")
        self.memory[buffer] = bytes(data)
        self.moved += len(data)

    def read(self, buffer: Buffer) -> bytes:
        if not buffer.alive:
            raise LostArrayError("read after free")
        self.moved += buffer.size_bytes
        return self.memory[buffer]

    def run(
        self, program: Any, inputs: Sequence[Buffer], outputs: Sequence[Buffer]
    ) -> EvaluatorEvent:
        return EvaluatorEvent(lambda: self._run(program.image, inputs, outputs))

    def _run(self, image: ModuleImage, inputs: Sequence[Buffer], outputs: Sequence[Buffer]) -> Run:
        if self.interrupt is not None:
            error, self.interrupt = self.interrupt, None
            raise error
        for result, param in image.donated.items():
            assert outputs[result] is inputs[param]
        pairs = zip(inputs, image.args, strict=True)
        args = [from_words(self.memory[buffer], tensor) for buffer, tensor in pairs]
        assert image.module is not None
        results = evaluate(image.module, args, image.chosen)
        for buffer, value, tensor in zip(outputs, results, image.results, strict=True):
            self.memory[buffer] = bytes(to_words(value, tensor))
        return self._record(image)

    def _record(self, image: ModuleImage) -> Run:
        host_bytes, self.moved_before = self.moved - self.moved_before, self.moved
        self.launches += 1
        return Run(
            machine=self.name,
            program=image.name,
            costs_hash="",
            n_cores=1,
            cycles=0,
            core_cycles=(0,),
            barriers=0,
            steps=(),
            dma_bytes=0,
            host_bytes=host_bytes,
            packets_sent=0,
            packets_lost=None,
            nonfinite=0,
            macs=0,
            wall_s=0.0,
        )

    def abort(self) -> None:
        self.aborts += 1

    def host_bytes(self) -> int:
        return self.moved

    def close(self) -> None:
        for buffer in list(self.memory):
            self.free(buffer)
