"""spindle doctor: looks at a board and says what is wrong with it and what to do.

In: a host name. Out: a line per finding, or with --json a list; 0 all is well, 1 something is not,
2 bad usage. Nothing on the board is changed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from spindle.cli.parser import Parser, sentence
from spindle.errors import SpindleError, UserError


def main(argv: Sequence[str]) -> int:
    """Examine the board and return the exit status."""
    from spindle.machines.examine import examine

    try:
        args = _parser().parse_args(argv)
    except UserError as error:
        return sentence(error, 2)
    found = []
    try:
        for finding in examine(_host(args.host)):
            found.append(finding)
            if not args.json:
                mark = "ok  " if finding.is_well else "LOOK"
                then = f"\n       {finding.fix}" if finding.fix else ""
                print(f"{mark} {finding.check}: {finding.found}{then}", flush=True)
    except SpindleError as error:
        return sentence(error, 1)
    if args.json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    return 0 if all(finding.is_well for finding in found) else 1


def _parser() -> Parser:
    parser = Parser("spindle doctor", "Looks at a SpiNNaker board and says what to do about it.")
    parser.add_argument("host", metavar="HOST", help="host name or address, or spin3:HOST")
    parser.add_argument("--json", action="store_true", help="print a JSON list, nothing else")
    return parser


def _host(text: str) -> str:
    kind, _, host = text.rpartition(":")
    return host if kind in ("spin3", "spin5") else text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
