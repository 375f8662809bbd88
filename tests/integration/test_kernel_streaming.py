"""Output shows while the cell runs, whole and in order, in few messages, and late output too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.live_kernel import LiveKernel, docker, live_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: A notebook server passes 1,000 messages a second; a flood of a few seconds stays far below.
FEW_MESSAGES = 300
#: Bytes of a stream message that a browser takes without a pause.
LARGE_MESSAGE = 4 << 20


@pytest.fixture(scope="module")
def shared(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    folder = tmp_path_factory.mktemp("kernel")
    with live_kernel(folder, CTRKERNEL_TARGET=debian, CTRKERNEL_OUTPUT_LIMIT="none") as started:
        yield started


@pytest.fixture
def kernel(shared: LiveKernel) -> Iterator[LiveKernel]:
    """The module's kernel with the function ``gate NAME``, which waits until NAME is opened."""
    shared.run(
        "cd /; rm -rf /tmp/gates; mkdir /tmp/gates\n"
        "gate() { while [ ! -e /tmp/gates/$1 ]; do sleep 0.02; done; }"
    )
    yield shared
    shared.heal()


@pytest.fixture
def open_gate(debian: str) -> Callable[[str], None]:
    def opened(name: str) -> None:
        docker("exec", debian, "touch", f"/tmp/gates/{name}")

    return opened


def test_a_prompt_without_a_newline_shows_while_the_cell_waits(
    kernel: LiveKernel, open_gate: Callable[[str], None]
) -> None:
    cell = kernel.submit("printf 'go on? '; gate answer; echo yes")

    kernel.wait_for_output(cell, "go on? ")
    assert kernel.printed(cell) == "go on? "

    open_gate("answer")
    assert kernel.finish(cell).text == "go on? yes\n"


def test_each_step_shows_before_the_next_begins(
    kernel: LiveKernel, open_gate: Callable[[str], None]
) -> None:
    cell = kernel.submit("for step in 1 2 3; do echo step $step; gate $step; done")

    for step in ("1", "2", "3"):
        kernel.wait_for_output(cell, f"step {step}\n")
        open_gate(step)

    assert kernel.finish(cell).text == "step 1\nstep 2\nstep 3\n"


def test_progress_with_carriage_returns_is_stored_as_it_ends(kernel: LiveKernel) -> None:
    cell = kernel.run(r"for i in 1 2 3; do printf '\r%s of 3' $i; sleep 0.05; done; echo")

    assert cell.text == "3 of 3\n"


def test_stdout_and_stderr_come_in_the_order_of_a_terminal(kernel: LiveKernel) -> None:
    cell = kernel.run("for i in $(seq 500); do echo out $i; echo err $i >&2; done")

    assert cell.text == "".join(f"out {i}\nerr {i}\n" for i in range(1, 501))
    assert cell.notices == ""


def test_a_flood_arrives_whole_in_few_messages(kernel: LiveKernel) -> None:
    cell = kernel.run("seq 1 300000")

    assert cell.text == "".join(f"{i}\n" for i in range(1, 300_001))
    assert len(cell.streams) < FEW_MESSAGES
    assert max(map(len, cell.streams)) < LARGE_MESSAGE


def test_a_flood_of_tiny_writes_arrives_in_few_messages(kernel: LiveKernel) -> None:
    cell = kernel.run("for i in {1..20000}; do printf .; done")

    assert cell.text == "." * 20_000
    assert len(cell.streams) < FEW_MESSAGES


def test_characters_of_several_bytes_are_never_cut(kernel: LiveKernel) -> None:
    cell = kernel.run("seq -f 'é%.0f€😀' 1 50000")

    assert cell.text == "".join(f"é{i}€😀\n" for i in range(1, 50_001))


def test_bytes_that_are_no_text_are_replaced_and_harm_nothing(kernel: LiveKernel) -> None:
    assert kernel.run(r"printf 'a\377b\0c'").text == "a\ufffdb\0c"
    assert kernel.run("head -c 100000 /dev/urandom").status == "ok"
    assert kernel.run("echo fine").text == "fine\n"


@pytest.mark.parametrize("printed", ["a", "a\n", "a\n\n", "\n", "\n\na", "a\r\n", "\ta\t", " a "])
def test_output_is_exact_to_the_byte(kernel: LiveKernel, printed: str) -> None:
    assert kernel.run(f"printf %s {_quoted(printed)}").text == printed


def test_output_of_a_background_job_comes_under_the_last_cell_while_idle(
    kernel: LiveKernel, open_gate: Callable[[str], None]
) -> None:
    kernel.run("( (gate late; echo late) & )")
    last = kernel.submit("echo last")
    kernel.finish(last)

    open_gate("late")

    kernel.wait_for_output(last, "late\n")
    assert kernel.printed(last) == "last\nlate\n"
    assert kernel.run("echo next").text == "next\n"


def test_output_of_a_background_job_comes_with_the_running_cell(
    kernel: LiveKernel, open_gate: Callable[[str], None]
) -> None:
    kernel.run("( (gate job; echo from the job; touch /tmp/gates/cell) & )")
    running = kernel.submit("echo begun; gate cell; echo ended")
    kernel.wait_for_output(running, "begun\n")

    open_gate("job")

    assert kernel.finish(running).text == "begun\nfrom the job\nended\n"


def test_nothing_of_a_background_job_is_lost_between_many_cells(
    kernel: LiveKernel, open_gate: Callable[[str], None]
) -> None:
    first = kernel.submit(
        "( (gate start; for i in $(seq 300); do echo job $i; sleep 0.005; done; echo over) & )"
    )
    kernel.finish(first)
    open_gate("start")

    cells = [kernel.submit("echo cell") for _ in range(60)]
    for cell in cells:
        kernel.finish(cell)
    while "over\n" not in "".join(map(kernel.printed, (first, *cells))):
        kernel.look()

    text = "".join(map(kernel.printed, (first, *cells)))
    lines = text.splitlines()
    assert [line for line in lines if line != "cell"] == [
        *(f"job {i}" for i in range(1, 301)),
        "over",
    ]
    assert lines.count("cell") == 60


def test_output_of_a_background_job_after_a_silent_cell_comes_under_the_last_that_shows(
    kernel: LiveKernel, open_gate: Callable[[str], None]
) -> None:
    kernel.run("( (gate late; echo late) & )")
    last = kernel.submit("echo last")
    kernel.finish(last)
    kernel.run("echo unheard", silent=True, store_history=False)

    open_gate("late")
    kernel.wait_for_output(last, "late\n")

    assert kernel.printed(last) == "last\nlate\n"


def test_a_background_flood_while_idle_arrives_whole(
    kernel: LiveKernel, open_gate: Callable[[str], None]
) -> None:
    last = kernel.submit("( (gate flood; seq 1 100000; echo over) & )")
    kernel.finish(last)

    open_gate("flood")

    kernel.wait_for_output(last, "over\n")
    assert kernel.printed(last) == "".join(f"{i}\n" for i in range(1, 100_001)) + "over\n"


def _quoted(text: str) -> str:
    return "$'" + text.encode("unicode_escape").decode().replace("'", r"\'") + "'"
