"""spindle: the command line. In: words. Out: 0 done, 1 the work failed, 2 bad usage.

One file per command, each with main(argv) -> int; they are imported when called.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from spindle.cli.parser import Parser, sentence
from spindle.errors import UserError

COMMANDS = {
    "demo": "train an MLP on handwritten digits and report what it cost",
    "bench": "measure a matrix product, or training steps of the examples",
    "board": "run a virtual SpiNNaker board that any SpiNNaker tool can use",
    "doctor": "look at a board and say what is wrong with it",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = _parser()
    if not words:
        parser.print_help(sys.stderr)
        return 2
    try:
        command = parser.parse_args(words[:1]).command
    except UserError as error:
        return sentence(error, 2)
    run = importlib.import_module(f"spindle.cli.{command}").main
    return int(run(words[1:]))


def _parser() -> Parser:
    commands = "\n".join(f"  {name:8}{text}" for name, text in COMMANDS.items())
    parser = Parser(
        "spindle",
        "Trains and runs neural networks on SpiNNaker machines.",
        epilog=f"commands:\n{commands}",
    )
    parser.add_argument("command", choices=COMMANDS, metavar="command")
    return parser


if __name__ == "__main__":
    sys.exit(main())
