"""``%ctr_diff``: what is different between here and the container."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ctrkernel.commands.command import CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.difference import Difference, of_fingerprints, of_folders, of_texts
from ctrkernel.commands.filetype import decoded, is_text, printable
from ctrkernel.commands.places import PathCommand, Place, place_of
from ctrkernel.commands.progress import Meter
from ctrkernel.commands.sizes import bytes_of
from ctrkernel.container import MAIN
from ctrkernel.errors import TransferError
from ctrkernel.transfer.paths import TypedPath, local_path

if TYPE_CHECKING:
    import argparse

    from ctrkernel.transfer.compare import Comparison
    from ctrkernel.transfer.peek import Folder, Head

#: Bytes of a file that is compared line by line.
TEXT_LIMIT: Final = 2_000_000
#: Bytes that are read of the container's side unless another bound is given.
MAX_SIZE: Final = 10_000_000_000


class Diff(PathCommand):
    """Show what is different between a file or folder here and one in the container.

    Lines with - are only here, lines with + only there. A difference is no error.
    """

    name = "ctr_diff"
    examples = (
        ("%ctr_diff app.conf /etc/app.conf", "line by line"),
        ("%ctr_diff src ~/src", "folders: only here, only there, different"),
        ("d = %ctr_diff src ~/src", "in Python: d.same, d.only_here, d.only_there, d.differ"),
    )
    completes = {  # noqa: RUF012 - a constant of the class
        "local": Completes.LOCAL_PATH,
        "path": Completes.CONTAINER_PATH,
        "session": Completes.SESSION,
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Two paths."""
        parser.add_argument("local", metavar="LOCAL", help="on this machine")
        parser.add_argument(
            "path", metavar="PATH", help="in the container, relative to the shell's directory"
        )
        parser.add_argument(
            "--max-size",
            metavar="SIZE",
            type=bytes_of,
            default=MAX_SIZE,
            help="of what is read of the container's side (10GB)",
        )
        parser.add_argument(
            "--session", metavar="NAME", default=MAIN, help="whose directory PATH starts from"
        )

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Compare, and say what is different."""
        here = local_path(arguments.local)
        place = place_of(arguments.path, context, session=arguments.session)
        with Meter("compare", context.frontend.progress) as meter:
            made = _Sides(here, place, arguments.max_size, context, meter).compare()
        return Output(f"{made!r}\n", made._repr_html_(), made)


class _Sides:
    """The two sides of a comparison."""

    def __init__(
        self, here: TypedPath, place: Place, max_size: int, context: Context, meter: Meter
    ) -> None:
        self._here = here
        self._place = place
        self._max_size = max_size
        self._context = context
        self._meter = meter

    def compare(self) -> Difference:
        """Find out what they are, and compare them as that."""
        from ctrkernel.transfer.peek import Folder  # noqa: PLC0415 - help needs no transfers

        path = self._here.path
        if not os.path.lexists(path):
            raise TransferError(
                f"there is no file {printable(self._here.shown)} on this machine; name one that is"
            )
        there = self._peek(TEXT_LIMIT)
        if isinstance(there, Folder):
            if Path(path).is_dir():
                return self._folders()
            # As diff(1): a file and a folder means the file of that name in it.
            self._place = Place(self._place.container, _inside(self._place.path, self._here.name))
            there = self._peek(TEXT_LIMIT)
        elif Path(path).is_dir():
            self._here = _inside(self._here, self._place.path.name)
        if isinstance(there, Folder) or not Path(self._here.path).is_file():
            raise TransferError(
                f"{printable(self._here.path)} and {self._place} are not both files; "
                "name two files, or two folders"
            )
        return self._files(there)

    def _peek(self, most: int) -> Head | Folder:
        from ctrkernel.transfer.peek import peek  # noqa: PLC0415 - as above

        def limit(_: bytes, size: int | None) -> int:
            return most if size is None or size <= most else 1

        container = self._place.container
        return peek(
            container.engine,
            container.status(),
            self._place.path,
            limit=limit,
            cancelled=self._context.interrupts.is_set,
        )

    def _files(self, there: Head) -> Difference:
        mine = _local(self._here.path)
        theirs = there.content if there.complete or there.size is None else None
        if mine is not None and theirs is not None:
            if mine == theirs:
                return self._made("")
            if is_text(mine) and is_text(theirs):
                texts = (decoded(data, complete=True)[0] for data in (mine, theirs))
                text = of_texts(*texts, names=self._names)
                if text:
                    return self._made(text)
        found = self._found()
        assert found.fingerprints is not None
        same = found.fingerprints[0].sha256 == found.fingerprints[1].sha256
        text = "" if same else of_fingerprints(*found.fingerprints, names=self._names)
        return self._made(text)

    def _folders(self) -> Difference:
        found = self._found()
        return self._made(of_folders(found, names=self._names), found)

    def _found(self) -> Comparison:
        from ctrkernel.transfer.compare import compare  # noqa: PLC0415 - as above
        from ctrkernel.transfer.extract import Limits  # noqa: PLC0415 - as above

        container = self._place.container
        return compare(
            container.engine,
            container.status(),
            self._here.path,
            self._place.path,
            on_progress=self._meter,
            cancelled=self._context.interrupts.is_set,
            limits=Limits(bytes=self._max_size),
        )

    @property
    def _names(self) -> tuple[str, str]:
        return printable(self._here.shown).replace("\n", "␊"), printable(str(self._place))

    def _made(self, text: str, found: Comparison | None = None) -> Difference:
        here, there = self._names
        return Difference(
            here=here,
            there=there,
            text=text or f"{here} and {there} are the same\n",
            same=not text,
            only_here=tuple(found.only_here) if found else (),
            only_there=tuple(found.only_there) if found else (),
            differ=dict(found.differ) if found else {},
            terminal=self._context.frontend.terminal,
        )


def _inside(folder: TypedPath, name: str) -> TypedPath:
    shown = f"{folder.shown.rstrip('/')}/{name}"
    return TypedPath(
        shown=shown, path=f"{folder.path.rstrip('/')}/{name}", asserts_folder=False, contents=False
    )


def _local(path: str) -> bytes | None:
    """Return a local file's content; None if it is too large to be compared line by line."""
    from ctrkernel.transfer.tree import unreadable  # noqa: PLC0415 - as above

    try:
        with open(path, "rb") as file:  # noqa: PTH123 - names may be undecodable
            content = file.read(TEXT_LIMIT + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    return content if len(content) <= TEXT_LIMIT else None
