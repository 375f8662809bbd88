"""``%ctr_show``: a file from the container, as what it is."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from ctrkernel.commands.command import CommandParser, Completes
from ctrkernel.commands.filetype import Form, type_of
from ctrkernel.commands.places import PathCommand, place_of
from ctrkernel.commands.progress import Meter
from ctrkernel.commands.sizes import bytes_of
from ctrkernel.commands.view import HEX_BYTES, LINE, View, listing
from ctrkernel.container import MAIN
from ctrkernel.transfer.peek import SAMPLE, Folder, peek

if TYPE_CHECKING:
    from ctrkernel.commands.context import Context, Output

#: Lines, or rows of a table, that are shown unless more are wanted.
LINES: Final = 100
#: Bytes of a file that must be there as a whole, such as an image: a notebook holds it in text.
MAX_SIZE: Final = 10_000_000
#: What must be there as a whole.
_WHOLE: Final = {Form.IMAGE, Form.SVG, Form.JSON, Form.MARKDOWN}


class Show(PathCommand):
    """Show a file from the container as what it is: an image, a table, text in colour."""

    name = "ctr_show"
    examples = (
        ("%ctr_show plot.png", "the picture"),
        ("%ctr_show -n 20 results.csv", "the first 20 rows, as a table"),
        ("%ctr_show ~/app/settings.json", "JSON, a line for each value"),
        ("%ctr_show --trust report.html", "the page itself; without --trust, its source"),
        ("%ctr_show /var/log", "a folder's entries"),
    )
    completes = {"path": Completes.CONTAINER_PATH, "session": Completes.SESSION}  # noqa: RUF012 - a constant of the class

    def add_arguments(self, parser: CommandParser) -> None:
        """A path."""
        parser.add_argument(
            "path", metavar="PATH", help="in the container, relative to the shell's directory"
        )
        parser.add_argument(
            "--trust",
            action="store_true",
            help="let HTML and SVG from the container be part of the notebook",
        )
        parser.add_argument(
            "-n",
            "--lines",
            metavar="N",
            type=_lines,
            default=LINES,
            help=f"lines or rows that are shown ({LINES})",
        )
        parser.add_argument(
            "--max-size",
            metavar="SIZE",
            type=bytes_of,
            default=MAX_SIZE,
            help="of a file that is shown only as a whole, such as an image (10MB)",
        )
        parser.add_argument(
            "--session", metavar="NAME", default=MAIN, help="whose directory a path starts from"
        )

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Fetch what is shown, and no more."""
        place = place_of(arguments.path, context, session=arguments.session)

        def limit(first: bytes, size: int | None) -> int:
            return _wanted(type_of(place.path.path, first).form, size, arguments)

        with Meter("show", context.frontend.progress) as meter:
            found = peek(
                context.workspace.engine,
                place.container.status(),
                place.path,
                limit=limit,
                on_progress=meter,
                cancelled=context.interrupts.is_set,
            )
        if isinstance(found, Folder):
            return listing(found)
        view = View(
            path=place.path.path,
            type=type_of(place.path.path, found.content[:SAMPLE]),
            content=found.content,
            size=found.size,
            complete=found.complete,
            lines=arguments.lines,
            trust=arguments.trust,
            terminal=context.frontend.terminal,
        )
        return view.shown()


def _wanted(form: Form, size: int | None, arguments: argparse.Namespace) -> int:
    """Return how many bytes are worth fetching."""
    head: int = max(SAMPLE, min(arguments.max_size, arguments.lines * LINE))
    if form is Form.BINARY:
        return HEX_BYTES
    whole = form in _WHOLE or (form is Form.HTML and arguments.trust)
    if whole and size is not None and size <= arguments.max_size:
        return max(size, 1)
    if form in {Form.IMAGE, Form.SVG}:
        return SAMPLE
    return head


def _lines(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("N is a number of lines, 1 or more")
    return number
