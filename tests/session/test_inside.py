"""The scripts beside a shell, on real sessions: they hit what they are told, and that alone."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ctrkernel.session import inside
from ctrkernel.session.inside import ShellLook, parse_look
from ctrkernel.session.transport import PtyTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Seconds that a test waits for what must come.
TIMEOUT = 20.0
NONCE = "00112233aabbccdd"
AT_PROMPT = ShellLook(stopped=False, sleeping=True, foreground=True)
BUSY = ShellLook(stopped=False, sleeping=True, foreground=False)

each_helper = pytest.mark.parametrize("argv_of", ["bash", "dash", "ash", "zsh"], indirect=True)

some_helpers = pytest.mark.parametrize("argv_of", ["dash", "ash"], indirect=True)


def fields(pid: int) -> list[str]:
    """Return the fields of proc_pid_stat(5) behind the name; empty where the process is gone."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return line.rpartition(")")[2].split()


def alive(pid: int) -> bool:
    found = fields(pid)
    return bool(found) and found[0] not in "ZX"


def members(leader: int) -> list[int]:
    """Return the processes of a session."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if fields(pid)[3:4] == [str(leader)]]


def start_of(pid: int) -> str:
    return fields(pid)[19]


def eventually(condition: Callable[[], bool]) -> bool:
    """Ask until it is so; whether it came to be in time."""
    end = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > end:
            return False
        select.select([], [], [], 0.01)
    return True


class Session:
    """A shell on a terminal of its own, as the engine starts one."""

    def __init__(self) -> None:
        self.terminal = PtyTransport(
            ["bash", "--norc", "--noprofile", "--noediting", "-i"],
            environ={"PATH": os.environ["PATH"], "PS1": "$ ", "CTRKERNEL_NONCE": NONCE},
            rows=24,
            columns=80,
        )
        self.pid: int = self.terminal._child.pid
        self.seen = b""
        self.type("")

    def type(self, line: str) -> list[int]:
        """Type a line and return the numbers that it wrote when the shell is done with it."""
        before = len(self.seen)
        self.send(f"{line}\necho '<'done'>'\n")
        assert eventually(lambda: b"<done>" in self.read()[before:])
        return [int(word) for word in self.seen[before:].split() if word.isdigit()]

    def send(self, text: str) -> None:
        self.terminal.write(text.encode())

    def read(self) -> bytes:
        self.seen += self.terminal.read() or b""
        return self.seen


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session()
    try:
        yield made
    finally:
        for pid in members(made.pid):
            # Its leader's end is another one's.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        made.terminal.close()


@pytest.fixture
def bystander() -> Iterator[int]:
    """A process of another session."""
    with subprocess.Popen(["sleep", "300"], start_new_session=True) as process:
        yield process.pid
        process.kill()


def run(argv: list[str], helper: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    """Run a script with `helper` in place of the shell's name."""
    return subprocess.run(
        [*helper, *argv[1:]],
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def hang_up(helper: tuple[str, ...], pid: int, started: str) -> subprocess.CompletedProcess[bytes]:
    return run(inside.hang_up_argv("sh", str(pid), started, NONCE), helper)


def look(session: Session) -> ShellLook | None:
    """Look at a shell; which group is in the foreground is another test's."""
    seen = parse_look(run(inside.look_argv("sh", session.pid), ("sh",)).stdout)
    return None if seen is None else replace(seen, group=0, image=0, interactive=False)


def busy_with(session: Session, command: str) -> int:
    """Have `command` run in the foreground; return its process id once it is there."""
    session.send(f"{command}\n")
    assert eventually(lambda: fields(session.pid)[5] not in (str(session.pid), "-1"))
    return int(fields(session.pid)[5])


SCRIPTS = {
    "hang-up": inside.hang_up_argv("sh", "1", "2", NONCE),
    "kill": inside.kill_foreground_argv("sh", 1, even_shell=False),
    "interrupt": inside.interrupt_argv("sh", 1),
    "interrupt missed": inside.interrupt_missed_argv("sh", 1, 2),
    "continue": inside.continue_argv("sh", 1),
    "look": inside.look_argv("sh", 1),
}


@each_helper
@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_is_whole_in_every_shell(argv_of: tuple[str, ...], name: str) -> None:
    script = SCRIPTS[name][2]

    done = subprocess.run(
        [*argv_of, "-n"], input=script.encode(), capture_output=True, timeout=TIMEOUT, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")


def test_arguments_are_behind_the_scripts_own_name() -> None:
    for argv in SCRIPTS.values():
        assert argv[:2] == ["sh", "-c"]
        assert argv[3] == "ctrkernel"


@each_helper
def test_hang_up_ends_a_session_and_nobody_else(
    argv_of: tuple[str, ...], session: Session, bystander: int
) -> None:
    session.type("sleep 300 & (sleep 300 & wait) & set +m; sleep 300 &")
    (escaped,) = set(session.type("setsid sleep 300 & echo $!"))
    assert eventually(lambda: len(members(session.pid)) == 5)
    assert eventually(lambda: fields(escaped)[3] == str(escaped))
    jobs = members(session.pid)

    done = hang_up(argv_of, session.pid, start_of(session.pid))

    survived = alive(escaped), alive(bystander)
    os.kill(escaped, signal.SIGKILL)
    assert done.returncode == 0
    assert [pid for pid in jobs if alive(pid)] == []
    assert survived == (True, True)


def test_hang_up_ends_what_ignores_it_and_what_is_stopped(session: Session) -> None:
    (deaf,) = set(session.type("set +m; (trap '' HUP TERM; exec sleep 300) & echo $!"))
    (stopped,) = set(session.type("sleep 300 & kill -STOP $!; echo $!"))
    assert eventually(lambda: fields(stopped)[0] == "T")

    hang_up(("sh",), session.pid, start_of(session.pid))

    assert [pid for pid in (session.pid, deaf, stopped) if alive(pid)] == []


def test_hang_up_ends_a_shell_that_is_stopped(session: Session) -> None:
    os.kill(session.pid, signal.SIGSTOP)

    hang_up(("sh",), session.pid, start_of(session.pid))

    assert not alive(session.pid)


@some_helpers
def test_hang_up_leaves_a_process_with_another_start_alone(
    argv_of: tuple[str, ...], session: Session
) -> None:
    (job,) = set(session.type("set +m; sleep 300 & echo $!"))

    done = hang_up(argv_of, session.pid, str(int(start_of(session.pid)) + 1))

    assert done.returncode == 0
    assert alive(session.pid)
    assert alive(job)


@some_helpers
def test_hang_up_finds_the_children_of_a_shell_that_is_gone(
    argv_of: tuple[str, ...], session: Session
) -> None:
    # A background job has a process group of its own, which the terminal's end does not reach.
    job = session.type("sleep 300 & echo $!")[-1]
    started = start_of(session.pid)
    os.kill(session.pid, signal.SIGKILL)
    session.terminal._child.wait()
    assert not fields(session.pid)
    assert alive(job)

    hang_up(argv_of, session.pid, started)

    assert not alive(job)


def test_hang_up_finds_a_shell_that_never_told_by_its_nonce(
    session: Session, bystander: int
) -> None:
    hang_up(("sh",), 0, "0")

    assert not alive(session.pid)
    assert alive(bystander)


def test_hang_up_of_nothing_known_does_nothing(session: Session) -> None:
    done = run(inside.hang_up_argv("sh", "0", "0", "ffff0000ffff0000"), ("sh",))

    assert done.returncode == 0
    assert alive(session.pid)


def test_a_look_tells_a_shell_at_its_prompt_from_one_that_runs_something(session: Session) -> None:
    at_prompt = eventually(lambda: look(session) == AT_PROMPT)

    busy_with(session, "sleep 300")

    assert at_prompt
    assert eventually(lambda: look(session) == BUSY)


@each_helper
def test_a_look_prints_what_can_be_read(argv_of: tuple[str, ...], session: Session) -> None:
    found = fields(session.pid)

    done = run(inside.look_argv("sh", session.pid), argv_of)

    assert done.stdout.split()[1:4] == [found[2].encode(), found[5].encode(), found[25].encode()]
    assert parse_look(done.stdout) is not None


@each_helper
def test_a_program_that_an_interrupt_passed_by_is_interrupted(
    argv_of: tuple[str, ...], session: Session
) -> None:
    group = busy_with(session, "sleep 300")
    assert eventually(lambda: Path(f"/proc/{group}/comm").read_text() == "sleep\n")

    run(inside.interrupt_missed_argv("sh", session.pid, group), argv_of)

    assert eventually(lambda: look(session) == AT_PROMPT)


@pytest.mark.parametrize("command", ["sh -c 'trap : INT; sleep 300; :'", "cat"])
@each_helper
def test_a_program_that_has_its_way_with_interrupts_is_left_alone(
    argv_of: tuple[str, ...], session: Session, command: str
) -> None:
    group = busy_with(session, f"trap '' INT; {command}")

    run(inside.interrupt_missed_argv("sh", session.pid, group), argv_of)
    run(inside.interrupt_missed_argv("sh", session.pid, session.pid), argv_of)

    assert look(session) == BUSY


def test_a_stopped_shell_is_seen_and_continued(session: Session) -> None:
    os.kill(session.pid, signal.SIGSTOP)
    stopped = eventually(lambda: (seen := look(session)) is not None and seen.stopped)

    run(inside.continue_argv("sh", session.pid), ("sh",))

    assert stopped
    assert eventually(lambda: (seen := look(session)) is not None and not seen.stopped)


def test_a_look_at_a_shell_that_is_gone_finds_none(session: Session) -> None:
    os.kill(session.pid, signal.SIGKILL)
    session.terminal._child.wait()

    assert look(session) is None


@pytest.mark.parametrize("printed", [b"", b"S 1", b"S 1 2 3", b"sh: not found: a b c d"])
def test_what_is_no_look_is_none(printed: bytes) -> None:
    assert parse_look(printed) is None


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (b"S 31 31", ShellLook(stopped=False, sleeping=True, foreground=True, group=31)),
        (b"S 31 40", ShellLook(stopped=False, sleeping=True, foreground=False, group=40)),
        (b"T 31 31", ShellLook(stopped=True, sleeping=False, foreground=True, group=31)),
        (b"t 31 31", ShellLook(stopped=True, sleeping=False, foreground=True, group=31)),
        (b"R 31 31", ShellLook(stopped=False, sleeping=False, foreground=True, group=31)),
        (b"D 31 -1", ShellLook(stopped=False, sleeping=False, foreground=False)),
    ],
)
@pytest.mark.parametrize("newline", [b"", b"\n", b"\r\n"])
def test_a_look_is_read(printed: bytes, newline: bytes, expected: ShellLook) -> None:
    assert parse_look(printed + b" 4096 vim" + newline) == replace(expected, image=4096)


@pytest.mark.parametrize(
    ("arguments", "interactive"),
    [
        (b"bash", True),
        (b"-bash", True),
        (b"/bin/bash--norc", True),
        (b"bash\0-l\0", True),
        (b"zsh-f", True),
        (b"busyboxsh-i", True),
        (b"sh", True),
        (b"bashscript.sh", False),
        (b"sh-ccat", False),
        (b"bash-c read x", False),
        (b"cat", False),
        (b"ssh", False),
        (b"python3", False),
    ],
)
def test_an_interactive_shell_is_told_by_its_arguments(arguments: bytes, interactive: bool) -> None:
    look = parse_look(b"S 31 31 4096 " + arguments + b"\n")

    assert look is not None
    assert look.interactive is interactive


@each_helper
def test_a_shell_that_becomes_another_is_seen(argv_of: tuple[str, ...], session: Session) -> None:
    before = parse_look(run(inside.look_argv("sh", session.pid), argv_of).stdout)
    assert before is not None
    session.terminal.write(b" exec sh\n")

    def became() -> bool:
        after = parse_look(run(inside.look_argv("sh", session.pid), argv_of).stdout)
        return after is not None and after.image != before.image and after.interactive

    assert eventually(became)


@some_helpers
def test_the_children_are_killed_of_a_shell_that_sleeps_in_the_foreground(
    argv_of: tuple[str, ...], session: Session
) -> None:
    job = session.type("sleep 300 & echo $!")[-1]
    assert eventually(lambda: look(session) is not None and alive(job))

    run(inside.kill_foreground_argv("sh", session.pid, even_shell=False), argv_of)

    assert eventually(lambda: not alive(job))
    assert alive(session.pid)


@some_helpers
def test_the_foreground_is_killed_and_the_shell_stays(
    argv_of: tuple[str, ...], session: Session
) -> None:
    program = busy_with(session, "sh -c 'trap \"\" INT QUIT; sleep 300; sleep 300'")

    done = run(inside.kill_foreground_argv("sh", session.pid, even_shell=False), argv_of)

    assert (done.returncode, done.stderr) == (0, b"")
    assert eventually(lambda: not alive(program))
    assert alive(session.pid)
    assert 7 in session.type("echo 7")


@some_helpers
def test_a_shell_at_its_prompt_is_killed_only_where_that_is_asked(
    argv_of: tuple[str, ...], session: Session
) -> None:
    run(inside.kill_foreground_argv("sh", session.pid, even_shell=False), argv_of)
    spared = alive(session.pid)

    run(inside.kill_foreground_argv("sh", session.pid, even_shell=True), argv_of)

    assert spared
    assert eventually(lambda: not alive(session.pid))


@some_helpers
def test_a_program_of_any_name_is_read_right(argv_of: tuple[str, ...], tmp_path: Path) -> None:
    odd = tmp_path / "a) S 1 (b"
    odd.symlink_to("/bin/sleep")
    with subprocess.Popen([str(odd), "300"], start_new_session=True) as process:
        assert eventually(lambda: fields(process.pid)[0] == "S")

        done = run(inside.look_argv("sh", process.pid), argv_of)
        hang_up(argv_of, process.pid, start_of(process.pid))

        assert process.wait(TIMEOUT) == -signal.SIGHUP
    assert done.stdout.startswith(f"S {process.pid} -1 ".encode())
