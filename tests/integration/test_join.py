"""A person's terminal joins a notebook's session through its door, and hands it back."""

from __future__ import annotations

import os
import select
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from ctrkernel.container import Container
from ctrkernel.engine.engine import find_engine
from ctrkernel.errors import SessionError, UsageError
from ctrkernel.session import door
from tests.integration.test_cli_shell import SHELL, SOON, Sitting, sitting
from tests.kernel.live_kernel import LiveKernel, eventually, live_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctrkernel.session.shell import ShellSession


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Doors of this test alone."""
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture(params=["debian", "busybox"])
def session(request: pytest.FixtureRequest) -> Iterator[ShellSession]:
    with Container(find_engine(os.environ), request.getfixturevalue(request.param)) as container:
        shell = container.session()
        shell.run("cd /tmp")
        shell.open_door()
        yield shell


def prompt(session: ShellSession, place: str = "/tmp") -> str:
    # The blank behind it may be drawn by moving the cursor.
    return rf"{session.container}:{place}\$"


def entered(person: Sitting, line: str, expected: str) -> None:
    """Enter a line at the prompt and wait for what its command prints."""
    person.child.send(line + "\r")
    # What the editor draws ends so; then the command has the terminal.
    person.child.expect(r"\x1b\[\?2004l")
    person.child.expect(expected)


def test_directory_variables_and_functions_go_both_ways(session: ShellSession) -> None:
    session.run("x=5; f() { echo fun-$1; }")
    with sitting(session.container, "--join") as person:
        person.child.expect(prompt(session))
        entered(person, "f $x; y=7; false", "fun-5\r\n")
        entered(person, "echo status $?; cd /usr", "status 1\r\n")
        person.child.expect(prompt(session, "/usr"))
        person.child.send("\x04")

        assert person.end() == 0
        assert person.restored()
    assert session.run("echo $y $PWD").output == "7 /usr\n"


def test_code_may_have_several_lines(session: ShellSession) -> None:
    with sitting(session.container, "--join") as person:
        person.child.expect(prompt(session))
        person.child.send("for i in 1 2; do\r")
        person.child.expect(r"\n\x1b\[0m>")
        entered(person, "echo n$i; done", "n1\r\nn2\r\n")


def test_a_command_has_the_terminal_as_it_is(session: ShellSession) -> None:
    with sitting(session.container, "--join") as person:
        person.child.expect(prompt(session))
        entered(person, "stty size; test -t 0 && echo is a terminal", "30 90\r\nis a terminal\r\n")
        person.child.expect(prompt(session))
        entered(person, "printf 'Name: '; read -r n; echo got $n", "Name: ")
        assert eventually(person.raw)
        person.child.send("Zed\r")
        person.child.expect("Zed\r\ngot Zed\r\n")
        person.child.expect(prompt(session))
        entered(person, "sh -c 'echo on; exec sleep 300'", "on\r\n")
        person.child.send("\x03")
        person.child.expect(prompt(session))
        entered(person, "echo status $?", "status 130")


def test_the_window_s_size_is_the_command_s_and_then_the_notebook_s_again(
    session: ShellSession,
) -> None:
    with sitting(session.container, "--join") as person:
        person.child.expect(prompt(session))
        entered(person, "echo on; read -r x; stty size", "on\r\n")
        person.child.setwinsize(44, 55)
        assert eventually(lambda: (session.rows, session.columns) == (44, 55))
        person.child.send("\x04")
        person.child.expect(r"\d+ \d+\r\n")
        person.child.expect(prompt(session))
        person.child.send("\x04")
        assert person.end() == 0

    assert eventually(lambda: session.run("stty size").output == "40 120\n")


def test_the_detach_keys_leave_the_command_running(session: ShellSession) -> None:
    with sitting(session.container, "--join") as person:
        person.child.expect(prompt(session))
        entered(person, "echo on; read -r x; echo got $x", "on\r\n")
        person.child.send("\x10\x11")
        person.child.expect("the command runs on in session main")
        assert person.end() == 0
        assert person.restored()

    assert session.busy
    session.send("more")
    session.expect("got more")
    session.expect(None)


def test_a_command_of_the_notebook_s_is_joined_at_once(session: ShellSession) -> None:
    session.send("echo one; echo two; read -r x; echo got $x; read -r y")
    session.expect("two")
    with sitting(session.container, "--join") as person:
        assert eventually(person.raw)
        person.child.send("hello\r")
        person.child.expect("got hello\r\n")
        person.child.send("\r")
        person.child.expect(prompt(session))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_terminal_that_is_killed_hands_the_session_back(
    session: ShellSession, number: signal.Signals
) -> None:
    with sitting(session.container, "--join") as person:
        person.child.expect(prompt(session))
        entered(person, "z=3; sh -c 'echo on; exec sleep 300'", "on\r\n")
        os.kill(person.child.pid, number)

        assert person.restored()
        assert person.end() == 128 + number

    assert eventually(lambda: not session.busy, timeout=SOON)
    assert session.run("echo $z").output == "3\n"


def test_a_command_of_the_notebook_s_survives_a_terminal_that_is_killed(
    session: ShellSession,
) -> None:
    session.send("echo on; read -r x; echo got $x")
    session.expect("on")
    with sitting(session.container, "--join") as person:
        assert eventually(person.raw)
        os.kill(person.child.pid, signal.SIGKILL)
        person.end()

    session.send("still")
    assert "got still" in session.expect(None)


def test_a_notebook_that_is_killed_gives_the_terminal_back(debian: str) -> None:
    script = (
        "import ctrkernel, sys\n"
        f"shell = ctrkernel.attach({debian!r}).session()\n"
        "shell.run('cd /tmp'); shell.open_door(); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as notebook:
        assert notebook.stdout is not None
        assert notebook.stdout.readline() == b"open\n"
        with sitting(debian, "--join") as waiting, sitting(debian, "--join") as person:
            waiting.child.expect(r"\$")
            person.child.expect(r"\$")
            entered(person, "echo on; sleep 300", "on\r\n")
            notebook.kill()

            for each in (waiting, person):
                each.child.expect("the notebook's session is gone")
                assert each.end() == 1
                assert each.restored()

    # The door of a process that was killed leads nowhere, and goes.
    assert list(door.runtime_folder().iterdir()) != []
    with pytest.raises(SessionError, match="%ctr_interact"):
        door.join(debian, "main")
    assert list(door.runtime_folder().iterdir()) == []


def test_a_shell_that_is_ended_there_is_said_to_be(session: ShellSession) -> None:
    with sitting(session.container, "--join") as person:
        person.child.expect(prompt(session))
        entered(person, "exit 4", r"has exited \(4\)")
        assert person.end() == 0

    assert session.exit_status == 4


def test_a_notebook_s_command_that_was_first_is_joined(session: ShellSession) -> None:
    with sitting(session.container, "--join") as person:
        person.child.expect(prompt(session))
        session.send("read -r x; echo got $x")
        entered(person, "echo mine", "the notebook runs a command; joining it")
        assert eventually(person.raw)
        person.child.send("it\r")
        person.child.expect("got it\r\n")
        person.child.expect(prompt(session))


def test_only_this_user_may_come_in(session: ShellSession) -> None:
    path = Path(session.open_door())

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    session.close()
    assert not path.exists()


def test_a_folder_that_others_may_look_into_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ctrkernel").mkdir(mode=0o755)
    (tmp_path / "ctrkernel").chmod(0o755)

    with pytest.raises(SessionError, match="not yours alone"):
        door.runtime_folder()


def test_a_visitor_that_speaks_something_else_is_shown_out(session: ShellSession) -> None:
    with door.join(session.container, session.name) as stranger:
        stranger.settimeout(SOON)
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        while stranger.recv(4096):
            pass

    assert session.run("echo alive").output == "alive\n"


def test_a_visitor_that_reads_nothing_does_not_hold_the_session_up(session: ShellSession) -> None:
    with door.join(session.container, session.name) as idler:
        select.select([idler], [], [], SOON)

        assert session.run("seq 1 3000000 | tail -c 20000000", timeout=100).ok


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--join"], "type %ctr_interact in a cell"),
        (["--join", "--user", "x"], "--join goes with"),
        (["--join", "--", "ls"], "--join goes with"),
        (["--session", "x"], "--session goes with --join"),
    ],
)
def test_what_cannot_be_joined_is_said(debian: str, words: list[str], says: str) -> None:
    done = subprocess.run(
        [*SHELL, debian, *words], capture_output=True, text=True, check=False, timeout=SOON
    )

    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_terminal_nobody_can_sit_down(session: ShellSession) -> None:
    with pytest.raises(UsageError, match="no terminal"):
        session.interact()


@pytest.fixture
def kernel(debian: str, tmp_path: Path) -> Iterator[LiveKernel]:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian, XDG_RUNTIME_DIR=str(tmp_path)) as started:
        yield started


def test_a_kernel_says_what_to_type_and_that_joins_it(kernel: LiveKernel, debian: str) -> None:
    kernel.run("a=notebook; cd /tmp")
    said = kernel.run("%ctr_interact").text
    assert f"ctrkernel shell {debian} --join\n" in said

    with sitting(debian, "--join") as person:
        person.child.expect(rf"{debian}:/tmp\$")
        entered(person, "echo $a; b=terminal; cd /usr", "notebook\r\n")
        person.child.expect(rf"{debian}:/usr\$")
        person.child.send("\x04")
        assert person.end() == 0

    assert kernel.run("echo $b $PWD").text == "terminal /usr\n"


def test_ipython_s_own_terminal_is_handed_over_and_back(debian: str) -> None:
    child = pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--no-banner", "--simple-prompt", "--ext=ctrkernel"],
        timeout=SOON,
        dimensions=(30, 90),
    )
    try:
        for line in (f"%ctr_attach {debian}", "%ctr cd /tmp; x=5", "%ctr_interact"):
            child.expect(r"In \[\d+\]: ")
            child.sendline(line)
        child.expect(rf"{debian}:/tmp\$")
        child.send("cd /usr; echo x$x; y=6\r")
        child.expect("x5\r\n")
        child.expect(rf"{debian}:/usr\$")
        child.send("\x04")
        child.expect(r"In \[\d+\]: ")
        child.sendline("%ctr echo y$y $PWD")
        child.expect("y6 /usr\r\n")
    finally:
        child.close(force=True)
