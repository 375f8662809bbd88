"""Output is gathered, decoded and kept within bounds, and none of it is lost before that."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctrkernel.session import output
from ctrkernel.session.mask import DOTS, Mask, Secret
from ctrkernel.session.output import FLUSH_SIZE, Capture, Coalescer

_SETTINGS = settings(deadline=None, database=None)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock whose only entry is what the time is."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_nothing_is_due_where_there_is_nothing(clock: list[float]) -> None:
    assert Coalescer().wait() is None


def test_the_first_piece_after_a_pause_is_due_at_once(clock: list[float]) -> None:
    coalescer = Coalescer()

    coalescer.feed(b"Password: ")

    assert coalescer.wait() == 0
    assert coalescer.take() == "Password: "
    assert coalescer.wait() is None


def test_the_next_piece_waits_for_the_interval(clock: list[float]) -> None:
    coalescer = Coalescer()
    coalescer.feed(b"a")
    coalescer.take()

    coalescer.feed(b"b")
    first = coalescer.wait()
    clock[0] += output.FLUSH_INTERVAL / 2
    second = coalescer.wait()
    clock[0] += output.FLUSH_INTERVAL
    third = coalescer.wait()

    assert first == pytest.approx(output.FLUSH_INTERVAL)
    assert second == pytest.approx(output.FLUSH_INTERVAL / 2)
    assert third == 0


def test_a_large_piece_does_not_wait(clock: list[float]) -> None:
    coalescer = Coalescer()
    coalescer.take()

    coalescer.feed(b"x" * (FLUSH_SIZE - 1))
    before = coalescer.wait()
    coalescer.feed(b"x")

    assert before is not None
    assert before > 0
    assert coalescer.wait() == 0
    assert len(coalescer.take()) == FLUSH_SIZE


def test_a_character_that_is_cut_waits_for_its_rest() -> None:
    coalescer = Coalescer()
    whole = "größe 日本 \U0001f40b".encode()

    texts = []
    for index in range(len(whole)):
        coalescer.feed(whole[index : index + 1])
        texts.append(coalescer.take())

    assert "".join(texts) == whole.decode()
    assert "�" not in "".join(texts)


def test_a_cut_character_at_the_end_is_replaced() -> None:
    coalescer = Coalescer()
    coalescer.feed(b"a\xe6\x97")

    assert coalescer.take() == "a"
    assert coalescer.take(final=True) == "�"
    coalescer.feed(b"\xa5b")
    assert coalescer.take(final=True) == "�b"


@given(st.binary(max_size=200), st.integers(0, 200))
@_SETTINGS
def test_decoding_is_the_same_however_the_bytes_arrive(data: bytes, cut: int) -> None:
    coalescer = Coalescer()

    coalescer.feed(data[:cut])
    text = coalescer.take()
    coalescer.feed(data[cut:])

    assert text + coalescer.take(final=True) == data.decode("utf-8", "replace")


def test_a_short_text_is_kept_whole() -> None:
    capture = Capture(limit=5)

    for piece in ("abc", "", "defg", "hij"):
        capture.add(piece)

    assert (capture.text(), capture.dropped) == ("abcdefghij", 0)


def test_of_a_long_text_head_and_tail_are_kept_and_the_gap_is_named() -> None:
    capture = Capture(limit=5)

    for character in "abcdefghijklmnopqrstuvwxyz":
        capture.add(character)

    assert capture.text() == "abcde\n… 16 characters left out …\nvwxyz"
    assert capture.dropped == 16


@given(st.lists(st.text(max_size=30), max_size=40), st.integers(1, 40))
@_SETTINGS
def test_what_is_kept_is_head_and_tail_of_what_came(pieces: list[str], limit: int) -> None:
    capture, whole = Capture(limit=limit), "".join(pieces)

    for piece in pieces:
        capture.add(piece)

    text = capture.text()
    assert text.startswith(whole[:limit])
    assert text.endswith(whole[-limit:])
    if capture.dropped:
        gap = f"\n… {capture.dropped} characters left out …\n"
        head, tail = whole[:limit], text[limit + len(gap) :]
        assert text == head + gap + tail
        assert len(head) + capture.dropped + len(tail) == len(whole)
    else:
        assert text == whole


@pytest.mark.parametrize("size", [1, 100, 100_000])
def test_what_is_held_is_bounded_by_the_limits_and_one_piece(size: int) -> None:
    capture = Capture(limit=1000)

    for _ in range(50):
        capture.add("x" * size)

    assert len(capture.text()) <= 2 * 1000 + size + 100


def test_a_secret_is_hidden_wherever_its_bytes_are_cut(clock: list[float]) -> None:
    mask = Mask()
    mask.add(Secret("gehëim•nis"))
    data = "x gehëim•nis y".encode()

    for cut in range(len(data) + 1):
        coalescer = Coalescer(mask)
        coalescer.feed(data[:cut])
        shown = coalescer.take()
        coalescer.feed(data[cut:])
        shown += coalescer.take(final=True)
        assert shown == f"x {DOTS} y"


def test_a_prompt_that_may_begin_a_secret_is_not_held_for_ever(clock: list[float]) -> None:
    mask = Mask()
    mask.add(Secret(": my secret"))
    coalescer = Coalescer(mask)
    coalescer.feed(b"Name: ")

    first = coalescer.take()
    wait = coalescer.wait()
    assert wait is not None
    assert coalescer.take() == ""
    clock[0] += output.HOLD_INTERVAL

    assert first == "Name"
    assert wait == pytest.approx(output.HOLD_INTERVAL)
    assert coalescer.wait() == 0
    assert coalescer.take() == ": "
    assert coalescer.wait() is None
