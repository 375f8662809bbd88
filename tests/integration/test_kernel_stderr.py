"""``%ctr_config stderr=split``: two streams, nothing lost, and nothing of ours in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.live_kernel import Cell, LiveKernel, eventually, inside, live_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def shared(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    folder = tmp_path_factory.mktemp("kernel")
    with live_kernel(folder, CTRKERNEL_TARGET=debian, CTRKERNEL_STDERR="split") as started:
        yield started


@pytest.fixture
def kernel(shared: LiveKernel) -> Iterator[LiveKernel]:
    yield shared
    shared.heal()
    shared.run("%ctr_config output_limit= stderr=split\n:")


def both(cell: Cell) -> tuple[str, str]:
    """What a cell has on each stream."""
    return cell.text, cell.notices


@pytest.mark.parametrize(
    ("code", "out", "err"),
    [
        ("echo a; echo b >&2; echo c; echo d >&2", "a\nc\n", "b\nd\n"),
        ("printf 'no newline' >&2", "", "no newline"),
        ("[ -t 2 ] && [ -t 1 ] && echo terminals", "terminals\n", ""),
        ("set -x; echo hi", "hi\n", "++ echo hi\n"),
        ("for i in 1 2\ndo echo $i\ndone; set +x", "1\n2\n", None),
        ("set -v", "", ""),
        ("echo 'a\nb'; set +v", "a\nb\n", "echo 'a\nb'; set +v\n"),
        ("echo 'unterminated", "", "bash: unexpected EOF while looking for matching `''\n"),
        ("echo one; echo $((1/0)); echo two", "one\n", None),
        ("true", "", ""),
    ],
)
def test_each_stream_has_what_was_written_on_it(
    kernel: LiveKernel, code: str, out: str, err: str | None
) -> None:
    cell = kernel.run(code)

    assert cell.text == out
    assert "__ctrk" not in cell.notices
    assert "133;" not in cell.notices
    if err is not None:
        assert cell.notices == err


def test_status_history_and_directory_are_as_ever(kernel: LiveKernel) -> None:
    assert kernel.run("cd /tmp; ls /nope").error == ("CommandFailed", "exit status 2")
    assert both(kernel.run("echo $? $PWD; history | tail -1 | cut -c8-")) == (
        "2 /tmp\necho $? $PWD; history | tail -1 | cut -c8-\n",
        "",
    )


def test_nothing_is_lost_of_much_and_the_limit_holds(kernel: LiveKernel) -> None:
    kernel.run("%ctr_config output_limit=none")
    whole = kernel.run("seq 50000 >&2; echo done", timeout=60)
    assert both(whole) == ("done\n", "".join(f"{number}\n" for number in range(1, 50001)))

    kernel.run("%ctr_config output_limit=100kB")
    cut = kernel.run("seq 500000 >&2; echo done", timeout=60)
    assert cut.text == "done\n"
    assert len(cut.notices) < 120_000
    assert cut.notices.startswith("1\n2\n")
    assert cut.notices.endswith("499999\n500000\n")
    assert any("left out" in str(each.get("data")) for each in cut.stored)


def test_a_job_s_late_words_and_an_interrupt_s_are_shown(kernel: LiveKernel) -> None:
    begun = kernel.submit("(sleep 0.3; echo late >&2) & sleep 0.1")
    kernel.finish(begun)
    kernel.wait_for_output(begun, "late")

    running = kernel.submit("echo before >&2; sleep 60")
    kernel.wait_for_output(running, "before")
    kernel.interrupt()
    assert kernel.finish(running).error[0] == "KeyboardInterrupt"
    assert both(kernel.run("echo a; echo b >&2")) == ("a\n", "b\n")


def test_a_secret_shows_on_neither(kernel: LiveKernel) -> None:
    asked = kernel.submit("%ctr_secret TOKEN", allow_stdin=True)
    kernel.client.get_stdin_msg(timeout=20)
    kernel.client.input("hunter2hunter2")
    kernel.finish(asked)

    assert both(kernel.run('echo "$TOKEN"; echo "$TOKEN" >&2')) == ("••••\n", "••••\n")


@pytest.mark.parametrize(
    ("code", "box"),
    [
        ("read -p 'Name: ' x; echo $x", ("Name: ", False)),
        ("select x in one two; do echo $x; break; done", ("#? ", False)),
        ("printf 'Password: ' >&2; read x; echo $x", ("Password: ", True)),
    ],
)
def test_a_box_has_the_prompt_that_is_on_stderr(
    kernel: LiveKernel, code: str, box: tuple[str, bool]
) -> None:
    cell = kernel.submit(code, allow_stdin=True)

    asked = kernel.client.get_stdin_msg(timeout=20)["content"]
    kernel.client.input("1")

    assert (asked["prompt"], asked["password"]) == box
    assert kernel.finish(cell).status == "ok"


def test_the_next_shell_and_another_bash_have_it_too(kernel: LiveKernel) -> None:
    assert kernel.run("exec bash").status == "ok"
    assert both(kernel.run("echo a; echo b >&2")) == ("a\n", "b\n")
    assert kernel.run("echo last >&2; exit 3").notices.startswith("last\n")
    following = kernel.run("echo a; echo b >&2")
    assert following.text == "a\n"
    assert following.notices.endswith("exit status 3\nb\n")


def test_what_a_cell_does_with_stderr_itself_is_done(kernel: LiveKernel) -> None:
    kernel.run("exec 3>&2 2>/tmp/errors")
    assert both(kernel.run("echo kept >&2; cat /tmp/errors")) == ("kept\n", "")
    kernel.run("exec 2>&3 3>&-")
    assert both(kernel.run("echo back >&2; echo out")) == ("out\n", "back\n")


def test_it_is_taken_back_at_the_next_cell_and_leaves_nothing(
    make_container: Callable[..., str], kernel: LiveKernel, debian: str
) -> None:
    container = make_container("debian", "--user=1000:1000")
    kernel.run(f"%ctr_attach {container}")
    assert both(kernel.run("echo a; echo b >&2")) == ("a\n", "b\n")

    merged = kernel.run("%ctr_config stderr=merged\necho a; echo b >&2")
    alone = eventually(lambda: len(inside(container)) == 1, timeout=20)
    split = kernel.run("%ctr_config stderr=split\necho b >&2")
    kernel.run(f"%ctr_attach {debian}")

    assert both(merged) == ("a\nb\n", "")
    assert alone
    assert split.notices == "b\n"
    assert eventually(lambda: not inside(container), timeout=20)


def test_a_shell_that_cannot_have_it_says_so_once(
    kernel: LiveKernel, busybox: str, debian: str
) -> None:
    kernel.run(f"%ctr_attach {busybox}")
    first, second = (kernel.run("echo a; echo b >&2") for _ in range(2))
    kernel.run(f"%ctr_attach {debian}")

    assert first.notices.endswith("it stays with stdout in this shell\n")
    assert both(second) == ("a\nb\n", "")
    assert first.text == "a\nb\n"
