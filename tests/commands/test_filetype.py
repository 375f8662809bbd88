"""What a file is told to be."""

from __future__ import annotations

import pytest

from ctrkernel.commands.filetype import Form, decoded, printable, type_of

SVG = b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.mark.parametrize(
    ("path", "first", "form", "name"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n....", Form.IMAGE, "PNG image"),
        ("a.txt", b"\xff\xd8\xff\xe0", Form.IMAGE, "JPEG image"),
        ("a", b"GIF89a\x01\x00", Form.IMAGE, "GIF image"),
        ("a", b"RIFF\x10\x00\x00\x00WEBPVP8 ", Form.IMAGE, "WebP image"),
        ("a.png", b"\x7fELF\x02\x01", Form.BINARY, "ELF program"),
        ("a.png", b"<script>alert(1)</script>", Form.TEXT, "text"),
        ("a.svg", SVG, Form.SVG, "SVG image"),
        ("a.xml", SVG, Form.SVG, "SVG image"),
        ("a.svg", b"just text", Form.TEXT, "text"),
        ("a.csv", b"a,b\n1,2\n", Form.TABLE, "CSV table"),
        ("A.TSV", b"a\tb\n", Form.TABLE, "TSV table"),
        ("a.csv", b"a\0b", Form.BINARY, "binary file"),
        ("a.json", b"{}", Form.JSON, "JSON"),
        ("a.md", b"# x", Form.MARKDOWN, "Markdown"),
        ("README.md", b"<svg></svg>\n# x", Form.MARKDOWN, "Markdown"),
        ("a.html", b"<p>x", Form.HTML, "HTML"),
        ("a", b"\n<!doctype html><p>x", Form.HTML, "HTML"),
        ("a.py", b"print(1)", Form.TEXT, "text"),
        ("a", "ünï".encode("latin-1"), Form.TEXT, "text"),
        ("a", "hi".encode("utf-16"), Form.TEXT, "text"),
        ("a", bytes(range(1, 256)), Form.BINARY, "binary file"),
        ("a", b"PAR1....", Form.BINARY, "Parquet table"),
        ("a", b"", Form.TEXT, "text"),
    ],
)
def test_bytes_speak_first_and_the_ending_then(
    path: str, first: bytes, form: Form, name: str
) -> None:
    found = type_of(path, first)

    assert (found.form, found.name) == (form, name)


def test_a_character_that_is_cut_off_is_left_out() -> None:
    assert decoded("aü".encode()[:-1]) == ("a", True)
    assert decoded("aü".encode()[:-1], complete=True) == ("a�", False)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_a_byte_order_mark_is_no_text(encoding: str) -> None:
    assert decoded("hi ✓".encode(encoding), complete=True) == ("hi ✓", True)


def test_no_control_character_comes_through() -> None:
    assert printable("a\x1b[2J\x07\x7f\x9b\r\nb\tc\rd\u202ee") == "a␛[2J␇␡�\nb\tc␍d�e"
