"""``%ctr_copy``: files from one container into another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ctrkernel.commands.command import CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.places import PathCommand, place_of
from ctrkernel.commands.progress import Meter, told
from ctrkernel.errors import UsageError, one_line
from ctrkernel.transfer.words import Word

if TYPE_CHECKING:
    import argparse

    from ctrkernel.transfer.relay import Remote

#: ``NAME:PATH``; the name is a container's, so what follows the first colon is the path.
_PLACE: Final = re.compile(r"([a-zA-Z0-9][a-zA-Z0-9_.-]*):(.*)", re.DOTALL)


class Copy(PathCommand):
    """Copy files and folders from one container into another, nothing on this machine's disk."""

    name = "ctr_copy"
    examples = (
        ("%ctr_copy web:/srv/data db:/tmp", "a folder, under its name"),
        ("%ctr_copy web:/srv/data/. db:/srv/data", "a folder's content, merged into another"),
        ("%ctr_copy web:/etc/hosts db:/etc/motd a:/tmp", "from several containers"),
        ("%ctr_copy -p --owner app --mode 640 web:/etc/app db:/srv/app", "owner, permissions"),
        ("%ctr_copy report.csv db:/in", "from the attached container, the shell's directory"),
    )
    completes = {"places": Completes.PLACE}  # noqa: RUF012 - a constant of the class

    def add_arguments(self, parser: CommandParser) -> None:
        """Sources and a destination, each in a container."""
        parser.add_argument(
            "places",
            metavar="CONTAINER:PATH",
            nargs="*",
            help="sources, then the destination; without CONTAINER: in the attached one",
        )
        parser.add_argument(
            "-L", "--follow-link", action="store_true", help="copy what a link among them points at"
        )
        parser.add_argument(
            "-a", "--archive", action="store_true", help="keep the numeric owner of the files"
        )
        parser.add_argument(
            "-p",
            "--parents",
            action="store_true",
            help="make the folders that are missing above the destination",
        )
        parser.add_argument("--owner", metavar="USER[:GROUP]", help="who shall own it")
        parser.add_argument("--mode", help="permissions as for chmod: 640, or u=rw,go=r")

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Copy and say what was copied."""
        typed: list[str] = arguments.places
        if len(typed) < 2:  # noqa: PLR2004
            raise UsageError(
                "%ctr_copy needs a source and a destination; type %ctr_copy web:/srv/data db:/tmp"
            )
        from ctrkernel.transfer.options import Mode, Options  # noqa: PLC0415 - as below
        from ctrkernel.transfer.relay import relay  # noqa: PLC0415 - help needs no transfers

        options = Options(
            archive=arguments.archive,
            follow_link=arguments.follow_link,
            owner=arguments.owner,
            mode=None if arguments.mode is None else Mode.parse(arguments.mode),
            parents=arguments.parents,
        )
        places = [_remote(each, context) for each in typed]
        with Meter("copy", context.frontend.progress) as meter:
            summary = relay(
                context.workspace.engine,
                places[:-1],
                places[-1],
                options=options,
                on_progress=meter,
                cancelled=context.interrupts.is_set,
            )
        return Output(told("copied", summary))


def _remote(typed: str, context: Context) -> Remote:
    from ctrkernel.transfer.relay import Remote  # noqa: PLC0415 - as above

    match = _PLACE.fullmatch(typed)
    name = match[1] if match else None
    path = behind(typed, match.start(2)) if match else typed
    if not path:
        raise UsageError(f"{one_line(typed)} names no path; type {name}:/ or {name}:.")
    place = place_of(path, context, target=name)
    return Remote(place.container.status(), place.path)


def behind(word: str, at: int) -> str:
    """Return what follows in a word, which still knows how it was quoted."""
    return Word(word[at:], word.quotes[at:]) if isinstance(word, Word) else word[at:]
