"""One-shot programs on a real engine: told apart, ended for sure, and named where they fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ctrkernel.commands import registry
from ctrkernel.commands.context import Context
from ctrkernel.commands.workspace import Workspace
from ctrkernel.container import Container, attach
from ctrkernel.errors import (
    CommandFailed,
    CommandInterrupted,
    CommandTimedOut,
    ContainerNotFound,
    ContainerNotRunning,
    ShellBusy,
    UsageError,
)
from ctrkernel.session.result import ExecResult
from tests.commands.recording import RecordingFrontend
from tests.kernel.live_kernel import docker, eventually, inside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import MakeContainer

#: Bytes that no capture keeps whole.
FLOOD = 30_000_000


@pytest.fixture
def box(debian: str) -> Iterator[Container]:
    with attach(debian) as container:
        yield container


@pytest.fixture
def frontend() -> RecordingFrontend:
    return RecordingFrontend(variables={})


@pytest.fixture
def context(debian: str, frontend: RecordingFrontend) -> Iterator[Context]:
    workspace = Workspace({**os.environ, "CTRKERNEL_TARGET": debian})
    yield Context(workspace, frontend)
    workspace.close()


def run(line: str, context: Context) -> None:
    registry.find("ctr_exec").run(line, context)


# Python


@pytest.mark.parametrize("place", ["debian", "busybox", "read_only", "non_root"])
def test_the_two_outputs_are_told_apart(request: pytest.FixtureRequest, place: str) -> None:
    with attach(request.getfixturevalue(place)) as container:
        result = container.exec(["sh", "-c", "echo out; echo err >&2; exit 3"])

    assert (result.exit_code, result.stdout, result.stderr) == (3, "out\n", "err\n")
    assert (result.output, result.lines, result.ok) == ("out\n", ["out"], False)
    assert "exit_code=3, stdout='out\\n', stderr='err\\n'" in repr(result)


def test_an_image_without_a_shell_runs_its_programs(no_shell: str) -> None:
    with attach(no_shell) as container:
        assert container.exec(["sleep", "0"], check=True).ok


def test_a_program_that_cannot_be_ended_is_told_of(no_shell: str) -> None:
    notices: list[str] = []
    with attach(no_shell) as container, pytest.raises(CommandTimedOut):
        container.exec(["sleep", "5"], timeout=0.2, on_notice=notices.append)

    assert "sleep may go on in the container: the container has no shell" in notices[0]


@pytest.mark.parametrize("given", ["héllo\n", b"h\xc3\xa9llo\n"])
def test_input_is_text_or_bytes(box: Container, given: str | bytes) -> None:
    assert box.exec(["cat"], input=given).stdout == "héllo\n"


def test_input_larger_than_a_pipe_arrives(box: Container) -> None:
    assert box.exec(["wc", "-c"], input=b"x" * 3_000_000).stdout.strip() == "3000000"


def test_without_input_a_program_reads_the_end(box: Container) -> None:
    assert box.exec(["cat"], timeout=10).stdout == ""


def test_words_are_given_as_they_are(box: Container) -> None:
    words = ["a b", "*", "$HOME", "-x", "--help", "", "ü\n"]

    assert box.exec(["printf", "[%s]", *words]).stdout == "".join(f"[{each}]" for each in words)


def test_user_directory_and_variables_are_as_asked(box: Container) -> None:
    done = box.exec(
        ["sh", "-c", 'id -un; pwd; printf "%s" "$A"; printf "|$PATH"'],
        user="nobody",
        workdir="/tmp",
        env={"A": "x 'y'\nz", "PATH": "/usr/bin:/bin"},
    )

    assert done.stdout == "nobody\n/tmp\nx 'y'\nz|/usr/bin:/bin"


def test_a_variable_s_value_is_on_no_argv_of_this_machine(box: Container, debian: str) -> None:
    with ThreadPoolExecutor() as threads:
        running = threads.submit(box.exec, ["sleep", "2"], env={"TOKEN": "hunter22"})
        assert eventually(lambda: any("sleep 2" in each for each in inside(debian)))
        listed = subprocess.run(
            ["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True
        )
        running.result()

    assert "--env=TOKEN" in listed.stdout
    assert "hunter22" not in listed.stdout


def test_a_terminal_is_there_only_if_asked_for(box: Container) -> None:
    assert box.exec(["tty"]).stdout == "not a tty\n"
    assert box.exec(["sh", "-c", "tty; echo err >&2"], tty=True).stdout.endswith("\nerr\n")


def test_bytes_that_are_no_utf_8_are_replaced(box: Container) -> None:
    assert box.exec(["printf", r"a\377b\303"]).stdout == "a\ufffdb\ufffd"


def test_output_without_end_takes_bounded_memory(box: Container) -> None:
    sizes: list[int] = []

    result = box.exec(
        ["sh", "-c", f"head -c {FLOOD} /dev/zero | tr '\\0' x"],
        on_output=lambda _, text: sizes.append(len(text)),
    )

    assert sum(sizes) == FLOOD
    assert len(result.stdout) + result.truncated >= FLOOD
    assert result.truncated > FLOOD // 2


def test_any_number_runs_at_once(box: Container) -> None:
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda number: box.exec(["echo", str(number)]), range(16)))

    assert [result.stdout for result in results] == [f"{number}\n" for number in range(16)]


def test_a_failed_check_carries_the_result(box: Container) -> None:
    with pytest.raises(CommandFailed, match=r"^exit status 1$") as caught:
        box.exec(["sh", "-c", "echo so; exit 1"], check=True)

    assert isinstance(caught.value.result, ExecResult)
    assert caught.value.result.output == "so\n"


@pytest.mark.parametrize(
    ("argv", "options", "said"),
    [
        (["nosuch", "x"], {}, "cannot run 'nosuch': .*not found"),
        (["/etc/passwd"], {}, "cannot run '/etc/passwd': .*permission denied"),
        (["ls"], {"workdir": "/nosuch"}, "cannot run 'ls': .*/nosuch"),
        (["ls"], {"user": "nosuch"}, "cannot run 'ls': .*user nosuch"),
    ],
)
def test_what_the_engine_cannot_run_is_named(
    box: Container, argv: list[str], options: dict[str, str], said: str
) -> None:
    shown: list[str] = []

    result = box.exec(argv, on_output=lambda _, text: shown.append(text), **options)  # type: ignore[arg-type]

    assert result.exit_code in (126, 127)
    assert shown == []
    with pytest.raises(CommandFailed, match=f"^exit status 12[67]: {said}"):
        result.check()


def test_a_program_that_speaks_as_the_engine_does_is_shown(box: Container) -> None:
    words = "OCI runtime exec failed: so it says"

    assert box.exec(["echo", words]).stdout == f"{words}\n"


@pytest.mark.parametrize(
    ("argv", "options", "said"),
    [
        ("ls -l", {}, "argv is a list of words"),
        ([], {}, "no program was named"),
        (["a\0b"], {}, "NUL"),
        (["ls"], {"workdir": "srv"}, "no absolute path"),
        (["ls"], {"env": {"A-B": "x"}}, "no name for a variable"),
        (["ls"], {"tty": True, "input": "x"}, "do not go together"),
    ],
)
def test_what_makes_no_sense_is_refused(
    box: Container, argv: list[str], options: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        box.exec(argv, **options)  # type: ignore[arg-type]


def test_a_container_that_cannot_is_told_by_its_state(make_container: MakeContainer) -> None:
    name = make_container()
    with attach(name) as container:
        docker("pause", name)
        with pytest.raises(ContainerNotRunning, match="is paused"):
            container.exec(["ls"])
        docker("unpause", name)
        docker("kill", name)
        with pytest.raises(ContainerNotRunning, match="is stopped"):
            container.exec(["ls"])
        docker("rm", "-f", name)
        with pytest.raises(ContainerNotFound):
            container.exec(["ls"])


# The end


@pytest.mark.parametrize("place", ["debian", "busybox", "non_root"])
def test_a_time_out_ends_the_program_in_the_container(
    request: pytest.FixtureRequest, place: str
) -> None:
    name = request.getfixturevalue(place)
    with attach(name) as container, pytest.raises(CommandTimedOut, match=r"0\.5 s") as caught:
        container.exec(["sh", "-c", "echo partial; sleep 1234 & sleep 1234"], timeout=0.5)

    assert caught.value.result is not None
    assert caught.value.result.output == "partial\n"
    assert not any("sleep 1234" in each for each in inside(name))


def test_an_interrupt_is_a_program_s_to_handle(box: Container) -> None:
    started = threading.Event()

    with pytest.raises(CommandInterrupted) as caught:
        box.exec(
            ["sh", "-c", "trap 'echo tidied; exit 7' INT; echo go; while :; do sleep 0.1; done"],
            on_output=lambda *_: started.set(),
            cancelled=started.is_set,
        )

    assert caught.value.result is not None
    assert caught.value.result.exit_code == 7
    assert caught.value.result.output == "go\ntidied\n"


def test_a_program_that_ignores_signals_is_killed(box: Container, debian: str) -> None:
    with pytest.raises(CommandTimedOut):
        box.exec(["sh", "-c", "trap '' INT TERM HUP; while :; do sleep 4321; done"], timeout=0.5)

    assert not any("4321" in each for each in inside(debian))


def test_another_user_s_program_is_ended_too(box: Container, debian: str) -> None:
    with pytest.raises(CommandTimedOut):
        box.exec(["sleep", "2345"], user="nobody", timeout=0.5)

    assert not any("sleep 2345" in each for each in inside(debian))


def test_a_fault_of_the_listener_ends_the_program(box: Container, debian: str) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        box.exec(["sh", "-c", "echo; sleep 3456"], on_output=fail)

    assert eventually(lambda: not any("sleep 3456" in each for each in inside(debian)))


def test_a_process_that_is_killed_leaves_no_program_behind(debian: str, tmp_path: Path) -> None:
    code = f"from ctrkernel import attach; attach({debian!r}).exec(['sleep', '5678'])"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    assert eventually(lambda: any("sleep 5678" in each for each in inside(debian)), timeout=20)

    process.send_signal(signal.SIGKILL)
    process.wait()

    assert eventually(lambda: not any("sleep 5678" in each for each in inside(debian)))


# A session's variables


def test_a_session_s_directory_and_variables_are_taken_as_they_are(box: Container) -> None:
    box.run("cd /tmp; export A=$'x \"y\"\\nz'; B=inner; unset HOSTNAME; f() { :; }; export -f f")

    done = box.exec(
        ["sh", "-c", 'pwd; printf "%s" "$A"; echo "|${B-}|${HOSTNAME-}"'], session_env="main"
    )

    assert done.stdout == '/tmp\nx "y"\nz||\n'
    assert box.run("false").exit_code == 1
    box.exec(["true"], session_env="main")
    assert box.run("echo $?; history | tail -1").output.startswith("1\n")


def test_a_busy_session_s_variables_cannot_be_had(box: Container) -> None:
    session = box.session()
    execution = session.submit("sleep 30")

    with pytest.raises(ShellBusy, match="main is running a command"):
        box.exec(["true"], session_env="main")

    session.interrupt()
    session.wait(execution)


# The command


def test_words_behind_the_program_are_its_own(
    context: Context, frontend: RecordingFrontend
) -> None:
    run("echo --help -x -- y", context)

    assert frontend.streams == [("stdout", "--help -x -- y\n")]


def test_streams_show_under_their_names(context: Context, frontend: RecordingFrontend) -> None:
    run("-- sh -c 'echo out; sleep 0.2; echo err >&2'", context)

    assert frontend.streams == [("stdout", "out\n"), ("stderr", "err\n")]


def test_results_are_kept_in_variables_also_of_a_failure(
    context: Context, frontend: RecordingFrontend
) -> None:
    assert frontend.variables is not None
    with pytest.raises(CommandFailed, match="exit status 2"):
        run("--out o --err e --result r sh -c 'echo a; echo b >&2; exit 2'", context)

    assert (frontend.variables["o"], frontend.variables["e"]) == ("a\n", "b\n")
    assert isinstance(frontend.variables["r"], ExecResult)
    run("--no-raise false", context)


def test_a_variable_or_the_cell_is_the_input(context: Context, frontend: RecordingFrontend) -> None:
    assert frontend.variables is not None
    frontend.variables["data"] = b"b\na\n"
    run("--input data sort", context)
    run("cat -n", Context(context.workspace, frontend, body="one\n"))

    assert frontend.text == "a\nb\n     1\tone\n"


def test_an_interrupt_of_the_command_ends_the_program(context: Context, debian: str) -> None:
    with ThreadPoolExecutor() as threads:
        future = threads.submit(run, "sleep 6789", context)
        assert eventually(lambda: any("sleep 6789" in each for each in inside(debian)))
        context.interrupts.interrupt()
        with pytest.raises(CommandInterrupted):
            future.result()

    assert not any("sleep 6789" in each for each in inside(debian))


def test_several_containers_run_it_at_once_and_who_failed_is_named(
    context: Context, frontend: RecordingFrontend, debian: str, no_shell: str
) -> None:
    assert frontend.variables is not None
    with pytest.raises(CommandFailed, match=f"failed in 1 of 2: {no_shell} .*cannot run 'echo'"):
        run(f"--on {debian},{no_shell} --out o echo hi", context)

    assert frontend.variables["o"][debian] == "hi\n"  # type: ignore[index]
    assert f"{debian:<{max(len(debian), len(no_shell))}} │ hi\n" in frontend.text


def test_one_of_several_that_is_no_container_is_named_and_the_others_run_it(
    context: Context, frontend: RecordingFrontend, debian: str
) -> None:
    assert frontend.variables is not None
    with pytest.raises(CommandFailed, match=r"failed in 1 of 2: no-such-one .*no container"):
        run(f"--on {debian},no-such-one --out o echo hi", context)

    assert frontend.variables["o"] == {debian: "hi\n"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "needs a program"),
        ("--timeout 0 ls", "--timeout"),
        ("--input nothing cat", "no Python variable"),
        ("--input number cat", "is of type int"),
        ("--out a-b ls", "no name for a Python variable"),
        ("--session other ls", "--session-env"),
        ("--env CTRKERNEL_NO_SUCH ls", "not set on this machine"),
        ("--env 1=2 ls", "no name for a variable"),
        ("--on a,,b ls", "a name is empty"),
    ],
)
def test_wrong_words_are_refused(
    context: Context, frontend: RecordingFrontend, line: str, said: str
) -> None:
    assert frontend.variables is not None
    frontend.variables["number"] = 1

    with pytest.raises(UsageError, match=said) as caught:
        run(line, context)

    assert "\n" not in str(caught.value)
