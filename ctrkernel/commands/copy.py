"""``%ctr_put`` and ``%ctr_get``: files in and out."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ctrkernel.commands import variables
from ctrkernel.commands.command import Command, CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.numbers import whole_number
from ctrkernel.commands.progress import Meter, told
from ctrkernel.commands.sizes import bytes_of
from ctrkernel.container import MAIN
from ctrkernel.errors import UsageError
from ctrkernel.transfer.words import split

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from ctrkernel.container import Container
    from ctrkernel.transfer.summary import TransferSummary


class CopyParser(CommandParser):
    """Takes options between the paths too, which argparse does not do for any number of words."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse `args`; what is no option is a path, and so is all that follows ``--``."""
        words: list[str] = list(args)
        end = words.index("--") if "--" in words else len(words)
        parsed, rest = self.parse_known_args(words[:end], namespace)
        unknown = [word for word in rest if word.startswith("-") and word != "-"]
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        parsed.paths = [*parsed.paths, *rest, *words[end + 1 :]]
        return parsed


#: What every copy can be asked for, wherever the files are.
_FLAGS: Final = (
    (("-L", "--follow", "--follow-link"), "copy what a link in SRC points at"),
    (("-a", "--archive"), "keep the numeric owner of the files"),
    (("-p", "--parents"), "make the folders that are missing above DEST"),
    (("-n", "--no-clobber"), "leave files that exist alone"),
    (("-u", "--update"), "copy only files whose size or time differs"),
    (("-c", "--checksum"), "copy only files whose content differs"),
    (("--verify",), "compare checksums before anything takes its place"),
    (("--dry-run",), "say what would happen, and do nothing"),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that every copy has."""
    for names, text in _FLAGS:
        parser.add_argument(*names, action="store_true", help=text)
    parser.add_argument("--owner", metavar="USER[:GROUP]", help="who shall own it")
    parser.add_argument("--mode", help="permissions as for chmod: 640, or u=rw,go=r")


def options_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return those options as :class:`~ctrkernel.container.Container` takes them."""
    names = ("archive", "parents", "no_clobber", "update", "checksum", "verify", "dry_run")
    flags = {name: getattr(arguments, name) for name in names}
    return {
        "follow_link": arguments.follow,
        **flags,
        "owner": arguments.owner,
        "mode": arguments.mode,
    }


class Copy(Command):
    """What putting and getting share."""

    parser_class = CopyParser

    def add_arguments(self, parser: CommandParser) -> None:
        """Sources and a destination."""
        parser.add_argument("paths", metavar="SRC… DEST", nargs="*", help=self._paths_help)
        self.add_options(parser)
        parser.add_argument(
            "--session", metavar="NAME", default=MAIN, help="whose directory the paths start from"
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add what the command line has too."""
        add_options(parser)

    def words(self, line: str) -> list[str]:
        """Split the line; the words remember what was quoted."""
        return list(split(line))

    def options(self, arguments: argparse.Namespace) -> dict[str, object]:
        """Return the options as :meth:`Container.put` and ``get`` take them."""
        return options_of(arguments)

    def told(self, summary: TransferSummary, *, dry_run: bool) -> str:
        """Return the line that says what was done, or would be."""
        return told(f"would {self._doing}" if dry_run else self._did, summary)

    #: What the help says of the paths.
    _paths_help: ClassVar[str]
    #: How the work is told while it lasts, and when it is done.
    _doing: ClassVar[str]
    _did: ClassVar[str]

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Copy and say what was copied."""
        if arguments.var is not None:
            self._refuse(arguments, "is not for --var", keep={"max_size"})
            return self._variable(arguments, context)
        variables.refuse_options(arguments)
        paths: list[str] = arguments.paths
        if len(paths) < 2:  # noqa: PLR2004
            raise UsageError(
                f"%{self.name} needs a source and a destination; type %{self.name} SRC DEST"
            )
        with (
            Meter(self._doing, context.frontend.progress) as meter,
            context.interrupts.calling(context.workspace.abandon),
        ):
            summary = self.transfer(context.workspace.container())(
                paths[:-1],
                paths[-1],
                session=arguments.session,
                on_progress=meter,
                cancelled=context.interrupts.is_set,
                **self.options(arguments),
            )
        return Output(self.told(summary, dry_run=arguments.dry_run))

    def _refuse(self, arguments: argparse.Namespace, why: str, *, keep: set[str]) -> None:
        """Refuse options that would be passed over: who says --dry-run means it."""
        for name, value in self.options(arguments).items():
            if value not in (None, False) and name not in keep:
                option = f"--{name.replace('_', '-')}"
                raise UsageError(f"{option} {why}; leave it out, or type %{self.name} --help")

    @abstractmethod
    def transfer(self, container: Container) -> Callable[..., TransferSummary]:
        """Return the method that does it."""

    @abstractmethod
    def _variable(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Do it with a Python variable in place of a file here."""


class Put(Copy):
    """Copy files and folders from this machine into the container."""

    name = "ctr_put"
    examples = (
        ("%ctr_put data.csv .", "into the shell's directory"),
        ("%ctr_put a.txt b.txt ~/in/", "several, into a folder that exists"),
        ("%ctr_put site/. /srv/www", "a folder's content, merged into another"),
        ("%ctr_put *.csv $DATA -p", "a pattern; the shell's variable; its folder is made"),
        ("%ctr_put -u site /srv", "only what changed"),
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

    def transfer(self, container: Container) -> Callable[..., TransferSummary]:
        """Return the method that does it."""
        return container.put

    def _variable(self, arguments: argparse.Namespace, context: Context) -> Output:
        return variables.put_variable(arguments, context)


class Get(Copy):
    """Copy files and folders from the container to this machine."""

    name = "ctr_get"
    examples = (
        ("%ctr_get result.csv .", "from the shell's directory into the notebook's"),
        ("%ctr_get /var/log/app ./logs", "a folder, under a new name"),
        ("%ctr_get -L ~/latest .", "what a link points at"),
        ("%ctr_get logs/**/*.log all/ -p", "a pattern; in '…' it would be a name"),
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

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Those that both have, and bounds."""
        super().add_options(parser)
        parser.add_argument(
            "--max-size",
            type=bytes_of,
            metavar="SIZE",
            help="refuse more than this (1TB; 256MB with --var)",
        )
        parser.add_argument(
            "--max-files",
            type=whole_number,
            metavar="COUNT",
            help="refuse more than this (2,000,000)",
        )

    def options(self, arguments: argparse.Namespace) -> dict[str, object]:
        """Those that both have, and bounds."""
        bounds = {"max_size": arguments.max_size, "max_files": arguments.max_files}
        return {**super().options(arguments), **bounds}

    def transfer(self, container: Container) -> Callable[..., TransferSummary]:
        """Return the method that does it."""
        return container.get

    def _variable(self, arguments: argparse.Namespace, context: Context) -> Output:
        return variables.get_variable(arguments, context)
