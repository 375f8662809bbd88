"""The commands in IPython's terminal, typed and read through a pty."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.kernel.live_kernel import clients, eventually, inside, kill
from tests.magics.terminal import Terminal, gone, ipython

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def shared(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    with ipython(tmp_path_factory.mktemp("terminal"), CTRKERNEL_TARGET=debian) as terminal:
        yield terminal


@pytest.fixture
def terminal(shared: Terminal, debian: str) -> Terminal:
    """IPython with a new shell in the container."""
    assert shared.run(f"%ctr_attach {debian}").startswith(f"attached to {debian} (")
    return shared


def test_a_line_and_a_cell_run_in_one_shell(terminal: Terminal) -> None:
    assert terminal.run("%ctr cd /tmp; word=kept") == ""
    assert terminal.run('%%ctr\necho "$word"\npwd') == "kept\n/tmp"


def test_a_failure_is_one_line(terminal: Terminal) -> None:
    assert terminal.run("%%ctr\necho before\n(exit 3)") == "before\nCommandFailed: exit status 3"
    assert terminal.run("%ctr_attach no-such-box").startswith("ContainerNotFound: no container")
    assert terminal.run("%ctr_detach --nosuch") == (
        "UsageError: %ctr_detach: unrecognized arguments: --nosuch; type %ctr_detach --help"
    )


@pytest.mark.parametrize("asked", ["%ctr?", "%%ctr?", "%ctr --help"])
def test_a_question_mark_shows_the_help_with_its_examples(terminal: Terminal, asked: str) -> None:
    shown = terminal.run(asked)

    assert "usage: %ctr" in shown
    assert "%ctr --timeout 5 ping web" in shown


def test_a_magic_that_is_none_is_ipython_s_own_error(terminal: Terminal) -> None:
    assert terminal.run("%ctr_nosuch") == "UsageError: Line magic function `%ctr_nosuch` not found."
    assert "%ctr_attach" in terminal.run("%%ctr_attach web")


def test_a_table_shows_as_text_once_and_not_when_it_is_taken(
    terminal: Terminal, debian: str
) -> None:
    shown = terminal.run("%ctr_sessions")

    assert shown.count(debian) == 1
    assert shown.splitlines()[1].split() == ["container", "session", "shell", "directory", "state"]
    assert terminal.run("rows = %ctr_sessions") == ""
    assert terminal.run("len(rows), rows[0][1]").endswith(f"(1, '{debian}')")


def test_variables_are_expanded_in_a_line_and_never_in_a_body(terminal: Terminal) -> None:
    terminal.run("word, number = 'py', 5")

    assert terminal.run("%ctr echo {word}$number ${HOME} {1,2}") == "py5 /root 1 2"
    assert terminal.run("%ctr echo a b | awk '{print $2} {print}'") == "b\na b"
    assert terminal.run("%%ctr\necho {word} $number.") == "{word} ."
    assert terminal.run("%%ctr --expand\necho {word} $number.") == "py ."
    assert terminal.run("%ctr echo {word.nosuch}").startswith("UsageError: {word.nosuch}: Attr")


def test_a_function_s_own_variables_are_expanded(terminal: Terminal) -> None:
    terminal.run("f = lambda inner: get_ipython().run_line_magic('ctr', 'echo {inner}')")

    assert terminal.run("f('local')") == "local"


def test_output_shows_while_the_command_runs(terminal: Terminal, debian: str) -> None:
    terminal.submit("%ctr printf 'ready? '; read answer < <(sleep 1; echo yes); echo $answer")

    terminal.wait_for("\r\nready? ")
    assert terminal.finish().endswith("yes")


def test_late_output_of_a_job_shows(terminal: Terminal) -> None:
    terminal.run("%ctr (sleep 0.2; echo late) &")

    terminal.submit("import time; time.sleep(2)")
    terminal.wait_for("late\r\n")

    assert "Traceback" not in terminal.finish()


def test_ctrl_c_interrupts_the_command_and_keeps_the_shell(terminal: Terminal) -> None:
    terminal.submit("%ctr kept=yes; echo started; sleep 1000")
    terminal.wait_for("started\r\n")

    terminal.interrupt()

    assert terminal.finish().splitlines()[-1] == "KeyboardInterrupt: exit status 130"
    assert terminal.run("%ctr echo $kept") == "yes"


def test_a_second_ctrl_c_is_harder_and_the_third_kills(terminal: Terminal) -> None:
    stubborn = 'trap "echo hard" INT; trap "echo harder" QUIT; echo go; while :; do sleep 0.2; done'
    terminal.submit(f"%ctr sh -c '{stubborn}'")
    terminal.wait_for("go\r\n")

    terminal.interrupt()
    terminal.wait_for("hard\r\n")
    terminal.interrupt()
    terminal.wait_for("harder\r\n")
    terminal.interrupt()

    assert "KeyboardInterrupt: exit status 137" in terminal.finish()
    assert terminal.run("%ctr echo alive") == "alive"


def test_ctrl_c_in_python_s_own_work_is_python_s(terminal: Terminal) -> None:
    terminal.submit("import time; print('started'); time.sleep(1000)")
    terminal.wait_for("\r\nstarted\r\n")

    terminal.interrupt()

    assert "KeyboardInterrupt" in terminal.finish()


def test_reload_begins_anew_and_unload_leaves_nothing(debian: str, tmp_path: Path) -> None:
    with ipython(tmp_path, CTRKERNEL_TARGET=debian) as terminal:
        terminal.run("%ctr word=old")
        assert terminal.run("%reload_ext ctrkernel") == ""
        assert terminal.run("%ctr echo ${word-new}") == "new"
        assert terminal.run("%unload_ext ctrkernel") == ""
        assert "not found" in terminal.run("%ctr ls")
        assert terminal.run("%load_ext ctrkernel") == ""
        assert terminal.run("%load_ext ctrkernel").startswith("The ctrkernel extension is already")
        assert terminal.run("%ctr echo again") == "again"


@pytest.mark.parametrize("way", ["exit", "end of input", "SIGTERM", "SIGKILL", "SIGHUP"])
def test_nothing_is_left_however_ipython_ends(
    make_container: object, tmp_path: Path, way: str
) -> None:
    container: str = make_container()  # type: ignore[operator]
    with ipython(tmp_path, CTRKERNEL_TARGET=container) as terminal:
        terminal.run("%ctr sleep 1000 &")
        terminal.run("%ctr --bg --session other sleep 1000")
        assert eventually(lambda: len(inside(container)) >= 4), inside(container)

        if way == "exit":
            terminal.child.sendline("exit")
        elif way == "end of input":
            terminal.child.sendeof()
        else:
            kill(terminal.pid, getattr(signal, way))

        assert gone(terminal.pid)
    assert eventually(lambda: not inside(container)), inside(container)
    assert eventually(lambda: not clients(container)), clients(container)


def test_tab_completes_in_the_real_terminal(debian: str, tmp_path: Path) -> None:
    with ipython(tmp_path, simple=False, CTRKERNEL_TARGET=debian) as terminal:
        # prompt_toolkit inserts what the candidates have in common.
        terminal.child.send("%ctr ls -d /etc/hostn")
        terminal.press_tab_until("ame")
        terminal.child.send("\r")

        assert terminal.finish().splitlines()[-1] == "/etc/hostname"
