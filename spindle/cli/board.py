"""spindle board: run a virtual board by itself.

In: switches. Out: one JSON line when the board is ready, then a board on UDP until Ctrl-C; with
--replay a log is run again and its trace hash printed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from spindle.cli.parser import Parser, sentence
from spindle.errors import SpindleError, UserError
from spindle.vboard.board import BOOT_PORT, SCP_PORT
from spindle.vboard.options import BoardOptions, DeadCore, random_dead_cores
from spindle.vboard.record import hash_text, read_log, replay
from spindle.vboard.server import Server


def main(argv: Sequence[str]) -> int:
    """Run the board and return the exit status."""
    try:
        args = _parser().parse_args(argv)
        options = _options(args)
    except UserError as error:
        return sentence(error, 2)
    try:
        if args.replay:
            return _replay(args.replay)
        return _serve(options, args)
    except SpindleError as error:
        return sentence(error, 1)


def _parser() -> Parser:
    parser = Parser("spindle board", "Runs a virtual SpiNNaker board that answers on UDP.")
    add = parser.add_argument
    add("--shape", default="2x2", metavar="WxH", help="chips (default 2x2, a SpiNN-3)")
    add(
        "--dead-cores",
        metavar="LIST",
        help="x,y,p;x,y,p... (physical cores), or COUNT:SEED, or none",
    )
    add(
        "--lose", type=float, default=0.0, metavar="RATE", help="lose application multicast packets"
    )
    add("--slow", type=float, default=1.0, metavar="F", help="run F times slower than real time")
    add("--pristine", action="store_true", help="zeroed memories, core 0 is the monitor")
    add("--cold", action="store_true", help="switched on but not booted")
    add("--seed", type=int, default=1, help="of garbage, monitors, dead cores, losses (default 1)")
    add("--record", type=Path, metavar="FILE", help="write the board's input to a log")
    add("--replay", type=Path, metavar="FILE", help="run a log again and print its trace hash")
    add("--guard", action="store_true", help="stores outside the announced arena are faults")
    add("--until-eof", action="store_true", help="stop when standard input ends")
    add("--address", metavar="IP", help="loopback address (default: the first free 127.83.x.y)")
    return parser


def _shape(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise UserError(f"{text!r} is no shape", where="--shape", fix="write it as 2x2")
    return int(width), int(height)


def _dead_cores(text: str | None, shape: tuple[int, int]) -> tuple[DeadCore, ...] | None:
    """None: the default; otherwise a list, or a number and a seed."""
    if text is None:
        return None
    if text == "none":
        return ()
    try:
        if ":" in text:
            count, seed = map(int, text.split(":"))
            return random_dead_cores(shape, count, seed)
        cores = [tuple(map(int, part.split(","))) for part in text.split(";")]
        return tuple((x, y, p) for x, y, p in cores)
    except ValueError as error:
        raise UserError(
            f"{text!r} is no list of cores",
            where="--dead-cores",
            fix="write it as 0,0,3;1,0,7 or as COUNT:SEED",
        ) from error


def _options(args: argparse.Namespace) -> BoardOptions:
    shape = _shape(args.shape)
    return BoardOptions(
        shape=shape,
        seed=args.seed,
        pristine=args.pristine,
        dead_cores=_dead_cores(args.dead_cores, shape),
        lose=args.lose,
    )


def _replay(path: Path) -> int:
    log = read_log(path)
    value, datagrams = replay(log)
    answer = {
        "hash": hash_text(value),
        "recorded": None if log.hash is None else hash_text(log.hash),
        "equal": None if log.hash is None else value == log.hash,
        "datagrams": len(datagrams),
    }
    print(json.dumps(answer), flush=True)
    if log.hash is None:
        print(f"{path} was cut off: it has no hash to compare with", file=sys.stderr)
    return 0 if answer["equal"] else 1


def _serve(options: BoardOptions, args: argparse.Namespace) -> int:
    stopped: list[int] = []
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda number, _frame: stopped.append(number))
    if args.until_eof:
        threading.Thread(target=_wait_for_eof, args=(stopped,), daemon=True).start()
    server = Server(
        options,
        address=args.address,
        cold=args.cold,
        slow=args.slow,
        guard=args.guard,
        record=args.record,
    )
    with server:
        print(json.dumps(_announcement(server, args)), flush=True)
        server.run(lambda: bool(stopped))
    return 0


def _wait_for_eof(stopped: list[int]) -> None:
    """In a thread: whoever started us closes our standard input, or dies."""
    while os.read(0, 4096):
        pass
    stopped.append(0)


def _announcement(server: Server, args: argparse.Namespace) -> dict[str, object]:
    return {
        "address": server.address,
        "scp_port": SCP_PORT,
        "boot_port": BOOT_PORT,
        "status_port": server.status_port,
        "shape": list(server.board.options.shape),
        "booted": not args.cold,
        "pid": os.getpid(),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
