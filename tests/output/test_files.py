"""Files and pictures in output are shown in order, and nothing hostile does harm."""

from __future__ import annotations

import base64
import itertools
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctrkernel.output.sequences import LONG_LIMIT, Dropped, Splitter, String, Text, Token
from ctrkernel.output.sixel import SixelError, sixel_png
from tests.output.notebook import Notebook

_SETTINGS = settings(deadline=None, database=None)


def _file(content: bytes, options: str = "inline=1") -> str:
    return f"\x1b]1337;File={options}:{base64.b64encode(content).decode()}\x07"


def _outputs(printed: str, *, bytewise: bool = False) -> list[str]:
    notebook = Notebook()
    for piece in printed if bytewise else [printed]:
        notebook.flow.write(piece)
    notebook.flow.finish()
    merged: list[str] = []
    for output in notebook.outputs:
        if "text" in output and merged and not merged[-1].startswith("["):
            merged[-1] += output["text"]
        else:
            merged.append(output["text"] if "text" in output else output["data"]["text/plain"])
    return merged


@pytest.mark.parametrize("bytewise", [False, True])
@pytest.mark.parametrize(
    ("printed", "outputs"),
    [
        (
            "a\n" + _file(b"12345", "inline=1;name=eC5wbmc=;type=png") + "b\n",
            ["a\n", "[x.png png 5]", "b\n"],
        ),
        (_file(b"123").replace("\x07", "\x1b\\"), ["[  3]"]),
        (
            (
                "\x1b]1337;MultipartFile=inline=1\x07\x1b]1337;FilePart=MTIz\x07\x1b]1337;"
                "FilePart=NDU2\x07\x1b]1337;FileEnd\x07."
            ),
            ["[  6]", "."],
        ),
        ("\x1b]1337;File=inline=1;encoding=hex:31 32\n 33\x07", ["[  3]"]),
        ("a\x1bP0;1q#1~-\x1b\\b", ["a", "[sixel picture image/png 90]", "b"]),
        ("a\x1b]0;title\x07b", ["ab"]),
        ("a\x1b]8;;http://x.y/\x1b\\here\x1b]8;;\x1b\\ b", ["ahere (http://x.y/) b"]),
        ("\x1b]8;;https://x.y\x07https://x.y\x1b]8;;\x07", ["https://x.y"]),
        ("\x1b]8;id=1;file:///etc/passwd\x07passwd\x1b]8;;\x07", ["passwd"]),
        ("\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x07", ["x"]),
    ],
)  # fmt: skip
def test_files_and_links_stand_where_they_were_printed(
    printed: str, outputs: list[str], *, bytewise: bool
) -> None:
    shown = _outputs(printed, bytewise=bytewise)

    assert [each if "sixel" not in each else outputs[1] for each in shown] == outputs


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("a\x1b]1337;File=inline=1:MTIz", "a[a file that was cut after 23 characters]"),
        ("\x1b]1337;File=inline=1:!!\x1b[0m after", "[a file that was cut"),
        (_file(b"x", "inline=0;name=eA=="), "[the file x: not meant to be shown"),
        ("\x1b]1337;File=inline=1:\x07", "[an empty file]"),
        ("\x1b]1337;File=inline=1;encoding=hex:zz\x07", "its encoding is broken"),
        ("\x1b]1337;FileEnd\x07\x1b]1337;FilePart=MTIz\x07ok", "ok"),
        ('\x1bPq"1;1;99999;99999#1~\x1b\\', "cannot be shown"),
        ("\x1bPq#1" + "!9999~-" * 900 + "\x1b\\", "cannot be shown"),
        ("\x1bPq\x1b\\", "cannot be shown"),
        ("\x1b]0;never ends\nnext line\n", "\nnext line\n"),
    ],
)  # fmt: skip
def test_what_is_broken_is_told_and_the_rest_goes_on(printed: str, shown: str) -> None:
    assert shown in "".join(_outputs(printed))


def test_a_file_without_an_end_holds_a_bounded_part() -> None:
    splitter = Splitter()
    tokens: list[Token] = splitter.feed("\x1b]1337;File=inline=1:")

    for _ in range(100):
        tokens += splitter.feed("A" * 100_000)
        assert sum(map(len, splitter._pieces)) <= LONG_LIMIT
    tokens += splitter.feed("\x07text")

    assert tokens == [Dropped(10_000_019, finished=True), Text("text")]


def test_a_string_that_never_ends_gives_way() -> None:
    splitter = Splitter()

    tokens = splitter.feed("\x1b]0;" + "x" * 100_000)
    tokens += splitter.feed("and on")

    assert tokens[-1] == Text("and on")


@given(
    st.text("a\x1b]P[1337;File=q\x07\\\n:", max_size=60), st.lists(st.integers(0, 60), max_size=4)
)
@_SETTINGS
def test_it_is_the_same_however_the_text_is_cut(text: str, cuts: list[int]) -> None:
    whole, pieces = Splitter(), Splitter()
    expected = _merged([*whole.feed(text), *whole.close()])
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]

    tokens = [
        token for start, end in itertools.pairwise(edges) for token in pieces.feed(text[start:end])
    ]

    assert _merged([*tokens, *pieces.close()]) == expected


def _merged(tokens: list[Token]) -> list[Token]:
    merged: list[Token] = []
    for token in tokens:
        if isinstance(token, Text) and merged and isinstance(merged[-1], Text):
            merged[-1] = Text(merged[-1].text + token.text)
        else:
            merged.append(token)
    return merged


def _pixels(png: bytes) -> list[list[tuple[int, int, int] | None]]:
    """Decode what palette_png writes."""
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at < len(png):
        length = int.from_bytes(png[at : at + 4])
        chunks[png[at + 4 : at + 8]] = png[at + 8 : at + 8 + length]
        at += 12 + length
    width = int.from_bytes(chunks[b"IHDR"][:4])
    palette = [tuple(chunks[b"PLTE"][i : i + 3]) for i in range(0, len(chunks[b"PLTE"]), 3)]
    colours = [
        None if b"tRNS" in chunks and not number else palette[number]
        for number in range(len(palette))
    ]
    data = zlib.decompress(chunks[b"IDAT"])
    rows = [data[i + 1 : i + 1 + width] for i in range(0, len(data), width + 1)]
    return [[colours[number] for number in row] for row in rows]  # type: ignore[misc]


def test_a_sixel_picture_has_its_pixels() -> None:
    red, blue = (255, 0, 0), (0, 0, 255)

    pixels = _pixels(sixel_png("0;1q#1;2;100;0;0#2;1;0;50;100#1!2@$#2??@-#2A"))

    assert pixels[0] == [red, red, blue]
    assert pixels[1:6] == [[None] * 3] * 5
    assert pixels[6] == [None] * 3
    assert pixels[7] == [blue, None, None]


def test_raster_attributes_give_a_picture_its_size_and_ground() -> None:
    pixels = _pixels(sixel_png('q"1;1;3;2#0;2;0;100;0#5;2;100;100;100#5@'))

    assert pixels == [[(255, 255, 255), (0, 255, 0), (0, 255, 0)], [(0, 255, 0)] * 3]


@given(st.text('#!0123456789;$-"?@A~~', max_size=60))
@_SETTINGS
def test_any_sixel_data_is_a_picture_or_an_error(data: str) -> None:
    try:
        png = sixel_png("q" + data)
    except SixelError:
        return
    assert png.startswith(b"\x89PNG")


def test_strings_that_mean_nothing_here_are_left_out() -> None:
    splitter = Splitter()

    assert splitter.feed("a\x1b_apc\x1b\\b\x1b^pm\x1b\\c") == [
        Text("a"), String("_", "apc"), Text("b"), String("^", "pm"), Text("c"),
    ]  # fmt: skip
