"""The cell magic `%%bigtrace` of IPython and Jupyter."""

from __future__ import annotations

import argparse
import shlex
from typing import Any, NoReturn

from bigtrace.client import Bigtrace
from bigtrace.errors import BigtraceError, InvalidArgumentError


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InvalidArgumentError(f"%%bigtrace: {message}\n{self.format_usage()}", code="invalid_option")


def _parser() -> _Parser:
    parser = _Parser(prog="%%bigtrace", add_help=False)
    parser.add_argument("traces", nargs="*", help="trace addresses and patterns")
    parser.add_argument("--where", help="an expression over the catalog")
    parser.add_argument("--lenient", action="store_true", help="report failed traces and continue")
    parser.add_argument("--orchestrator", metavar="HOST:PORT", help="address of the orchestrator")
    parser.add_argument("--out", metavar="NAME", help="variable to store the frame in, instead of displaying it")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="time limit of the query")
    return parser


def run_cell(line: str, cell: str, namespace: dict[str, Any]) -> Any:
    """Runs a cell: `line` contains the arguments, `cell` the script. Returns the frame, or None with `--out`."""
    try:
        args = _parser().parse_args(shlex.split(line))
    except ValueError as error:
        raise InvalidArgumentError(f"%%bigtrace: {error}", code="invalid_option") from None
    if args.out is not None and not args.out.isidentifier():
        raise InvalidArgumentError(f"%%bigtrace: --out {args.out} is not a valid variable name", code="invalid_option")
    with Bigtrace(args.orchestrator) as client:
        frame = client.query(args.traces, cell, where=args.where, lenient=args.lenient, timeout=args.timeout)
    if args.out is None:
        return frame
    namespace[args.out] = frame
    return None


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext bigtrace` registers the magic, and shows errors of queries as one line."""

    def bigtrace(line: str, cell: str) -> Any:
        return run_cell(line, cell, ipython.user_ns)

    ipython.register_magic_function(bigtrace, magic_kind="cell", magic_name="bigtrace")
    ipython.set_custom_exc((BigtraceError,), _show_error)


def _show_error(
    shell: Any, kind: type[BaseException], error: BaseException, tb: Any, tb_offset: Any = None
) -> list[str]:
    lines = [f"{kind.__name__}: {error}"]
    shell._showtraceback(kind, error, lines)
    return lines
