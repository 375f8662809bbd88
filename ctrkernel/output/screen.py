"""A terminal's screen for output that redraws itself; pyte keeps it, and is used here alone."""

from __future__ import annotations

import re
import unicodedata
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyte
from pyte import modes
from pyte.screens import Margins

from ctrkernel.output.colour import sgr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyte.screens import Char

#: What a terminal does not show one by one: a run of text, a control character, a sequence.
_TOKEN: Final = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f]+)"
    r"|\x1b\[(?P<private>[?]?)(?P<numbers>[\d;:]*)(?P<final>[@A-Za-z`])"
    r"|\x1b(?P<single>[78DEMHc])"
    r"|\x1b\((?P<charset>[0AB])"
    r"|(?P<control>[\x07-\x0d])"
    # What nothing is known of is not shown: other sequences, other control characters.
    r"|\x1b\[[\x20-\x3f]*[\x40-\x7e]?|\x1b[\x20-\x2f]*.?|[\x00-\x1f\x7f]",
    re.DOTALL,
)
_CONTROLS: Final = pyte.Stream.basic
_SINGLES: Final = pyte.Stream.escape
#: pyte's sequences, and those that xterm's description promises besides: save and restore the
#: cursor, repeat a character, tab backwards, scroll.
_SEQUENCES: Final = {
    **pyte.Stream.csi,
    "s": "save_cursor",
    "u": "restore_cursor",
    "b": "repeat",
    "Z": "back_tab",
    "S": "scroll_up",
    "T": "scroll_down",
}
#: What is not a screen's to do: it would change its size, or answer.
_REFUSED: Final = frozenset("cn")
#: 132 columns.
_DECCOLM: Final = 3
#: Most that a number may say.
_NUMBER_LIMIT: Final = 9999


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the screen, with its colours.

    Attributes:
        text: Without the blanks at its end.
        wrapped: Whether it goes on in the next row, because the screen is too narrow.
        anchored: Whether it was anchored when it left.
    """

    text: str
    wrapped: bool = False
    anchored: bool = False


class Screen(pyte.Screen):
    """What the terminal shows, with lines that leave it at the top kept for whoever takes them.

    Args:
        columns: Width in characters.
        lines: Height.
        newline: Whether a line feed also returns to the line's beginning, as a terminal whose
            driver adds the carriage return shows it.
    """

    def __init__(self, columns: int, lines: int, *, newline: bool = True) -> None:
        #: Rows that have left at the top, the oldest first.
        self.gone: list[Row] = []
        #: How many rows at the top are known to others as they are.
        self.anchored = 0
        #: Whether one of them was changed.
        self.touched = False
        self._last = " "
        self._drawing = False
        self._cells: dict[tuple[Char, str], Char] = {}
        super().__init__(columns, lines)
        if newline:
            self.mode.add(modes.LNM)
        self._newline = newline

    def feed(self, text: str) -> None:
        """Take text that ends with a whole sequence."""
        for match in _TOKEN.finditer(text):
            kind = match.lastgroup
            if kind == "text":
                self.draw(match["text"])
            elif kind == "control":
                getattr(self, _CONTROLS[match["control"]])()
            elif kind == "final":
                self._sequence(match["final"], match["numbers"], private=bool(match["private"]))
            elif kind == "single":
                getattr(self, _SINGLES[match["single"]])()
            elif kind == "charset":
                self.define_charset(match["charset"], "(")
        self.touched = self.touched or any(row < self.anchored for row in self.dirty)
        self.dirty.clear()

    def _sequence(self, final: str, numbers: str, *, private: bool) -> None:
        name = _SEQUENCES.get(final)
        if name is None or final in _REFUSED or (private and final not in "hlJK"):
            return
        values = [min(int(number or 0), _NUMBER_LIMIT) for number in re.split("[;:]", numbers)[:32]]
        if final in "hl":
            values = [value for value in values if not (private and value == _DECCOLM)]
            getattr(self, name)(*values, private=private)
        elif final == "m":
            self.select_graphic_rendition(*values)
        elif final in "Hfr":
            getattr(self, name)(*values[:2])
        elif final in "su":
            getattr(self, name)()
        else:
            getattr(self, name)(values[0])

    # What pyte has otherwise, or not at all

    def reset(self) -> None:
        """Begin anew, newlines as they were set."""
        super().reset()
        if getattr(self, "_newline", False):
            self.mode.add(modes.LNM)

    def draw(self, data: str) -> None:
        """Put text where the cursor is; characters without a width of their own do no harm."""
        if not data.isascii():
            # pyte stops at what has no width and does not combine, such as a joiner.
            data = "".join(each for each in data if _shown(each))
            if not data:
                return
        self._last = data[-1]
        columns = self.columns
        if self.g0_charset is pyte.charsets.VT100_MAP:
            data = data.translate(self.g0_charset)
        if data.isascii() and modes.DECAWM in self.mode and modes.IRM not in self.mode:
            position = 0
            while position < len(data):
                if self.cursor.x >= columns:
                    self._wrap()
                piece = data[position : position + columns - self.cursor.x]
                self._put(piece)
                position += len(piece)
            return
        self._drawing = True
        try:
            super().draw(data)
        finally:
            self._drawing = False

    def _put(self, piece: str) -> None:
        attributes, cells = self.cursor.attrs, self._cells
        if len(cells) > _NUMBER_LIMIT:
            cells.clear()
        line, start = self.buffer[self.cursor.y], self.cursor.x
        for column, character in enumerate(piece, start):
            key = (attributes, character)
            cell = cells.get(key)
            if cell is None:
                cell = cells[key] = attributes._replace(data=character)
            line[column] = cell
        self.cursor.x = start + len(piece)
        self.dirty.add(self.cursor.y)

    def _wrap(self) -> None:
        self._drawing = True
        try:
            self.carriage_return()
            self.linefeed()
        finally:
            self._drawing = False

    def linefeed(self) -> None:
        """Go down a line; a line that is too long goes on there."""
        line: Any = self.buffer[self.cursor.y]
        super().linefeed()
        # The line itself is named: another may come between.
        line.following = self.buffer[self.cursor.y] if self._drawing else None

    def index(self) -> None:
        """Go down; what leaves at the top of the screen is kept."""
        top, bottom = self.margins or Margins(0, self.lines - 1)
        if self.cursor.y != bottom:
            super().index()
            return
        dirty = self.dirty
        if top == 0:
            row = self._row(0)
            self.gone.append(Row(row.text, row.wrapped, anchored=self.anchored > 0))
            self.touched = self.touched or (self.anchored > 0 and 0 in dirty)
            self.anchored = max(0, self.anchored - 1)
        self.dirty = set()
        super().index()
        self.dirty = {row - 1 for row in dirty if top < row <= bottom} | {
            row for row in dirty if not top <= row <= bottom
        }
        self.dirty.add(bottom)
        self.touched = self.touched or bottom < self.anchored

    def repeat(self, count: int = 1) -> None:
        """Draw the last character again: REP."""
        self.draw(self._last * min(count or 1, self.columns * self.lines))

    def back_tab(self, count: int = 1) -> None:
        """Go back to a tab stop: CBT."""
        for _ in range(min(count or 1, self.columns)):
            self.cursor.x = max((stop for stop in self.tabstops if stop < self.cursor.x), default=0)

    def scroll_up(self, count: int = 1) -> None:
        """Move the lines up: SU."""
        self._scroll(count, self.index, last=True)

    def scroll_down(self, count: int = 1) -> None:
        """Move the lines down: SD."""
        self._scroll(count, self.reverse_index, last=False)

    def _scroll(self, count: int, move: Any, *, last: bool) -> None:
        top, bottom = self.margins or Margins(0, self.lines - 1)
        before, self.cursor.y = self.cursor.y, bottom if last else top
        for _ in range(min(count or 1, self.lines)):
            move()
        self.cursor.y = before

    def save_cursor(self) -> None:
        """Save the cursor; there is one place for it, as in xterm, where pyte has a stack."""
        self.savepoints.clear()
        super().save_cursor()

    def restore_cursor(self) -> None:
        """Go back to where the cursor was saved; it stays saved."""
        saved = [each._replace(cursor=copy(each.cursor)) for each in self.savepoints]
        super().restore_cursor()
        self.savepoints = saved

    def delete_lines(self, count: int | None = None) -> None:
        """Delete lines; pyte leaves one as it is where the one that replaces it is still empty."""
        for y in range(self.lines):
            _ = self.buffer[y]
        super().delete_lines(count)

    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        """Erase; the lines that are gone are not the screen's any more."""
        super().erase_in_display(min(how, 2), *args, **kwargs)

    # What is shown

    def rows(self, first: int = 0) -> list[Row]:
        """Return the rows from `first` down to the last that shows something, or the cursor's."""
        last = max((y for y, line in self.buffer.items() if line), default=-1)
        rows = [
            self._row(y) for y in range(first, min(max(last, self.cursor.y), self.lines - 1) + 1)
        ]
        while len(rows) > self.cursor.y - first + 1 and rows and not rows[-1].text:
            rows.pop()
        return rows

    @property
    def tidy(self) -> bool:
        """Whether the cursor is at the beginning of the line below all that is shown."""
        return (
            self.cursor.x == 0
            and self.margins is None
            and self.cursor.attrs == self.default_char
            and not any(
                line and self._row(y).text for y, line in self.buffer.items() if y >= self.cursor.y
            )
        )

    def _row(self, y: int) -> Row:
        line: Any = self.buffer[y]
        blank = self.default_char
        width = 1 + max((x for x, cell in line.items() if cell != blank), default=-1)
        if y == self.cursor.y:
            # The blank after a prompt.
            width = max(width, *(x + 1 for x in line if x < self.cursor.x), 0)
        width = min(width, self.columns)
        following = getattr(line, "following", None)
        wrapped = (
            following is not None and following is self.buffer.get(y + 1) and width == self.columns
        )
        return Row("".join(_styled(line, width, blank)), wrapped)


def text_of(rows: list[Row]) -> str:
    """Return rows as text; lines that were wrapped are whole again."""
    if not rows:
        return ""
    pieces = [row.text if row.wrapped else row.text + "\n" for row in rows[:-1]]
    return "".join(pieces) + rows[-1].text


def _styled(line: Any, width: int, blank: Char) -> Iterator[str]:
    """Yield the cells of a line, with a sequence wherever the colours change."""
    style = blank
    wide = False
    for x in range(width):
        cell: Char = line[x]
        # Of a wide character that was drawn over by half, the other half is blank.
        half = not wide if not cell.data else _is_wide(cell.data) and line[x + 1].data != ""
        wide = bool(cell.data) and not half and _is_wide(cell.data)
        if half:
            cell = cell._replace(data=" ")
        plain = cell._replace(data=" ")
        if plain != style:
            yield sgr(plain)
            style = plain
        yield cell.data
    if style != blank:
        yield "\x1b[0m"


def _is_wide(data: str) -> bool:
    return not data.isascii() and bool(pyte.screens.wcwidth(data[0]) == 2)  # noqa: PLR2004 - columns


def _shown(character: str) -> bool:
    return bool(
        character.isascii() or pyte.screens.wcwidth(character) or unicodedata.combining(character)
    )
