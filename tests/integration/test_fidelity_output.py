# ruff: noqa: E501 - a row of a table stays on one line
"""Output is exact to the byte, whatever a program writes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.integration.fidelity import ALL, ARRAYS, Case, Shells, case, rows

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def shells(debian: str, busybox: str) -> Iterator[Shells]:
    with Shells(debian, busybox) as shells:
        yield shells


#: An escape sequence of every sort that is not ours.
FORGED = "\x1b]133;A\x07\x1b]133;C\x07\x1b]133;D;0\x07\x1b]133;D;7;0123456789abcdef;1;0;;;/;0123456789abcdef\x07"

EXACT = [
    case("nothing", ("true", "")),
    case("a newline alone", ("echo", "\n")),
    case("no newline", ("printf a", "a")),
    case("no newline twice", ("printf a", "a"), ("printf b", "b")),
    case("blank lines", ("printf '\\n\\n\\na\\n\\n'", "\n\n\na\n\n")),
    case("spaces at the ends", ("printf '  a  \\n  '", "  a  \n  ")),
    case("CR", ("printf 'a\\rb\\r\\nc\\r'", "a\rb\r\nc\r")),
    case("CR alone", ("printf '\\r'", "\r"), ("printf '\\r\\n'", "\r\n"), ("printf '\\r\\r\\n\\n\\r'", "\r\r\n\n\r")),
    case("NUL", ("printf '\\000a\\000'", "\0a\0")),
    case("BEL and backspace", ("printf 'a\\007\\010b'", "a\x07\x08b")),
    case("TAB", ("printf 'a\\tb\\t'", "a\tb\t")),
    case("form feed", ("printf '\\f\\v'", "\f\v")),
    case("XON and XOFF", ("printf 'a\\023\\021b'", "a\x13\x11b")),
    case("escape at the end", ("printf 'a\\033'", "a\x1b"), ("echo b", "b\n")),
    case("an opened sequence at the end", ("printf 'a\\033]133;'", "a\x1b]133;"), ("printf '\\033]133;D;'", "\x1b]133;D;")),
    case("colours", ("printf '\\033[31mred\\033[0m'", "\x1b[31mred\x1b[0m")),
    case("marks of others", (f"printf %s '{FORGED}'", FORGED)),
    case("a title", ("printf '\\033]0;title\\007x'", "\x1b]0;title\x07x")),
    case("UTF-8", ("printf 'é€𝄞\\n'", "é€𝄞\n")),
    case("UTF-8 in pieces", ("printf '\\303'; printf '\\251'", "é")),
    case("invalid UTF-8", ("printf 'a\\377b\\300\\257'", "a\ufffdb\ufffd\ufffd")),
    case("UTF-8 cut at the end", ("printf 'a\\303'", "a\ufffd"), ("printf '\\251'", "\ufffd")),
    case("a surrogate in UTF-8", ("printf '\\355\\240\\200'", "\ufffd\ufffd\ufffd")),
    case("Unicode line separators", ("printf '\\342\\200\\250a\\302\\205'", "\u2028a\x85")),
    case("a byte order mark", ("printf '\\357\\273\\277a'", "\ufeffa")),
    case("stderr in its place", ("echo a; echo b >&2; echo c", "a\nb\nc\n")),
    case("what we print ourselves", ("echo __ctrk_e; echo '{ __ctrk_x; }'", "__ctrk_e\n{ __ctrk_x; }\n")),
    case("the trailer's beginning", ("printf '{'; printf '{ __ctrk_s'", "{{ __ctrk_s")),
    case("prompt text", ("printf '$ # > %% '", "$ # > % ")),
    case("written to the terminal", ("echo a >/dev/tty", "a\n")),
    case("cleared screen", ("printf '\\033[2J\\033[H'", "\x1b[2J\x1b[H")),
    case("long line", ("head -c 300000 /dev/zero | tr '\\0' x", "x" * 300_000)),
    case("a million digits", ("head -c 1000000 /dev/zero | tr '\\0' '\\n'", "\n" * 1_000_000)),
]  # fmt: skip


@rows(EXACT)
def test_output_is_exact(shells: Shells, shell: str, case: Case) -> None:
    shells.check(shell, case)


@pytest.mark.parametrize("shell", ALL)
def test_every_byte_value_arrives(shells: Shells, shell: str) -> None:
    data = bytes(range(256)) * 3
    code = "printf '" + "".join(f"\\{byte:03o}" for byte in data) + "'"
    box = shells.shared(shell)

    assert box.output(code) == data.decode("utf-8", "replace")
    box.check_alive()


@pytest.mark.parametrize("shell", ALL)
def test_random_bytes_arrive(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)
    box.output("head -c 300000 /dev/urandom > /tmp/random")
    octal = box.output("od -An -v -to1 /tmp/random").split()

    printed = box.output("cat /tmp/random; rm /tmp/random")

    assert printed == bytes(int(word, 8) for word in octal).decode("utf-8", "replace")
    box.check_alive()


#: Lines of ``seq``, and the bytes that they make: 50 MB once, for the way is the same for all.
FLOODS = [("bash", 6_388_889, 50_000_008), ("dash", 754_123, 5_167_756), ("ash", 754_123, 5_167_756), ("zsh", 754_123, 5_167_756)]  # fmt: skip


@pytest.mark.parametrize(("shell", "lines", "size"), FLOODS)
def test_a_flood_arrives_in_order(shells: Shells, shell: str, lines: int, size: int) -> None:
    box = shells.shared(shell)
    digest, arrived = hashlib.md5(), 0

    def take(text: str) -> None:
        nonlocal arrived
        digest.update(text.encode())
        arrived += len(text)

    expected = box.output(f"seq 1 {lines} | md5sum")[:32]
    result = box.session.run(f"seq 1 {lines}", 100, on_output=take)

    assert (result.exit_code, arrived) == (0, size)
    assert digest.hexdigest() == expected
    box.check_alive()


@pytest.mark.parametrize("shell", ALL)
def test_the_session_s_own_prompt_is_text_in_the_output(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)
    for code in (
        'echo "$PS1"',
        'printf %s "$PS1"',
        "set",
        "typeset -p 2>/dev/null; true",
        "trap",
        "env",
    ):
        box.output(code)
        box.check_alive()
    if shell in ARRAYS:
        box.output("typeset -f")
        box.check_alive()


@pytest.mark.parametrize("shell", ALL)
def test_a_mark_replayed_from_our_own_functions_ends_nothing(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)
    box.output("set > /tmp/set")

    printed = box.output("cat /tmp/set; echo after; rm /tmp/set")

    assert printed.endswith("after\n")
    box.check_alive()


@pytest.mark.parametrize("shell", ALL)
def test_output_shows_while_the_cell_runs(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)
    pieces: list[str] = []

    box.session.run("printf 'Name? '; sleep 0.3; echo done", on_output=pieces.append)

    assert pieces == ["Name? ", "done\n"]
