"""How far a copy is: a bar with size, rate and time left, and the line that says what was done."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from ctrkernel.output.size import format_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.transfer.summary import TransferSummary

#: Seconds before a copy shows how far it is, and between two such pictures.
DELAY: Final = 1.0
INTERVAL: Final = 0.2
#: Columns of a line of progress where the width of the screen is not known: a notebook beside
#: JupyterLab's file browser, on a small screen.
WIDTH: Final = 70
#: Columns of the bar itself at most, and the least that is worth drawing.
_BAR_MOST, _BAR_LEAST = 24, 6
#: The eighths of a column that is partly filled.
_PARTS: Final = " ▏▎▍▌▋▊▉"
_MINUTE, _HOUR = 60, 3600
#: Seconds beyond which a time left is no time that anybody waits.
_FOREVER: Final = 100 * _HOUR


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something is at one moment.

    Attributes:
        label: What is being done, such as ``put``.
        done: Bytes.
        total: Bytes in all, where that is known.
        seconds: Since it began.
    """

    label: str
    done: int
    total: int | None
    seconds: float

    @property
    def rate(self) -> float:
        """Bytes a second, from the beginning until now."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def share(self) -> float | None:
        """From 0 to 1; None where the end is not known."""
        return min(1.0, self.done / self.total) if self.total else None

    def line(self, width: int = WIDTH) -> str:
        """Return it as one line of at most `width` columns; what matters least goes first."""
        told = f"{self.label} {format_size(self.done)}"
        if self.total:
            told += f" of {format_size(self.total)}"
        rate = f"{format_size(self.rate)}/s"
        share = self.share
        if share is None:
            return _fitting([told, rate], width)
        words = [f"{share:.0%}", told, rate]
        if self.rate and self.total:
            left = max(0.0, (self.total - self.done) / self.rate)
            words.append(f"{time_of(left)} left")
        text = _fitting(words, width)
        room = min(_BAR_MOST, width - len(text) - len("││ "))
        return f"│{bar(share, room)}│ {text}" if room >= _BAR_LEAST else text


class Meter:
    """Takes what is done, as often as one likes, and shows it from the second second on.

    A context manager: whatever happens, no half line stays on the screen.

    Args:
        label: What is being done.
        show: Shows a :class:`Progress`; None takes it off the screen.
    """

    def __init__(self, label: str, show: Callable[[Progress | None], None]) -> None:
        self._label = label
        self._show = show
        self._begun = time.monotonic()
        self._next = self._begun + DELAY
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._show(None)

    def __call__(self, done: int, total: int | None) -> None:
        """Take the bytes that are done, and in all where that is known."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + INTERVAL
        self._shown = True
        self._show(Progress(self._label, done, total, now - self._begun))


class Redrawn:
    """One line of a screen, drawn over again and taken off at the end.

    By carriage returns and blanks alone: JupyterLab does not know the escape that erases a line.

    Args:
        write: Writes text to the screen.
        width: Columns of the screen.
    """

    def __init__(self, write: Callable[[str], None], *, width: int = WIDTH) -> None:
        self._write = write
        self._width = width
        self._length = 0

    def draw(self, progress: Progress | None) -> None:
        """Show `progress` in place of what was there; None leaves an empty line."""
        if progress is None:
            if self._length:
                self._write(f"\r{' ' * self._length}\r")
            self._length = 0
            return
        line = progress.line(self._width)
        self._write(f"\r{line:<{self._length}}")
        self._length = len(line)


def bar(share: float, width: int) -> str:
    """Return a bar of `width` columns, filled to `share` in eighths of a column."""
    eighths = round(share * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_PARTS[part] if part else "")).ljust(width)


def told(word: str, summary: TransferSummary) -> str:
    """Return the line for a copy that is complete, and its notes below."""
    files = "1 file" if summary.files == 1 else f"{summary.files:,} files"
    first = (
        f"{word} {files}, {format_size(summary.bytes)} → {summary.destination} "
        f"in {summary.duration:.1f} s"
    )
    return "\n".join([first, *summary.notes]) + "\n"


def time_of(seconds: float) -> str:
    """Return a time as ``12 s``, ``3:07 min`` or ``2:05 h``."""
    if seconds >= _FOREVER:
        return "days"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}:{whole % _MINUTE:02} min"
    return f"{whole // _HOUR}:{whole % _HOUR // _MINUTE:02} h"


def _fitting(words: list[str], width: int) -> str:
    """Join `words`, leaving out the last ones that are too many."""
    while len(words) > 1 and len(", ".join(words)) > width:
        words = words[:-1]
    return ", ".join(words)[:width]
