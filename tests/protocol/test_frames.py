"""The messages between a session and a terminal that joins it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctrkernel.protocol.frames import (
    PAYLOAD_LIMIT,
    BadFrame,
    Frame,
    FrameKind,
    FrameParser,
    json_frame,
)

FRAMES = st.lists(st.builds(Frame, st.sampled_from(FrameKind), st.binary(max_size=20)), max_size=8)


@given(frames=FRAMES, cuts=st.lists(st.integers(0, 200), max_size=10))
def test_frames_cut_anywhere_arrive_whole(frames: list[Frame], cuts: list[int]) -> None:
    data = b"".join(frame.encode() for frame in frames)
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    parser = FrameParser()

    got = [
        frame
        for start, end in zip(places, [*places[1:], len(data)], strict=True)
        for frame in parser.feed(data[start:end])
    ]

    assert got == frames


def test_fields_travel_as_json() -> None:
    (frame,) = FrameParser().feed(json_frame(FrameKind.SIZE, [3, 4]).encode())

    assert frame.fields == [3, 4]


@pytest.mark.parametrize(
    "data", [b"?\0\0\0\0", b"R" + (PAYLOAD_LIMIT + 1).to_bytes(4, "big"), b"GET / HTTP/1.1\r\n"]
)
def test_what_is_no_frame_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(BadFrame):
        FrameParser().feed(data)


def test_a_payload_that_is_no_json_is_refused() -> None:
    with pytest.raises(BadFrame):
        _ = Frame(FrameKind.SIZE, b"{").fields
