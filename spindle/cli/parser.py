"""What commands share: an argparse parser whose complaints are UserErrors, and saying them."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from spindle.errors import SpindleError, UserError
from spindle.options import MATMUL_MODES


class Parser(argparse.ArgumentParser):
    """argparse, but a bad argument raises UserError: one sentence, no usage dump."""

    def __init__(self, prog: str, description: str, epilog: str | None = None) -> None:
        formatter = argparse.RawDescriptionHelpFormatter
        super().__init__(prog, None, description, epilog, formatter_class=formatter)

    def error(self, message: str) -> NoReturn:
        """Raise the complaint as a UserError."""
        raise UserError(message, where=self.prog, fix=f"see {self.prog} --help")


def add_bench(parser: Parser) -> None:
    """Add what the benchmarks have in common: how, where, and the form of the report."""
    modes = f"{', '.join(MATMUL_MODES)} (default {MATMUL_MODES[0]})"
    parser.add_argument("--matmul", default=MATMUL_MODES[0], help=modes)
    parser.add_argument("--machine", default="native", help="where to run (default native)")
    parser.add_argument("--cores", type=int, metavar="N", help="cores of a chip to use (all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")


def sentence(error: SpindleError, status: int) -> int:
    """Print an error to stderr and return the exit status."""
    print(f"spindle: {error}", file=sys.stderr)
    return status
