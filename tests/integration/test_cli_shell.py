"""``ctrkernel shell`` as a person has it: in a terminal, which must be as it was afterwards."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pexpect
import pytest

from tests.kernel.live_kernel import docker, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import MakeContainer

#: Seconds for what a person waits for.
SOON = 12.0
PROMPT = "[#$] "
SHELL = (sys.executable, "-m", "ctrkernel", "shell")


class Sitting:
    """A terminal with ``ctrkernel shell`` in it, and a descriptor of its other side."""

    def __init__(self, *words: str, rows: int = 30, columns: int = 90) -> None:
        self.child: Any = pexpect.spawn(
            SHELL[0], [*SHELL[1:], *words], timeout=SOON, dimensions=(rows, columns), echo=True
        )
        # As the person's shell does, which looks at the same terminal afterwards.
        side = Path(f"/proc/{self.child.pid}/fd/0").readlink()
        self.terminal = os.open(side, os.O_RDWR | os.O_NOCTTY)
        self.before = termios.tcgetattr(self.terminal)

    def raw(self) -> bool:
        return not termios.tcgetattr(self.terminal)[3] & termios.ICANON

    def restored(self) -> bool:
        """Whether the terminal comes to be as it was."""
        return eventually(lambda: termios.tcgetattr(self.terminal) == self.before)

    def say(self, line: str, expected: str) -> None:
        self.child.send(line + "\r")
        self.child.expect(expected)

    def end(self) -> int:
        """Wait for its end and return its status, 128 + N for signal N."""
        assert eventually(lambda: not self.child.isalive(), timeout=SOON)
        if self.child.signalstatus is not None:
            return 128 + int(self.child.signalstatus)
        return int(self.child.exitstatus)


@contextlib.contextmanager
def sitting(*words: str) -> Iterator[Sitting]:
    made = Sitting(*words)
    try:
        yield made
    finally:
        made.child.close(force=True)
        os.close(made.terminal)


def run(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SHELL, *words], input=typed, capture_output=True, text=True, check=False, timeout=SOON * 2
    )


def running(container: str, what: str) -> bool:
    """Whether a process of the container's has `what` in its command line."""
    script = 'for f in /proc/[0-9]*/cmdline; do tr "\\0" " " <$f; echo; done 2>/dev/null; true'
    lines = docker("exec", container, "sh", "-c", script).splitlines()
    return any(line.startswith(what) for line in lines)


@pytest.mark.parametrize("image", ["debian", "busybox"])
def test_the_status_of_the_shell_is_passed_on(image: str, request: pytest.FixtureRequest) -> None:
    with sitting(request.getfixturevalue(image)) as person:
        person.child.expect(PROMPT)
        assert person.raw()
        person.say("echo $((40+2))", "42")
        person.say("exit 7", "")

        assert person.end() == 7


def test_the_size_follows_the_window(debian: str) -> None:
    with sitting(debian) as person:
        person.child.expect(PROMPT)
        person.say("stty size", "30 90")
        person.child.setwinsize(41, 77)

        def followed() -> bool:
            person.say("stty size", r"(\d+ \d+)\r")
            return bool(person.child.match[1] == b"41 77")

        assert eventually(followed)


def test_keys_reach_the_program_as_they_are(debian: str) -> None:
    with sitting(
        debian, "--", "sh", "-c", "stty raw -echo; echo ready; head -c 4 | od -An -tx1"
    ) as person:
        person.child.expect("ready")
        person.child.send("\x03\x1a\x04\x1c")
        person.child.expect("03 1a 04 1c")

        assert person.end() == 0


def test_ctrl_c_interrupts_what_runs_and_not_the_client(debian: str) -> None:
    with sitting(debian) as person:
        person.child.expect(PROMPT)
        person.say("sh -c 'echo on; exec sleep 300'", "on\r")
        person.child.send("\x03")
        person.say("echo status $?", "status 130")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_gives_the_terminal_back_and_ends_the_shell(
    debian: str, number: signal.Signals
) -> None:
    with sitting(debian) as person:
        person.child.expect(PROMPT)
        person.say(f"sh -c 'echo on; exec sleep 43{number:02}'", "on\r")
        assert person.raw()
        person.child.kill(number)

        assert person.restored()
        assert person.end() == 128 + number
        assert eventually(lambda: not running(debian, f"sleep 43{number:02}"), timeout=SOON)


def test_an_engine_s_client_that_is_killed_gives_the_terminal_back(debian: str) -> None:
    with sitting(debian) as person:
        person.child.expect(PROMPT)
        person.say("sh -c 'echo on; exec sleep 4444'", "on\r")
        children = f"/proc/{person.child.pid}/task/{person.child.pid}/children"
        (client,) = map(int, Path(children).read_text().split())
        os.kill(client, signal.SIGKILL)

        assert person.end() == 137
        assert person.restored()
        assert eventually(lambda: not running(debian, "sleep 4444"), timeout=SOON)


def test_the_detach_keys_leave_and_nothing_stays(debian: str) -> None:
    with sitting(debian, "--detach-keys", "ctrl-x,q") as person:
        person.child.expect(PROMPT)
        person.say("sh -c 'echo on; exec sleep 4545'", "on\r")
        person.child.send("\x18q")

        assert person.end() == 0
        assert person.restored()
        assert eventually(lambda: not running(debian, "sleep 4545"), timeout=SOON)


def test_what_was_set_aside_stays_when_the_shell_has_ended(make_container: MakeContainer) -> None:
    name = make_container()
    with sitting(name) as person:
        person.child.expect(PROMPT)
        person.say("setsid sleep 4646 & sleep 0.2; exit", "exit")
        assert person.end() == 0

    assert running(name, "sleep 4646")


def test_a_pipe_keeps_the_streams_apart(debian: str) -> None:
    done = run(debian, typed="echo out; echo err >&2; exit 4\n")

    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 4)


def test_bytes_through_a_pipe_are_the_same(debian: str) -> None:
    data = bytes(range(256)) * 5000
    done = subprocess.run(
        [*SHELL, debian, "--", "cat"], input=data, capture_output=True, check=True, timeout=60
    )

    assert done.stdout == data


def test_user_directory_and_variables_are_set(debian: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSED", "on it goes")
    options = ["-u", "1000", "-w", "/tmp", "-e", "A=b c", "-e", "PASSED"]

    done = run(*options, debian, "--", "sh", "-c", 'echo "$(id -u) $PWD $A $PASSED"')

    assert done.stdout == "1000 /tmp b c on it goes\n"


def test_a_stopped_container_says_what_to_type_and_starts(make_container: MakeContainer) -> None:
    name = make_container()
    docker("stop", "--time=0", name)

    refused = run(name, "--", "true")
    started = run(name, "--start", "--", "echo", "up")

    assert refused.returncode == 1
    assert f"docker start {name}`, or " in refused.stderr
    assert refused.stderr.rstrip().endswith("or add --start")
    assert started.stdout == "up\n"
    assert started.stderr == f"ctrkernel: started {name}\n"


def test_a_paused_container_is_woken(make_container: MakeContainer) -> None:
    name = make_container()
    docker("pause", name)

    assert run(name, "--", "true").returncode == 1
    assert run(name, "--start", "--", "echo", "up").stdout == "up\n"


def test_the_last_lines_of_the_log_come_first(make_container: MakeContainer) -> None:
    name = make_container("debian", "--init")
    script = "exec >/proc/1/fd/1; echo one; echo two"
    docker("exec", name, "sh", "-c", script)

    assert run(name, "--logs", "1", "--", "echo", "three").stdout == "two\nthree\n"


@pytest.mark.parametrize(
    ("words", "says", "status"),
    [
        (["nosuch-box"], "; type ctrkernel shell ", 1),
        (["BOX", "--detach-keys", "foo"], "no key to detach with", 1),
        (["BOX", "--env", "1=2"], "--env NAME=VALUE", 1),
        (["BOX", "--env", "NOT_SET_HERE"], "not set here", 1),
        (["BOX", "--shell", "sh", "--", "ls"], "exclude each other", 1),
        (["BOX", "--logs", "-3"], "--logs: '-3' is no whole number", 2),
        (["BOX", "ls", "a b"], "-- ls 'a b'", 2),
        (["BOX", "--bogus", "x"], "unrecognized arguments: --bogus x", 2),
        ([], "TARGET", 2),
    ],
)
def test_what_cannot_be_done_is_said(debian: str, words: list[str], says: str, status: int) -> None:
    done = run(*(debian if word == "BOX" else word for word in words))

    assert done.returncode == status
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("program", "says", "status"),
    [
        ("nosuch", "{} has no program 'nosuch'; ", 127),
        ("/no/such", "{} has no program '/no/such'; ", 127),
        ("cd", "{} has no program 'cd'; ", 127),
        ("/etc/passwd", "{} has no program '/etc/passwd': it may not be executed", 126),
        ("/tmp", "{} has no program '/tmp': it may not be executed, or is a folder", 126),
    ],
)
def test_a_program_that_is_not_there_is_one_line(
    debian: str, program: str, says: str, status: int
) -> None:
    done = run(debian, "--", program)

    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(f"ctrkernel: {says.format(debian)}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [("--user", "nosuch"), ("--workdir", "/no/such", "--", "ls")])
def test_a_user_or_a_directory_that_is_not_there_is_one_line(
    debian: str, words: tuple[str, ...]
) -> None:
    done = run(debian, *words)

    assert (done.returncode in {126, 127}, done.stdout) == (True, "")
    assert done.stderr.startswith(f"ctrkernel: nothing starts in {debian}: ")
    assert done.stderr.endswith("; correct --user or --workdir\n")
    assert done.stderr.count("\n") == 1


def test_a_program_is_looked_for_as_the_engine_does(debian: str) -> None:
    script = (
        "mkdir -p '/tmp/a b'; printf '#!/bin/sh\necho own' > '/tmp/a b/own'; chmod +x /tmp/*/own"
    )
    docker("exec", debian, "sh", "-c", script)

    by_path = run(debian, "--env", "PATH=/bin:/tmp/a b", "--", "own")
    by_folder = run(debian, "--workdir", "/tmp/a b", "--", "./own")
    own_status = run(debian, "--", "sh", "-c", "exit 127")

    assert (by_path.stdout, by_folder.stdout) == ("own\n", "own\n")
    assert (own_status.returncode, own_status.stderr) == (127, "")


def test_a_shell_that_is_not_there_is_one_line_at_the_terminal(no_shell: str) -> None:
    with sitting(no_shell) as person:
        person.child.expect_exact(f"ctrkernel: no shell starts in {no_shell}: ")
        person.child.expect_exact("name a program of it behind --\r\n")

        assert person.end() == 127
        assert person.child.read() == b""


@pytest.mark.parametrize(
    "words",
    [
        ("put", "{}x", "a b", "/tmp"),
        ("get", "{}x", "/tmp", "."),
        ("copy", "{}x:/tmp", "{}:/srv"),
        ("shell", "{}x", "--", "ls"),
    ],
)
def test_an_unknown_container_is_corrected_in_the_command(
    debian: str, words: tuple[str, ...]
) -> None:
    line = [word.format(debian) for word in words]
    done = subprocess.run(
        [*SHELL[:-1], *line], capture_output=True, text=True, timeout=SOON, check=False
    )

    assert done.returncode == 1
    corrected = shlex.join(word.replace("{}x", debian).replace("{}", debian) for word in words)
    assert done.stderr.endswith(f"; type ctrkernel {corrected}\n")
    assert "%ctr" not in done.stderr


def test_a_log_that_is_long_is_no_reason_to_lose_keys(debian: str, tmp_path: Path) -> None:
    with sitting(debian, "--", "sh", "-c", "seq 1 200000; read -r x; echo got $x") as person:
        person.child.send("early\r")
        person.child.expect("got early")

        assert person.end() == 0
