"""What a file is, told by its first bytes and its name's ending; bytes that speak go first."""

from __future__ import annotations

import codecs
import posixpath
import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

#: Bytes in which signs of text or of something else are looked for.
LOOKED_AT: Final = 4096
#: The share of control characters beyond which bytes that are no UTF-8 are no text either.
_CONTROL_SHARE: Final = 0.05


class Form(Enum):
    """How a file is shown."""

    IMAGE = "image"
    SVG = "SVG image"
    TABLE = "table"
    JSON = "JSON"
    MARKDOWN = "Markdown"
    HTML = "HTML"
    TEXT = "text"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class FileType:
    """What a file is.

    Attributes:
        form: How it is shown.
        name: What people call it, such as ``PNG image``.
        mime: Its MIME type, for an image.
    """

    form: Form
    name: str
    mime: str = ""


_IMAGES: Final = (
    (b"\x89PNG\r\n\x1a\n", "PNG image", "image/png"),
    (b"\xff\xd8\xff", "JPEG image", "image/jpeg"),
    (b"GIF87a", "GIF image", "image/gif"),
    (b"GIF89a", "GIF image", "image/gif"),
)
#: First bytes of what is not shown but can be named.
_BINARIES: Final = (
    (b"\x7fELF", "ELF program"),
    (b"%PDF-", "PDF document"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ\x00", "xz data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"SQLite format 3\x00", "SQLite database"),
    (b"PAR1", "Parquet table"),
    (b"\x93NUMPY", "NumPy array"),
    (b"\x89HDF\r\n\x1a\n", "HDF5 file"),
    (b"\x00asm", "WebAssembly"),
    (b"\xca\xfe\xba\xbe", "Java class"),
)
_ENDINGS: Final = {
    ".csv": FileType(Form.TABLE, "CSV table"),
    ".tsv": FileType(Form.TABLE, "TSV table"),
    ".tab": FileType(Form.TABLE, "TSV table"),
    ".json": FileType(Form.JSON, "JSON"),
    ".geojson": FileType(Form.JSON, "JSON"),
    ".ipynb": FileType(Form.JSON, "notebook"),
    ".md": FileType(Form.MARKDOWN, "Markdown"),
    ".markdown": FileType(Form.MARKDOWN, "Markdown"),
    ".html": FileType(Form.HTML, "HTML"),
    ".htm": FileType(Form.HTML, "HTML"),
    ".xhtml": FileType(Form.HTML, "HTML"),
}
_SVG: Final = FileType(Form.SVG, "SVG image", "image/svg+xml")
#: What may stand before an SVG's or an HTML document's first tag.
_PROLOGUE: Final = r"(?:\ufeff|\s|<\?xml[^>]*\?>|<!--.*?-->|<!DOCTYPE[^>]*>)*"
_SVG_TAG: Final = re.compile(_PROLOGUE + r"<(?:\w+:)?svg[\s>/]", re.DOTALL | re.IGNORECASE)
_HTML_TAG: Final = re.compile(
    r"(?:\ufeff|\s|<!--.*?-->)*(?:<!DOCTYPE\s+html|<html[\s>])", re.DOTALL | re.IGNORECASE
)


def type_of(path: str, first: bytes) -> FileType:
    """Tell what the file at `path` is.

    Args:
        path: Its name counts where the bytes are text.
        first: Its first bytes, :data:`LOOKED_AT` of them if there are so many.
    """
    for sign, name, mime in _IMAGES:
        if first.startswith(sign):
            return FileType(Form.IMAGE, name, mime)
    if first[:4] == b"RIFF" and first[8:12] == b"WEBP":
        return FileType(Form.IMAGE, "WebP image", "image/webp")
    for sign, name in _BINARIES:
        if first.startswith(sign):
            return FileType(Form.BINARY, name)
    first = first[:LOOKED_AT]
    if not is_text(first):
        return FileType(Form.BINARY, "binary file")
    text = decoded(first)[0]
    ending = posixpath.splitext(path)[1].lower()
    if _SVG_TAG.match(text) and ending not in {".html", ".htm", ".md"}:
        return _SVG
    by_name = _ENDINGS.get(ending)
    if by_name is not None:
        return by_name
    if _HTML_TAG.match(text):
        return FileType(Form.HTML, "HTML")
    return FileType(Form.TEXT, "text")


def is_text(first: bytes) -> bool:
    """Whether bytes look like text in UTF-8, in UTF-16 with its mark, or in an older code."""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    if b"\0" in first:
        return False
    control = sum(byte < 0x20 and byte not in b"\t\n\v\f\r\b\x1b" for byte in first)  # noqa: PLR2004 - the space
    return control <= _CONTROL_SHARE * len(first)


def decoded(content: bytes, *, complete: bool = False) -> tuple[str, bool]:
    """Return the text, and whether all of it could be read; what could not is U+FFFD.

    Args:
        content: Bytes.
        complete: They are the whole file; else a character that is cut off at the end is left out.
    """
    encoding = "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    for errors in ("strict", "replace"):
        decoder = codecs.getincrementaldecoder(encoding)(errors)
        try:
            text = decoder.decode(content, complete)
        except UnicodeDecodeError:
            continue
        return text, errors == "strict"
    raise AssertionError("unreachable")


#: Each control character but TAB and newline as a picture of it: a file must not move the cursor.
_PICTURES: Final = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
    # Marks that turn the direction of what follows, so that text reads other than it is.
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD),
}


def printable(text: str) -> str:
    """Return `text` with pictures in place of control characters; CR LF is a newline."""
    return text.replace("\r\n", "\n").translate(_PICTURES)
