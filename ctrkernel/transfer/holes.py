"""Files with holes: where their data is, and how to write zeros without writing them."""

from __future__ import annotations

import errno
import os
from typing import Final

#: Bytes that become a hole at least: the block of the usual file systems.
HOLE_SIZE: Final = 4096
_ZEROS: Final = bytes(HOLE_SIZE)


def data_in(descriptor: int, size: int) -> list[tuple[int, int]]:
    """Return offset and length of each piece of a file that is no hole (SEEK_DATA in lseek(2)).

    A file that ends with a hole has an empty piece at its end, which says how long it is, as GNU
    tar writes it.
    """
    pieces = []
    at = 0
    while at < size:
        try:
            begin = os.lseek(descriptor, at, os.SEEK_DATA)
            end = os.lseek(descriptor, begin, os.SEEK_HOLE)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            break
        if begin >= size:
            break
        end = min(end, size)
        pieces.append((begin, end - begin))
        at = end
    os.lseek(descriptor, 0, os.SEEK_SET)
    if at < size or not pieces:
        pieces.append((size, 0))
    return pieces


def write_with_holes(descriptor: int, data: bytes, at: int) -> None:
    """Write `data` at the offset `at` of a new file, leaving out blocks of zeros.

    A block of the file may come in several pieces, each with a call: what of it is zeros is left
    out of each. The caller sets the file's size at the end: a hole there is only known by it.
    """
    view = memoryview(data)
    begin = block = 0
    # Blocks of the file, not of the piece: a hole has to be a whole block.
    end = min(-at % HOLE_SIZE or HOLE_SIZE, len(view))
    while block < len(view):
        # Bytes and not the view: it compares number by number.
        if not view[block] and data[block:end] == _ZEROS[: end - block]:
            if begin < block:
                _write(descriptor, view[begin:block], at + begin)
            begin = end
        block, end = end, min(end + HOLE_SIZE, len(view))
    if begin < len(view):
        _write(descriptor, view[begin:], at + begin)


def _write(descriptor: int, view: memoryview, at: int) -> None:
    while view:
        written = os.pwrite(descriptor, view, at)
        view = view[written:]
        at += written
