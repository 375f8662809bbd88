"""The part of a cell's output that redraws itself, on a terminal's screen."""

from __future__ import annotations

import re
from typing import Final

from ctrkernel.output.screen import Row, Screen, text_of

#: The switch to the alternate screen and back: xterm control sequences, DECSET.
_ALTERNATE: Final = re.compile(r"\x1b\[\?(?:1049|1047|47)([hl])")


class Region:
    """A screen with, at its top, text that is shown already.

    Args:
        columns: Its width in characters.
        lines: Its height.
        context: That text.
    """

    def __init__(self, columns: int, lines: int, context: str) -> None:
        self._size = columns, lines
        self._screen = Screen(columns, lines)
        self._alternate: Screen | None = None
        #: The text that is shown already, and may have to be taken back.
        self.context = context
        self._screen.feed(context)
        #: What of it has left the screen.
        self._leading, self._screen.gone = self._screen.gone, []
        self._screen.dirty.clear()
        shown = len(self._screen.rows())
        #: An empty last row holds nothing that is shown.
        self._screen.anchored = shown - (0 if self._screen.cursor.x else 1) if context else 0
        #: Whether what is shown already ends within a line.
        self._open = self._screen.cursor.x > 0

    @property
    def touched(self) -> bool:
        """Whether text that is shown already was drawn over."""
        return self._screen.touched

    @property
    def tidy(self) -> bool:
        """Whether the program has gone on to a new line, and left all as it would plain text."""
        return self._alternate is None and self._screen.tidy

    def feed(self, text: str) -> str:
        """Take text that ends with a whole sequence; return what cannot be drawn over any more."""
        position = 0
        for match in _ALTERNATE.finditer(text):
            self._draw(text[position : match.start()])
            position = match.end()
            if match[1] == "h" and self._alternate is None:
                # A program that fills the screen puts the cursor where it wants it.
                self._alternate = Screen(*self._size)
            elif match[1] == "l":
                self._leave()
        self._draw(text[position:])
        return self._gone()

    def release(self) -> str:
        """Take note that the context was taken back; return what of it has left the screen."""
        leading, self._leading = self._leading, []
        self._screen.anchored = 0
        self._screen.touched = False
        self.context = ""
        self._open = False
        return _whole(leading)

    def picture(self) -> str:
        """Return what is to be seen, less what is shown already."""
        text = self.rest()
        if self._alternate is None:
            return text
        return (text + "\n" if text and not text.endswith("\n") else text) + text_of(
            self._alternate.rows()
        )

    def leave(self) -> str:
        """Leave the alternate screen; return what cannot be drawn over any more."""
        self._leave()
        return self._gone()

    def rest(self) -> str:
        """Return what is left on the screen, less what is shown already."""
        rows = self._screen.rows(self._screen.anchored)
        return ("\n" if self._open and rows else "") + text_of(rows)

    def _draw(self, text: str) -> None:
        if text:
            (self._alternate or self._screen).feed(text)
            if self._alternate is not None:
                self._alternate.gone.clear()

    def _leave(self) -> None:
        """Leave the alternate screen; what it last showed stays as text."""
        if self._alternate is None:
            return
        rows, self._alternate = self._alternate.rows(), None
        while rows and not rows[-1].text:
            rows.pop()
        if rows:
            newline = "\n" if self._screen.cursor.x else ""
            self._screen.feed(f"{newline}{text_of(rows)}\n")

    def _gone(self) -> str:
        gone, self._screen.gone = self._screen.gone, []
        self._leading += [row for row in gone if row.anchored]
        final = _whole([row for row in gone if not row.anchored])
        if final and self._open:
            self._open = False
            return "\n" + final
        return final


def _whole(rows: list[Row]) -> str:
    """Return rows as text that ends where the last one does."""
    return "".join(row.text if row.wrapped else row.text + "\n" for row in rows)
