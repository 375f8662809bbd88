"""Lines of two outputs are put in order, whatever pieces the pipes give."""

from __future__ import annotations

import itertools

import pytest

from ctrkernel.engine import logs
from ctrkernel.engine.logs import _Order, check_since
from ctrkernel.errors import UsageError


class Shown:
    """Keeps what is handed on."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, str]] = []

    def __call__(self, name: str, text: str) -> None:
        self.pieces.append((name, text))

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.pieces)


def stamp(second: int) -> bytes:
    return b"2026-01-31T09:00:%02d.000000000Z " % second


def order(*, stamps: bool = False) -> tuple[_Order, Shown]:
    shown = Shown()
    return _Order(shown, stamps=stamps), shown


def test_lines_that_come_at_once_are_ordered_by_their_times() -> None:
    ordered, shown = order()

    ordered.feed("stdout", stamp(1) + b"one\n" + stamp(3) + b"three\n")
    ordered.feed("stderr", stamp(2) + b"two\n" + stamp(4) + b"four\n")
    ordered.end()

    assert shown.pieces == [
        ("stdout", "one\n"),
        ("stderr", "two\n"),
        ("stdout", "three\n"),
        ("stderr", "four\n"),
    ]


def test_a_line_waits_while_the_other_output_may_have_an_earlier_one() -> None:
    ordered, shown = order()

    ordered.feed("stdout", stamp(1) + b"one\n" + stamp(9) + b"nine\n")
    ordered.feed("stderr", stamp(2) + b"two\n")
    ordered.turn()
    assert shown.text == "one\ntwo\n"

    ordered._due = 0
    ordered.turn()
    assert shown.text == "one\ntwo\nnine\n"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_pieces_of_any_size_are_lines_again(size: int) -> None:
    ordered, shown = order()
    data = stamp(1) + "\x1b[31mrot→\x1b[0m\r\n".encode() + stamp(2) + b"\n" + stamp(3) + b"end"

    for start in range(0, len(data), size):
        ordered.feed("stdout", data[start : start + size])
    ordered.end()

    assert shown.text == "\x1b[31mrot→\x1b[0m\r\n\nend"


def test_a_long_line_is_whole_though_the_engine_keeps_it_in_pieces() -> None:
    ordered, shown = order()
    piece = b"x" * (16 * 1024)

    ordered.feed("stdout", stamp(1) + piece + stamp(1) + piece + stamp(2) + b"end\n")
    ordered.end()

    assert shown.text == "x" * (32 * 1024) + "end\n"


def test_times_stay_where_they_are_wanted() -> None:
    ordered, shown = order(stamps=True)

    ordered.feed("stdout", stamp(1) + b"one\n")
    ordered.end()

    assert shown.text == stamp(1).decode() + "one\n"


def test_what_has_no_time_is_the_engine_s_complaint() -> None:
    ordered, shown = order()

    ordered.feed("stderr", stamp(1) + b"mine\nError response from daemon: no\nnot")

    assert ordered.end() == "Error response from daemon: no\nnot"
    assert shown.text == "mine\n"


def test_the_rest_of_a_long_line_is_not_the_engine_s() -> None:
    ordered, shown = order()

    ordered.feed("stderr", stamp(1) + b"x" * (logs._HELD + 1))
    ordered.feed("stderr", b"y\n")

    assert ordered.end() == ""
    assert shown.text.endswith("xy\n")


def test_outputs_that_take_turns_do_not_flood_the_notebook() -> None:
    ordered, shown = order()

    for number, name in zip(range(20_000), itertools.cycle(["stdout", "stderr"])):
        ordered.feed(name, stamp(number // 400) + b"%d\n" % number)
    ordered.end()

    assert len(shown.pieces) <= logs._PIECES + 2
    assert sorted(map(int, shown.text.split())) == list(range(20_000))


def test_a_line_without_end_is_bounded() -> None:
    ordered, shown = order()

    for _ in range(30):
        ordered.feed("stdout", b"x" * 100_000)
        ordered.turn()

    assert len(ordered._rest["stdout"]) <= logs._HELD
    assert len(shown.text) >= 3_000_000 - 2 * logs._HELD


@pytest.mark.parametrize(
    "since", ["10m", "1h30m", "1.5h", "90", "1700000000.5", "2026-01-31", "2026-01-31T09:00:00Z"]
)
def test_a_duration_or_a_moment_is_taken(since: str) -> None:
    assert check_since(since) == since


@pytest.mark.parametrize("since", ["", "yesterday", "10 m", "-10m", "--help", "10d", "2026"[:0]])
def test_another_word_is_no_time(since: str) -> None:
    with pytest.raises(UsageError, match="is no time; type a duration such as 10m"):
        check_since(since)
