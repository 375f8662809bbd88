"""``%ctr_copy``: files from one container into another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ctrkernel.commands.command import CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.copy import CopyParser, add_options, options_of
from ctrkernel.commands.places import PathCommand
from ctrkernel.commands.progress import Meter, told
from ctrkernel.errors import UsageError, one_line
from ctrkernel.transfer.paths import only
from ctrkernel.transfer.words import Word

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from ctrkernel.container import Container
    from ctrkernel.transfer.relay import Remote
    from ctrkernel.transfer.summary import TransferSummary

#: ``NAME:PATH``; the name is a container's, so what follows the first colon is the path.
_PLACE: Final = re.compile(r"([a-zA-Z0-9][a-zA-Z0-9_.-]*):(.*)", re.DOTALL)


class Copy(PathCommand):
    """Copy files and folders from one container into another, nothing on this machine's disk."""

    name = "ctr_copy"
    parser_class = CopyParser
    examples = (
        ("%ctr_copy web:/srv/data db:/tmp", "a folder, under its name"),
        ("%ctr_copy web:/srv/data/. db:/srv/data", "a folder's content, merged into another"),
        ("%ctr_copy web:/etc/hosts db:/etc/motd a:/tmp", "from several containers"),
        ("%ctr_copy -p --owner app --mode 640 web:/etc/app db:/srv/app", "owner, permissions"),
        ("%ctr_copy -u web:/srv/data db:/srv", "only what changed"),
        ("%ctr_copy report.csv db:/in", "from the attached container, the shell's directory"),
    )
    completes = {"paths": Completes.PLACE}  # noqa: RUF012 - a constant of the class

    def add_arguments(self, parser: CommandParser) -> None:
        """Sources and a destination, each in a container."""
        parser.add_argument(
            "paths",
            metavar="CONTAINER:PATH",
            nargs="*",
            help="sources, then the destination; without CONTAINER: in the attached one",
        )
        add_options(parser)

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Copy and say what was copied."""
        paths: list[str] = arguments.paths
        if len(paths) < 2:  # noqa: PLR2004
            raise UsageError(
                "%ctr_copy needs a source and a destination; type %ctr_copy web:/srv/data db:/tmp"
            )
        workspace, cancelled = context.workspace, context.interrupts.is_set
        with (
            Meter("copy", context.frontend.progress) as meter,
            context.interrupts.calling(workspace.abandon),
        ):
            summary = copy_between(
                workspace.container, paths, arguments, on_progress=meter, cancelled=cancelled
            )
        return Output(copied(summary, arguments))


def copy_between(
    container: Callable[[str | None], Container],
    paths: Sequence[str],
    arguments: argparse.Namespace,
    *,
    on_progress: Callable[[int, int | None], None],
    cancelled: Callable[[], bool],
) -> TransferSummary:
    """Copy what `paths` but the last name to what the last one names.

    Args:
        container: Returns a container by its name; for None the attached one.
        paths: Such as ``web:/srv/data``; at least two.
        arguments: The options, parsed.
        on_progress: Called with the bytes moved, and in all where that is known.
        cancelled: Asked now and then; true stops it.

    Raises:
        CtrKernelError: It could not be done; the destination is as it was.
    """
    from ctrkernel.transfer.options import options_from  # noqa: PLC0415 - help needs no transfers
    from ctrkernel.transfer.relay import relay  # noqa: PLC0415 - as above

    options = options_from(**options_of(arguments))
    found = [_remotes(each, container) for each in paths]
    return relay(
        [source for each in found[:-1] for source in each],
        only(found[-1], paths[-1]),
        options=options,
        on_progress=on_progress,
        cancelled=cancelled,
    )


def copied(summary: TransferSummary, arguments: argparse.Namespace) -> str:
    """Return the lines that say what was copied, or would be."""
    return told("would copy" if arguments.dry_run else "copied", summary)


def _remotes(typed: str, container: Callable[[str | None], Container]) -> list[Remote]:
    match = _PLACE.fullmatch(typed)
    name = match[1] if match else None
    path = behind(typed, match.start(2)) if match else typed
    if not path:
        raise UsageError(f"{one_line(typed)} names no path; type {name}:/ or {name}:.")
    return container(name).places([path])


def behind(word: str, at: int) -> str:
    """Return what follows in a word, which still knows how it was quoted."""
    return Word(word[at:], word.quotes[at:]) if isinstance(word, Word) else word[at:]
