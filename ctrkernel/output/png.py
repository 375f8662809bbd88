"""A picture with a palette, as a PNG (ISO/IEC 15948)."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
#: Bits of a sample, and the colour type of a palette.
_DEPTH, _PALETTE = 8, 3


def palette_png(
    rows: Sequence[bytes], colours: Sequence[tuple[int, int, int]], *, transparent: bool
) -> bytes:
    """Return the picture whose pixels are numbers of colours.

    Args:
        rows: Lines of equal length, a byte for each pixel.
        colours: At most 256, each red, green and blue from 0 to 255.
        transparent: Whether the first colour is not seen.
    """
    width, height = len(rows[0]), len(rows)
    header = struct.pack(">IIBBBBB", width, height, _DEPTH, _PALETTE, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        (b"PLTE", b"".join(bytes(colour) for colour in colours)),
        *([(b"tRNS", b"\0")] if transparent else []),
        (b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 6)),
        (b"IEND", b""),
    ]
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
