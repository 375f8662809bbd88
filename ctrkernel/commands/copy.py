"""``%ctr_put`` and ``%ctr_get``: files in and out."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from ctrkernel.commands.command import Command, CommandParser
from ctrkernel.commands.context import Context, Output
from ctrkernel.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from ctrkernel.transfer.summary import TransferSummary

#: Seconds before a transfer shows how far it is, and between two such lines.
PROGRESS_DELAY, PROGRESS_INTERVAL = 1.0, 0.2
_UNITS = ("B", "kB", "MB", "GB", "TB")
#: The step from one unit to the next.
_STEP = 1000


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
        paths: list[str] = arguments.paths
        if len(paths) < 2:  # noqa: PLR2004
            raise UsageError(
                f"%{self.name} needs a source and a destination; type %{self.name} SRC DEST"
            )
        base, home = _directories(context)
        progress = _Progress(self._doing, context.frontend.progress)
        summary = self._transfer()(
            context.workspace.engine,
            context.workspace.container().status(),
            paths[:-1],
            paths[-1],
            base=base,
            home=home,
            archive=arguments.archive,
            follow_link=arguments.follow_link,
            on_progress=progress,
            cancelled=context.interrupts.is_set,
        )
        progress.end()
        return Output(_told(self._did, summary))

    @abstractmethod
    def _transfer(self) -> Callable[..., TransferSummary]:
        """Return the function that does it; loaded when it is needed, so that a start is fast."""


class Put(_Copy):
    """Copy files and folders from this machine into the container."""

    name = "ctr_put"
    examples = (
        ("%ctr_put data.csv .", "into the shell's directory"),
        ("%ctr_put a.txt b.txt ~/in/", "several, into a folder that exists"),
        ("%ctr_put site/. /srv/www", "a folder's content, merged into another"),
    )
    _paths_help = (
        "paths on this machine, then one in the container, relative to the shell's directory"
    )
    _doing, _did = "put", "put"

    def _transfer(self) -> Callable[..., TransferSummary]:
        from ctrkernel.transfer.put import put  # noqa: PLC0415

        return put


class Get(_Copy):
    """Copy files and folders from the container to this machine."""

    name = "ctr_get"
    examples = (
        ("%ctr_get result.csv .", "from the shell's directory into the notebook's"),
        ("%ctr_get /var/log/app ./logs", "a folder, under a new name"),
        ("%ctr_get -L ~/latest .", "what a link points at"),
    )
    _paths_help = (
        "paths in the container, relative to the shell's directory, then one on this machine"
    )
    _doing, _did = "get", "got"

    def _transfer(self) -> Callable[..., TransferSummary]:
        from ctrkernel.transfer.get import get  # noqa: PLC0415

        return get


def _directories(context: Context) -> tuple[str, str | None]:
    """Return the shell's directory and home; the shell is started if it is not running."""
    with context.interrupts.calling(context.workspace.abandon):
        session, _ = context.workspace.ready()
    return session.cwd or "/", session.home or None


class _Progress:
    """Shows how far a transfer is, from its second second on, a few times a second."""

    def __init__(self, word: str, show: Callable[[str], None]) -> None:
        self._word = word
        self._show = show
        self._next = time.monotonic() + PROGRESS_DELAY
        self._shown = False

    def __call__(self, done: int, total: int | None) -> None:
        """Take bytes done, and in all where that is known."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + PROGRESS_INTERVAL
        self._shown = True
        share = f" of {size_of(total)}" if total else ""
        self._show(f"{self._word} {size_of(done)}{share}")

    def end(self) -> None:
        """Erase the line."""
        if self._shown:
            self._show("")


def _told(word: str, summary: TransferSummary) -> str:
    files = "1 file" if summary.files == 1 else f"{summary.files} files"
    lines = [
        (
            f"{word} {files}, {size_of(summary.bytes)} → {summary.destination} "
            f"in {summary.duration:.1f} s"
        ),
        *summary.notes,
    ]
    return "\n".join(lines) + "\n"


def size_of(count: float) -> str:
    """Return a number of bytes in the largest decimal unit that leaves a whole part."""
    for unit in _UNITS[:-1]:
        if count < _STEP:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _STEP
    return f"{count:.1f} {_UNITS[-1]}"
