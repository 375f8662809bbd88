"""The kernel speaks Jupyter's protocol, and advertises what it supports and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jupyter_kernel_test
import pytest

from tests.kernel.live_kernel import CELL_TIMEOUT, LiveKernel, docker, eventually, live_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", autouse=True)
def _target(debian: str) -> Iterator[None]:
    """Name the container where jupyter_kernel_test, which starts its own kernel, hands it on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CTRKERNEL_TARGET", debian)
        yield


@pytest.fixture(scope="module")
def shared(_target: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    with live_kernel(tmp_path_factory.mktemp("kernel")) as started:
        yield started


@pytest.fixture
def kernel(shared: LiveKernel) -> Iterator[LiveKernel]:
    yield shared
    shared.heal()


class TestContainerShell(jupyter_kernel_test.KernelTests):  # type: ignore[misc]
    """Jupyter's own tests of a kernel.

    What is left out cannot apply. A terminal has one stream, so no output of a program is stderr;
    a shell has no expressions whose values could be results or display data; and nothing clears
    output. History, whose test needs results, is tried in test_kernel_history.
    """

    kernel_name = "ctrkernel"
    language_name = "bash"
    file_extension = ".sh"

    @classmethod
    def setUpClass(cls) -> None:
        """Start a kernel, and have it ask the container: on a busy machine the first time is long.

        It answers ``unknown`` then, which is no failure.
        """
        super().setUpClass()

        def answered() -> bool:
            asked = cls.kc.is_complete("fi")
            reply: dict[str, Any] = {"parent_header": {}}
            # What the start asked for may still come.
            while reply["parent_header"].get("msg_id") != asked:
                reply = cls.kc.get_shell_msg(timeout=CELL_TIMEOUT)
            return bool(reply["content"]["status"] == "invalid")

        assert eventually(answered, timeout=CELL_TIMEOUT)

    code_hello_world = "echo 'hello, world'"
    code_generate_error = "false"
    complete_code_samples = ["", "ls", "echo 'a\nb'", "if true; then echo; fi", "%ctr_ps"]  # noqa: RUF012
    incomplete_code_samples = ["if true", "echo 'a", "ls |", "cat <<E", "%%ctr_write /a"]  # noqa: RUF012
    # Of ours, for the container may be slow to answer; the shell's are tried in their own modules.
    code_inspect_sample = "%ctr_ps"
    code_page_something = "%ctr_ps?"
    invalid_code_samples = ["fi", "echo )"]  # noqa: RUF012
    completion_samples = [  # noqa: RUF012 - the base class's form
        {"text": "ech", "matches": ["echo"]},
        {"text": "ls /etc/hostn", "matches": ["hostname"]},
        {"text": "echo ${HOM", "matches": ["${HOME}"]},
        {"text": "%ctr_att", "matches": ["ctr_attach"]},
    ]

    def test_completion(self) -> None:
        """As the base class has it, when the shell has come to its prompt."""

        def answered() -> bool:
            asked = self.kc.complete("echo ${HOM")
            reply = self.get_non_kernel_info_reply()
            assert reply["parent_header"]["msg_id"] == asked
            return bool(reply["content"]["matches"])

        assert eventually(answered, timeout=CELL_TIMEOUT)
        super().test_completion()


def test_kernel_info_advertises_subshells_and_no_debugger(kernel: LiveKernel) -> None:
    info = kernel.ask("shell", "kernel_info_request", {})

    assert info["supported_features"] == ["kernel subshells"]
    assert info["implementation"] == "ctrkernel"
    assert info["language_info"] == {
        "name": "bash",
        "mimetype": "text/x-sh",
        "file_extension": ".sh",
        "pygments_lexer": "bash",
        "codemirror_mode": "shell",
    }


def test_kernel_info_is_answered_while_a_cell_runs(kernel: LiveKernel) -> None:
    running = kernel.submit("echo begun; sleep 1000")
    kernel.wait_for_output(running, "begun\n")

    # A page that is loaded anew asks on the shell's channel.
    infos = [kernel.ask(each, "kernel_info_request", {}) for each in ("control", "shell")]

    kernel.interrupt(message=True)
    assert [info["status"] for info in infos] == ["ok", "ok"]
    assert kernel.finish(running).error[0] == "KeyboardInterrupt"


def test_a_silent_cell_publishes_nothing_and_counts_for_nothing(kernel: LiveKernel) -> None:
    before = kernel.run("true").reply["content"]["execution_count"]

    cell = kernel.run("quietly=done; echo unheard; false", silent=True, store_history=False)

    assert {each["msg_type"] for each in cell.messages} == {"status"}
    assert cell.status == "error"
    after = kernel.run('echo "$quietly"')
    assert after.text == "done\n"
    assert after.reply["content"]["execution_count"] == before + 1


def test_a_silent_failure_aborts_no_other_cell(kernel: LiveKernel) -> None:
    first = kernel.submit("false", silent=True, store_history=False)
    second = kernel.submit("echo next")

    assert kernel.finish(first).status == "error"
    assert kernel.finish(second).text == "next\n"


def test_the_options_that_a_shell_has_no_use_for_change_nothing(kernel: LiveKernel) -> None:
    options: dict[str, Any] = {
        "store_history": False,
        "user_expressions": {"a": "1 + 1"},
        "allow_stdin": False,
    }

    cell = kernel.run("echo same", **options)

    assert cell.text == "same\n"
    assert cell.reply["content"]["user_expressions"] == {}
    assert cell.reply["content"]["payload"] == []


def test_execution_counts_go_up_by_one_failures_included(kernel: LiveKernel) -> None:
    counts = [
        kernel.run(code).reply["content"]["execution_count"] for code in ("true", "false", "", "#")
    ]

    assert counts == list(range(counts[0], counts[0] + 4))


@pytest.mark.parametrize("code", ["", "\n", "   ", "# only a comment", "\n\n# and lines\n\n"])
def test_a_cell_with_nothing_to_run_is_fine(kernel: LiveKernel, code: str) -> None:
    cell = kernel.run(code)

    assert (cell.status, cell.text) == ("ok", "")


def test_cells_of_a_subshell_run_in_the_same_shell(kernel: LiveKernel) -> None:
    created = kernel.ask("control", "create_subshell_request", {})
    assert created["status"] == "ok"
    kernel.run("shared=yes; cd /tmp")

    cell = kernel.run('echo "$shared $PWD"', subshell=created["subshell_id"])

    assert cell.text == "yes /tmp\n"
    kernel.run("cd /")


def test_two_cells_at_once_are_run_one_after_the_other(kernel: LiveKernel, debian: str) -> None:
    subshell = kernel.ask("control", "create_subshell_request", {})["subshell_id"]
    docker("exec", debian, "sh", "-c", "rm -f /tmp/turn; mkfifo /tmp/turn")
    first = kernel.submit("echo first begins; cat /tmp/turn; echo first ends")
    kernel.wait_for_output(first, "first begins\n")

    second = kernel.submit("echo second", subshell=subshell)
    third = kernel.submit("echo third", subshell=subshell)
    # The subshell has taken its cell, and has nothing to show for it yet.
    while not kernel.caused_by(second):
        kernel.ask("control", "kernel_info_request", {})
        kernel.look()
    assert kernel.printed(second) == ""
    docker("exec", debian, "sh", "-c", "echo go >/tmp/turn")

    assert kernel.finish(first).text == "first begins\ngo\nfirst ends\n"
    assert kernel.finish(second).text == "second\n"
    assert kernel.finish(third).text == "third\n"


def test_many_cells_from_two_subshells_each_get_their_own_output(kernel: LiveKernel) -> None:
    subshell = kernel.ask("control", "create_subshell_request", {})["subshell_id"]
    cells = {
        kernel.submit(f"echo {number}", subshell=subshell if number % 2 else None): number
        for number in range(40)
    }

    texts = {number: kernel.finish(cell).text for cell, number in cells.items()}

    assert texts == {number: f"{number}\n" for number in range(40)}


def test_a_subshell_s_failure_aborts_its_own_queue_alone(kernel: LiveKernel) -> None:
    subshell = kernel.ask("control", "create_subshell_request", {})["subshell_id"]
    failing = kernel.submit("sleep 0.3; false", subshell=subshell)
    queued = kernel.submit("echo never", subshell=subshell)
    other = kernel.submit("echo other")

    assert kernel.finish(failing).error == ("CommandFailed", "exit status 1")
    assert kernel.finish(queued).status == "aborted"
    assert kernel.finish(other).text == "other\n"


def test_an_interrupt_reaches_a_subshell_s_cell(kernel: LiveKernel) -> None:
    subshell = kernel.ask("control", "create_subshell_request", {})["subshell_id"]
    cell = kernel.submit("echo begun; sleep 1000", subshell=subshell)
    kernel.wait_for_output(cell, "begun\n")

    kernel.interrupt()

    assert kernel.finish(cell).error == ("KeyboardInterrupt", "exit status 130")


def test_a_deleted_subshell_leaves_the_shell_alone(kernel: LiveKernel) -> None:
    kernel.run("kept=1")
    subshell = kernel.ask("control", "create_subshell_request", {})["subshell_id"]
    kernel.run("kept=2", subshell=subshell)

    assert kernel.ask("control", "delete_subshell_request", {"subshell_id": subshell}) == {
        "status": "ok"
    }

    assert kernel.run('echo "$kept"').text == "2\n"


def test_a_request_that_the_kernel_does_not_know_does_no_harm(kernel: LiveKernel) -> None:
    kernel.request("shell", "no_such_request", {})
    kernel.request("control", "no_such_request", {})

    assert kernel.run("echo still here").text == "still here\n"
