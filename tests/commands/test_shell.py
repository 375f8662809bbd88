"""%ctr's line, its labels, its results: what needs no container."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

import pytest

from ctrkernel.commands import registry
from ctrkernel.commands.background import Background
from ctrkernel.commands.command import Body
from ctrkernel.commands.context import Context, Interrupts
from ctrkernel.commands.fan_out import Fleet, Labelled
from ctrkernel.commands.table import Table
from ctrkernel.commands.workspace import Workspace
from ctrkernel.errors import (
    CommandFailed,
    CommandInterrupted,
    ContainerNotRunning,
    CtrKernelError,
    ShellExited,
    UsageError,
)
from ctrkernel.session.execution import Execution
from ctrkernel.session.output import Capture
from ctrkernel.session.result import CommandResult
from tests.commands.recording import RecordingFrontend

if TYPE_CHECKING:
    from ctrkernel.session.shell import ShellSession


def result(exit_code: int = 0, output: str = "") -> CommandResult:
    return CommandResult(exit_code=exit_code, output=output, cwd="/", duration=0.1)


# The line


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ls -l", ["--", "ls -l"]),
        ("--no-raise ls -l", ["--no-raise", "--", "ls -l"]),
        ("--session b make  -j 4", ["--session", "b", "--", "make  -j 4"]),
        ("--session='a b' x", ["--session=a b", "--", "x"]),
        ("--session 'a b' x 'y  z'", ["--session", "a b", "--", "x 'y  z'"]),
        ("-- -x --y", ["--", "-x --y"]),
        ("--timeout 5 -- ls", ["--timeout", "5", "--", "ls"]),
        ("echo --session x", ["--", "echo --session x"]),
        ("echo 'open", ["--", "echo 'open"]),
        ("echo \"$x\"; awk '{print}'", ["--", "echo \"$x\"; awk '{print}'"]),
        ("--bg", ["--bg"]),
        ("--session", ["--session"]),
        ("", []),
        ("  ", []),
    ],
)
def test_options_are_split_off_and_code_stays_as_it_is(line: str, words: list[str]) -> None:
    assert registry.find("ctr").words(line) == words


@pytest.mark.parametrize("name", sorted(registry.COMMANDS))
def test_the_registry_knows_which_commands_take_a_body(name: str) -> None:
    assert (registry.find(name).body is not Body.NEVER) == (name in registry.WITH_BODY)


@pytest.mark.parametrize(
    ("line", "body", "says"),
    [
        ("", None, "%ctr needs code; type %ctr ls"),
        ("ls", "pwd\n", "type %ctr ls"),
        ("--bg --out x ls", None, "--bg goes with none of --out"),
        ("--bg --timeout 1 ls", None, "--bg goes with none of"),
        ("--out 1x ls", None, "'1x' is no name for a Python variable"),
        ("--timeout 0 ls", None, "argument --timeout"),
        ("--timeout nan ls", None, "argument --timeout"),
        ("--timeout -1 ls", None, "argument --timeout"),
        ("--on web,,db ls", None, "a name is empty; type --on web,db"),
        ("--on , ls", None, "a name is empty"),
        ("--session", None, "expected one argument"),
        ("--nosuch ls", None, "%ctr --help"),
    ],
)
def test_words_that_do_not_fit_are_one_line(line: str, body: str | None, says: str) -> None:
    context = Context(Workspace({}), RecordingFrontend(variables={}), Interrupts(), body)

    with pytest.raises(UsageError, match=re.escape(says)) as caught:
        registry.find("ctr").run(line, context)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", ["--out x", "--result x", "--expand"])
def test_without_python_there_are_no_python_variables(option: str) -> None:
    context = Context(Workspace({}), RecordingFrontend())

    with pytest.raises(UsageError, match=r"x=\$\(command\)"):
        registry.find("ctr").run(f"{option} ls", context)


# Labels


def test_each_line_is_labelled_when_it_is_whole() -> None:
    shown: list[str] = []
    lines = Labelled("web │ ", shown.append)

    lines.feed("one\ntw")
    lines.feed("o\n\nrest")
    before_its_end = list(shown)
    lines.close()

    assert before_its_end == ["web │ one\n", "web │ two\nweb │ \n"]
    assert shown[-1] == "web │ rest\n"


def test_no_output_shows_no_label() -> None:
    shown: list[str] = []

    Labelled("web │ ", shown.append).close()

    assert shown == []


# A fleet


def test_a_fleet_of_which_all_went_well_raises_nothing() -> None:
    Fleet({"web": result()}).check()


def test_a_fleet_names_who_failed_and_why() -> None:
    fleet = Fleet(
        {"a": result(), "b": result(3), "c": result(1)}, {"d": ContainerNotRunning("d is stopped")}
    )

    with pytest.raises(CommandFailed) as caught:
        fleet.check()

    assert str(caught.value) == (
        "failed in 3 of 4: b (exit status 3), c (exit status 1), d (d is stopped)"
    )


def test_a_status_may_be_allowed_and_an_error_may_not() -> None:
    Fleet({"a": result(3)}).check(allow_failed=True)
    with pytest.raises(CommandFailed, match=r"failed in 1 of 1: a \(gone\)"):
        Fleet(errors={"a": ShellExited("gone")}).check(allow_failed=True)


def test_an_interrupted_fleet_is_interrupted() -> None:
    errors: dict[str, CtrKernelError] = {"b": CommandInterrupted("exit status 130", result(130))}

    with pytest.raises(CommandInterrupted, match="interrupted in 1 of 2: b"):
        Fleet({"a": result()}, errors).check()


# A table


def test_a_table_is_aligned_text_html_and_rows() -> None:
    table = Table(("name", "n"), [("<web>", "1"), ("d", "22")], values=["w", "d"])

    assert repr(table) == "name   n\n<web>  1\nd      22"
    assert table._repr_html_().count("<tr>") == 3
    assert ">&lt;web&gt;</td>" in table._repr_html_()
    assert (list(table), len(table), table[0]) == (["w", "d"], 2, "w")
    assert table.shown().text == f"{table!r}\n"


def test_an_empty_table_is_one_line() -> None:
    table = Table(("name",), [], empty="none <yet>")

    assert (repr(table), table._repr_html_(), len(table)) == ("none <yet>", "none &lt;yet&gt;", 0)


# In the background


class QuietSession:
    """A session that runs nothing and counts its interrupts."""

    name = "main"
    interrupts = 0

    def runs(self, execution: Execution) -> bool:
        return not execution.future.done()

    def interrupt(self) -> None:
        self.interrupts += 1


def background(code: str = "make") -> tuple[Background, Execution, QuietSession]:
    execution, session = Execution(code, capture=Capture()), QuietSession()
    handle: ShellSession = session  # type: ignore[assignment]
    return Background("web", handle, execution), execution, session


def test_a_handle_tells_output_and_end() -> None:
    handle, execution, _ = background("make\nmake install")

    execution.take("half")
    assert (handle.done, handle.output) == (False, "half")
    assert repr(handle) == "<running 'make…' in web:main>"
    with pytest.raises(TimeoutError):
        handle.wait(0)

    execution.future.set_result(result(2, "half"))
    assert handle.wait().exit_code == 2
    assert repr(handle) == "<'make…' in web:main: exit status 2>"


def test_a_handle_tells_that_its_shell_ended() -> None:
    handle, execution, _ = background()

    execution.future.set_exception(ShellExited("exit status 9"))

    assert repr(handle) == "<'make' in web:main: exit status 9>"
    with pytest.raises(ShellExited):
        handle.wait()


def test_a_handle_interrupts_its_own_command_alone() -> None:
    handle, execution, session = background()

    handle.interrupt()
    execution.future.set_result(result())
    handle.interrupt()

    assert session.interrupts == 1


# Interrupts


def test_each_interrupt_calls_whoever_works_now() -> None:
    interrupts, called = Interrupts(), []

    with interrupts.calling(lambda: called.append("work")):
        interrupts.interrupt()
        interrupts.interrupt()
    interrupts.interrupt()

    assert called == ["work", "work"]
    assert interrupts.is_set()


def test_work_that_begins_after_an_interrupt_is_called_at_once() -> None:
    interrupts, called = Interrupts(), []
    interrupts.interrupt()

    with interrupts.calling(lambda: called.append("late")):
        assert called == ["late"]


def test_an_interrupt_ends_a_wait() -> None:
    interrupts = Interrupts()
    timer = threading.Timer(0, interrupts.interrupt)
    timer.start()

    assert interrupts.wait(10)
    timer.join()
