"""Programs that wait for the terminal, in the kernel: a box with their prompt, and its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.kernel.live_kernel import CELL_TIMEOUT, LiveKernel, eventually, inside, live_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import MakeContainer

#: A terminal's interrupt ends what reads it.
INTERRUPTED = "KeyboardInterrupt"
#: What a terminal without echo shows nobody.
VALUE = "hunter22"


@pytest.fixture(scope="module")
def shared(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    with live_kernel(tmp_path_factory.mktemp("kernel"), CTRKERNEL_TARGET=debian) as started:
        yield started


@pytest.fixture
def kernel(shared: LiveKernel) -> LiveKernel:
    shared.heal()
    return shared


@pytest.fixture(scope="module", params=["bash", "dash", "zsh", "ash"])
def any_kernel(
    request: pytest.FixtureRequest,
    debian: str,
    busybox: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LiveKernel]:
    target, shell = (busybox, "sh") if request.param == "ash" else (debian, request.param)
    folder = tmp_path_factory.mktemp("kernel")
    with live_kernel(folder, CTRKERNEL_TARGET=target, CTRKERNEL_SHELL=shell) as started:
        yield started


def question(kernel: LiveKernel) -> tuple[str, bool]:
    """Wait for the box and return its prompt, and whether it hides what is entered."""
    message: dict[str, Any] = kernel.client.get_stdin_msg(timeout=CELL_TIMEOUT)
    assert message["msg_type"] == "input_request"
    return message["content"]["prompt"], message["content"]["password"]


def asked(kernel: LiveKernel, cell: str, *answers: str) -> list[tuple[str, bool]]:
    """Answer each box that comes, and return what the boxes said."""
    boxes = []
    for answer in answers:
        boxes.append(question(kernel))
        kernel.client.input(answer)
    return boxes


def test_each_read_of_the_shell_gets_a_box_and_its_echo(any_kernel: LiveKernel) -> None:
    cell = any_kernel.submit(
        "printf 'Name: '; read name; printf 'Age: '; read age; echo $name is $age",
        allow_stdin=True,
    )

    boxes = asked(any_kernel, cell, "bob ünï", "3")

    done = any_kernel.finish(cell)
    assert boxes == [("Name: ", False), ("Age: ", False)]
    assert done.status == "ok"
    assert done.text == "Name: bob ünï\nAge: 3\nbob ünï is 3\n"


def test_a_program_reads_lines_until_the_end_of_input(any_kernel: LiveKernel) -> None:
    cell = any_kernel.submit("cat; echo status $?", allow_stdin=True)

    boxes = asked(any_kernel, cell, "one", "^D")

    assert boxes == [("input for cat (^D ends it): ", False), ("input for cat: ", False)]
    assert any_kernel.finish(cell).text == "one\none\nstatus 0\n"


def test_nobody_to_be_asked_is_the_end_of_input_and_is_said_once(any_kernel: LiveKernel) -> None:
    done = any_kernel.run("read x; echo $?; cat; echo end")

    assert done.status == "ok"
    assert done.text == "1\nend\n"
    assert done.notices.count("\n") == 1
    assert "nobody can be asked here" in done.notices


def test_a_program_that_takes_no_end_of_input_is_ended(any_kernel: LiveKernel) -> None:
    done = any_kernel.run("while ! read x; do :; done", timeout=3 * CELL_TIMEOUT)

    assert done.status == "error"
    assert any_kernel.run("echo fine").text == "fine\n"


def test_ctrl_d_of_a_front_end_is_the_end_of_input(kernel: LiveKernel) -> None:
    cell = kernel.submit("cat; echo done", allow_stdin=True)

    asked(kernel, cell, "\x04")

    assert kernel.finish(cell).text == "done\n"


def test_select_shows_its_menu_and_asks(kernel: LiveKernel) -> None:
    cell = kernel.submit("select a in one two; do echo $a; break; done", allow_stdin=True)

    assert asked(kernel, cell, "2") == [("#? ", False)]
    assert kernel.finish(cell).text == "1) one\n2) two\n#? 2\ntwo\n"


@pytest.mark.parametrize(
    "code",
    [
        "read -s -p 'Word: ' x; echo; echo ${#x}",
        "printf 'Password: '; read x; echo; echo ${#x}",
        "stty -echo; printf 'Word: '; read x; echo; echo ${#x}",
        "printf 'Word: '; read x </dev/tty; echo; echo ${#x}",
    ],
    ids=["read-s", "prompt", "stty", "tty"],
)
def test_what_is_not_to_be_seen_is_hidden_and_stored_nowhere(kernel: LiveKernel, code: str) -> None:
    cell = kernel.submit(code, allow_stdin=True)

    boxes = asked(kernel, cell, VALUE)

    done = kernel.finish(cell)
    assert [hidden for _, hidden in boxes] == [True]
    assert done.text.endswith(f"\n{len(VALUE)}\n")
    assert VALUE not in str(done.messages)


def test_a_python_prompt_is_a_row_of_boxes(kernel: LiveKernel) -> None:
    cell = kernel.submit("python3 -q", allow_stdin=True)

    boxes = asked(kernel, cell, "x = input('what? ')", "hey", "print(2 * x)", "^D")

    assert [prompt for prompt, _ in boxes] == [">>> ", "what? ", ">>> ", ">>> "]
    done = kernel.finish(cell)
    assert done.status == "ok"
    assert ">>> print(2 * x)\nheyhey\n" in done.text


def test_a_line_editor_shows_what_was_entered_and_a_key_needs_no_enter(kernel: LiveKernel) -> None:
    editor = kernel.submit("bash --norc --noprofile", allow_stdin=True)
    boxes = asked(kernel, editor, "echo $((6*7))", "exit")
    edited = kernel.finish(editor)
    keys = kernel.submit(
        "read -n1 -p 'Sure? ' a; echo; read -p 'Name: ' n; echo $a $n", allow_stdin=True
    )
    asked(kernel, keys, "y", "bob")

    assert all(prompt.endswith("# ") and not hidden for prompt, hidden in boxes)
    assert "# echo $((6*7))" in edited.text
    assert "\n42\n" in edited.text
    assert kernel.finish(keys).text == "Sure? \nName: bob\ny bob\n"


def test_keys_are_asked_for_one_by_one(kernel: LiveKernel) -> None:
    cell = kernel.submit("read -n1 a; read -n1 b; echo; echo $b", allow_stdin=True)

    assert len(asked(kernel, cell, "x", "y")) == 2
    assert kernel.finish(cell).text.endswith("\ny\n")


def test_what_zsh_does_not_echo_is_hidden(debian: str, tmp_path: Path) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian, CTRKERNEL_SHELL="zsh") as kernel:
        cell = kernel.submit("read -s 'x?Word: '; echo; echo ${#x}", allow_stdin=True)

        assert asked(kernel, cell, VALUE) == [("Word: ", True)]
        assert VALUE not in str(kernel.finish(cell).messages)


def test_lines_that_the_program_does_not_read_are_never_run(kernel: LiveKernel) -> None:
    one = kernel.submit("read x", allow_stdin=True)
    asked(kernel, one, "one\necho ran")
    kernel.finish(one)
    two = kernel.submit("read a; read b; echo $a-$b", allow_stdin=True)
    asked(kernel, two, "one\ntwo")

    assert kernel.finish(two).text == "one\ntwo\none-two\n"


def test_an_answer_that_comes_too_late_is_never_run(kernel: LiveKernel) -> None:
    cell = kernel.submit("read -t 1 x; echo; echo on; sleep 3; echo end", allow_stdin=True)
    question(kernel)
    kernel.wait_for_output(cell, "on\n")

    kernel.client.input("echo ran")

    assert kernel.finish(cell).text == "\non\nend\n"
    assert kernel.run("echo next").text == "next\n"


def test_what_a_terminal_cannot_take_of_a_line_is_told(kernel: LiveKernel) -> None:
    cell = kernel.submit("read x; echo; echo ${#x}", allow_stdin=True)
    asked(kernel, cell, "x" * 5000)

    done = kernel.finish(cell)
    assert done.text.endswith("\n4095\n")
    assert "4,095 bytes" in done.notices


def test_a_program_in_a_session_of_its_own_asks_and_is_ended(kernel: LiveKernel) -> None:
    cell = kernel.submit("setsid -w cat", allow_stdin=True)
    boxes = asked(kernel, cell, "one", "^D")
    ended = kernel.submit("setsid -w cat", allow_stdin=True)
    question(kernel)
    kernel.interrupt()

    assert len(boxes) == 2
    assert kernel.finish(cell).text == "one\none\n"
    assert kernel.finish(ended).error[0] == INTERRUPTED
    assert kernel.run("echo fine").text == "fine\n"


def test_another_user_s_program_asks_for_its_password(kernel: LiveKernel) -> None:
    cell = kernel.submit(
        "setpriv --reuid=1000 --regid=1000 --clear-groups "
        "sh -c 'printf \"Password: \"; read x; echo; echo ${#x}'",
        allow_stdin=True,
    )

    assert asked(kernel, cell, VALUE) == [("Password: ", True)]
    assert kernel.finish(cell).text == f"Password: \n{len(VALUE)}\n"


@pytest.mark.parametrize("code", ["read x", "cat", "python3 -q"])
def test_an_interrupt_at_the_box_ends_the_program(kernel: LiveKernel, code: str) -> None:
    kernel.run("kept=yes")
    cell = kernel.submit(code, allow_stdin=True)
    question(kernel)

    kernel.interrupt()

    assert kernel.finish(cell).error[0] == INTERRUPTED
    kernel.client.input("an answer to nobody")
    assert kernel.run('echo "$kept"').text == "yes\n"


def test_a_program_that_goes_on_by_itself_needs_no_answer(kernel: LiveKernel) -> None:
    cell = kernel.submit("read -t 2 x; echo $?; read -p 'Name: ' n; echo $n", allow_stdin=True)
    question(kernel)

    # The second box is not answered by what was meant for the first one.
    assert question(kernel) == ("Name: ", False)
    kernel.client.input("bob")

    assert kernel.finish(cell).text == "142\nName: bob\nbob\n"


def test_who_talks_to_the_program_takes_the_box_away(kernel: LiveKernel) -> None:
    subshell = kernel.ask("control", "create_subshell_request", {})["subshell_id"]
    cell = kernel.submit("read -p 'Name: ' n; echo hello $n", allow_stdin=True)
    question(kernel)

    sent = kernel.finish(kernel.submit("%ctr_send bob", subshell=subshell))

    assert sent.status == "ok"
    assert kernel.finish(cell).text.endswith("hello bob\n")


def test_the_commands_ask_too(kernel: LiveKernel) -> None:
    cell = kernel.submit("%%ctr --session other\nread -p 'Name: ' n; echo $n", allow_stdin=True)

    assert asked(kernel, cell, "bob") == [("Name: ", False)]
    assert kernel.finish(cell).text == "Name: bob\nbob\n"
    assert "nobody can be asked" in kernel.run("%ctr cat").notices


def test_a_background_command_asks_nobody(kernel: LiveKernel) -> None:
    kernel.run("%ctr --bg --session back cat", allow_stdin=True)

    done = kernel.run("sleep 1; echo done", allow_stdin=True)

    assert done.text.endswith("done\n")
    assert not kernel.client.stdin_channel.msg_ready()


def test_a_box_at_the_end_leaves_nothing(make_container: MakeContainer, tmp_path: Path) -> None:
    container = make_container("debian")
    with live_kernel(tmp_path, CTRKERNEL_TARGET=container) as kernel:
        kernel.submit("cat", allow_stdin=True)
        question(kernel)
        kernel.manager.restart_kernel()
        kernel.forget()
        kernel.submit("cat", allow_stdin=True)
        question(kernel)

    assert eventually(lambda: inside(container) == [])


def test_without_stty_what_is_asked_for_by_name_is_hidden(no_stty: str, tmp_path: Path) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=no_stty) as kernel:
        cell = kernel.submit(
            "read -p 'Name: ' n; read -p 'Password: ' p; echo $n ${#p}", allow_stdin=True
        )

        assert asked(kernel, cell, "bob", VALUE) == [("Name: ", False), ("Password: ", True)]
        assert kernel.finish(cell).text.endswith(f"bob {len(VALUE)}\n")


def test_a_user_who_is_not_root_is_asked(non_root: str, tmp_path: Path) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=non_root) as kernel:
        cell = kernel.submit("cat", allow_stdin=True)

        assert len(asked(kernel, cell, "one", "^D")) == 2
        assert kernel.finish(cell).text == "one\none\n"


def test_nbclient_goes_on_behind_a_cell_that_reads(
    debian: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTRKERNEL_TARGET", debian)
    notebook = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=[nbformat.v4.new_code_cell(code) for code in ("read x; echo $?", "echo next")]  # type: ignore[no-untyped-call]
    )

    NotebookClient(notebook, kernel_name="ctrkernel", timeout=60).execute()

    texts = {each["name"]: each["text"] for each in notebook.cells[0].outputs}
    assert texts["stdout"] == "1\n"
    assert "nobody can be asked here" in texts["stderr"]
    assert notebook.cells[1].outputs[0]["text"] == "next\n"


def test_a_magic_asks_in_an_ipython_notebook(debian: str, tmp_path: Path) -> None:
    with live_kernel(tmp_path, name="python3", CTRKERNEL_TARGET=debian) as kernel:
        kernel.run("%load_ext ctrkernel")
        cell = kernel.submit("%%ctr\nread -p 'Name: ' n; echo hello $n", allow_stdin=True)
        boxes = asked(kernel, cell, "bob")
        by_itself = kernel.submit("%ctr read -t 2 x; echo went on", allow_stdin=True)
        question(kernel)

        assert boxes == [("Name: ", False)]
        assert kernel.finish(cell).text == "Name: bob\nhello bob\n"
        assert kernel.finish(by_itself).text == "went on\n"
        assert "nobody can be asked here" in kernel.run("%ctr cat").notices
