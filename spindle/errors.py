"""The two families of errors; every sentence Spindle says to a user is one of these."""

from __future__ import annotations


class SpindleError(Exception):
    """Base of everything Spindle raises on purpose."""


class UserError(SpindleError):
    """The model or the command cannot be done; the sentence says what to change.

    Fields are kept so that tools need not parse the sentence.
    """

    def __init__(self, what: str, *, where: str = "", limit: str = "", fix: str = "") -> None:
        super().__init__(what, where, limit, fix)
        self.what, self.where, self.limit, self.fix = what, where, limit, fix

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return "; ".join(part for part in (head, self.limit, self.fix) if part)


class UnsupportedError(UserError):
    """A program uses something Spindle does not compile (yet); see docs/limits.md."""


class OutOfMemoryError(UserError):
    """A program needs more memory than a chip has; names the largest buffers."""


class LostArrayError(UserError):
    """An array was donated, freed, or lost with its board."""


class MachineError(SpindleError):
    """A machine could not be opened or died; says which and what to do."""


class FaultError(MachineError):
    """A core stopped with a fault record: code, lane, step and two words."""


class InternalError(SpindleError):
    """Our bug: please report it with the dump it names."""
