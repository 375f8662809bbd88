"""A cell's bytes, escaped and cut into short lines, arrive in every shell as they were."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctrkernel.protocol.encoding import (
    PIECE,
    ansi_c_pieces,
    code_bytes,
    has_control,
    printf_b_pieces,
    single_pieces,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Split = Callable[[bytes], list[bytes]]

#: Every byte that a shell's variable can hold.
ALL_BYTES = bytes(range(1, 256))
#: What breaks an escape that is cut, or one that reads on into the text after it.
AWKWARD = [
    b"",
    b"'",
    b"''''",
    b"\\",
    b"\\" * 9,
    b"\\'",
    b"\\n",
    b"\\0",
    b"\\c after",
    b"\x01" + b"1234567",
    b"\t9\n0\r1\x1b[31m\x7f2",
    b"%s%b%%",
    b'$HOME `id` $(id) "$x"',
    b"a!b !! !$ !{",
    b"trailing newlines\n\n\n",
    b"crlf\r\nline\r\n",
    "größe 日本 \u2028\u2029\u0085 \U0001f40b".encode(),
    b"\xff\xfe\xc3(\x83\xa0",
    ALL_BYTES,
    ALL_BYTES * 20,
    b"'" * 5000,
    b"\\" * 5000,
    b"\x1b" * 3000,
    b"x" * (PIECE - 1) + b"'" + b"y" * PIECE,
]

SPLITS = [ansi_c_pieces, printf_b_pieces, single_pieces]

cells = st.one_of(
    st.binary(max_size=60).map(lambda data: data.replace(b"\0", b"")),
    st.text(max_size=40).map(code_bytes),
    st.text("'\\!\t\n\r01234567abcnx%$\x7f\x01", max_size=60).map(code_bytes),
)
batches = st.lists(cells, min_size=1, max_size=60)


def through(
    argv: Sequence[str],
    batch: Sequence[bytes],
    split: Split,
    *,
    decode: str = "",
    locale: str = "C",
) -> list[bytes]:
    """Let one process of a shell decode all of `batch`, and return what it holds then.

    Args:
        argv: The shell.
        batch: What to hold, one after the other, in a variable.
        split: Escapes and cuts.
        decode: Words that decode what the variable holds.
        locale: What LC_ALL is set to.
    """
    opening = b"$'" if split is ansi_c_pieces else b"'"
    lines: list[bytes] = []
    for data in batch:
        lines.append(b"v=")
        lines += [b"v=$v" + opening + piece + b"'" for piece in split(data)]
        lines += [decode.encode(), rb"printf '%s\0' " + b'"$v"']
    done = subprocess.run(
        [*argv, "-s"],
        input=b"\n".join(lines) + b"\n",
        capture_output=True,
        timeout=20,
        env={"PATH": os.environ["PATH"], "LC_ALL": locale},
        check=True,
    )
    assert done.stderr == b""
    return done.stdout.split(b"\0")[:-1]


#: As the POSIX dialect decodes.
DECODE = "v=$(command printf '%b.' \"$v\"); v=${v%.}"

shells = pytest.mark.parametrize("argv_of", ["bash", "dash", "ash", "zsh"], indirect=True)
c_shells = pytest.mark.parametrize("argv_of", ["bash", "zsh"], indirect=True)
locales = pytest.mark.parametrize("locale", ["C", "C.UTF-8"])


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("data", AWKWARD, ids=lambda data: repr(data[:12]))
def test_pieces_are_short_and_never_empty(split: Split, data: bytes) -> None:
    pieces = split(data)

    assert all(0 < len(piece) <= PIECE for piece in pieces)
    assert bool(pieces) is bool(data)


@given(cells)
def test_a_terminal_has_nothing_to_act_on(data: bytes) -> None:
    for piece in [*ansi_c_pieces(data), *printf_b_pieces(data)]:
        assert not has_control(piece)
        assert all(byte >= 0x20 and byte != 0x7F for byte in piece)


@pytest.mark.parametrize("split", SPLITS)
def test_a_piece_is_filled_before_the_next_is_begun(split: Split) -> None:
    pieces = split(b"x" * (3 * PIECE + 1))

    assert [len(piece) for piece in pieces] == [PIECE, PIECE, PIECE, 1]


@pytest.mark.parametrize("byte", [*range(0x20), 0x7F, ord("!")])
def test_a_byte_that_is_acted_on_counts_as_control(byte: int) -> None:
    assert has_control(b"plain" + bytes([byte]))


def test_text_beyond_ascii_is_no_control() -> None:
    assert not has_control("größe 日本 \u2028".encode() + b"\xff\x80\x9b")
    assert not has_control(b"")


def test_a_nul_is_left_out_and_a_lone_surrogate_is_a_question_mark() -> None:
    assert code_bytes("a\0b\ud800c\u2028d\r\n") == b"ab?c\xe2\x80\xa8d\r\n"


def test_a_byte_that_python_could_not_decode_is_that_byte_again() -> None:
    assert code_bytes(b"cd a\xffb\x80\xc3".decode(errors="surrogateescape")) == b"cd a\xffb\x80\xc3"
    assert code_bytes("a\udcff\udfff\ud800\U00010000") == b"a\xff??\xf0\x90\x80\x80"


@c_shells
@locales
def test_awkward_bytes_arrive_by_ansi_c_quoting(argv_of: tuple[str, ...], locale: str) -> None:
    assert through(argv_of, AWKWARD, ansi_c_pieces, locale=locale) == AWKWARD


@shells
@locales
def test_awkward_bytes_arrive_by_printf(argv_of: tuple[str, ...], locale: str) -> None:
    assert through(argv_of, AWKWARD, printf_b_pieces, decode=DECODE, locale=locale) == AWKWARD


@shells
@locales
def test_plain_bytes_arrive_in_single_quotes(argv_of: tuple[str, ...], locale: str) -> None:
    plain = [data for data in AWKWARD if not has_control(data)]

    assert through(argv_of, plain, single_pieces, locale=locale) == plain


@given(batches)
@settings(max_examples=40)
def test_any_bytes_arrive_in_bash(batch: list[bytes]) -> None:
    assert through(["bash", "--norc"], batch, ansi_c_pieces, locale="C.UTF-8") == batch


@given(batches)
@settings(max_examples=40)
def test_any_bytes_arrive_in_dash(batch: list[bytes]) -> None:
    assert through(["dash"], batch, printf_b_pieces, decode=DECODE) == batch
