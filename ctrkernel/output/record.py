"""What a cell has shown for good, kept so that it can be shown again in its final form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ctrkernel.output.size import encoded_size

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Bytes of text, and of what is shown otherwise, that are kept; a cell with more stays as it is.
TEXT_LIMIT: Final = 3 * 10**6
OTHER_LIMIT: Final = 12 * 10**6


@dataclass(frozen=True, slots=True)
class Shown:
    """Something that is no text of the cell.

    Attributes:
        kind: The Jupyter message.
        content: What it holds.
        size: Its bytes, nearly.
    """

    kind: str
    content: Mapping[str, Any]
    size: int


class Record:
    """What was shown, in order: pieces of text, and other things."""

    def __init__(self) -> None:
        self._items: list[list[str] | Shown] = []
        self._text_size = self._other_size = 0
        #: Whether everything is here.
        self.whole = True

    def add_text(self, text: str) -> None:
        """Append text of the cell."""
        if not self.whole or not text:
            return
        self._text_size += encoded_size(text)
        if self._text_size > TEXT_LIMIT:
            self._give_up()
        elif self._items and isinstance(self._items[-1], list):
            self._items[-1].append(text)
        else:
            self._items.append([text])

    def add(self, shown: Shown) -> None:
        """Append something else."""
        if not self.whole:
            return
        self._other_size += shown.size
        if self._other_size > OTHER_LIMIT:
            self._give_up()
        else:
            self._items.append(shown)

    def last_text(self, limit: int) -> str:
        """Return at most `limit` characters of the text at the end."""
        if not self._items or not isinstance(self._items[-1], list):
            return ""
        pieces: list[str] = []
        for piece in reversed(self._items[-1]):
            pieces.append(piece[-limit:])
            limit -= len(piece)
            if limit <= 0:
                break
        return "".join(reversed(pieces))

    def take_back(self, count: int) -> None:
        """Remove the last `count` characters, which are text."""
        pieces = self._items[-1]
        assert isinstance(pieces, list)
        while count:
            piece = pieces.pop()
            if len(piece) > count:
                kept = piece[:-count]
                self._text_size -= encoded_size(piece[-count:])
                pieces.append(kept)
                break
            self._text_size -= encoded_size(piece)
            count -= len(piece)
        if not pieces:
            self._items.pop()

    def items(self) -> list[str | Shown]:
        """Return what was shown, text in as few pieces as there can be."""
        joined: list[str | Shown] = []
        for index, item in enumerate(self._items):
            if isinstance(item, list):
                text = "".join(item)
                self._items[index] = [text]
                joined.append(text)
            else:
                joined.append(item)
        return joined

    def text(self) -> str:
        """Return the text alone."""
        return "".join(item for item in self.items() if isinstance(item, str))

    def _give_up(self) -> None:
        self.whole = False
        self._items.clear()
