"""A table as a result: aligned text, HTML, and rows for Python."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from ctrkernel.commands.context import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: What sets a cell flush left in Jupyter.
_LEFT = ' style="text-align:left"'


class Table:
    """Rows under heads.

    Args:
        heads: The columns' names.
        rows: As many words in each as there are heads.
        values: What iteration gives, one for each row; None for the rows themselves.
        empty: The line that stands for a table without rows.
        words: Whether the cells are words and not numbers, which Jupyter sets flush right.
    """

    def __init__(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        values: Sequence[Any] | None = None,
        empty: str = "",
        words: bool = False,
    ) -> None:
        self.heads = tuple(heads)
        self.rows = [tuple(row) for row in rows]
        self._values = list(values) if values is not None else self.rows
        self._empty = empty
        self._style = _LEFT if words else ""

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __getitem__(self, index: int) -> Any:
        return self._values[index]

    def __repr__(self) -> str:
        """The aligned text."""
        if not self.rows:
            return self._empty
        widths = [max(map(len, column)) for column in zip(self.heads, *self.rows, strict=True)]
        lines = (
            "  ".join(f"{word:<{width}}" for word, width in zip(row, widths, strict=True)).rstrip()
            for row in (self.heads, *self.rows)
        )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The same for a notebook; called by IPython."""
        if not self.rows:
            return html.escape(self._empty)
        head = "".join(f"<th{self._style}>{html.escape(word)}</th>" for word in self.heads)
        body = "".join(
            f"<tr>{''.join(f'<td{self._style}>{html.escape(word)}</td>' for word in row)}</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def mapped(self, change: Callable[[Any], Any]) -> Table:
        """Return a table with every head, cell and value changed."""
        return Table(
            change(self.heads),
            [change(row) for row in self.rows],
            values=[change(value) for value in self._values],
            empty=self._empty,
            words=bool(self._style),
        )

    def shown(self) -> Output:
        """Return what a command gives back."""
        return Output(f"{self!r}\n", self._repr_html_(), self)
