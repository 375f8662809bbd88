"""A failure or an interrupt ends the cell and what is queued, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.live_kernel import (
    START_TIMEOUT,
    LiveKernel,
    clients,
    docker,
    eventually,
    live_kernel,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Interrupts sent as fast as they go.
STORM = 50
#: Seconds in which a cell that can be interrupted has to end, on a busy machine.
PROMPT_END = 2.0
#: Ignores the terminal's keys, as a program may.
STUBBORN = (
    "python3 -c 'import signal, time\n"
    "for key in (signal.SIGINT, signal.SIGQUIT): signal.signal(key, signal.SIG_IGN)\n"
    'print("begun", flush=True); time.sleep(1000)\''
)


@pytest.fixture(scope="module")
def shared(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    folder = tmp_path_factory.mktemp("kernel")
    with live_kernel(folder, CTRKERNEL_TARGET=debian) as started:
        yield started


@pytest.fixture
def kernel(shared: LiveKernel) -> Iterator[LiveKernel]:
    yield shared
    shared.heal()


def begun(kernel: LiveKernel, code: str) -> str:
    """Submit a cell and wait until it says ``begun``."""
    # Where nobody can be asked, a program that reads is given the end of its input.
    cell = kernel.submit(code, allow_stdin=True)
    kernel.wait_for_output(cell, "begun\n")
    return cell


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("false", 1),
        ("(exit 7)", 7),
        ("no-such-command-here", 127),
        ("/etc/passwd", 126),
        ("bash -c 'kill -9 $$'", 137),
        ("if true", 2),
    ],
)
def test_a_failing_cell_says_its_exit_status(kernel: LiveKernel, code: str, status: int) -> None:
    cell = kernel.run(code)

    assert cell.error == ("CommandFailed", f"exit status {status}")
    assert kernel.run("echo $?").text == f"{status}\n"


def test_the_last_command_decides(kernel: LiveKernel) -> None:
    assert kernel.run("false\ntrue").status == "ok"


def test_cells_behind_a_failure_are_aborted(kernel: LiveKernel) -> None:
    cells = [kernel.submit(code) for code in ("sleep 0.2; false", "echo one", "echo two")]

    assert [kernel.finish(cell).status for cell in cells] == ["error", "aborted", "aborted"]
    assert kernel.printed(cells[1]) == ""
    assert kernel.run("echo next").text == "next\n"


def test_cells_go_on_behind_a_failure_if_the_client_says_so(kernel: LiveKernel) -> None:
    cells = [kernel.submit(code, stop_on_error=False) for code in ("sleep 0.2; false", "echo one")]

    assert kernel.finish(cells[0]).status == "error"
    assert kernel.finish(cells[1]).text == "one\n"


@pytest.mark.parametrize("by_message", [False, True], ids=["signal", "message"])
def test_an_interrupt_ends_the_command_and_keeps_the_shell(
    kernel: LiveKernel, by_message: bool
) -> None:
    kernel.run("kept=yes; cd /tmp")
    cell = begun(kernel, "echo begun; sleep 1000; echo never")

    kernel.interrupt(message=by_message)

    ended = kernel.finish(cell)
    assert ended.error == ("KeyboardInterrupt", "exit status 130")
    assert "never" not in ended.text
    assert kernel.run('echo "$? $kept $PWD"').text == "130 yes /tmp\n"


@pytest.mark.parametrize(
    "code",
    [
        "echo begun; while :; do :; done",
        "echo begun; while :; do sleep 0.01; done",
        "echo begun; cat",
        "echo begun; read -r line",
        "echo begun; sleep 1000 & wait",
        "echo begun; sleep 1000 | cat",
        "echo begun; (sleep 1000)",
        "echo begun; x=$(sleep 1000)",
        "f() { echo begun; sleep 1000; }; f",
        "echo begun; python3 -c 'import time; time.sleep(1000)' 2>/dev/null",
        "echo begun; yes",
        "echo begun; bash --norc -i",
        "echo begun; seq 1000 | less",
        "echo begun; top",
    ],
)
def test_whatever_runs_can_be_interrupted(kernel: LiveKernel, code: str) -> None:
    kernel.run("kept=yes")
    cell = begun(kernel, code)

    interrupts = 0
    while interrupts < 3 and not kernel.ended(cell, within=PROMPT_END):
        kernel.interrupt()
        interrupts += 1

    assert kernel.finish(cell).error[0] == "KeyboardInterrupt"
    assert kernel.run('echo "$kept"').text == "yes\n"


def test_a_program_that_was_interrupted_while_it_began_holds_up_no_cell(
    kernel: LiveKernel,
) -> None:
    for number in range(20):
        cell = begun(kernel, f"kept={number}; echo begun; sleep 1000")

        kernel.interrupt()

        assert kernel.finish(cell).error[0] == "KeyboardInterrupt"
        assert kernel.run('echo "$kept"').text.lstrip("\n") == f"{number}\n"


def test_cells_behind_an_interrupt_are_aborted(kernel: LiveKernel) -> None:
    cell = begun(kernel, "echo begun; sleep 1000")
    queued = [kernel.submit("echo one"), kernel.submit("echo two")]

    kernel.interrupt()

    assert kernel.finish(cell).error[0] == "KeyboardInterrupt"
    assert [kernel.finish(each).status for each in queued] == ["aborted", "aborted"]
    assert kernel.run("echo next").text == "next\n"


def test_the_second_interrupt_is_a_quit(kernel: LiveKernel) -> None:
    kernel.run("kept=yes")
    cell = begun(kernel, "sh -c 'trap \"\" INT; echo begun; sleep 1000; sleep 1000'")

    kernel.interrupt(message=True)
    kernel.interrupt(message=True)

    assert kernel.finish(cell).error == ("KeyboardInterrupt", "exit status 131")
    assert kernel.run('echo "$kept"').text == "yes\n"


def test_the_third_interrupt_kills_the_program_and_not_the_shell(kernel: LiveKernel) -> None:
    kernel.run("kept=yes")
    cell = begun(kernel, STUBBORN)

    for _ in range(3):
        kernel.interrupt(message=True)

    assert kernel.finish(cell).error == ("KeyboardInterrupt", "exit status 137")
    assert kernel.run('echo "$kept"').text == "yes\n"


def test_a_shell_that_ignores_everything_itself_is_replaced_at_last(kernel: LiveKernel) -> None:
    kernel.run("cd /tmp")
    cell = begun(kernel, "trap '' INT QUIT; echo begun; while :; do :; done")

    for _ in range(3):
        kernel.interrupt(message=True)

    assert kernel.finish(cell).error == ("ShellExited", "exit status 137")
    after = kernel.run("pwd")
    assert after.text == "/tmp\n"
    assert "new shell in /tmp" in after.notices


@pytest.mark.parametrize("by_message", [False, True], ids=["signal", "message"])
def test_an_interrupt_with_nothing_running_is_harmless(
    kernel: LiveKernel, by_message: bool
) -> None:
    kernel.run("kept=idle")

    for _ in range(3):
        kernel.interrupt(message=by_message)

    assert kernel.run('echo "$kept"').text == "idle\n"
    assert kernel.run("true").status == "ok"


def test_a_storm_of_interrupts_while_idle_is_harmless(kernel: LiveKernel) -> None:
    kernel.run("kept=storm")

    for _ in range(STORM):
        kernel.interrupt()

    assert kernel.run('echo "$kept"').text == "storm\n"


@pytest.mark.parametrize("by_message", [False, True], ids=["signal", "message"])
def test_a_storm_of_interrupts_ends_the_cell_and_keeps_the_shell(
    kernel: LiveKernel, by_message: bool
) -> None:
    kernel.run("kept=storm")
    cell = begun(kernel, "echo begun; sleep 1000")

    for _ in range(STORM):
        kernel.interrupt(message=by_message)

    assert kernel.finish(cell).error[0] == "KeyboardInterrupt"
    after = kernel.run('echo "$kept"')
    assert (after.status, after.text, after.notices) == ("ok", "storm\n", "")


def test_interrupts_between_cells_reach_one_cell_or_none(kernel: LiveKernel) -> None:
    kernel.run("kept=between")

    for number in range(20):
        cell = kernel.submit(f"echo {number}")
        kernel.interrupt()
        ended = kernel.finish(cell)
        assert ended.status == "ok" or ended.error[0] == "KeyboardInterrupt", (number, ended.error)
        after = kernel.run(f'echo "$kept {number}"')
        # The shell may still end the line of the key's echo, after the cell's own end.
        assert (after.text.lstrip("\n"), after.notices) == (f"between {number}\n", "")


def test_an_interrupt_while_a_large_cell_is_on_its_way(kernel: LiveKernel) -> None:
    kernel.run("kept=large")
    large = ": '" + "x" * 1_000_000 + "'\nsleep 2; echo ran"

    for _ in range(3):
        cell = kernel.submit(large)
        while not kernel.caused_by(cell):
            kernel.look()
        kernel.interrupt(message=True)
        ended = kernel.finish(cell)
        assert ended.text.strip() in ("", "ran")
        after = kernel.run('echo "$kept"')
        assert (after.text, after.notices) == ("large\n", "")


def test_a_shell_that_was_stopped_goes_on(kernel: LiveKernel) -> None:
    cell = kernel.run("kill -STOP $$; echo back")

    assert (cell.status, cell.text) == ("ok", "back\n")


def test_a_shell_that_was_stopped_goes_on_when_it_is_interrupted(kernel: LiveKernel) -> None:
    kernel.run("kept=yes")
    cell = begun(kernel, "echo begun; kill -STOP $$; sleep 1000")

    while not kernel.ended(cell, within=PROMPT_END):
        kernel.interrupt()

    assert kernel.finish(cell).error[0] == "KeyboardInterrupt"
    assert kernel.run('echo "$kept"').text == "yes\n"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("exit 3", 3),
        ("exec false", 1),
        ("kill -9 $$", 137),
        ("set -e; false", 1),
        ("trap 'exit 9' INT; kill -INT $$; sleep 5", 9),
    ],
)
def test_the_end_of_the_shell_is_told_and_the_next_cell_has_a_new_one(
    kernel: LiveKernel, code: str, status: int
) -> None:
    kernel.run("cd /usr/share; lost=yes")

    cell = kernel.run(code)

    assert cell.error[0] == "ShellExited"
    assert cell.error[1].split(":")[0] == f"exit status {status}"
    after = kernel.run('echo "$PWD <$lost>"')
    assert (after.status, after.text) == ("ok", "/usr/share <>\n")
    assert after.notices.count("\n") == 1
    assert "new shell in /usr/share" in after.notices
    assert f"exit status {status}" in after.notices
    assert kernel.run("true").notices == ""


def test_a_shell_that_lost_its_input_is_replaced_and_no_cell_is(kernel: LiveKernel) -> None:
    for number in range(5):
        lost = kernel.run("cd /usr/share; exec </dev/null")

        after = kernel.run(f"echo {number} $PWD")

        assert (lost.error[0], lost.text) == ("ShellExited", "exit\n")
        assert (after.status, after.text) == ("ok", f"{number} /usr/share\n")
        assert "new shell in /usr/share" in after.notices


def test_cells_behind_the_end_of_the_shell_are_aborted(kernel: LiveKernel) -> None:
    cells = [kernel.submit("sleep 0.2; exit 3"), kernel.submit("echo never")]

    assert kernel.finish(cells[0]).error[0] == "ShellExited"
    assert kernel.finish(cells[1]).status == "aborted"
    assert kernel.run("echo next").text == "next\n"


def test_a_directory_that_went_with_the_shell_is_named(kernel: LiveKernel) -> None:
    kernel.run("mkdir /tmp/gone; cd /tmp/gone")
    kernel.run("rmdir /tmp/gone; exit 1")

    after = kernel.run("true")

    assert after.status == "ok"
    assert "/tmp/gone is gone" in after.notices
    assert after.notices.count("\n") == 1


def test_an_interrupt_while_the_shell_starts_ends_the_cell(
    make_container: Callable[..., str], tmp_path: Path
) -> None:
    container = make_container("debian")
    docker("exec", container, "sh", "-c", "echo 'sleep 12' >>/root/.bashrc")
    with live_kernel(tmp_path, CTRKERNEL_TARGET=container) as kernel:
        cell = kernel.submit("echo never")
        while not kernel.caused_by(cell):
            kernel.look()

        interrupts = 0
        while interrupts < 3 and not kernel.ended(cell, within=PROMPT_END / 3):
            kernel.interrupt()
            interrupts += 1

        assert kernel.ended(cell, within=PROMPT_END)
        assert kernel.finish(cell).error[0] == "KeyboardInterrupt"
        docker("exec", container, "sh", "-c", ": >/root/.bashrc")
        assert kernel.run("echo later", timeout=30).text == "later\n"


def test_interrupts_while_the_kernel_starts_do_not_end_it(debian: str, tmp_path: Path) -> None:
    others = len(clients(debian))
    with live_kernel(tmp_path, wait=False, CTRKERNEL_TARGET=debian) as kernel:
        # From when our code has begun, as its child shows, a person may press the button.
        assert eventually(lambda: len(clients(debian)) > others, timeout=START_TIMEOUT)
        for _ in range(STORM):
            kernel.interrupt()
        kernel.client.wait_for_ready(timeout=START_TIMEOUT)

        assert kernel.run("echo alive").text == "alive\n"


def test_an_interrupted_put_leaves_nothing(kernel: LiveKernel, debian: str, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.write_bytes(b"\1" * 200_000_000)  # no holes: they would be there at once
    links = [tmp_path / f"link-{number}" for number in range(40)]
    for link in links:
        link.symlink_to(full)
    kernel.run("mkdir /tmp/bigs")
    cell = kernel.submit(f"%ctr_put -L {' '.join(map(str, links))} /tmp/bigs\necho never")
    kernel.wait_for_output(cell, "put ")

    kernel.interrupt()

    ended = kernel.finish(cell)
    assert ended.error[0] == "KeyboardInterrupt"
    assert "never" not in ended.text
    assert kernel.run("ls -A /tmp/bigs | wc -l; rm -r /tmp/bigs").text == "0\n"


def test_an_interrupted_get_leaves_nothing(kernel: LiveKernel, tmp_path: Path) -> None:
    kernel.run("truncate -s 8G /tmp/huge")
    cell = kernel.submit(f"%ctr_get /tmp/huge {tmp_path}/huge")
    kernel.wait_for_output(cell, "get ")

    kernel.interrupt(message=True)

    assert kernel.finish(cell).error[0] == "KeyboardInterrupt"
    assert not [each for each in tmp_path.iterdir() if "huge" in each.name]
    kernel.run("rm /tmp/huge")
