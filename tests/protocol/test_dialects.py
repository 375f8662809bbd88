"""What we type is short, plain and whole in the shell that it is meant for."""

from __future__ import annotations

import itertools
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctrkernel.protocol import dialects
from ctrkernel.protocol.dialects import Bash, Posix, ShellState, Zsh, hello_line
from ctrkernel.protocol.dialects.base import LINE_LIMIT, PREFIX, SILENT, TERMINAL
from ctrkernel.protocol.encoding import PIECE, has_control
from ctrkernel.protocol.marks import Kind, printf_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctrkernel.protocol.dialects import Dialect

NONCE = "00112233aabbccdd"
DIALECTS: list[Dialect] = [Bash(NONCE), Posix(NONCE), Zsh(NONCE)]
#: The dialect that each shell is spoken to in.
SPOKEN = [("bash", DIALECTS[0]), ("dash", DIALECTS[1]), ("ash", DIALECTS[1]), ("zsh", DIALECTS[2])]
#: What a terminal keeps of a line: termios(3). busybox's line editor keeps 1,023 bytes.
TERMINAL_LIMIT = 4095

CODES = [
    b"",
    b"true",
    b"# comment",
    b"echo 'it''s' \"$HOME\" `id` \\ !! \t",
    b"for i in a b\ndo\n\techo $i\r\ndone\n",
    b"cat <<EOF\nopen",
    b"ls |",
    b"f()",
    bytes(range(1, 256)),
    bytes(range(1, 256)) * 50,
    b"x" * (PIECE - 1),
    b"x" * 700,
    b"\x1b" * 5000,
    b"'" * 5000,
    b"y" * 200_000,
]
STATES = [
    ShellState(
        flags=flags,
        status=status,
        pipe_status=pipe,
        prompts_intact=intact,
        debug_trap=trap,
        terminal_changed=changed,
        finished=finished,
    )
    for flags, (status, pipe), (intact, trap, changed, finished) in itertools.product(
        ("himBHs", "aehimnuvxBHs"),
        ((0, (0,)), (255, (0, 141, 255))),
        ((True, False, False, True), (False, True, True, False)),
    )
]

each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
each_shell = pytest.mark.parametrize(
    ("argv_of", "dialect"), SPOKEN, indirect=["argv_of"], ids=[name for name, _ in SPOKEN]
)


def all_lines(dialect: Dialect, code: bytes) -> list[bytes]:
    """Return every line that is ever typed for `code`, whatever state the shell is in."""
    cells = [line for state in STATES for line in dialect.cell(999_999_999, code, state)]
    return [hello_line(NONCE), *dialect.setup(), *dialect.prompts(), dialect.rescue(7), *cells]


def parses(argv: Sequence[str], lines: Sequence[bytes]) -> bytes:
    """Have a shell read `lines` without running them; return what it says."""
    done = subprocess.run(
        [*argv, "-n"],
        input=b"\n".join(lines) + b"\n",
        capture_output=True,
        timeout=20,
        check=False,
    )
    return done.stderr + (b"" if done.returncode == 0 else b"status %d" % done.returncode)


@each_dialect
@pytest.mark.parametrize("code", CODES, ids=lambda code: repr(code[:12]))
def test_every_line_is_short_and_holds_nothing_that_a_terminal_acts_on(
    dialect: Dialect, code: bytes
) -> None:
    for line in all_lines(dialect, code):
        assert len(line) <= (LINE_LIMIT if dialect.edits_lines else TERMINAL_LIMIT)
        assert all(byte >= 0x20 and byte != 0x7F for byte in line)


@each_dialect
@given(code=st.binary(max_size=1500), state=st.sampled_from(STATES))
def test_no_byte_of_a_cell_is_typed_that_anything_acts_on(
    dialect: Dialect, code: bytes, state: ShellState
) -> None:
    for line in dialect.cell(1, code.replace(b"\0", b""), state):
        assert len(line) <= (LINE_LIMIT if dialect.edits_lines else TERMINAL_LIMIT)
        assert not has_control(line)


@each_dialect
def test_every_line_keeps_out_of_the_history(dialect: Dialect) -> None:
    lines = [line for code in CODES for line in all_lines(dialect, code)]

    assert all(line.startswith(b" ") for line in lines if line)


@each_shell
@pytest.mark.parametrize("code", CODES[:-1], ids=lambda code: repr(code[:12]))
def test_every_line_is_whole_in_its_shell(
    argv_of: tuple[str, ...], dialect: Dialect, code: bytes
) -> None:
    assert parses(argv_of, all_lines(dialect, code)) == b""


@pytest.mark.parametrize("argv_of", [name for name, _ in SPOKEN], indirect=True)
def test_the_first_line_is_whole_in_every_shell(argv_of: tuple[str, ...]) -> None:
    assert parses(argv_of, [hello_line(NONCE)]) == b""


@each_dialect
@pytest.mark.parametrize("kind", Kind)
def test_a_mark_cannot_end_its_own_line(dialect: Dialect, kind: Kind) -> None:
    form = printf_format(kind, NONCE)

    assert form.count(NONCE) == 2
    assert "'" not in form
    assert "\n" not in form


@each_dialect
def test_the_last_line_carries_gate_code_and_end(dialect: Dialect) -> None:
    *before, last = dialect.cell(42, b"true", ShellState(prompts_intact=True))

    assert f"{PREFIX}_g=42".encode() in last
    assert f"{PREFIX}_e 42 ".encode() in last
    assert not any(f"{PREFIX}_g=".encode() in line for line in before)


@each_dialect
def test_a_short_cell_is_one_line(dialect: Dialect) -> None:
    assert len(dialect.cell(1, b"echo one", ShellState(prompts_intact=True))) == 1


@each_dialect
@pytest.mark.parametrize(
    "code",
    [
        b"cat <<" + b"A" * 3000,
        b"cat " + b" ".join(b"<<W%d" % number for number in range(300)),
        b"x=$((1 << 22))\n" * 500,
        b"f()\n" * 500,
    ],
    ids=lambda code: repr(code[:14]),
)
def test_what_is_asked_about_unfinished_code_stays_short(dialect: Dialect, code: bytes) -> None:
    for line in all_lines(dialect, code):
        assert len(line) <= (LINE_LIMIT if dialect.edits_lines else TERMINAL_LIMIT)


@each_dialect
def test_a_long_cell_takes_lines_in_proportion(dialect: Dialect) -> None:
    lines = dialect.cell(1, b"x" * 100 * PIECE, ShellState(prompts_intact=True))

    assert 100 <= len(lines) < 120


@each_dialect
def test_prompts_are_set_again_only_where_they_changed(dialect: Dialect) -> None:
    intact = dialect.cell(1, b"true", ShellState(prompts_intact=True))
    changed = dialect.cell(1, b"true", ShellState(prompts_intact=False))

    assert not set(dialect.prompts()) & set(intact)
    assert set(dialect.prompts()) < set(changed)


@each_dialect
def test_the_terminal_is_silenced_again_only_where_it_changed(dialect: Dialect) -> None:
    quiet = dialect.cell(1, b"true", ShellState(prompts_intact=True))
    echoing = dialect.cell(1, b"true", ShellState(prompts_intact=True, terminal_changed=True))

    assert not any(TERMINAL.encode() in line for line in quiet)
    assert any(TERMINAL.encode() in line for line in echoing)


@each_dialect
@pytest.mark.parametrize("flag", ["x", "v", "trap"])
def test_a_gate_is_written_only_where_the_shell_traces(dialect: Dialect, flag: str) -> None:
    plain = ShellState(flags="him", prompts_intact=True)
    traced = replace(plain, debug_trap=True) if flag == "trap" else replace(plain, flags=flag)

    assert f"{PREFIX}_t".encode() not in b"".join(dialect.cell(1, b"true", plain))
    assert f"{PREFIX}_t".encode() in b"".join(dialect.cell(1, b"true", traced))


@each_dialect
@pytest.mark.parametrize("size", [4, 3 * PIECE])
def test_no_variable_of_ours_is_exported_under_allexport(dialect: Dialect, size: int) -> None:
    state = ShellState(flags="ahim", prompts_intact=True)
    switch = dialect.set_word.encode()

    lines = dialect.cell(1, b"x" * size, state)

    assigning = [line for line in lines if f"{PREFIX}_c=".encode() in line]
    assert assigning
    for line in assigning:
        assert line.startswith(b" { " + switch + b" +a; ")
        assert switch + b" -a; } " + SILENT.encode() in line


@each_dialect
def test_no_statement_of_ours_writes_to_the_terminal_aloud(dialect: Dialect) -> None:
    for line in [*dialect.prompts(), *dialect.cell(1, b"y" * 3000, STATES[-1])]:
        assert not line or SILENT.encode() in line


@each_dialect
def test_the_status_is_not_given_back_under_errexit(dialect: Dialect) -> None:
    with_status = dialect.run(1, b"true", ShellState(status=77))
    errexit = dialect.run(1, b"true", ShellState(status=77, flags="e"))

    assert "77" in with_status
    assert "77" not in errexit


def test_bash_restores_every_status_of_a_pipeline() -> None:
    words = Bash(NONCE).evaluate(ShellState(pipe_status=(1, 0, 3)), "")

    assert "(\\\\builtin exit 1) | (\\\\builtin exit 0) | (\\\\builtin exit 3)" in words


@each_dialect
def test_lines_that_a_verbose_shell_repeats_are_known(dialect: Dialect) -> None:
    typed = dialect.run(1, b"true", ShellState(flags="v")).replace(r"\\", "\\").encode()

    assert dialect.repeated
    assert any(line in typed for line in dialect.repeated)
    assert all(dialect.repeated)


@pytest.mark.parametrize(
    ("bash", "zsh", "expected"),
    [("5.2.15(1)-release", "", Bash), ("", "5.9", Zsh), ("", "", Posix), ("4.4", "5.9", Bash)],
)
def test_the_reported_versions_choose_the_dialect(
    bash: str, zsh: str, expected: type[Dialect]
) -> None:
    chosen = dialects.choose(NONCE, bash_version=bash, zsh_version=zsh)

    assert type(chosen) is expected
    assert chosen.nonce == NONCE
