"""What files look like, hostile ones above all."""

from __future__ import annotations

import base64
import html
import json
import re
import struct
from typing import TYPE_CHECKING

import pytest

from ctrkernel.commands.filetype import type_of
from ctrkernel.commands.view import CELL, COLUMNS, LINE, View, hexdump, listing, passive
from ctrkernel.transfer.peek import Entry, Folder, parse_listing
from ctrkernel.transfer.placement import Found

if TYPE_CHECKING:
    from ctrkernel.commands.context import Output

SCRIPT = "<script>alert(1)</script>"
IMG = '<img src=x onerror="alert(1)">'


def shown(
    path: str, content: bytes | str, *, size: int | None = None, lines: int = 100, **options: bool
) -> Output:
    data = content.encode() if isinstance(content, str) else content
    whole = len(data) if size is None else size
    return View(
        path=path,
        type=type_of(path, data),
        content=data,
        size=whole,
        complete=whole == len(data),
        lines=lines,
        **options,
    ).shown()


def text_of(markup: str) -> str:
    """What a person reads of HTML."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


# Images


def test_an_image_is_its_bytes_in_base64_and_a_line_for_a_terminal() -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", 640, 480) + b"rest"

    output = shown("/srv/plot.png", png)

    assert output.text == f"plot.png: PNG image, {len(png)} B, 640 x 480\n"
    assert base64.b64decode(output.data["image/png"]) == png
    assert not output.html


def test_an_image_that_is_too_large_is_named_and_not_shown() -> None:
    output = shown("plot.png", b"\x89PNG\r\n\x1a\n", size=10**9)

    assert output.text == "plot.png: PNG image, 1.0 GB; too large to show, raise --max-size\n"
    assert not output.rich


def test_a_script_in_an_svg_cannot_run() -> None:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">{SCRIPT}</svg>'

    output = shown('x" onerror="alert(1).svg', svg)

    source = base64.b64encode(svg.encode()).decode()
    name = "x&quot; onerror=&quot;alert(1).svg"
    assert output.html == f'<img src="data:image/svg+xml;base64,{source}" alt="{name}">'
    assert not output.data


def test_a_trusted_svg_is_part_of_the_page() -> None:
    output = shown("x.svg", "<svg></svg>", trust=True)

    assert output.html == "<svg></svg>"
    assert output.data == {"image/svg+xml": "<svg></svg>"}


# Tables


def test_a_table_has_heads_and_rows() -> None:
    output = shown("a.csv", 'name,value\nx,"1,5"\ny,2\n')

    assert output.text == "name  value\nx     1,5\ny     2\n2 rows\n"
    assert "<th>name</th><th>value</th>" in output.html
    assert "<td>x</td><td>1,5</td>" in output.html


@pytest.mark.parametrize("cell", [SCRIPT, IMG, "=cmd|' /C calc'!A0", "@SUM(1)", "&lt;b&gt;"])
def test_a_cell_of_a_table_is_text(cell: str) -> None:
    output = shown("a.tsv", f"{cell}\tb\n{cell}\t1\n")

    assert "<script" not in output.html
    assert "<img" not in output.html
    assert text_of(output.html).count(cell) == 2
    assert output.text.count(cell) == 2


def test_a_cell_cannot_move_a_terminals_cursor_or_break_a_row() -> None:
    output = shown("a.csv", 'a,b\n"two\nlines","\x1b[2J"\n')

    assert output.text == "a          b\ntwo lines  ␛[2J\n1 row\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    rows = ["aa,bb,cc", "1,2,3", "4,5,6"]
    text = "".join(f"{row.replace(',', delimiter)}\n" for row in rows)

    assert "<th>aa</th><th>bb</th><th>cc</th>" in shown("a.csv", text).html


def test_rows_of_different_lengths_are_filled_up() -> None:
    assert "<td>1</td><td></td><td></td>" in shown("a.tsv", "a\tb\tc\n1\n1\t2\t3\n").html


def test_only_so_many_rows_are_shown() -> None:
    output = shown("a.csv", "n,m\n" + "".join(f"{i},0\n" for i in range(1000)), lines=3)

    assert "2  0\n… the first 3 rows of 5.9 kB; --lines N shows more\n" in output.text
    assert "<td>3</td>" not in output.html


def test_the_row_that_is_cut_off_is_left_out() -> None:
    output = shown("a.csv", "n,m\n1,2\n3,4444", size=10**6)

    assert "1  2\n… the first 1 row of 1.0 MB" in output.text


def test_columns_and_cells_have_a_bound() -> None:
    wide = "\t".join(f"c{i}" for i in range(COLUMNS + 5))
    output = shown("a.tsv", f"{wide}\n{'x' * 10_000}\n")

    assert f"{COLUMNS} columns" in output.text
    assert "x" * CELL not in output.text
    assert f"<th>c{COLUMNS}</th>" not in output.html


def test_a_table_that_is_none_is_text() -> None:
    assert shown("a.csv", "x" * 200_000).html.startswith("<pre")


def test_heads_alone_are_shown_too() -> None:
    assert shown("a.csv", "a,b\n").text == "a  b\n0 rows\n"


# JSON


def test_json_has_a_line_for_each_value() -> None:
    output = shown("a.json", '{"a":[1,null],"b":"ü"}')

    assert output.text == '{\n  "a": [\n    1,\n    null\n  ],\n  "b": "ü"\n}\n'
    assert text_of(output.html) == output.text


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "1" * 5_000, "not json", '{"a": 1} x'])
def test_json_that_is_none_is_text(text: str) -> None:
    assert text[:100] in shown("a.json", text).text


def test_a_string_in_json_is_text() -> None:
    output = shown("a.json", json.dumps({"a": SCRIPT}))

    assert "<script" not in output.html
    assert SCRIPT in text_of(output.html)


# Markdown


def test_markdown_is_sent_as_markdown() -> None:
    output = shown("a.md", "# Title\n\n*x* and `y`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")

    assert output.data["text/markdown"].startswith("# Title\n\n*x* and `y`")
    assert output.text.startswith("# Title\n")


@pytest.mark.parametrize(
    "hostile",
    [
        SCRIPT,
        IMG,
        "</pre><script>",
        "<!-- --><b>",
        "<?php ?>",
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt\\:alert(1))",
        "[a](&#106;avascript:alert(1))",
        "[a](javascript&colon;alert(1))",
        "[a]: vbscript:x",
        "![a](data:text/html;base64,PHN2Zz4=)",
        "$\\href{javascript:alert(1)}{x}$",
    ],
)
def test_markdown_is_made_passive(hostile: str) -> None:
    made = passive(hostile)

    assert made.replace("\u2060", "") == hostile
    assert not re.search(
        r"<[a-z/!?]|&#|&colon;|vbscript\\?:|javascript\\?:|data:|\\href", made, re.IGNORECASE
    )


def test_trusted_markdown_is_as_it_is() -> None:
    assert shown("a.md", IMG, trust=True).data["text/markdown"] == IMG


# HTML


def test_html_is_its_source_unless_trusted() -> None:
    page = f"<!doctype html><h1>x</h1>{SCRIPT}"

    output = shown("a.html", page)

    assert "<script" not in output.html
    assert "<h1" not in output.html
    assert page in text_of(output.html)
    assert output.text == f"{page}\nshown as text; --trust shows the page\n"
    assert not output.data


def test_trusted_html_is_a_frame_of_its_own() -> None:
    page = '<p title="a">x</p><script>document.title</script>'

    output = shown("a.html", page, trust=True)

    assert re.fullmatch(
        r'<iframe sandbox="[^"]*" style="[^"]*" srcdoc="[^"<>]*"></iframe>', output.html
    )
    assert "allow-same-origin" not in output.html
    assert html.unescape(output.html.split('srcdoc="')[1]).startswith(page)


# Text


def test_code_is_coloured_by_its_name() -> None:
    output = shown("a.py", "def f():\n    return 1\n")

    assert re.search(r'<span style="color: [^"]*keyword[^"]*">def</span>', output.html)
    assert text_of(output.html) == output.text == "def f():\n    return 1\n"


def test_code_without_an_ending_is_known_by_its_first_line() -> None:
    assert "keyword" in shown("run", "#!/bin/sh\nfor i in 1; do echo; done\n").html


@pytest.mark.parametrize("name", ["a.txt", "a.py", "a.sh", "a.c", "a.html", "Makefile", "a.xml"])
def test_text_never_becomes_html(name: str) -> None:
    hostile = f"{SCRIPT}\n{IMG}\n</pre>&amp;\n"

    output = shown(name, hostile)

    assert "<script" not in output.html
    assert "<img" not in output.html
    assert text_of(output.html).startswith(hostile)


def test_a_terminal_gets_colours_and_no_foreign_codes() -> None:
    output = shown("a.py", "x = 1  # \x1b[2J\n", terminal=True)

    assert "\x1b[" in output.text
    assert "\x1b[2J" not in output.text


def test_only_so_many_lines_and_columns_are_shown() -> None:
    output = shown("a.log", f"{'x' * 10 * LINE}\n" + "y\n" * 1000, lines=2)

    assert "… the first 2 lines of 22.0 kB; --lines N shows more\n" in output.text
    assert len(output.text) < LINE + 100
    assert output.text.count("y\n") == 1


def test_what_is_no_utf_8_is_shown_and_told() -> None:
    output = shown("a.txt", "café\n".encode("latin-1"))

    assert output.text == "caf�\nit is no UTF-8, and what could not be read is �\n"


def test_an_empty_file_is_told() -> None:
    assert shown("a.txt", b"").text == "a.txt is empty\n"


# Binaries, folders


def test_a_binary_file_is_its_type_size_and_beginning() -> None:
    output = shown("/bin/true", b"\x7fELF" + bytes(1000))

    assert output.text.startswith("true: ELF program, 1.0 kB\n00000000  7f 45 4c 46 00")
    assert output.text.count("\n") == 17


def test_a_hexdump_is_the_one_that_everybody_knows() -> None:
    assert hexdump(b"0123456789abcdefX") == (
        "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n"
        "00000010  58                                                |X|\n"
    )


def test_a_folder_is_a_table_of_its_entries() -> None:
    entries = (
        Entry("a", Found.FILE, size=1200, mtime=0),
        Entry("b", Found.FOLDER),
        Entry("l", Found.LINK, target="/x"),
        Entry(SCRIPT, Found.FILE),
    )

    output = listing(Folder("/srv", entries))

    assert "a                          1.2 kB  1970-01-01 00:00\n" in output.text
    assert "b/\n" in output.text
    assert "l → /x\n" in output.text
    assert "<script" not in output.html


def test_an_empty_folder_is_told() -> None:
    assert listing(Folder("/srv", ())).text == "the folder is empty\n"


def test_a_listing_is_read_whatever_the_names() -> None:
    printed = "f\0a\nb\0\0l\0c\0to\nhere\0d\0 d\0\0.\0" + "81a4 3 10\na1ff 7 11\n41ed 4096 12\n"

    folder = parse_listing("/x", printed)

    assert folder.complete
    assert folder.entries == (
        Entry(" d", Found.FOLDER, mode=0o755, mtime=12),
        Entry("a\nb", Found.FILE, size=3, mode=0o644, mtime=10),
        Entry("c", Found.LINK, target="to\nhere", mode=0o777, mtime=11),
    )


def test_a_listing_without_stat_has_no_sizes() -> None:
    assert parse_listing("/x", "f\0a\0\0.\0").entries == (Entry("a", Found.FILE),)


def test_a_listing_says_that_there_are_more() -> None:
    assert not parse_listing("/x", "f\0a\0\0\0.\0").complete
