"""``ctrkernel`` on the command line."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NoReturn

from ctrkernel.errors import CtrKernelError, TargetUnclear, TransferInterrupted

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The exit status of a program that an interrupt ended.
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    That is 0, 1 for an error, 2 for wrong words, 130 for copies that were interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    # What follows -- is a command's own; argparse would look for options of ours in it.
    copies = words[:1] in (["put"], ["get"], ["copy"])
    end = words.index("--") if "--" in words and not copies else len(words)
    arguments, rest = _parser().parse_known_args(words[:end])
    command = words[end + 1 :]
    if rest:
        _refuse(rest, arguments)
    if command and arguments.work is not _shell:
        _parser().error("nothing but `ctrkernel shell` takes a command after --")
    arguments.command = command
    try:
        status: int = arguments.work(arguments)
    except CtrKernelError as error:
        said = error
        if isinstance(error, TargetUnclear) and error.nearest:
            said = error.to_type(shlex.join(["ctrkernel", *_corrected(words, error)]))
        print(f"ctrkernel: {said}", file=sys.stderr)
        return INTERRUPTED if isinstance(error, TransferInterrupted) else 1
    return status


def _corrected(words: Sequence[str], error: TargetUnclear) -> list[str]:
    """Return the command's words with the container that may have been meant."""
    meant = error.nearest_any if words[:1] in (["put"], ["get"]) else error.nearest
    begin = f"{error.asked}:"
    return [
        meant
        if word == error.asked
        else f"{meant}:{word[len(begin) :]}"
        if word.startswith(begin)
        else word
        for word in words
    ]


def _refuse(rest: Sequence[str], arguments: argparse.Namespace) -> NoReturn:
    if arguments.work is _shell and not any(word.startswith("-") for word in rest):
        line = shlex.join(["ctrkernel", "shell", arguments.target, "--", *rest])
        _parser().error(f"`ctrkernel shell` takes a command behind --; type {line}")
    _parser().error(f"unrecognized arguments: {' '.join(rest)}")


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
    install.set_defaults(work=_install)
    _add_shell(commands)
    _add_copies(commands)
    return parser


def _add_shell(commands: Any) -> None:
    from ctrkernel.commands.numbers import whole_number  # noqa: PLC0415 - as below

    shell = commands.add_parser(
        "shell",
        help="a shell in a container, at this terminal",
        usage="ctrkernel shell [options] TARGET [-- COMMAND …]",
        description="A shell in a container, at this terminal; or COMMAND. Its exit status is "
        "passed on. Without a terminal, stdin is passed on and stderr is told apart. With --join, "
        "the shell of a notebook's session.",
    )
    shell.add_argument("target", metavar="TARGET", help="a container's name or id")
    shell.add_argument("--shell", metavar="PROGRAM", help="which shell (CTRKERNEL_SHELL, bash, sh)")
    shell.add_argument("--user", "-u", metavar="USER[:GROUP]", help="as this user")
    shell.add_argument("--workdir", "-w", metavar="DIR", help="start in this directory")
    shell.add_argument(
        "--env",
        "-e",
        metavar="NAME[=VALUE]",
        action="append",
        default=[],
        help="set a variable, or pass the one of this shell on",
    )
    shell.add_argument(
        "--start", action="store_true", help="start a stopped container, wake a paused one"
    )
    shell.add_argument(
        "--logs", metavar="N", type=whole_number, default=0, help="show its last N log lines first"
    )
    shell.add_argument(
        "--detach-keys",
        metavar="KEYS",
        default="ctrl-p,ctrl-q",
        help="leave by these keys (ctrl-p,ctrl-q); the shell ends then, a joined one goes on",
    )
    shell.add_argument("--join", action="store_true", help="join the shell of a notebook")
    shell.add_argument(
        "--session", metavar="NAME", help="with --join: which of its sessions (main)"
    )
    shell.set_defaults(work=_shell)


def _add_copies(commands: Any) -> None:
    from ctrkernel.commands.copy_line import add_parser  # noqa: PLC0415 - `import ctrkernel` is fast

    for name in ("put", "get", "copy"):
        add_parser(commands, name)


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


def _shell(arguments: argparse.Namespace) -> int:
    from ctrkernel.engine.engine import find_engine  # noqa: PLC0415 - help needs no engine
    from ctrkernel.errors import UsageError  # noqa: PLC0415
    from ctrkernel.session.foreground import Asked, run_shell  # noqa: PLC0415
    from ctrkernel.session.terminal import TerminalEnded  # noqa: PLC0415

    asked = Asked(
        arguments.target,
        command=arguments.command,
        shell=arguments.shell
        or ("" if arguments.command else os.environ.get("CTRKERNEL_SHELL", "")),
        user=arguments.user,
        workdir=arguments.workdir,
        env=arguments.env,
        start=arguments.start,
        detach_keys=arguments.detach_keys,
        logs=arguments.logs,
    )
    try:
        if arguments.join:
            return _join(arguments)
        if arguments.session is not None:
            raise UsageError("--session goes with --join; a shell of its own has no name")
        return run_shell(find_engine(os.environ), asked)
    except TerminalEnded as ended:
        return ended.status
    except KeyboardInterrupt:
        return 130


def _join(arguments: argparse.Namespace) -> int:
    from ctrkernel.engine.engine import find_engine  # noqa: PLC0415 - help needs no engine
    from ctrkernel.errors import UsageError  # noqa: PLC0415
    from ctrkernel.protocol.detach import DetachKeys  # noqa: PLC0415
    from ctrkernel.session.door import join  # noqa: PLC0415
    from ctrkernel.session.visitor import Link, visit  # noqa: PLC0415

    own = ("shell", "user", "workdir", "env", "start", "logs", "command")
    if any(getattr(arguments, each) for each in own):
        raise UsageError(
            "--join goes with --session and --detach-keys alone: it joins a shell that is there"
        )
    keys = DetachKeys(arguments.detach_keys)
    info = find_engine(os.environ).inspect(arguments.target)
    left = visit(Link(join(info.name, arguments.session or "main")), keys)
    if left:
        print(f"ctrkernel: {left}")
    return 0
