"""Zeros become holes, however the bytes come, and the file is what it was."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctrkernel.transfer.holes import HOLE_SIZE, data_in, write_with_holes

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 64 * HOLE_SIZE


def written(path: Path, content: bytes, sizes: list[int]) -> int:
    """Write a file in pieces of these sizes, again and again; return how many bytes it takes."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        at = turn = 0
        while at < len(content):
            piece = content[at : at + sizes[turn % len(sizes)]]
            write_with_holes(descriptor, piece, at)
            at += len(piece)
            turn += 1
        os.ftruncate(descriptor, len(content))
        return sum(length for _, length in data_in(descriptor, len(content)))
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("first", [1, 512, HOLE_SIZE - 1, HOLE_SIZE])
@pytest.mark.parametrize("piece", [100, 512, HOLE_SIZE, HOLE_SIZE + 1, SIZE])
def test_a_hole_is_kept_whatever_pieces_it_comes_in(tmp_path: Path, first: int, piece: int) -> None:
    content = bytearray(SIZE)
    content[10 * HOLE_SIZE] = content[-1] = 1
    path = tmp_path / "file"

    taken = written(path, bytes(content[:first]), [first])
    assert taken == 0
    taken = written(path, bytes(content), [first, *[piece] * (SIZE // piece + 1)])

    assert path.read_bytes() == content
    assert taken == 2 * HOLE_SIZE


@settings(deadline=None, max_examples=60)
@given(
    runs=st.lists(st.tuples(st.integers(1, 9000), st.sampled_from(b"\0\0x")), max_size=12),
    sizes=st.lists(st.integers(1, 9000), min_size=1, max_size=4),
)
def test_a_file_is_what_came(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[int, int]], sizes: list[int]
) -> None:
    content = b"".join(bytes([value]) * length for length, value in runs)
    path = tmp_path_factory.mktemp("holes") / "file"

    written(path, content, sizes)

    assert path.read_bytes() == content
