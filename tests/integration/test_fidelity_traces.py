# ruff: noqa: E501 - a row of a table stays on one line
"""Nothing of ours shows, line numbers are the cell's, and late output is neither lost nor mixed."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.fidelity import ALL, ARRAYS, Case, Shells, case, rows, said

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What must not be seen.
OURS = re.compile(r"ctrk|CTRK|133;", re.IGNORECASE)


@pytest.fixture(scope="module")
def shells(debian: str, busybox: str) -> Iterator[Shells]:
    with Shells(debian, busybox) as shells:
        yield shells


#: dash has no $LINENO as Debian builds it.
NUMBERED = ARRAYS

LINES = [
    case("LINENO", ("echo $LINENO", "1\n"), ("echo $LINENO", "1\n"), ("\n\necho $LINENO\n\necho $LINENO", "3\n5\n"), only=NUMBERED),
    case("$LINENO in a long cell", ("#" + "x" * 5000 + "\n: '\t'\necho $LINENO", "3\n"), only=NUMBERED),
    case("$LINENO after a megabyte", ("#" + "x" * 300_000 + "\necho $LINENO", "2\n"), only=NUMBERED),
    case("$LINENO after a failure", (")", None, None), ("echo $LINENO", "1\n"), only=NUMBERED),
    case("$LINENO after a status", ("(exit 3)", "", 3), ("echo $LINENO", "1\n"), only=NUMBERED),
    case("$LINENO after a pipeline", ("false | true", ""), ("echo $LINENO", "1\n"), only=NUMBERED),
    case("$LINENO with -x", ("set -x", ""), ("\necho $LINENO", said("echo 2\n2\n\\Z")), ("set +x", None), only=NUMBERED),
    case("$LINENO with a heredoc", ("cat <<E\na\nE\necho $LINENO", "a\n4\n"), only=NUMBERED),
    case("an unknown command on line 3", ("\n\nnosuch-x", said(r"\b3: (eval: )?nosuch"), 127), only=("dash",)),
    case("an unset variable on line 2", ("set -u\necho $nosuch", said(r"\b2: (eval: )?nosuch"), None), ("set +u", ""), only=("dash",)),
    case("a syntax error on line 2", ("echo a\n)", said(r"\b2: (eval: )?Syntax"), None), only=("dash",)),
    case("a failing redirection on line 2", ("\necho a >/nosuch/x", said(r"\b2: (eval: )?cannot create"), None), only=("dash",)),
    case("a script's own lines", ("printf 'true\\nnosuch-x\\n' >/tmp/s; sh /tmp/s; rm /tmp/s", said(r"\b(2: |line 2: )nosuch-x"))),
    case("a line number within a function", ("f() {\n\nnosuch-x\n}\nf", said(r"\b3: (eval: )?nosuch-x"), 127), only=("dash",)),
]  # fmt: skip


@rows(LINES)
def test_line_numbers_count_within_the_cell(shells: Shells, shell: str, case: Case) -> None:
    shells.check(shell, case)


@pytest.mark.parametrize("shell", ALL)
@pytest.mark.parametrize("code", ["env", "export -p", "jobs -l", "trap", "alias", "ls -l /proc/self/fd /proc/self/", "sh -c 'set'", "sh -c env", "cat /proc/self/environ /proc/self/cmdline", "umask; ulimit -a", "hash", 'pwd; echo "$@$#$-$_"', "sh -c 'ls -l /proc/$$/fd'", "ls -la /tmp /dev/shm ~", "times", 'echo "$OLDPWD"'])  # fmt: skip
def test_nothing_of_ours_shows(shells: Shells, shell: str, code: str) -> None:
    box = shells.shared(shell)
    box.run("true")

    printed, _ = box.run(code)

    assert not OURS.search(printed.replace("ctrkernel-test", "")), printed
    box.check_alive()


@pytest.mark.parametrize("shell", ALL)
def test_a_child_has_the_terminal_and_nothing_else_open(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)

    printed = box.output("ls /proc/self/fd")

    # ls itself has the folder open; busybox keeps the terminal for its jobs at 10.
    assert sorted(set(printed.split()) - {"10"}) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("shell", ALL)
def test_with_allexport_nothing_of_ours_is_a_child_s(shells: Shells, shell: str) -> None:
    box = shells.open(shell)
    box.output("set -a")
    box.run("false")
    box.run("X='a\tb" + "c" * 3000 + "'")

    printed = box.output("unset X; /usr/bin/env" if shell != "ash" else "unset X; env")

    assert not OURS.search(printed.replace("ctrkernel-test", "")), printed
    shells.close(box.session)


@pytest.mark.parametrize("shell", ALL)
def test_the_names_of_ours_have_one_prefix(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)

    printed = box.output("set")

    names = set(re.findall(r"^(\w*ctrk\w*)[=( ]", printed, re.IGNORECASE | re.MULTILINE))
    assert all(name.startswith("__ctrk_") for name in names), names
    assert len(names) < 16
    box.check_alive()


def test_history_holds_the_cells_and_nothing_of_ours(shells: Shells) -> None:
    box = shells.open("bash")
    box.output("echo first")
    box.run("(exit 3)")
    box.run(")")
    box.output("echo 'a\tb'")
    box.output("echo '" + "z" * 3000 + "'")

    printed = box.output("history")

    assert not OURS.search(printed), printed
    assert printed.count("echo first") == 1
    assert "(exit 3)" in printed
    box.check_alive()
    shells.close(box.session)


def test_history_switched_on_records_nothing_of_ours(shells: Shells) -> None:
    box = shells.open("bash")
    box.output("HISTCONTROL=; HISTFILE=/tmp/hist; set -o history")
    box.output("echo first")
    box.run("false")
    box.output("X='a\t" + "z" * 3000 + "'")

    printed = box.output("history; history -w; cat /tmp/hist; rm /tmp/hist; set +o history")

    assert not OURS.search(printed), printed
    box.check_alive()
    shells.close(box.session)


TRACES = [
    "echo a", "false", ")", "echo ${nosuch?x}", "x='a\tb'", "x=" + "y" * 3000, "", "# c", "f() { echo f; }; f", "cd /tmp", "cd /", "true | false", "sleep 0.01 & wait", "echo 'a\nb'", "(exit 3)", "cat <<E\nx\nE", "echo a |",
]  # fmt: skip


@pytest.mark.parametrize(
    ("shell", "flag"),
    [
        (shell, flag)
        for shell in ALL
        for flag in ["-x", "-v", "-xv", "-u", "-a", "-b", "-C", "-h", "-m"]
        if shell != "zsh" or "x" not in flag
    ],
)
def test_no_option_makes_us_show(shells: Shells, shell: str, flag: str) -> None:
    box = shells.open(shell)
    box.run(f"set {flag}")

    printed = "".join(box.run(code)[0] for code in TRACES)

    assert not OURS.search(printed + "".join(box.late)), printed + "".join(box.late)
    shells.close(box.session)


@pytest.mark.parametrize("shell", ALL)
def test_output_of_a_background_job_is_neither_lost_nor_mixed(shells: Shells, shell: str) -> None:
    box = shells.open(shell)
    pieces: list[str] = box.late

    def cell(code: str) -> None:
        result = box.session.run(code, 15, on_output=pieces.append)
        assert result.exit_code == 0

    cell('f() { i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo "n$i."; sleep 0.004; done; }\nf &')
    for _ in range(100):
        cell("true")
    deadline = time.monotonic() + 20
    while "n500." not in "".join(pieces) and time.monotonic() < deadline:
        cell("sleep 0.05")

    everything = "".join(pieces)
    assert re.findall(r"n(\d+)\.", everything) == [str(number) for number in range(1, 501)]
    assert not OURS.search(everything)
    rest = re.sub(r"n\d+\.\n|\[\d+\][^\n]*\n", "", everything)
    assert rest == ""
    shells.close(box.session)


@pytest.mark.parametrize("shell", ALL)
def test_late_output_in_a_long_cell_s_staging_is_kept(shells: Shells, shell: str) -> None:
    box = shells.open(shell)
    pieces: list[str] = box.late

    box.session.run(
        'f() { i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo "n$i."; done; sleep 0.2; echo last.; }\nf &',
        15,
        on_output=pieces.append,
    )
    for _ in range(5):
        box.session.run("x='" + "y\t" * 100_000 + "'", 15, on_output=pieces.append)
    box.session.run("wait", 15, on_output=pieces.append)

    everything = "".join(pieces)
    assert re.findall(r"n(\d+)\.", everything) == [str(number) for number in range(1, 201)]
    assert everything.count("last.") == 1
    assert not OURS.search(everything)
    shells.close(box.session)


@pytest.mark.parametrize("shell", ALL)
def test_a_replayed_mark_of_this_session_ends_nothing_early(shells: Shells, shell: str) -> None:
    box = shells.open(shell)
    nonce = re.search(r"133;\w;(\w+);", box.output("set"))
    assert nonce is not None
    forged = "".join(
        f"\\033]133;{kind};{nonce[1]};1;0;0;;0;/;{nonce[1]}\\007" for kind in "ABCDGPX"
    )

    printed, status = box.run(f"printf '{forged}'; echo after")

    assert printed.endswith("after\n")
    assert status == 0
    box.check_alive()
    shells.close(box.session)


@pytest.mark.parametrize("flag", ["-x", "-xv"])
def test_no_trace_of_zsh_makes_us_show(shells: Shells, flag: str) -> None:
    box = shells.open("zsh")
    box.run(f"set {flag}")

    printed = "".join(box.run(code)[0] for code in TRACES)

    assert not OURS.search(printed + "".join(box.late)), printed + "".join(box.late)


def test_history_of_zsh_holds_nothing_of_ours(shells: Shells) -> None:
    box = shells.open("zsh")
    box.output("echo first")

    printed = box.output("fc -l 1")

    assert not OURS.search(printed), printed
    assert "echo first" in printed
