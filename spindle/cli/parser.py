"""What commands share: an argparse parser whose complaints are UserErrors, and saying them."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from spindle.errors import SpindleError, UserError


class Parser(argparse.ArgumentParser):
    """argparse, but a bad argument raises UserError: one sentence, no usage dump."""

    def __init__(self, prog: str, description: str, epilog: str | None = None) -> None:
        formatter = argparse.RawDescriptionHelpFormatter
        super().__init__(prog, None, description, epilog, formatter_class=formatter)

    def error(self, message: str) -> NoReturn:
        """Raise the complaint as a UserError."""
        raise UserError(message, where=self.prog, fix=f"see {self.prog} --help")


def sentence(error: SpindleError, status: int) -> int:
    """Print an error to stderr and return the exit status."""
    print(f"spindle: {error}", file=sys.stderr)
    return status
