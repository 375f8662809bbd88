"""What a cell stores in the end is what a terminal would show: pyte itself is the oracle."""

from __future__ import annotations

import re

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctrkernel.output.screen import Screen, text_of
from tests.output.notebook import Notebook

_SETTINGS = settings(deadline=None, database=None, max_examples=200)

COLUMNS, ROWS = 20, 6

#: What programs send to draw over what they have drawn.
_PIECES = st.one_of(
    st.text("abc é", min_size=1, max_size=8),
    st.sampled_from(["\n", "\r", "\r\n", "\b", "\t", "word\n", "50%\r", "\x1b[K", "\x1b[2K"]),
    st.sampled_from(["\x1b[1K", "\x1b[J", "\x1b[2J", "\x1b[H", "\x1b[1A", "\x1b[A", "\x1b[3A"]),
    st.sampled_from(["\x1b[B", "\x1b[2C", "\x1b[3D", "\x1b[5G", "\x1b[2;4H", "\x1b[L"]),
    st.sampled_from(["\x1b[31m", "\x1b[0m", "\x1b[1;44m", "\x1b[2P", "\x1b[3@", "\x1b[4X"]),
)


def terminal_shows(text: str, *, columns: int = COLUMNS, rows: int = ROWS) -> list[str]:
    """Return the lines of pyte's screen and history, less blanks at the ends."""
    screen = pyte.HistoryScreen(columns, rows, history=100_000, ratio=0.1)
    screen.set_mode(pyte.modes.LNM)
    # All at once: a page of history that is turned back would be lost.
    pyte.Stream(screen).feed(text)
    lines = ["".join(line[x].data for x in range(columns)) for line in screen.history.top]
    return _trimmed([*lines, *screen.display])


def _trimmed(lines: list[str]) -> list[str]:
    lines = [line.rstrip() for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    return lines


@given(st.lists(_PIECES, max_size=30))
@_SETTINGS
def test_the_screen_is_that_of_pyte(pieces: list[str]) -> None:
    text = "".join(pieces)
    screen = Screen(COLUMNS, ROWS)

    screen.feed(text)

    rows = [*screen.gone, *screen.rows()]
    assert _trimmed([_plain(row.text) for row in rows]) == terminal_shows(text)


@given(st.lists(st.lists(_PIECES, max_size=6), max_size=6), st.data())
@_SETTINGS
def test_the_stored_output_is_what_the_terminal_shows(
    writes: list[list[str]], data: st.DataObject
) -> None:
    notebook = Notebook(size=(COLUMNS, ROWS))

    for pieces in writes:
        text = "".join(pieces)
        cut = data.draw(st.integers(0, len(text)))
        notebook.flow.write(text[:cut])
        notebook.flow.write(text[cut:])
        if data.draw(st.booleans()):
            notebook.wait()
    notebook.flow.finish()

    text = "".join("".join(pieces) for pieces in writes)
    shown = _as_shown(notebook.text, COLUMNS)
    assert shown == terminal_shows(text)


def _as_shown(text: str, columns: int) -> list[str]:
    """Return text as a terminal of this width shows it."""
    return terminal_shows(_plain(text), columns=columns, rows=ROWS)


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


@pytest.mark.parametrize(
    ("printed", "stored"),
    [
        ("abc\rX", "Xbc"),
        ("a\rb\n", "b\n"),
        ("10%\r100%\n", "100%\n"),
        ("ab\b\bX", "Xb"),
        ("long line\r\x1b[Kok\n", "ok\n"),
        ("one\ntwo\n\x1b[2A\x1b[2KONE\n\x1b[1B", "ONE\ntwo\n"),
        ("\rname? ", "name? "),
        ("\x1b[2J\x1b[Hhello", "hello"),
        ("gone\n\x1b[H\x1b[2J\x1b[3Jleft\n", "left\n"),
        ("\r\x1b[31mred\x1b[0m\n", "\x1b[0;31mred\x1b[0m\n"),
        ("\r\x1b[1;38;5;208mx\x1b[m", "\x1b[0;1;38;2;255;135;0mx\x1b[0m"),
        ("\r👍🏽 ok\ufe0f!\n", None),
        ("x\r" + "long" * 60 + "\n", "long" * 60 + "\n"),
        ("\x1b(0lqk\x1b(B\r\n\r", "┌─┐\n"),
        ("\ra\x1b[5b", "aaaaaa"),
        ("a\x1b7b\x1b8X\x1b8Y", "aY"),
        ("\x1b[>4;2mplain\rP", "Plain"),
        ("\r\x1b[38:2::255:0:0mx", None),
        ("a\nb\x1b[H\x1b[M", "b"),
        ("\r" + "x" * 121 + "\x1b[L", "x" * 120 + "\n\nx"),
        ("a\n\x1b[H\x1b[M", ""),
        ("日\ra", "a "),
        ("日本\ra", "a 本"),
        ("日本\x1b[2Da", "日a "),
        ("日x\x1b[2Da", " ax"),
        ("\rafter\x1bP+q436f\x1b\\wards", "afterwards"),
    ],
)
def test_output_is_stored_as_it_ends(printed: str, stored: str | None) -> None:
    notebook = Notebook()

    notebook.flow.write(printed)
    notebook.flow.finish()

    if stored is not None:
        assert notebook.text == stored


@pytest.mark.parametrize(
    "printed",
    [
        "", "a", "a\n", "\n\n", "a\r\n", "a\r\r\n", "\ttabs\t\n", " blanks  \n", "é日\n",
        "\x1b[31mred\x1b[0m\n", "\x1b[38;5;3mx\x1b[m", "x" * 5000 + "\n", "bell\x07\n", "\x0b\x0c",
    ],
)  # fmt: skip
def test_plain_output_is_stored_to_the_byte(printed: str) -> None:
    for pieces in ([printed], list(printed)):
        notebook = Notebook()
        for piece in pieces:
            notebook.flow.write(piece)
        notebook.flow.finish()

        assert notebook.text == printed
        assert {kind for kind, _ in notebook.messages} <= {"stream"}


def test_what_does_nothing_at_the_end_of_a_line_costs_no_screen() -> None:
    notebook = Notebook()

    notebook.flow.write(
        "\x1b[01;31m\x1b[Kmatch\x1b[m\x1b[K\n\x1b[?2004h\x1b[?25hx\n\x1b]0;title\x07"
    )
    notebook.wait()
    notebook.flow.finish()

    assert notebook.text == "\x1b[01;31mmatch\x1b[m\nx\n"
    assert {kind for kind, _ in notebook.messages} == {"stream"}


def test_a_full_screen_program_shows_live_and_leaves_its_last_screen() -> None:
    notebook = Notebook()

    notebook.flow.write("before\n\x1b[?1049h\x1b[H\x1b[2Jfirst")
    notebook.wait()
    live = notebook.shown
    notebook.flow.write("\x1b[Hlast \x1b[2;1Hline two\x1b[?1049lafter\n")
    notebook.flow.finish()

    assert live == "before\nfirst"
    assert notebook.text == "before\nlast\nline two\nafter\n"


@pytest.mark.parametrize("line", ["line", "a long line" * 30])
def test_nothing_above_the_screen_is_lost_when_its_top_is_drawn_over(line: str) -> None:
    notebook = Notebook()
    lines = [f"{line} {number}" for number in range(100)]

    notebook.flow.write("".join(f"{each}\n" for each in lines))
    notebook.flow.write("\x1b[200A\x1b[2Ktop\x1b[200B\n")
    notebook.flow.finish()

    terminal = Screen(120, 40)
    terminal.feed("".join(f"{each}\n" for each in lines) + "\x1b[200A\x1b[2Ktop\x1b[200B\n")
    assert notebook.text == text_of(terminal.gone + terminal.rows())


def test_rows_are_whole_lines_again_where_the_screen_was_too_narrow() -> None:
    screen = Screen(4, 3)

    screen.feed("abcdefghij\nklm\n")

    assert text_of([*screen.gone, *screen.rows()]) == "abcdefghij\nklm\n"
