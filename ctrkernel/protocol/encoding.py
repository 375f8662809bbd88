r"""How a cell travels to the shell: as data, in short lines, through a terminal.

A terminal in canonical mode cuts a line at 4,095 bytes, busybox's editor at 1,023, and acts on
control characters wherever they stand. So a cell is staged into a shell variable, a piece a line,
with every control character escaped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Bytes of payload in a staged line; with our words around it, it stays below 1,023.
PIECE: Final = 840
#: Staged pieces that are gathered before they are added to the whole: adding each one to the
#: whole would copy a megabyte a thousand times.
PIECES_PER_JOIN: Final = 48

#: Characters that a terminal, or a shell with history expansion, may act on, by their codes.
_CONTROL: Final = frozenset(range(0x20)) | {0x7F, ord("!")}


def code_bytes(code: str) -> bytes:
    """Encode a cell as UTF-8; NUL, which no shell can hold, is left out as shells do.

    A lone surrogate, which is no character, becomes a question mark.
    """
    return code.replace("\0", "").encode("utf-8", "replace")


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
_SINGLE: Final = {ord("'"): rb"'\''"}


def _pieces(data: bytes, encode: Callable[[int], bytes]) -> Iterator[bytes]:
    piece = bytearray()
    for byte in data:
        encoded = encode(byte)
        if len(piece) + len(encoded) > PIECE:
            yield bytes(piece)
            piece.clear()
        piece += encoded
    if piece:
        yield bytes(piece)


def ansi_c_pieces(data: bytes) -> list[bytes]:
    """Split and escape for ``$'…'``; each piece is at most PIECE bytes."""
    return list(_pieces(data, _ANSI_C.__getitem__))


def printf_b_pieces(data: bytes) -> list[bytes]:
    """Split and escape for ``printf %b`` between single quotes."""
    return list(_pieces(data, _PRINTF_B.__getitem__))


def single_pieces(data: bytes) -> list[bytes]:
    """Split and quote for ``'…'``; `data` holds no control characters."""
    return list(_pieces(data, lambda byte: _SINGLE.get(byte, bytes([byte]))))


def has_control(data: bytes) -> bool:
    """Whether a terminal or a line editor would act on a byte of `data`."""
    return any(byte in _CONTROL for byte in data)
