"""``%ctr_start``, ``%ctr_stop`` and their family: a container's life."""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar

from ctrkernel.commands.command import Command, CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.numbers import whole_number
from ctrkernel.engine.lifecycle import STOP_TIMEOUT
from ctrkernel.errors import CommandInterrupted, CtrKernelError, EngineError, UsageError

if TYPE_CHECKING:
    import argparse

    from ctrkernel.container import Container

#: Containers that are worked on at the same moment.
AT_ONCE = 16


class _Each(Command):
    """What is done to one container after another, or to the attached one."""

    completes = {"targets": Completes.ANY_CONTAINER}  # noqa: RUF012 - a constant of the class
    #: How an error that names several containers begins.
    _failing: ClassVar[str]

    def add_arguments(self, parser: CommandParser) -> None:
        """Containers."""
        parser.add_argument(
            "targets",
            metavar="TARGET",
            nargs="*",
            help="names or ids; without one the attached container",
        )

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Do it to each; those that can be are done, and the error names who failed."""
        targets = list(dict.fromkeys(arguments.targets)) or [None]

        def each(target: str | None) -> str | CtrKernelError:
            try:
                return self._one(context.workspace.container(target), arguments, context)
            except CtrKernelError as error:
                return error

        with ThreadPoolExecutor(min(len(targets), AT_ONCE), "ctrkernel-lifecycle") as threads:
            results = list(threads.map(each, targets))
        lines = "".join(f"{result}\n" for result in results if isinstance(result, str))
        errors = [result for result in results if isinstance(result, CtrKernelError)]
        if not errors:
            return Output(lines)
        if lines:
            context.frontend.stream(lines)
        if len(errors) == 1 or any(isinstance(error, CommandInterrupted) for error in errors):
            raise errors[0]
        raise EngineError(
            f"{len(errors)} of {len(results)} could not be {self._failing}: "
            + "; ".join(map(str, errors))
        )

    @abstractmethod
    def _one(self, container: Container, arguments: argparse.Namespace, context: Context) -> str:
        """Do it to one container and return the line that says so."""


class Start(_Each):
    """Start a container that is stopped."""

    name = "ctr_start"
    examples = (
        ("%ctr_start web", "as it was made"),
        ("%ctr_start --attach web", "and run the cells that follow in it"),
        ("%ctr_start", "the attached container, after %ctr_stop"),
    )
    _failing = "started"

    def add_arguments(self, parser: CommandParser) -> None:
        """Containers, and whether to attach."""
        super().add_arguments(parser)
        parser.add_argument("--attach", action="store_true", help="attach to it")

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Start, and perhaps attach."""
        if arguments.attach and len(arguments.targets) > 1:
            raise UsageError("--attach takes one container; type %ctr_start --attach web")
        output = super().work(arguments, context)
        if not arguments.attach:
            return output
        name = context.workspace.container(*arguments.targets).name
        with context.interrupts.calling(context.workspace.abandon):
            info = context.workspace.attach(name)
        return Output(f"{output.text}attached to {info.name} ({info.image})\n")

    def _one(
        self,
        container: Container,
        arguments: argparse.Namespace,  # noqa: ARG002
        context: Context,
    ) -> str:
        return container.start(cancelled=context.interrupts.is_set)


class Stop(_Each):
    """Stop a container; its shells end first."""

    name = "ctr_stop"
    examples = (
        ("%ctr_stop", "the attached container"),
        ("%ctr_stop --time 1 web db", "two, each with a second to end by itself"),
        ("%ctr_stop --kill web", "at once"),
    )
    _failing = "stopped"

    def add_arguments(self, parser: CommandParser) -> None:
        """Containers, and how."""
        super().add_arguments(parser)
        how = parser.add_mutually_exclusive_group()
        _add_time(how)
        how.add_argument("--kill", action="store_true", help="kill it at once")

    def _one(self, container: Container, arguments: argparse.Namespace, context: Context) -> str:
        return container.stop(
            arguments.time, kill=arguments.kill, cancelled=context.interrupts.is_set
        )


class Restart(_Each):
    """Stop a container and start it again; the next cell runs in a new shell."""

    name = "ctr_restart"
    examples = (
        ("%ctr_restart", "the attached container"),
        ("%ctr_restart --time 1 web", "with a second to end by itself"),
    )
    _failing = "restarted"

    def add_arguments(self, parser: CommandParser) -> None:
        """Containers, and how."""
        super().add_arguments(parser)
        _add_time(parser)

    def _one(self, container: Container, arguments: argparse.Namespace, context: Context) -> str:
        return container.restart(arguments.time, cancelled=context.interrupts.is_set)


class Pause(_Each):
    """Freeze all that runs in a container."""

    name = "ctr_pause"
    examples = (("%ctr_pause web", "until %ctr_unpause web"),)
    completes = {"targets": Completes.CONTAINER}  # noqa: RUF012
    _failing = "paused"

    def _one(
        self,
        container: Container,
        arguments: argparse.Namespace,  # noqa: ARG002
        context: Context,
    ) -> str:
        return container.pause(cancelled=context.interrupts.is_set)


class Unpause(_Each):
    """Let a frozen container go on."""

    name = "ctr_unpause"
    examples = (("%ctr_unpause web", "after %ctr_pause web"),)
    completes = {"targets": Completes.CONTAINER}  # noqa: RUF012
    _failing = "unpaused"

    def _one(
        self,
        container: Container,
        arguments: argparse.Namespace,  # noqa: ARG002
        context: Context,
    ) -> str:
        return container.unpause(cancelled=context.interrupts.is_set)


class Remove(_Each):
    """Remove a container that is stopped, or with --force one that runs."""

    name = "ctr_rm"
    examples = (
        ("%ctr_rm web", "it must be stopped"),
        ("%ctr_rm --force web db", "running or not"),
        ("%ctr_rm --volumes web", "its anonymous volumes too"),
    )
    _failing = "removed"

    def add_arguments(self, parser: CommandParser) -> None:
        """Containers, and how."""
        super().add_arguments(parser)
        parser.add_argument("-f", "--force", action="store_true", help="kill it first, if it runs")
        parser.add_argument(
            "-v", "--volumes", action="store_true", help="its anonymous volumes too"
        )

    def _one(self, container: Container, arguments: argparse.Namespace, context: Context) -> str:
        line = container.remove(
            force=arguments.force,
            volumes=arguments.volumes,
            cancelled=context.interrupts.is_set,
        )
        context.workspace.forget(container.name)
        return line


def _add_time(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "-t",
        "--time",
        metavar="S",
        type=whole_number,
        default=STOP_TIMEOUT,
        help=f"seconds it has to end by itself before it is killed ({STOP_TIMEOUT})",
    )
