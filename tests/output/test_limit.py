"""The notebook holds a cell's head and tail, and a file the whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctrkernel.output.limit import Limit
from ctrkernel.output.size import encoded_size, format_size, parse_size
from tests.output.notebook import Kept, Notebook

_SETTINGS = settings(deadline=None, database=None)


@given(st.lists(st.text("ab\né", max_size=30), max_size=30), st.integers(8, 200))
@_SETTINGS
def test_nothing_is_lost_and_the_bound_holds(pieces: list[str], limit: int) -> None:
    kept, whole = Kept(), "".join(pieces)
    under_test = Limit(lambda: limit, kept)

    shown = "".join(under_test.take(piece) for piece in pieces)
    between, tail = under_test.finish()

    assert encoded_size(shown) + encoded_size(tail) <= limit + limit // 4
    if between:
        assert kept.text == whole
        assert whole.startswith(shown)
        assert whole.endswith(tail)
        assert kept.closed
    else:
        assert shown + tail == whole
        assert kept.path is None


def test_without_a_limit_everything_passes() -> None:
    notebook = Notebook(limit=None)

    for _ in range(1000):
        notebook.flow.write("a line of some length\n" * 100)
    notebook.flow.finish()

    assert len(notebook.text) == 2_200_000
    assert notebook.kept.path is None


def test_a_flood_tells_how_far_it_is_and_ends_in_head_line_and_tail() -> None:
    notebook = Notebook(limit=1000)
    lines = [f"line {number}\n" for number in range(1000)]

    for line in lines[:500]:
        notebook.flow.write(line)
    notebook.wait()
    live = notebook.shown
    for line in lines[500:]:
        notebook.flow.write(line)
    notebook.wait()
    notebook.flow.finish()

    assert "so far, in FILE\n" in live
    assert live.endswith("line 499")
    head, between, tail = notebook.outputs[0], notebook.outputs[-2], notebook.outputs[-1]
    assert head["text"] == lines[0]
    assert between["data"] == {
        "text/plain": "… 7.9 kB left out; the whole output, 8.9 kB, is in FILE …"
    }
    assert tail["text"].endswith("line 998\nline 999\n")
    assert lines[800] not in notebook.text
    assert notebook.kept.text == "".join(lines)


def test_output_that_just_fits_is_stored_whole_though_its_end_was_held() -> None:
    notebook = Notebook(limit=1000)

    for number in range(90):
        notebook.flow.write(f"{number:09}\n")
        notebook.wait(0.1)
    notebook.flow.finish()

    assert notebook.text == "".join(f"{number:09}\n" for number in range(90))
    assert all("text" in output for output in notebook.outputs)


def test_where_no_file_can_be_made_the_line_says_why() -> None:
    kept = Kept()
    kept.full = True
    under_test = Limit(lambda: 100, kept)

    for _ in range(100):
        under_test.take("a line\n")
    between, tail = under_test.finish()

    assert between.endswith("could not be kept: No space left on device …")
    assert tail.endswith("a line\n")


def test_a_flood_of_redraws_is_bounded_too() -> None:
    notebook = Notebook(limit=2000)

    for number in range(3000):
        notebook.flow.write(f"\rdone {number}\n\r{number}%")
        notebook.wait(0.01)
    notebook.flow.finish()

    assert len(notebook.text) < 2500
    assert notebook.text.endswith("done 2999\n2999%")


def test_pictures_are_few_however_often_a_program_redraws() -> None:
    notebook = Notebook()

    for number in range(1000):
        notebook.flow.write(f"\r{number}%")
        notebook.wait(0.01)
    notebook.flow.finish()

    assert len(notebook.messages) < 120
    assert notebook.text == "999%"


def test_many_finished_lines_above_a_bar_do_not_make_pictures_larger() -> None:
    notebook = Notebook()

    for number in range(5000):
        notebook.flow.write(f"\r\x1b[Kfile {number} is done\nbar {number}")
        notebook.wait(0.02)
    notebook.flow.finish()

    pictures = [
        content["data"]["text/plain"] for kind, content in notebook.messages if "display" in kind
    ]
    assert max(map(len, pictures)) < 25_000
    assert notebook.text.startswith("file 0 is done\nfile 1 is done\n")
    assert notebook.text.endswith("file 4999 is done\nbar 4999")


def test_behind_an_interrupt_only_the_end_of_what_piles_up_is_drawn() -> None:
    notebook = Notebook()
    notebook.flow.write("first\n\x1b[1A\x1b[2Kdrawn\n")

    notebook.flow.hurry()
    for number in range(20_000):
        notebook.flow.write(f"\rat {number}\x1b[K\n")
    notebook.wait(0.2)
    notebook.flow.write("\rgone on\x1b[K\n")
    notebook.flow.finish()

    assert notebook.text.startswith("drawn\n")
    assert notebook.text.endswith("at 19998\nat 19999\ngone on\n")
    assert "at 10000\n" not in notebook.text


def test_what_is_binary_is_kept_as_it_is_and_never_drawn() -> None:
    notebook = Notebook(limit=20_000)
    noise = bytes(range(256)).decode("utf-8", "replace") * 400

    for start in range(0, len(noise), 4096):
        notebook.flow.write(noise[start : start + 4096])
    notebook.flow.finish()

    assert notebook.kept.text == noise
    assert "update_display_data" not in {kind for kind, _ in notebook.messages}


def test_plain_output_after_a_bar_is_passed_through_again() -> None:
    notebook = Notebook()

    notebook.flow.write("\r100%\n")
    notebook.wait()
    notebook.flow.write("a\n")
    notebook.flow.write("b  \n")

    assert notebook.messages[-1] == ("stream", {"name": "stdout", "text": "b  \n"})


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500k", 500_000), ("1MB", 1_000_000), ("1 mb", 1_000_000), ("2.5G", 2_500_000_000),
        ("1MiB", 1_000_000), ("1000", 1000), ("", None), ("x", None), ("-1", None), ("1e6", None),
    ],
)  # fmt: skip
def test_sizes_are_read_as_people_write_them(text: str, size: int | None) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999.7, "1.0 kB"),
        (1000, "1.0 kB"),
        (999_960, "1.0 MB"),
        (12_345_678, "12.3 MB"),
        (2_000_000_000, "2.0 GB"),
        (5_000_000_000_000_000, "5000.0 TB"),
    ],
)
def test_sizes_are_written_as_people_read_them(size: float, text: str) -> None:
    assert format_size(size) == text
