"""``ctrkernel`` on the command line."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from ctrkernel.errors import CtrKernelError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, 1 for an error, 2 for wrong words."""
    arguments = _parser().parse_args(argv)
    try:
        return _install(arguments)
    except CtrKernelError as error:
        print(f"ctrkernel: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ctrkernel", description="Shells in containers, for Jupyter."
    )
    parser.add_argument("--version", action="version", version=f"ctrkernel {version('ctrkernel')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    install = commands.add_parser(
        "install",
        help="add a kernel to Jupyter's launcher",
        description="Add a kernel to Jupyter's launcher: one that attaches to a container by "
        "itself (--target), or the plain one for another environment (--user, --prefix).",
    )
    install.add_argument("--target", metavar="CONTAINER", help="attach to it by itself")
    install.add_argument("--name", help="the specification's name (ctrkernel-CONTAINER)")
    install.add_argument("--display-name", help="what the launcher shows")
    where = install.add_mutually_exclusive_group()
    where.add_argument("--user", action="store_true", help="for this user")
    where.add_argument("--prefix", metavar="DIR", help="under DIR (this Python's own prefix)")
    return parser


def _install(arguments: argparse.Namespace) -> int:
    from ctrkernel.kernel import spec  # noqa: PLC0415 - help and errors need no Jupyter

    folder = spec.install(
        target=arguments.target,
        name=arguments.name,
        display_name=arguments.display_name,
        user=arguments.user,
        prefix=arguments.prefix,
    )
    print(f"installed {folder}")
    return 0
