"""What is different between two texts; the judge is patch(1)."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from ctrkernel.commands.difference import LINES, NAMES, SHOWN, Difference, of_folders, of_texts
from ctrkernel.transfer.compare import Comparison

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NAMES_OF_BOTH = ("here", "there")
LINE = st.sampled_from(["a", "b", "c", "", " ", "ü", "-x", "+++ y", "@@"])
TEXT = st.tuples(st.lists(LINE, max_size=30), st.booleans()).map(
    lambda made: "\n".join(made[0]) + ("\n" if made[1] and made[0] else "")
)


def patched(text: str, difference: str, folder: Path) -> str:
    """What patch(1) makes of a text."""
    file = folder / "file"
    file.write_text(text)
    argv = ["git", "apply", "--unidiff-zero", "--whitespace=nowarn", "-"]
    made = difference.replace("--- here", "--- a/file", 1).replace("+++ there", "+++ b/file", 1)
    subprocess.run(argv, input=made, text=True, check=True, cwd=folder)
    return file.read_text() if file.exists() else ""


@settings(max_examples=150, deadline=None)
@given(here=TEXT.filter(bool), there=TEXT.filter(bool))
def test_the_difference_leads_from_one_to_the_other(
    here: str, there: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    difference = of_texts(here, there, names=NAMES_OF_BOTH)

    if here == there:
        assert difference == ""
    else:
        assert difference is not None
        folder = tmp_path_factory.mktemp("patch")
        assert patched(here, difference, folder) == there


def test_a_change_shows_with_three_lines_around_it() -> None:
    here = "".join(f"{i}\n" for i in range(20))

    assert of_texts(here, here.replace("10\n", "ten\n"), names=NAMES_OF_BOTH) == (
        "--- here\n+++ there\n@@ -8,7 +8,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n"
    )


def test_a_missing_newline_and_a_carriage_return_show() -> None:
    assert of_texts("a", "a\n", names=NAMES_OF_BOTH) == (
        "--- here\n+++ there\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"
    )
    assert "+a␍\n" in (of_texts("a\n", "a\r\n", names=NAMES_OF_BOTH) or "")


def test_control_characters_do_not_come_through() -> None:
    assert "\x1b" not in (of_texts("a\n", "\x1b[2J\n", names=NAMES_OF_BOTH) or "")


def test_a_small_change_in_a_long_text_is_found() -> None:
    here = "".join(f"{i % 7}\n" for i in range(10 * LINES))

    made = of_texts(here, here + "x\n", names=NAMES_OF_BOTH)

    assert made is not None
    assert made.endswith("+x\n")


def test_texts_that_differ_too_much_are_not_compared_line_by_line() -> None:
    here = "".join(f"{i}\n" for i in range(LINES + 1))

    assert of_texts(here, here.replace("\n", "x\n"), names=NAMES_OF_BOTH) is None


def test_only_so_much_is_shown() -> None:
    here = "".join(f"{i}\n" for i in range(2 * SHOWN))

    made = of_texts(here, here.replace("\n", "x\n"), names=NAMES_OF_BOTH)

    assert made is not None
    assert made.count("\n") == SHOWN + 1


def test_folders_tell_what_is_on_one_side_and_what_differs() -> None:
    found = Comparison(["a", "d/"], ["b\x1b"], {"c": "different content"}, 7)

    assert of_folders(found, names=("src", "web:/src")) == (
        "- only in src: a\n- only in src: d/\n+ only in web:/src: b␛\n! c: different content\n"
    )


def test_names_have_a_bound() -> None:
    found = Comparison([f"{i}" for i in range(NAMES + 5)])

    assert of_folders(found, names=("a", "b")).endswith("… and 5 more\n")


def test_a_difference_is_true_and_says_the_same_in_each_form() -> None:
    text = "--- a\n+++ b\n@@ -1 +1 @@\n-<script>\n+y\n"
    made = Difference("a", "b", text, same=False)

    assert made
    assert repr(made) == text.rstrip("\n")
    assert "&lt;script&gt;" in made._repr_html_()
    assert "<script" not in made._repr_html_()
    assert not Difference("a", "b", "the same\n", same=True)
