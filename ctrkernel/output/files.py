"""Files that a program shows in its output: iTerm2's OSC 1337, whole or in parts.

The protocol is described at https://iterm2.com/documentation-images.html.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctrkernel.output.sequences import LONG_LIMIT

if TYPE_CHECKING:
    from ctrkernel.output.sequences import Dropped, String

#: Characters of a name that are kept.
_NAME_LIMIT: Final = 200
#: A width or a height: cells, pixels, or a share of the terminal.
_LENGTH: Final = re.compile(r"(\d{1,5})(px|%|)")
#: Pixels of one cell of a terminal, as most notebooks draw text.
_CELL_WIDTH: Final = 8
_CELL_HEIGHT: Final = 17
_ODD: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BLANK: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class File:
    """A file that is to be shown.

    Attributes:
        name: As it was called; may be empty.
        kind: What it is said to be: a MIME type, a name's ending, or nothing.
        content: Its bytes.
        width: Pixels; None for its own.
        height: The same.
    """

    name: str
    kind: str
    content: bytes
    width: int | None = None
    height: int | None = None


class Files:
    """Reads control strings, and puts files together that come in parts."""

    def __init__(self) -> None:
        self._options: dict[str, str] | None = None
        self._parts: list[str] = []
        self._size = 0

    def take(self, string: String) -> File | str | None:
        """Return the file that is complete now, a line about one that cannot be, or None."""
        if string.opening == "P":
            return _sixel(string.body)
        command, _, rest = string.body.removeprefix("1337;").partition("=")
        match command:
            case "File":
                head, colon, data = rest.partition(":")
                return _file(_options(head), data) if colon else None
            case "MultipartFile":
                self._options, self._size = _options(rest), 0
                self._parts.clear()
            case "FilePart" if self._options is not None:
                self._size += len(rest)
                if self._size <= LONG_LIMIT:
                    self._parts.append(rest)
            case "FileEnd" if self._options is not None:
                options, data = self._options, "".join(self._parts)
                self._options = None
                self._parts.clear()
                return too_large(self._size) if self._size > LONG_LIMIT else _file(options, data)
        return None


def dropped(token: Dropped) -> str:
    """Return the line for a file that was not kept."""
    if token.finished:
        return too_large(token.size)
    return f"[a file that was cut after {token.size} characters]"


def too_large(size: int) -> str:
    """Return the line for a file of `size` characters in base64."""
    return f"[a file of {size * 3 / 4e6:.1f} MB: too large to show; fetch it with %ctr_get]"


def _file(options: dict[str, str], data: str) -> File | str:
    decode = _from_hex if options.get("encoding") == "hex" else _from_base64
    try:
        name = decode(options.get("name", "")).decode("utf-8", "replace")
    except ValueError:
        name = ""
    name = _ODD.sub("\ufffd", name.rpartition("/")[2])[:_NAME_LIMIT]
    if options.get("inline", "0") != "1":
        return f"[the file {name}: not meant to be shown; fetch it with %ctr_get]"
    try:
        content = decode(data)
    except ValueError:
        return "[a file that cannot be read: its encoding is broken]"
    if not content:
        return "[an empty file]"
    return File(
        name,
        options.get("type", "")[:_NAME_LIMIT],
        content,
        _pixels(options.get("width", ""), _CELL_WIDTH),
        _pixels(options.get("height", ""), _CELL_HEIGHT),
    )


def _sixel(body: str) -> File | str | None:
    if not re.match(r"[\d;]*q", body):
        return None
    from ctrkernel.output.sixel import SixelError, sixel_png  # noqa: PLC0415 - seldom wanted

    try:
        return File("sixel picture", "image/png", sixel_png(body))
    except SixelError as error:
        return f"[a sixel picture that cannot be shown: {error}]"


def _options(text: str) -> dict[str, str]:
    return dict(pair.partition("=")[::2] for pair in text[:4096].split(";"))


def _from_base64(text: str) -> bytes:
    # Its own padding may be there or not; more of it does no harm.
    return base64.b64decode(_BLANK.sub("", text) + "==")


def _from_hex(text: str) -> bytes:
    """Decode what ``od -An -tx1`` writes, which is ours: a container may have no base64."""
    return bytes.fromhex(text)


def _pixels(text: str, cell: int) -> int | None:
    match = _LENGTH.fullmatch(text)
    if match is None or match[2] == "%" or not int(match[1]):
        return None
    return int(match[1]) * (1 if match[2] else cell)
