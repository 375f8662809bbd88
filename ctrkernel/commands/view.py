"""What a file from a container looks like: each form of file as text, HTML and MIME types.

The content is somebody else's. Nothing of it becomes HTML or a script in the notebook, and no
control character reaches a terminal, unless the person said that they trust it.
"""

from __future__ import annotations

import base64
import csv
import html
import io
import json
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ctrkernel.commands.context import Output
from ctrkernel.commands.filetype import FileType, Form, decoded, printable
from ctrkernel.commands.table import Table
from ctrkernel.output.size import format_size
from ctrkernel.transfer.placement import Found

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.commands.highlight import Language
    from ctrkernel.transfer.peek import Entry, Folder

#: Columns of a table that are shown, and characters of one cell.
COLUMNS: Final = 40
CELL: Final = 200
#: Characters of a line that are shown.
LINE: Final = 2000
#: Bytes of a binary file that are shown, and in one line.
HEX_BYTES: Final = 256
_HEX_LINE: Final = 16
#: Bytes that a delimiter is looked for in.
_SNIFFED: Final = 16 * 1024
#: A character of no width that is part of no HTML tag, entity, URL scheme or TeX command.
_JOINER: Final = "\u2060"
#: What makes HTML, or a link that runs a script, out of Markdown.
_ACTIVE: Final = re.compile(
    r"(?P<tag><)(?=[A-Za-z/!?])"
    r"|(?P<entity>&)(?=#|colon;|tab;|newline;)"
    r"|(?P<scheme>(?:javascript|vbscript|data))(?=\\?:)"
    r"|(?P<tex>\\)(?=href|style|class|cssId|unicode|require)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class View:
    """A file that is to be shown.

    Attributes:
        path: Where it is, for its name.
        type: What it is.
        content: Its bytes, or the first of them.
        size: Bytes of the whole; None where nobody knows.
        complete: Whether `content` is all.
        lines: Lines or rows that are shown.
        trust: Let it be active: HTML, and scripts in it.
        terminal: Colour the text for a terminal.
    """

    path: str
    type: FileType
    content: bytes
    size: int | None
    complete: bool
    lines: int
    trust: bool = False
    terminal: bool = False

    def shown(self) -> Output:
        """Return what a front end shows."""
        if not self.content:
            return Output(f"{self._title} is empty\n")
        return _VIEWS[self.type.form](self)

    @property
    def _name(self) -> str:
        return self.path.rpartition("/")[2] or "/"

    @property
    def _title(self) -> str:
        return printable(self._name).replace("\n", "␊")

    @property
    def caption(self) -> str:
        """A line: name, what it is, size."""
        size = f", {format_size(self.size)}" if self.size is not None else ""
        return f"{self._title}: {self.type.name}{size}"

    def image(self) -> Output:
        """A picture, in base64; in a terminal its measures."""
        if not self.complete:
            return Output(f"{self.caption}; too large to show, raise --max-size\n")
        return Output(
            f"{self.caption}{measures(self.content)}\n",
            data={self.type.mime: base64.b64encode(self.content).decode("ascii")},
        )

    def svg(self) -> Output:
        """An SVG as a picture, in which no script runs; with trust as part of the page."""
        if not self.complete:
            return Output(f"{self.caption}; too large to show, raise --max-size\n")
        if self.trust:
            text = decoded(self.content, complete=True)[0]
            return Output(f"{self.caption}\n", text, data={self.type.mime: text})
        source = base64.b64encode(self.content).decode("ascii")
        name = html.escape(self._title, quote=True)
        return Output(
            f"{self.caption}\n", f'<img src="data:image/svg+xml;base64,{source}" alt="{name}">'
        )

    def table(self) -> Output:
        """Rows under heads; what is no table after all is text."""
        text, _ = decoded(self.content, complete=self.complete)
        try:
            rows, more = self._rows(text)
        except csv.Error:
            return self.text()
        if not rows:
            return self.text()
        width = min(max(map(len, rows)), COLUMNS)
        cut = max(map(len, rows)) > COLUMNS
        squared = [[_cell(word) for word in [*row, *[""] * width][:width]] for row in rows]
        table = Table(squared[0], squared[1:])
        note = self._note(
            len(squared) - 1, "row", more=more, extra=f"; {COLUMNS} columns" if cut else ""
        )
        shown = f"{table!r}\n{note}\n" if len(squared) > 1 else f"{'  '.join(squared[0])}\n{note}\n"
        body = table._repr_html_() if len(squared) > 1 else _heads(squared[0])
        return Output(shown, f"{body}<p>{html.escape(note)}</p>")

    def _rows(self, text: str) -> tuple[list[list[str]], bool]:
        """Return head and rows, and whether there are more."""
        delimiter = "\t" if self.type.name.startswith("TSV") else _delimiter(text)
        if not self.complete:
            text = text[: text.rfind("\n") + 1] or text  # the last line may be cut off
        rows: list[list[str]] = []
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if not row:
                continue
            if len(rows) > self.lines:
                return rows, True
            rows.append(row)
        return rows, not self.complete

    def json(self) -> Output:
        """JSON with a line for each value; what is none is text."""
        if not self.complete:
            return self.text()
        try:
            value = json.loads(decoded(self.content, complete=True)[0])
            text = json.dumps(value, indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return self.text()
        from ctrkernel.commands.highlight import lexer_named  # noqa: PLC0415 - a fast start

        return self._coloured(printable(text) + "\n", lexer_named("json"), complete=True)

    def markdown(self) -> Output:
        """Markdown; HTML in it is shown and not obeyed."""
        if not self.complete:
            return self.text()
        text, _ = decoded(self.content, complete=True)
        source = self.text()
        return Output(source.text, data={"text/markdown": text if self.trust else passive(text)})

    def html(self) -> Output:
        """The page in a frame, if it is trusted; else its source."""
        if not self.trust:
            source = self.text()
            hint = "shown as text; --trust shows the page"
            return Output(f"{source.text}{hint}\n", f"{source.html}<p>{html.escape(hint)}</p>")
        if not self.complete:
            return Output(f"{self.caption}; too large to show, raise --max-size\n")
        page = html.escape(decoded(self.content, complete=True)[0], quote=True)
        frame = (
            '<iframe sandbox="allow-scripts allow-popups allow-forms" '
            'style="width: 100%; height: 20em; border: 1px solid #8888; background: white; '
            f'resize: vertical;" srcdoc="{page}"></iframe>'
        )
        return Output(f"{self.caption}\n", frame)

    def text(self) -> Output:
        """Text in the colours of its language."""
        from ctrkernel.commands.highlight import lexer_for  # noqa: PLC0415 - as above

        text, exact = decoded(self.content, complete=self.complete)
        text = printable(text)
        extra = "" if exact else "; it is no UTF-8, and what could not be read is �"
        return self._coloured(text, lexer_for(self._name, text), complete=self.complete, note=extra)

    def binary(self) -> Output:
        """What it is, how large, and how it begins."""
        return Output(f"{self.caption}\n{hexdump(self.content[:HEX_BYTES])}")

    def _coloured(self, text: str, lexer: Language, *, complete: bool, note: str = "") -> Output:
        from ctrkernel.commands.highlight import as_html, for_terminal  # noqa: PLC0415 - as above

        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        more = not complete or len(lines) > self.lines
        lines = [
            line if len(line) <= LINE else f"{line[: LINE - 1]}…" for line in lines[: self.lines]
        ]
        text = "\n".join(lines) + "\n"
        last = self._note(len(lines), "line", more=True, extra=note) if more else note[2:]
        plain = for_terminal(text, lexer) if self.terminal else text
        tail = f"<p>{html.escape(last)}</p>" if last else ""
        return Output(plain + (f"{last}\n" if last else ""), as_html(text, lexer) + tail)

    def _note(self, count: int, word: str, *, more: bool, extra: str = "") -> str:
        counted = f"{count} {word}" if count == 1 else f"{count:,} {word}s"
        if not more:
            return counted + extra
        size = f" of {format_size(self.size)}" if self.size is not None else ""
        return f"… the first {counted}{size}{extra}; --lines N shows more"


def listing(folder: Folder) -> Output:
    """Return a folder's entries as a table."""
    rows = [_row(entry) for entry in folder.entries]
    table = Table(("name", "size", "modified"), rows, empty="the folder is empty")
    note = "" if folder.complete else f"… the first {len(rows):,} names; there are more"
    tail = f"<p>{html.escape(note)}</p>" if note else ""
    return Output(f"{table!r}\n" + (f"{note}\n" if note else ""), table._repr_html_() + tail)


def _row(entry: Entry) -> tuple[str, str, str]:
    ending = {Found.FOLDER: "/", Found.LINK: f" → {entry.target}"}.get(entry.found, "")
    name = _cell(entry.name + ending)
    size = "" if entry.size is None else format_size(entry.size)
    when = "" if entry.mtime is None else datetime.fromtimestamp(entry.mtime, UTC)
    return name, size, f"{when:%Y-%m-%d %H:%M}" if when else ""


_VIEWS: Final[dict[Form, Callable[[View], Output]]] = {
    Form.IMAGE: View.image,
    Form.SVG: View.svg,
    Form.TABLE: View.table,
    Form.JSON: View.json,
    Form.MARKDOWN: View.markdown,
    Form.HTML: View.html,
    Form.TEXT: View.text,
    Form.BINARY: View.binary,
}


def passive(markdown: str) -> str:
    """Return Markdown in which HTML is text, and no link runs a script.

    A word joiner, which has no width, parts what would be a tag, an entity or a scheme; that
    holds inside code too, where an escape would show.
    """
    return _ACTIVE.sub(lambda match: match[0] + _JOINER, markdown)


def measures(image: bytes) -> str:
    """Return the width and height of a PNG or a GIF, and nothing for others."""
    try:
        if image.startswith(b"\x89PNG"):
            width, height = struct.unpack_from(">II", image, 16)
        elif image.startswith(b"GIF8"):
            width, height = struct.unpack_from("<HH", image, 6)
        else:
            return ""
    except struct.error:
        return ""
    return f", {width} x {height}"


def hexdump(content: bytes) -> str:
    """Return bytes as ``hexdump -C`` shows them."""
    lines = []
    for at in range(0, len(content), _HEX_LINE):
        row = content[at : at + _HEX_LINE]
        left, right = row[:8].hex(" "), row[8:].hex(" ")
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)  # noqa: PLR2004 - ASCII
        lines.append(f"{at:08x}  {left:<23}  {right:<23}  |{text}|\n")
    return "".join(lines)


def _delimiter(text: str) -> str:
    sample = text[:_SNIFFED]
    first = sample.partition("\n")[0]
    try:
        return csv.Sniffer().sniff(sample, delimiters=",;\t|").delimiter
    except csv.Error:
        return max(",;\t|", key=first.count)


def _cell(word: str) -> str:
    folded = " ".join(printable(word).split())
    return folded if len(folded) <= CELL else f"{folded[: CELL - 1]}…"


def _heads(heads: list[str]) -> str:
    cells = "".join(f"<th>{html.escape(word)}</th>" for word in heads)
    return f"<table><thead><tr>{cells}</tr></thead></table>"
