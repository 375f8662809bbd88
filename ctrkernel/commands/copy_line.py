"""``ctrkernel put``, ``get`` and ``copy``: the copies of the magics on the command line."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from typing import TYPE_CHECKING, cast

from ctrkernel.commands.between import copied, copy_between
from ctrkernel.commands.context import Interrupts
from ctrkernel.commands.copy import add_options
from ctrkernel.commands.progress import Meter, Progress, Redrawn
from ctrkernel.commands.registry import find
from ctrkernel.commands.workspace import Workspace
from ctrkernel.container import Container
from ctrkernel.engine.engine import find_engine
from ctrkernel.errors import UsageError, one_line
from ctrkernel.transfer.words import literal, typed

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from ctrkernel.commands.copy import Copy

_SIDES = {
    "put": ("CONTAINER SRC… DEST", "copy files of this machine into a container"),
    "get": ("CONTAINER SRC… DEST", "copy files of a container to this machine"),
    "copy": ("CONTAINER:SRC… CONTAINER:DEST", "copy files of containers into another one"),
}
_PATHS = (
    "Paths in the container start from its working directory; ~, $NAME and patterns in them mean "
    "what they mean there: quote them from your own shell."
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str) -> None:
    """Add the parser of ``put``, ``get`` or ``copy``, with the options of the magic."""
    words, text = _SIDES[name]
    parser = commands.add_parser(
        name,
        help=text,
        usage=f"ctrkernel {name} [options] {words}",
        description=f"{text.capitalize()}. {_PATHS}"
        + (" The paths on this machine are what your shell made of them." * (name != "copy")),
    )
    if name == "copy":
        parser.add_argument(
            "paths", metavar="CONTAINER:PATH", nargs="+", help="sources and a destination"
        )
        add_options(parser)
        parser.set_defaults(work=run_copy)
        return
    parser.add_argument("container", metavar="CONTAINER", help="its name or id")
    parser.add_argument("paths", metavar="SRC… DEST", nargs="+", help="sources and a destination")
    _command(name).add_options(parser)
    parser.set_defaults(work=run, copy=name)


def run(arguments: argparse.Namespace) -> int:
    """Copy, say what was copied, and return the exit status.

    Raises:
        CtrKernelError: It could not be done.
    """
    name: str = arguments.copy
    paths: list[str] = arguments.paths
    if len(paths) < 2:  # noqa: PLR2004
        return _too_few(name)
    command = _command(name)
    engine = find_engine(os.environ)
    here, there = (paths[:-1], paths[-1:]) if name == "put" else (paths[-1:], paths[:-1])
    local: Sequence[str] = [literal(path) for path in here]
    remote: Sequence[str] = [typed(path) for path in there]
    sources, target = (local, remote[0]) if name == "put" else (remote, local[0])
    shell = os.environ.get("CTRKERNEL_SHELL")
    with (
        Container(engine, engine.inspect(arguments.container).name, shell=shell) as container,
        _interruptible(container.abandon) as interrupts,
        Meter(name, _progress()) as meter,
    ):
        summary = command.transfer(container)(
            sources,
            target,
            on_progress=meter,
            cancelled=interrupts.is_set,
            **command.options(arguments),
        )
    sys.stdout.write(command.told(summary, dry_run=arguments.dry_run))
    return 0


def run_copy(arguments: argparse.Namespace) -> int:
    """Copy between containers, say what was copied, and return the exit status.

    Raises:
        CtrKernelError: It could not be done.
    """
    paths: list[str] = arguments.paths
    if len(paths) < 2:  # noqa: PLR2004
        return _too_few("copy")
    workspace = Workspace({**os.environ, "CTRKERNEL_TARGET": ""})

    def container(name: str | None) -> Container:
        if name is None:
            raise UsageError(
                f"{one_line(next(path for path in paths if ':' not in path))} names no container; "
                "type CONTAINER:PATH, or use `ctrkernel put` and `get` for files of this machine"
            )
        return workspace.container(name)

    try:
        with _interruptible(workspace.abandon) as interrupts, Meter("copy", _progress()) as meter:
            summary = copy_between(
                container,
                [typed(path) for path in paths],
                arguments,
                on_progress=meter,
                cancelled=interrupts.is_set,
            )
    finally:
        workspace.close()
    sys.stdout.write(copied(summary, arguments))
    return 0


def _too_few(name: str) -> int:
    sys.stderr.write(f"ctrkernel: {name} needs a source and a destination: {_SIDES[name][0]}\n")
    return 2


def _command(name: str) -> Copy:
    return cast("Copy", find(f"ctr_{name}"))


def _progress() -> _Show:
    if not sys.stderr.isatty():
        return _Show(None)
    return _Show(Redrawn(_write, width=shutil.get_terminal_size().columns - 1))


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


class _Show:
    """Shows progress on a terminal, and nothing elsewhere."""

    def __init__(self, redrawn: Redrawn | None) -> None:
        self._redrawn = redrawn

    def __call__(self, progress: Progress | None) -> None:
        """Show it."""
        if self._redrawn is not None:
            self._redrawn.draw(progress)


@contextlib.contextmanager
def _interruptible(abandon: Callable[[], None]) -> Iterator[Interrupts]:
    """Have Ctrl-C and SIGTERM stop the copy, which then tidies up."""
    interrupts = Interrupts()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(each, lambda *_: interrupts.interrupt()) for each in numbers]
    try:
        with interrupts.calling(abandon):
            yield interrupts
    finally:
        for each, handler in zip(numbers, before, strict=True):
            signal.signal(each, handler)
