"""One launch: arguments to buffers, run, results to Arrays; donation and Ctrl-C live here.

In: an Executable (an Image for one machine) and one argument per parameter, an Array or a host
array of the right shape and type. Out: one Array per result; the Run record goes to the session.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

from spindle.array import Array, NDArray, to_words
from spindle.errors import LostArrayError, SpindleError, UserError
from spindle.image.image import Image
from spindle.ir.graph import TensorType
from spindle.machines.machine import Buffer, Machine, Program
from spindle.session import SESSION

Argument = Array | NDArray


@dataclass(eq=False)
class Executable:
    """An Image loaded on a machine; `name` is what the user calls it."""

    name: str
    image: Image
    machine: Machine
    program: Program

    def path(self, index: int) -> str:
        """Return what to call argument `index` in a message."""
        names = self.image.arg_names
        return names[index] if index < len(names) and names[index] else str(index)


def load_image(name: str, image: Image, machine: Machine) -> Executable:
    """Load an Image; it is unloaded when the Executable goes."""
    program = machine.load(image)
    executable = Executable(name, image, machine, program)
    weakref.finalize(executable, _unload, machine, program).atexit = False
    return executable


def _unload(machine: Machine, program: Program) -> None:
    """Unload unless the machine is closed or dead: then there is nothing left to free."""
    with contextlib.suppress(SpindleError):
        machine.unload(program)


def put(host: NDArray, tensor: TensorType, machine: Machine) -> Array:
    """Move a host array of the tensor's shape to the machine."""
    array = Array(machine, machine.alloc(0, tensor.size_bytes), tensor)
    if tensor.size:
        machine.write(array.buffer, to_words(host, tensor))
    return array


def launch(executable: Executable, arguments: Sequence[Argument]) -> list[Array]:
    """Run once and return the results.

    Raises LostArrayError for an argument that is gone, UserError where one array is donated and
    used twice; on any error or Ctrl-C during the run donated arguments are lost, others stay.
    """
    arrays = [_on_machine(executable, i, argument) for i, argument in enumerate(arguments)]
    inputs = [_buffer(executable, i, array) for i, array in enumerate(arrays)]
    _check_donated_once(executable, inputs)
    outputs = _output_buffers(executable, inputs)
    taken = {param: arrays[param] for param in executable.image.donated.values()}
    _run(executable, inputs, outputs, taken)
    for param, array in taken.items():
        array.mark_lost(_donated_error(executable, param))
    pairs = zip(outputs, executable.image.results, strict=True)
    return [Array(executable.machine, buffer, tensor) for buffer, tensor in pairs]


def _on_machine(executable: Executable, index: int, argument: Argument) -> Array:
    """Return the argument as an Array of this machine, moving it where it is elsewhere."""
    if isinstance(argument, Array) and argument.machine is executable.machine:
        return argument
    host = argument.__array__() if isinstance(argument, Array) else argument
    return put(host, executable.image.args[index], executable.machine)


def _buffer(executable: Executable, index: int, array: Array) -> Buffer:
    try:
        return array.buffer
    except LostArrayError as error:
        where = f"argument {executable.path(index)} of {executable.name}"
        raise LostArrayError(error.what, where=where, fix=error.fix) from None


def _check_donated_once(executable: Executable, buffers: Sequence[Buffer]) -> None:
    users: dict[Buffer, list[int]] = {}
    for index, buffer in enumerate(buffers):
        users.setdefault(buffer, []).append(index)
    for param in executable.image.donated.values():
        others = [index for index in users[buffers[param]] if index != param]
        if others:
            raise UserError(
                f"argument {executable.path(param)} is donated, but argument "
                f"{executable.path(others[0])} is the same array",
                where=executable.name,
                fix="pass a copy for one of them: np.array(x)",
            )


def _output_buffers(executable: Executable, inputs: Sequence[Buffer]) -> list[Buffer]:
    """Return one Buffer per result: its donated argument's, or a new one."""
    machine, image = executable.machine, executable.image
    outputs: list[Buffer] = []
    try:
        for index, tensor in enumerate(image.results):
            param = image.donated.get(index)
            new = machine.alloc(0, tensor.size_bytes) if param is None else inputs[param]
            outputs.append(new)
    except BaseException:
        _free_new(executable, outputs)
        raise
    return outputs


def _free_new(executable: Executable, outputs: Sequence[Buffer]) -> None:
    for index, buffer in enumerate(outputs):
        if index not in executable.image.donated:
            executable.machine.free(buffer)


def _run(
    executable: Executable,
    inputs: Sequence[Buffer],
    outputs: Sequence[Buffer],
    taken: dict[int, Array],
) -> None:
    """Run and wait; where that fails, donated arguments are lost and new buffers freed."""
    try:
        SESSION.run = executable.machine.run(executable.program, inputs, outputs).wait()
    except BaseException as error:
        stopped = isinstance(error, KeyboardInterrupt)
        if stopped:
            executable.machine.abort()
        with contextlib.suppress(SpindleError):
            _give_up(executable, outputs, taken, "interrupted" if stopped else "the launch failed")
        raise


def _give_up(
    executable: Executable, outputs: Sequence[Buffer], taken: dict[int, Array], how: str
) -> None:
    """Mark donated arguments lost, then free their buffers and the new ones."""
    buffers = [array._buffer for array in taken.values()]
    for param, array in taken.items():
        array.mark_lost(_donated_error(executable, param, f"lost: {how}; "))
    for buffer in buffers:
        if buffer is not None:
            with contextlib.suppress(SpindleError):
                executable.machine.free(buffer)
    _free_new(executable, outputs)


def _donated_error(executable: Executable, param: int, how: str = "") -> LostArrayError:
    return LostArrayError(
        f"{how}this array was donated to {executable.name} as argument {executable.path(param)}",
        fix="use what the call returned, or call without donate_argnums",
    )
