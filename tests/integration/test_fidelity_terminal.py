# ruff: noqa: E501 - a row of a table stays on one line
"""What a cell does to the terminal, to its streams and to the shell itself."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ctrkernel.errors import ShellExited
from tests.integration.fidelity import ALL, ARRAYS, BASH, ZSH, Case, Exit, Shells, case, rows, said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.fidelity import Shell

#: Seconds that an interrupted program may take to go.
SOON = 8.0
#: How many programs are interrupted at a time.
AT_ONCE = 8


@pytest.fixture(scope="module")
def shells(debian: str, busybox: str) -> Iterator[Shells]:
    with Shells(debian, busybox) as shells:
        yield shells


STREAMS = [
    case("stdout to nowhere", ("exec >/dev/null", ""), ("echo a", ""), ("echo b >&2", "b\n"), ("(exit 3)", "", 3), ("exec >/dev/tty", ""), ("echo c", "c\n")),
    case("stderr to nowhere", ("exec 2>/dev/null", ""), ("nosuch-x", "", 127), ("echo a", "a\n"), (")", "", None), ("(exit 3)", "", 3), ("exec 2>/dev/tty", ""), ("echo c >&2", "c\n")),
    case("stderr closed in zsh", ("exec 2>&-", ""), ("echo a", "a\n"), ("nosuch-x", "", 127), ("exec 2>/dev/tty", ""), fresh=True, only=ZSH),
    case("both to nowhere", ("exec >/dev/null 2>&1", ""), ("echo a", ""), ("(exit 4)", "", 4), (")", "", None), ("echo ${nosuch?x}", "", None), ("exec >/dev/tty 2>&1", ""), ("echo c", "c\n")),
    case("stdout to a file", ("exec >/tmp/out", ""), ("echo a", ""), ("exec >/dev/tty; cat /tmp/out", "a\n")),
    case("stdout closed", ("exec >&-", ""), ("true", ""), ("(exit 5)", "", 5), ("echo a", None, None), ("exec >/dev/tty", ""), ("echo c", "c\n")),
    case("stderr closed", ("exec 2>&-", ""), ("echo a", "a\n"), ("nosuch-x", "", 127), ("(exit 5)", "", 5), (")", "", None), ("exec 2>/dev/tty", ""), only=("bash", "dash", "ash")),
    case("both closed", ("exec >&- 2>&-", ""), ("true", ""), ("(exit 5)", "", 5), (")", "", None), ("echo ${nosuch?x}", "", None), ("exec >/dev/tty 2>&1", ""), ("echo c", "c\n"), only=("bash", "dash", "ash")),
    case("stderr to stdout", ("exec 2>&1", ""), ("nosuch-x | cat", said("nosuch"), None), ("exec 2>/dev/tty", "")),
    case("stdout to a pipe", ("exec > >(cat >/tmp/piped)", None), ("echo a", ""), ("exec >/dev/tty; sleep 0.1; cat /tmp/piped", "a\n"), only=ARRAYS),
    case("stdin in a cell", ("cat </dev/null", ""), ("echo a | cat", "a\n"), ("read -r x </dev/null; echo $?", "1\n")),
    case("a full device", ("echo a >/dev/full", None, None)),
    case("stdout full", ("exec >/dev/full", None, None), ("echo a", None, None), ("exec >/dev/tty", None, None)),
    case("high descriptors closed", ("exec 10>&- 11>&- 255>&-", None, None), ("echo a", "a\n"), only=BASH, fresh=True),
    case("all descriptors closed", ('for i in 3 4 5 6 7 8 9; do eval "exec $i>&-"; done; unset i', ""), ("echo a", "a\n")),
    case("coproc", ("coproc cat", None), ("echo x >&${COPROC[1]}; read -r l <&${COPROC[0]}; echo $l", said("x\n")), ("kill %1; wait", None, None), only=BASH, fresh=True),
]  # fmt: skip


@rows(STREAMS)
def test_a_redirected_stream_hurts_nothing(shells: Shells, shell: str, case: Case) -> None:
    shells.check(shell, case)


MODES = [
    case("raw", ("stty raw", ""), ("printf 'a\\nb\\n'", "a\nb\n"), ("stty sane -echo -onlcr", "")),
    case("echo", ("stty echo", ""), ("echo a", "a\n"), ("echo b", "b\n"), ("stty -echo", "")),
    case("onlcr", ("stty onlcr", None), ("echo a", None), ("echo b", "b\n")),
    case("sane", ("stty sane", None), ("echo a", None), ("echo b", "b\n"), ("echo c", "c\n")),
    case("sane twice in a row", ("stty sane", None), ("stty sane; true", None), ("true", None), ("echo c", "c\n")),
    case("-isig", ("stty -isig", ""), ("echo a", "a\n"), ("stty isig", "")),
    case("-icanon", ("stty -icanon min 1", ""), ("echo 'a\tb'", "a\tb\n"), ("stty icanon", "")),
    case("-icanon and a long cell", ("stty -icanon", ""), ("X='" + "y\t" * 50_000 + "'; echo ${#X}; unset X", "100000\n"), ("stty icanon", "")),
    case("raw and a long cell", ("stty raw", ""), ("X='" + "y\t" * 50_000 + "'; echo ${#X}; unset X", "100000\n"), ("stty sane", None), ("true", None)),
    case("-icrnl", ("stty -icrnl", ""), ("echo a", "a\n"), ("stty icrnl", "")),
    case("-opost", ("stty -opost", ""), ("printf 'a\\r\\nb\\n'", "a\r\nb\n"), ("stty opost", "")),
    case("ocrnl and olcuc", ("stty ocrnl", ""), ("echo a", "a\n"), ("stty -ocrnl", "")),
    case("tostop", ("stty tostop", ""), ("echo a", "a\n"), ("stty -tostop", "")),
    case("other keys", ("stty intr '^X' quit '^Y' susp '^U' erase '^W'", None), ("echo abc", "abc\n"), ("stty intr '^C' susp '^Z' erase '^?'", None)),
    case("inlcr and istrip", ("stty istrip", ""), ("echo a", "a\n"), ("stty -istrip", "")),
    case("rows and columns", ("stty size", "40 120\n"), ("stty rows 10 cols 20", ""), ("stty size; stty rows 40 cols 120", "10 20\n")),
    case("ixon", ("stty ixon", ""), ("printf 'a\\023b'", "a\x13b"), ("stty -ixon", "")),
    case("reset", ("stty echo onlcr icanon isig", None), ("true", None), ("echo c", "c\n")),
]  # fmt: skip


@rows(MODES)
def test_a_changed_terminal_hurts_nothing(shells: Shells, shell: str, case: Case) -> None:
    shells.check(shell, case)


ENDS = [
    case("exit", ("exit", Exit(0)), fresh=True),
    case("exit 3", ("exit 3", Exit(3)), fresh=True),
    case("exit 255", ("echo bye; exit 255", Exit(255)), fresh=True),
    case("exit with the last status", ("(exit 9)", "", 9), ("exit", Exit(9)), fresh=True),
    case("exit in a function", ("f() { exit 4; }; f", Exit(4)), fresh=True),
    case("exit with a job", ("sleep 100 & exit 5", Exit(5)), fresh=True, only=("dash", "bash")),
    case("exec of a program", ("exec sh -c 'exit 6'", Exit(6)), fresh=True),
    case("exec of true", ("exec true", Exit(0)), fresh=True),
    case("kill -9", ("kill -9 $$", Exit(137)), fresh=True),
    case("kill -HUP", ("kill -HUP $$; sleep 5", Exit(129)), fresh=True, only=("bash", "dash", "ash")),
    case("kill -TERM of an interactive shell", ("kill -TERM $$; echo on", "on\n")),
    case("kill -SEGV", ("kill -SEGV $$; sleep 5", Exit(139)), fresh=True),
    case("kill -ABRT", ("kill -ABRT $$; sleep 5", Exit(134)), fresh=True, only=("bash", "dash", "ash")),
]  # fmt: skip


@rows(ENDS)
def test_the_shell_s_end_is_seen_at_once(shells: Shells, shell: str, case: Case) -> None:
    shells.check(shell, case)


@pytest.mark.parametrize("shell", ALL)
@pytest.mark.parametrize("code", ["exec <&-", "exec </dev/null", "exec </etc/passwd"])
def test_without_stdin_the_shell_ends_as_at_a_terminal(
    shells: Shells, shell: str, code: str
) -> None:
    box = shells.open(shell)

    assert box.ends(code, 5).startswith("exit status ")

    box.session.reopen()
    box.late.clear()
    box.check_alive()
    shells.close(box.session)


@pytest.mark.parametrize("shell", ALL)
def test_the_next_shell_is_in_the_same_directory(shells: Shells, shell: str) -> None:
    box = shells.open(shell)
    box.output("mkdir -p '/tmp/a b'; cd '/tmp/a b'")

    said_so = box.ends("echo last; exit 3")

    assert said_so.startswith("exit status 3")
    with pytest.raises(ShellExited):
        box.session.run("echo")
    box.session.reopen()
    assert box.output("pwd") == "/tmp/a b\n"
    box.check_alive()
    shells.close(box.session)


@pytest.mark.parametrize("shell", ALL)
def test_output_before_the_end_is_kept(shells: Shells, shell: str) -> None:
    box = shells.open(shell)

    with pytest.raises(ShellExited) as gone:
        box.session.run("echo last words; exit 3", 10)

    assert gone.value.result is not None
    # An interactive bash says "exit" when it goes.
    assert gone.value.result.output == ("last words\nexit\n" if shell == "bash" else "last words\n")
    assert gone.value.result.exit_code == 3
    shells.close(box.session)


@pytest.mark.parametrize("shell", ALL)
def test_a_stopped_shell_goes_on_by_itself(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)
    box.spoilt = True

    assert box.run("kill -STOP $$; echo back", 12) == ("back\n", 0)

    box.check_alive()
    box.spoilt = False


def interrupt_until_done(box: Shell, code: str, ready: str | None) -> int:
    """Run a cell, interrupt it up to three times once it shows `ready`; return how often."""
    shown, done = threading.Event(), threading.Event()
    seen: list[str] = []

    def take(text: str) -> None:
        seen.append(text)
        if ready is not None and ready in "".join(seen):
            shown.set()

    execution = box.session.submit(code, on_output=take)
    execution.future.add_done_callback(lambda _: done.set())
    assert shown.wait(10) if ready is not None else not done.wait(0.5), "".join(seen)
    for interrupts in range(1, 4):
        box.session.interrupt()
        if done.wait(SOON):
            return interrupts
    pytest.fail(f"{code!r} cannot be interrupted; it showed {''.join(seen)[-500:]!r}")


#: Code, and what it shows once it runs.
ENDLESS = {
    "sleep": ("sleep 100", None, ALL),
    "sleep and more": ("sleep 100; echo not-here", None, ALL),
    "cat": ("cat", None, ALL),
    "read": ("read x", None, ALL),
    "read in a loop": ("while read x; do :; done", None, ALL),
    "a busy loop": ("while :; do :; done", None, ALL),
    "a loop of commands": ("while true; do ls / >/dev/null; done", None, ALL),
    "yes": ("yes", "y\ny", ALL),
    "yes in a pipe": ("yes | cat", "y\ny", ALL),
    "a pipeline": ("sleep 100 | cat | cat", None, ALL),
    "wait": ("sleep 100 & wait", None, ALL),
    "a substitution": ("x=$(sleep 100)", None, ALL),
    "a subshell": ("(sleep 100)", None, ALL),
    "a function": ("f() { sleep 100; }; f", None, ALL),
    "a heredoc's cat": ("cat - <<E | sleep 100\nx\nE", None, ALL),
    "a group with its output away": ("{ sleep 100; } >/dev/null 2>&1", None, ALL),
    "output away for good": ("exec >/dev/null 2>&1; sleep 100", None, ALL),
    "PS1 changed": ("PS1='x> '; sleep 100", None, ALL),
    "PS1 and PROMPT_COMMAND changed": ("PS1='x> ' PROMPT_COMMAND=; sleep 100", None, ALL),
    "set -e": ("set -e; sleep 100 || :; set +e", None, ("bash", "dash", "ash")),
    "ignores INT": ("trap '' INT; sleep 100", None, ALL),
    "ignores INT in a child": ("sh -c 'trap \"\" INT; sleep 100'", None, ALL),
    "ignores INT and QUIT": ("sh -c 'trap \"\" INT QUIT; sleep 100'", None, ALL),
    "sh": ("sh", None, ALL),
    "bash": ("bash", "#", ("bash", "dash", "zsh")),
    "zsh": ("zsh -f", None, ("bash", "dash", "zsh")),
    "python3": ("python3", ">>>", ("bash", "dash", "zsh")),
    "python3 asleep": ("python3 -c 'import time; time.sleep(100)'", None, ("bash", "dash", "zsh")),
    "less": ("less /etc/passwd", "root", ("bash", "dash", "zsh")),
    "vim": ("vim.tiny", "~", ("bash", "dash", "zsh")),
    "vi of busybox": ("vi /etc/passwd", None, ("ash",)),
    "top": ("top", "load", ("bash", "dash", "zsh")),
    "top of busybox": ("top", "CPU", ("ash",)),
    "raw": ("stty raw -echo; cat", None, ALL),
    "-isig": ("stty -isig; cat", None, ALL),
    "select": ("select x in a b; do :; done", None, ARRAYS),
    "an open heredoc shell": ("sh -c 'sleep 100 & wait'", None, ALL),
    "script in a pty": ("script -qc cat /dev/null", None, ("bash", "dash", "zsh")),
}


PROGRAMS = [(shell, name) for shell in ALL for name, row in ENDLESS.items() if shell in row[2]]


@pytest.fixture(scope="module")
def interrupted(shells: Shells) -> Iterator[dict[tuple[str, str], Future[list[tuple[str, int]]]]]:
    """Interrupt every program, many at a time: most of it is waiting."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {row: pool.submit(interrupt_one, shells, *row) for row in PROGRAMS}


def interrupt_one(shells: Shells, shell: str, program: str) -> list[tuple[str, int]]:
    """Interrupt a program in a shell of its own; return what its next cells come to."""
    code, ready, _ = ENDLESS[program]
    box = shells.open(shell)
    interrupt_until_done(box, code, ready)
    box.run("exec >/dev/tty 2>&1; trap - INT; set +e; stty sane")
    box.run("true")
    after = [box.run("echo one; echo two"), box.run("(exit 3)")]
    shells.close(box.session)
    return after


@pytest.mark.parametrize(("shell", "program"), PROGRAMS)
def test_a_program_is_interrupted(
    interrupted: dict[tuple[str, str], Future[list[tuple[str, int]]]], shell: str, program: str
) -> None:
    after = interrupted[shell, program].result()

    assert after == [("one\ntwo\n", 0), ("", 3)], "the shell is whole"


@pytest.mark.parametrize("shell", ALL)
def test_an_interrupt_has_the_status_of_its_signal(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)
    execution = box.session.submit("sleep 100", keep=True)
    time.sleep(0.3)

    box.session.interrupt()

    assert execution.future.result(10).exit_code == 130
    assert box.output("echo $?") == "130\n"
    box.check_alive()


@pytest.mark.parametrize("shell", ALL)
def test_what_is_typed_goes_to_the_program(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)
    execution = box.session.submit('printf "Name? "; read -r x; echo "hello $x"', keep=True)

    box.session.type(b"Ann\n")

    assert execution.future.result(10).output == "Name? hello Ann\n"
    box.check_alive()


@pytest.mark.parametrize("shell", ALL)
def test_typing_that_nobody_read_does_not_reach_the_next_cell(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)
    execution = box.session.submit("sleep 0.3", keep=True)
    box.session.type(b"echo typed\n")
    execution.future.result(10)

    box.run("true")
    box.run("true")

    box.late.clear()
    box.check_alive()


OTHERS = {
    "bash": ["bash", "bash --norc", "zsh -f", "dash", "sh"],
    "dash": ["bash", "dash"],
    "ash": ["sh", "busybox sh -l"],
    "zsh": ["zsh -f", "bash"],
}


@pytest.mark.parametrize(
    ("shell", "other"), [(shell, other) for shell, others in OTHERS.items() for other in others]
)
def test_another_shell_in_the_place_of_ours_is_used(shells: Shells, shell: str, other: str) -> None:
    box = shells.open(shell)
    box.output("cd /tmp; export kept='a b'")

    assert box.run(f"exec {other}")[1] == 0

    for _ in range(2):
        assert box.run('printf "%s\t" "$kept"; pwd') == ("a b\t/tmp\n", 0)
        assert box.run("(exit 3)") == ("", 3)
    assert box.run(f"x=1; exec {other}")[1] == 0
    box.late.clear()
    box.check_alive()
    shells.close(box.session)


@pytest.mark.parametrize("shell", ALL)
@pytest.mark.parametrize("code", ["exec cat", "exec sh -c 'read x; read y'"])
def test_nothing_is_typed_for_a_program_in_the_place_of_ours(
    shells: Shells, shell: str, code: str
) -> None:
    box = shells.open(shell)
    shown: list[str] = []
    execution = box.session.submit(code, on_output=shown.append)

    with pytest.raises(TimeoutError):
        execution.future.result(4)

    assert shown == []
    shells.close(box.session)
