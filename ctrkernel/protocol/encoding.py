r"""How a cell travels to the shell: as data, in short lines, through a terminal.

A terminal in canonical mode cuts a line at 4,095 bytes, busybox's editor at 1,023, and acts on
control characters wherever they stand. So a cell is staged into a shell variable, a piece a line,
with every control character escaped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Bytes of payload in a staged line; with our words around it, it stays below 1,023.
PIECE: Final = 840
#: Staged pieces that are gathered before they are added to the whole: adding each one to the
#: whole would copy a megabyte a thousand times.
PIECES_PER_JOIN: Final = 48

#: Lone surrogates that stand for no byte: PEP 383.
_SURROGATE: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")
#: Characters that a terminal, or a shell with history expansion, may act on, by their codes.
_CONTROL: Final = frozenset(range(0x20)) | {0x7F, ord("!")}


def code_bytes(code: str) -> bytes:
    """Encode a cell as UTF-8; NUL, which no shell can hold, is left out as shells do.

    A byte that Python could not decode (U+DC80 to U+DCFF, as in names by :func:`os.listdir`) is
    that byte again; any other lone surrogate, which is no character, becomes a question mark.
    """
    text = code.replace("\0", "")
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _SURROGATE.sub("?", text).encode("utf-8", "surrogateescape")


def _table(special: dict[int, bytes], pattern: bytes) -> tuple[bytes, ...]:
    table = [bytes([code]) for code in range(256)]
    for code in _CONTROL:
        table[code] = pattern % code
    for code, escaped in special.items():
        table[code] = escaped
    return tuple(table)


#: ``$'…'`` of bash and zsh: the shell's own parser decodes it, no command is needed.
_ANSI_C: Final = _table(
    {ord("\\"): rb"\\", ord("'"): rb"\'", ord("\n"): rb"\n", ord("\t"): rb"\t"}, rb"\%03o"
)
#: What ``printf %b`` decodes, between single quotes.
_PRINTF_B: Final = _table(
    {
        ord("\\"): rb"\\",
        ord("'"): rb"'\''",
        ord("\n"): rb"\n",
        ord("\t"): rb"\t",
    },
    rb"\0%03o",
)
#: Between single quotes, nothing but the quote itself is special.
_SINGLE: Final = tuple(rb"'\''" if code == ord("'") else bytes([code]) for code in range(256))


def _pieces(data: bytes, table: Sequence[bytes]) -> list[bytes]:
    pieces = []
    start = 0
    while start < len(data):
        size = PIECE
        while True:
            piece = b"".join(map(table.__getitem__, data[start : start + size]))
            if len(piece) <= PIECE:
                break
            # As many as fit if the rest is like what was seen; less one each time, so it ends.
            size = min(size - 1, size * PIECE // len(piece))
        pieces.append(piece)
        start += size
    return pieces


def ansi_c_pieces(data: bytes) -> list[bytes]:
    """Split and escape for ``$'…'``; each piece is at most PIECE bytes."""
    return _pieces(data, _ANSI_C)


def printf_b_pieces(data: bytes) -> list[bytes]:
    """Split and escape for ``printf %b`` between single quotes."""
    return _pieces(data, _PRINTF_B)


def single_pieces(data: bytes) -> list[bytes]:
    """Split and quote for ``'…'``; `data` holds no control characters."""
    return _pieces(data, _SINGLE)


def has_control(data: bytes) -> bool:
    """Whether a terminal or a line editor would act on a byte of `data`."""
    return not _CONTROL.isdisjoint(data)
