"""The keys with which a person leaves a terminal."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctrkernel.errors import UsageError
from ctrkernel.protocol.detach import DetachKeys


def typed(keys: DetachKeys, *pieces: bytes) -> tuple[bytes, bool]:
    passed = b""
    for piece in pieces:
        some, detached = keys.feed(piece)
        passed += some
        if detached:
            return passed, True
    return passed, False


@pytest.mark.parametrize(
    ("notation", "pieces", "passed", "detached"),
    [
        ("ctrl-p,ctrl-q", [b"ls\x10\x11more"], b"ls", True),
        ("ctrl-p,ctrl-q", [b"ls\x10", b"\x11"], b"ls", True),
        ("ctrl-p,ctrl-q", [b"\x10", b"x"], b"\x10x", False),
        ("ctrl-p,ctrl-q", [b"\x10\x10", b"\x11"], b"\x10", True),
        ("ctrl-p,ctrl-q", [b"\x10"], b"", False),
        ("a,a,b", [b"aaab"], b"a", True),
        ("ctrl-\\", [b"\x1c"], b"", True),
        ("ctrl-@,x", [b"\0", b"x"], b"", True),
        ("", [b"\x10\x11"], b"\x10\x11", False),
    ],
)
def test_the_sequence_is_found_and_all_else_passes(
    notation: str, pieces: list[bytes], passed: bytes, detached: bool
) -> None:
    assert typed(DetachKeys(notation), *pieces) == (passed, detached)


@pytest.mark.parametrize("notation", ["ctrl-", "ctrl-1", "foo", "a,,b", "ctrl-p ctrl-q", "ä", ","])
def test_what_is_no_key_is_named(notation: str) -> None:
    with pytest.raises(UsageError, match="ctrl-p,ctrl-q") as caught:
        DetachKeys(notation)

    assert "\n" not in str(caught.value)


@given(data=st.binary(max_size=40), cuts=st.lists(st.integers(0, 40), max_size=6))
def test_pieces_cut_anywhere_are_the_same(data: bytes, cuts: list[int]) -> None:
    data = bytes(byte % 3 + 0x10 for byte in data)
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in itertools.pairwise(places)]

    whole = typed(DetachKeys(), data)

    assert typed(DetachKeys(), *pieces) == whole
    assert whole[1] == (b"\x10\x11" in data)
