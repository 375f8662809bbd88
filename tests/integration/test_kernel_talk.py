"""Programs that talk, from the cells of a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.live_kernel import LiveKernel, live_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def shared(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    folder = tmp_path_factory.mktemp("kernel")
    with live_kernel(folder, CTRKERNEL_TARGET=debian) as started:
        yield started


@pytest.fixture
def kernel(shared: LiveKernel) -> Iterator[LiveKernel]:
    yield shared
    shared.heal()


def test_cells_talk_to_a_program_one_after_another(kernel: LiveKernel) -> None:
    assert kernel.run("%ctr_send read -p 'Name: ' n; echo hello $n").status == "ok"
    assert kernel.run("%ctr_expect 'Name: '").text == "Name: "
    assert kernel.run("%ctr_send Ann B").status == "ok"
    assert kernel.run("%ctr_expect --end").text == "hello Ann B\n"
    assert kernel.run("echo $n").text == "Ann B\n"


def test_one_cell_holds_a_whole_dialogue(kernel: LiveKernel) -> None:
    cell = kernel.run("%ctr_send cat\n%ctr_send one\n%ctr_expect one\n%ctr_send --key C-d\n"
                      "%ctr_expect --end\npwd")  # fmt: skip

    assert cell.status == "ok"
    assert cell.text == "one\n/\n"


def test_a_cell_s_body_is_typed_line_by_line(kernel: LiveKernel) -> None:
    kernel.run("%ctr_send cat")
    kernel.run("%%ctr_send\none\n  two $x 'three'\n")
    assert kernel.run('%ctr_expect "three\'"').text == "one\n  two $x 'three'"
    kernel.run("%ctr_send --key C-c")
    kernel.run("%ctr_expect --end")


def test_what_did_not_come_is_an_error_that_shows_what_came(kernel: LiveKernel) -> None:
    kernel.run("%ctr_send echo so far; sleep 300")
    cell = kernel.run("%ctr_expect --timeout 0.5 never")
    assert cell.error[0] == "ExpectTimedOut"
    assert cell.text == "so far\n"

    kernel.run("%ctr_send --key C-c")
    ename, evalue = kernel.run("%ctr_expect never").error
    assert ename == "ExpectEnded"
    assert "exit status 130" in evalue


@pytest.mark.parametrize(
    ("line", "ename", "says"),
    [
        ("%ctr_expect a[", "UsageError", "position 1"),
        ("%ctr_expect", "UsageError", "--end"),
        ("%ctr_expect a b", "UsageError", "%ctr_expect 'a b'"),
        ("%ctr_expect --session none x", "NoTarget", "--session none"),
        ("%ctr_send", "UsageError", "%ctr_send yes"),
        ("%ctr_send --key Foo", "UsageError", "no key's name"),
        ("%ctr_send --key C-c", "ShellIdle", "start a program first"),
        ("%ctr_send --no-enter x", "ShellIdle", "start a program first"),
        ("%ctr_send --on nosuch-box x", "ContainerNotFound", "nosuch-box"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    kernel: LiveKernel, line: str, ename: str, says: str
) -> None:
    error = kernel.run(line).error

    assert error[0] == ename
    assert says in error[1]
    assert "\n" not in error[1]
    assert kernel.run("echo alive").text == "alive\n"


def test_a_subshell_talks_to_the_program_of_the_cell_that_runs(kernel: LiveKernel) -> None:
    subshell = kernel.ask("control", "create_subshell_request", {})["subshell_id"]
    running = kernel.submit("read -p 'Name: ' n; echo hello $n")
    kernel.wait_for_output(running, "Name: ")

    expected = kernel.finish(kernel.submit("%ctr_expect 'Name: '", subshell=subshell))
    sent = kernel.finish(kernel.submit("%ctr_send Eve", subshell=subshell))
    cell = kernel.finish(running)

    assert expected.text == "Name: "
    assert sent.status == "ok"
    assert cell.text == "Name: hello Eve\n"


def test_stop_ends_the_wait_and_not_the_program(kernel: LiveKernel) -> None:
    kernel.run("%ctr_send cat")
    waiting = kernel.submit("%ctr_expect --timeout 100 never")
    while not any(each["msg_type"] == "execute_input" for each in kernel.caused_by(waiting)):
        kernel.look()
    kernel.interrupt(message=True)

    assert kernel.finish(waiting).error[0] == "KeyboardInterrupt"
    kernel.run("%ctr_send still there")
    assert kernel.run("%ctr_expect still").text == "still"
    kernel.run("%ctr_send --key C-d")
    kernel.run("%ctr_expect --end")


def test_another_session_s_program_is_talked_to(kernel: LiveKernel) -> None:
    kernel.run("%ctr_send --session other read -p 'Q? ' a; echo got $a")
    assert kernel.run("%ctr_expect --session other 'Q. '").text == "Q? "
    assert kernel.run("echo main is free").text == "main is free\n"
    kernel.run("%ctr_send --session other yes")
    assert kernel.run("%ctr_expect --session other --end").text == "got yes\n"
