"""A session as its users see it: starts that fail, commands that end otherwise, and its close."""

from __future__ import annotations

import select
import stat
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ctrkernel.engine.engine import Engine
from ctrkernel.errors import (
    CommandFailed,
    CommandTimedOut,
    ContainerNotRunning,
    EngineUnreachable,
    SessionClosed,
    ShellBusy,
    ShellExited,
    ShellNotFound,
    ShellStartFailed,
    TargetError,
)
from ctrkernel.session import connection, interrupter, shell
from ctrkernel.session.shell import ShellSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ctrkernel.errors import EngineError
    from tests.session.conftest import ScriptedTransport

    MakeTransport = Callable[..., ScriptedTransport]
    MakeSession = Callable[..., ShellSession]

#: Seconds that a test waits for what must come.
TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class ScriptedEngine(Engine):
    """An engine whose program notes what it is asked, and whose diagnosis is given."""

    trouble: TargetError | EngineError | None = None

    def diagnose(self, target: str) -> TargetError | None:  # noqa: ARG002 - it is given
        if self.trouble is None or isinstance(self.trouble, TargetError):
            return self.trouble
        raise self.trouble


@dataclass
class Stage:
    """What a test sees of the world around its session."""

    asked: Path
    argvs: list[Sequence[str]]

    def requests(self) -> list[str]:
        """Return what the engine's program was asked, one request each."""
        return self.asked.read_text().split("\0")[:-1] if self.asked.exists() else []

    def wait_for(self, words: str) -> bool:
        """Return whether a request with `words` in it comes in time."""
        end = time.monotonic() + TIMEOUT
        while not any(words in request for request in self.requests()):
            if time.monotonic() > end:
                return False
            select.select([], [], [], 0.01)
        return True


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "asked", [])


@pytest.fixture
def make_session(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MakeSession]:
    """Return a function that makes a session whose terminals are the given ones, in turn."""
    program = tmp_path / "docker"
    program.write_text(f"#!/bin/sh\nprintf '%s\\0' \"$*\" >>'{stage.asked}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    sessions: list[ShellSession] = []

    def make(
        *transports: ScriptedTransport,
        trouble: TargetError | EngineError | None = None,
        asks_for: str | None = None,
        on_late: Callable[[str], None] | None = None,
        on_notice: Callable[[str], None] | None = None,
    ) -> ShellSession:
        waiting = list(transports)

        def next_terminal(argv: Sequence[str], **_: object) -> ScriptedTransport:
            stage.argvs.append(argv)
            return waiting.pop(0)

        monkeypatch.setattr(connection, "PtyTransport", next_terminal)
        engine = ScriptedEngine(str(program), "docker", trouble)
        made = ShellSession(engine, "web", shell=asks_for, on_late=on_late, on_notice=on_notice)
        sessions.append(made)
        return made

    yield make
    for each in sessions:
        each.close()


def ends_at_once(transport: ScriptedTransport, status: int) -> ScriptedTransport:
    """Have a terminal end before its shell says anything."""
    transport.end(status)

    def take(data: bytes) -> int:
        return len(data)

    transport.write = take  # type: ignore[method-assign]
    return transport


# Start


def test_a_session_is_ready_and_knows_its_shell(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    with make_session(make_transport()) as session:
        assert (session.alive, session.at_prompt, session.busy) == (True, True, False)
        assert (session.pid, session.shell) == (31, "bash 5.2")


def test_the_shell_is_started_on_a_terminal_that_nothing_detaches(
    make_transport: MakeTransport, make_session: MakeSession, stage: Stage
) -> None:
    with make_session(make_transport()):
        (argv,) = stage.argvs

    words = " ".join(argv)
    assert argv[1] == "exec"
    assert "--detach-keys" in words
    assert "CTRKERNEL_NONCE=" in words
    assert "PAGER=cat" in words


def test_a_container_that_is_not_running_is_named(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    trouble = ContainerNotRunning("web is paused; type: docker unpause web")
    session = make_session(ends_at_once(make_transport(), 1), trouble=trouble)
    session.open()

    with pytest.raises(ContainerNotRunning, match="is paused"):
        session.wait_ready(TIMEOUT)
    assert not session.alive


def test_an_engine_that_does_not_answer_is_named(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    trouble = EngineUnreachable("no engine answers")
    session = make_session(ends_at_once(make_transport(), 1), trouble=trouble)
    session.open()

    with pytest.raises(EngineUnreachable, match="no engine answers"):
        session.wait_ready(TIMEOUT)


@pytest.mark.parametrize("status", [126, 127])
def test_where_the_first_way_finds_no_program_the_second_is_tried(
    make_transport: MakeTransport, make_session: MakeSession, stage: Stage, status: int
) -> None:
    session = make_session(ends_at_once(make_transport(), status), make_transport())
    session.open()

    session.wait_ready(TIMEOUT)

    first, second = stage.argvs
    assert "sh" in first
    assert second[-5:] == ["bash", "--noediting", "+o", "history", "-i"]
    assert session.at_prompt


def test_an_image_without_a_shell_is_named_with_what_to_do(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    ways = [ends_at_once(make_transport(), 127), ends_at_once(make_transport(), 127)]
    session = make_session(*ways)
    session.open()

    with pytest.raises(ShellNotFound, match=r"web has no shell .*docker cp"):
        session.wait_ready(TIMEOUT)


def test_a_shell_that_was_asked_for_and_is_not_there_is_named(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    ways = [ends_at_once(make_transport(), 127), ends_at_once(make_transport(), 127)]
    session = make_session(*ways, asks_for="/bin/fish -l")
    session.open()

    with pytest.raises(ShellNotFound, match="web has no /bin/fish; unset CTRKERNEL_SHELL"):
        session.wait_ready(TIMEOUT)


def test_a_shell_that_ends_before_its_prompt_is_quoted(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    transport = make_transport()
    transport.say(b"profile:\nno such luck\n")
    session = make_session(ends_at_once(transport, 3))
    session.open()

    with pytest.raises(ShellStartFailed, match=r"status 3 .*\(it said: profile: no such luck\)"):
        session.wait_ready(TIMEOUT)


def test_a_shell_that_never_prompts_is_given_up_and_ended(
    make_transport: MakeTransport, make_session: MakeSession, stage: Stage
) -> None:
    transport = make_transport(silent=True)
    session = make_session(transport)
    session.open()

    with pytest.raises(ShellStartFailed, match=r"did not come to a prompt within 0\.1 s"):
        session.wait_ready(0.1)
    assert transport.closed
    assert len(stage.requests()) == 1


def test_a_terminal_that_cannot_be_had_leaves_nothing_behind(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    session = make_session()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(11, "out of terminals")

    monkeypatch.setattr(connection, "PtyTransport", refuse)

    with pytest.raises(OSError, match="out of terminals"):
        session.open()
    assert session.connection._reapers == []
    assert stage.requests() == []


def test_a_wait_that_is_abandoned_ends(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    session = make_session(make_transport(silent=True))
    session.open()
    threading.Timer(0.05, session.abandon).start()

    with pytest.raises(ShellStartFailed, match="was interrupted before its first prompt"):
        session.wait_ready(TIMEOUT)


# Commands


def test_a_command_has_a_result(make_transport: MakeTransport, make_session: MakeSession) -> None:
    with make_session(make_transport({"echo hi": b"hi\n"})) as session:
        result = session.run("echo hi", TIMEOUT, check=True)

    assert (result.exit_code, result.output, result.cwd) == (0, "hi\n", "/srv")
    assert (session.cwd, session.home) == ("/srv", "/root")


def test_output_is_given_out_while_the_command_runs(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    transport = make_transport({"slow": None})
    shown: list[str] = []
    first = threading.Event()

    def take(text: str) -> None:
        shown.append(text)
        first.set()

    with make_session(transport) as session:
        execution = session.submit("slow", on_output=take)
        transport.say(b"first\n")
        assert first.wait(TIMEOUT)
        assert session.busy
        transport.say(b"second\n" + transport.shell.end())
        execution.future.result(TIMEOUT)

    assert "".join(shown) == "first\nsecond\n"


def test_a_failure_that_is_checked_is_raised_with_its_result(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    transport = make_transport({"false": None})
    with make_session(transport) as session:
        answer = transport.shell.answer

        def fail(line: bytes) -> bytes | int:
            begin = answer(line)
            assert isinstance(begin, bytes)
            return begin + b"why\n" + transport.shell.end(2)

        transport.shell.answer = fail  # type: ignore[method-assign]

        with pytest.raises(CommandFailed, match="exit status 2") as raised:
            session.run("false", TIMEOUT, check=True)

    assert raised.value.result is not None
    assert raised.value.result.output == "why\n"


def test_a_second_command_is_refused_while_one_runs(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    transport = make_transport({"sleep 99": None})
    with make_session(transport) as session:
        execution = session.submit("sleep 99")

        with pytest.raises(ShellBusy, match="session main is running a command"):
            session.run("true", TIMEOUT)

        transport.say(transport.shell.end())
        execution.future.result(TIMEOUT)
        assert session.run("true", TIMEOUT).ok


def test_an_exit_is_told_with_status_and_output(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    transport = make_transport({"exec dying": None})
    with make_session(transport) as session:
        execution = session.submit("exec dying", keep=True)
        transport.say(b"last words\n")
        transport.end(7)

        with pytest.raises(ShellExited, match=r"^exit status 7$") as raised:
            execution.future.result(TIMEOUT)
        assert (session.alive, session.busy, session.exit_status) == (False, False, 7)
        with pytest.raises(ShellExited, match=r"^exit status 7$"):
            session.run("true", TIMEOUT)

    assert raised.value.result is not None
    assert (raised.value.result.exit_code, raised.value.result.output) == (7, "last words\n")


def test_an_exit_says_what_happened_to_the_container(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    trouble = ContainerNotRunning("web has stopped; type: docker start web")
    with (
        make_session(make_transport({"x": 137}), trouble=trouble) as session,
        pytest.raises(ShellExited, match=r"^exit status 137: web has stopped; type: docker start"),
    ):
        session.run("x", TIMEOUT)


def test_a_command_that_takes_too_long_is_interrupted_and_the_shell_is_usable(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    transport = make_transport({"sleep 99": None})
    write = transport.write

    def interruptible(data: bytes) -> int:
        if data == b"\x03":
            transport.say(b"^C\n" + transport.shell.end(130))
            return 1
        return write(data)

    transport.write = interruptible  # type: ignore[method-assign]
    with make_session(transport) as session:
        with pytest.raises(CommandTimedOut, match=r"timed out after 0\.05 s") as raised:
            session.run("sleep 99", 0.05)

        assert raised.value.result is not None
        assert (raised.value.result.exit_code, raised.value.result.output) == (130, "^C\n")
        assert session.run("true", TIMEOUT).ok


def test_interrupts_grow_harder(
    make_transport: MakeTransport,
    make_session: MakeSession,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interrupter, "INTERRUPT_GRACE", 0.01)
    monkeypatch.setattr(shell, "STOP_GRACE", 0.05)
    transport = make_transport({"deaf": None})
    with make_session(transport) as session:
        with pytest.raises(CommandTimedOut):
            session.run("deaf", 0.01)

        assert transport.typed.endswith(b"\x03\x1c")
        assert stage.wait_for("kill -KILL")
        assert session.busy
        transport.say(transport.shell.end(137))


def test_an_interrupt_with_no_command_types_nothing(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    transport = make_transport()
    with make_session(transport) as session:
        before = transport.typed
        session.interrupt()
        session.run("true", TIMEOUT)

        assert b"\x03" not in transport.typed[len(before) :]


def test_an_interrupt_that_reaches_nobody_says_why(
    make_transport: MakeTransport, make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interrupter, "INTERRUPT_GRACE", 0.01)
    notices: list[str] = []
    noticed = threading.Event()

    def notice(line: str) -> None:
        notices.append(line)
        noticed.set()

    transport = make_transport({"sleep 99": None})
    trouble = ContainerNotRunning("web is paused; type: docker unpause web")
    with make_session(transport, trouble=trouble, on_notice=notice) as session:
        session.submit("sleep 99")
        session.interrupt()

        assert noticed.wait(TIMEOUT)
    assert notices[0] == "web is paused; type: docker unpause web"


def test_late_output_goes_to_whoever_takes_it(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    late: list[str] = []
    arrived = threading.Event()

    def take(text: str) -> None:
        late.append(text)
        arrived.set()

    transport = make_transport({"echo": b"mine\n"})
    with make_session(transport, on_late=take) as session:
        transport.say(b"job\n")
        assert arrived.wait(TIMEOUT)
        result = session.run("echo", TIMEOUT)

    assert late == ["job\n"]
    assert result.output == "mine\n"


def test_a_fault_of_the_pump_ends_the_command_and_the_session(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    transport = make_transport({"x": None})
    with make_session(transport) as session:
        execution = session.submit("x")
        transport.failure = OSError(5, "Input/output error")
        transport.say(b"x")

        with pytest.raises(ShellExited, match=r"exit status 255: .*Input/output error"):
            execution.future.result(TIMEOUT)
        assert not session.alive
        with pytest.raises(ShellStartFailed, match=r"the session failed: .*; reopen it"):
            session.wait_ready(TIMEOUT)


# Close and reopen


def test_close_hangs_up_the_shell_that_it_was_told_of(
    make_transport: MakeTransport, make_session: MakeSession, stage: Stage
) -> None:
    transport = make_transport()
    session = make_session(transport)
    session.open()
    session.wait_ready(TIMEOUT)

    session.close()
    session.close()

    (request,) = stage.requests()
    assert request.startswith("exec ")
    assert " web sh -c " in request
    assert " ctrkernel 31 4711 " in request
    assert transport.closed
    assert not session.alive


def test_a_closed_session_takes_no_command(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    session = make_session(make_transport())
    session.open()
    session.wait_ready(TIMEOUT)
    session.close()

    with pytest.raises(SessionClosed, match="session main is closed; reopen it"):
        session.run("true", TIMEOUT)
    session.interrupt()
    session.resize(10, 20)


def test_close_ends_the_command_that_was_running(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    session = make_session(make_transport({"sleep 99": None}))
    session.open()
    session.wait_ready(TIMEOUT)
    execution = session.submit("sleep 99")

    session.close()

    with pytest.raises(ShellExited):
        execution.future.result(TIMEOUT)
    assert not session.busy


def test_a_new_shell_starts_in_the_directory_of_the_last_one(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    first, second = make_transport({"exit": 0}), make_transport()
    session = make_session(first, second)
    session.open()
    session.run("true", TIMEOUT)
    with pytest.raises(ShellExited):
        session.run("exit", TIMEOUT)

    session.reopen()

    assert b"cd -- /srv" in second.typed
    assert session.at_prompt
    assert session.exit_status is None


def test_a_new_size_is_passed_on_and_kept(
    make_transport: MakeTransport, make_session: MakeSession
) -> None:
    transport = make_transport()
    with make_session(transport) as session:
        session.resize(10, 20)
        session.run("true", TIMEOUT)

        assert transport.sizes == [(10, 20)]
        assert (session.rows, session.columns) == (10, 20)
