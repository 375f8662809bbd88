"""``%ctr_put`` and ``%ctr_get``: files in and out."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from ctrkernel.commands import variables
from ctrkernel.commands.command import Command, CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.progress import Meter, told
from ctrkernel.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from ctrkernel.container import Container
    from ctrkernel.transfer.summary import TransferSummary


class _Copy(Command):
    """What putting and getting share."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Sources and a destination."""
        parser.add_argument("paths", metavar="SRC… DEST", nargs="*", help=self._paths_help)
        parser.add_argument(
            "-L", "--follow-link", action="store_true", help="copy what a link in SRC points at"
        )
        parser.add_argument(
            "-a", "--archive", action="store_true", help="keep the numeric owner of the files"
        )

    #: What the help says of the paths.
    _paths_help: ClassVar[str]
    #: How the work is told while it lasts, and when it is done.
    _doing: ClassVar[str]
    _did: ClassVar[str]

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Copy and say what was copied."""
        if arguments.var is not None:
            return self._variable(arguments, context)
        paths: list[str] = arguments.paths
        if len(paths) < 2:  # noqa: PLR2004
            raise UsageError(
                f"%{self.name} needs a source and a destination; type %{self.name} SRC DEST"
            )
        with (
            Meter(self._doing, context.frontend.progress) as meter,
            context.interrupts.calling(context.workspace.abandon),
        ):
            summary = self._transfer(context.workspace.container())(
                paths[:-1],
                paths[-1],
                archive=arguments.archive,
                follow_link=arguments.follow_link,
                on_progress=meter,
                cancelled=context.interrupts.is_set,
            )
        return Output(told(self._did, summary))

    @abstractmethod
    def _transfer(self, container: Container) -> Callable[..., TransferSummary]:
        """Return the method that does it."""

    @abstractmethod
    def _variable(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Do it with a Python variable in place of a file here."""


class Put(_Copy):
    """Copy files and folders from this machine into the container."""

    name = "ctr_put"
    examples = (
        ("%ctr_put data.csv .", "into the shell's directory"),
        ("%ctr_put a.txt b.txt ~/in/", "several, into a folder that exists"),
        ("%ctr_put site/. /srv/www", "a folder's content, merged into another"),
        ("%ctr_put --var frame data.csv", "a Python variable: text, bytes, a DataFrame"),
    )
    completes = {  # noqa: RUF012 - a constant of the class
        "paths": (Completes.LOCAL_PATH, Completes.CONTAINER_PATH),
        "var": Completes.VARIABLE,
    }
    _paths_help = (
        "paths on this machine, then one in the container, relative to the shell's directory"
    )
    _doing, _did = "put", "put"

    def add_arguments(self, parser: CommandParser) -> None:
        """Those that both have, and a variable."""
        super().add_arguments(parser)
        variables.add_options(parser, get=False)

    def _transfer(self, container: Container) -> Callable[..., TransferSummary]:
        return container.put

    def _variable(self, arguments: argparse.Namespace, context: Context) -> Output:
        return variables.put_variable(arguments, context)


class Get(_Copy):
    """Copy files and folders from the container to this machine."""

    name = "ctr_get"
    examples = (
        ("%ctr_get result.csv .", "from the shell's directory into the notebook's"),
        ("%ctr_get /var/log/app ./logs", "a folder, under a new name"),
        ("%ctr_get -L ~/latest .", "what a link points at"),
        ("%ctr_get data.csv --var frame --as frame", "into a Python variable, as a DataFrame"),
    )
    completes = {  # noqa: RUF012 - a constant of the class
        "paths": (Completes.CONTAINER_PATH, Completes.LOCAL_PATH),
        "var": Completes.VARIABLE,
    }
    _paths_help = (
        "paths in the container, relative to the shell's directory, then one on this machine"
    )
    _doing, _did = "get", "got"

    def add_arguments(self, parser: CommandParser) -> None:
        """Those that both have, and a variable."""
        super().add_arguments(parser)
        variables.add_options(parser, get=True)

    def _transfer(self, container: Container) -> Callable[..., TransferSummary]:
        return container.get

    def _variable(self, arguments: argparse.Namespace, context: Context) -> Output:
        return variables.get_variable(arguments, context)
