"""A container that goes away during a cell ends the cell; once it is back, cells run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.live_kernel import Cell, LiveKernel, docker, live_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Seconds from when the engine has done it until the cell has ended.
CELL_END = 2.0
#: Seconds that a few interrupts of a frozen container may take in all, its diagnosis included.
FROZEN_END = 10.0


@pytest.fixture
def container(make_container: Callable[..., str]) -> str:
    return make_container("debian")


@pytest.fixture
def kernel(container: str, tmp_path: Path) -> Iterator[LiveKernel]:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=container) as started:
        started.run("cd /usr/share; lost=yes")
        yield started


def running(kernel: LiveKernel) -> str:
    cell = kernel.submit("echo begun; sleep 1000; echo never")
    kernel.wait_for_output(cell, "begun\n")
    return cell


def exited(cell: Cell) -> str:
    """What the cell says of the end of its shell, in one line."""
    ename, evalue = cell.error
    assert ename == "ShellExited"
    assert evalue.startswith("exit status ")
    assert "\n" not in evalue
    assert cell.text == "begun\n"
    return evalue


@pytest.mark.parametrize(
    "words", [("kill",), ("stop", "--time=1"), ("restart", "--time=1")], ids=lambda words: words[0]
)
def test_a_container_that_stops_ends_the_cell_and_is_used_again_once_it_is_back(
    kernel: LiveKernel, container: str, words: tuple[str, ...]
) -> None:
    cell = running(kernel)

    docker(*words, container)

    said = exited(kernel.finish(cell, timeout=CELL_END))
    if words[0] != "restart":
        assert f"container {container} is stopped" in said
        assert f"type `docker start {container}`" in said
        for _ in range(2):
            meanwhile = kernel.run("echo never")
            assert meanwhile.error[0] == "ContainerNotRunning"
            assert f"docker start {container}" in meanwhile.error[1]
        docker("start", container)
    after = kernel.run('echo "<$lost> $PWD"')
    assert (after.status, after.text) == ("ok", "<> /usr/share\n")
    assert "new shell in /usr/share" in after.notices


def test_a_container_that_is_removed_ends_the_cell_and_says_so(
    kernel: LiveKernel, container: str
) -> None:
    cell = running(kernel)

    docker("rm", "--force", container)

    said = exited(kernel.finish(cell, timeout=CELL_END))
    assert f"no container '{container}'" in said or f"{container} is being removed" in said
    after = kernel.run("echo never")
    assert after.error[0] == "ContainerNotFound"
    assert "%ctr_attach" in after.error[1] or "docker run" in after.error[1]


def test_a_container_that_is_made_again_under_its_name_is_used(
    kernel: LiveKernel, container: str
) -> None:
    cell = running(kernel)
    image = docker("inspect", "--format={{.Config.Image}}", container)
    docker("rm", "--force", container)
    kernel.finish(cell, timeout=CELL_END)

    docker("run", "--detach", "--init", f"--name={container}", image, "sleep", "infinity")

    assert kernel.run('echo "<$lost>"').text == "<>\n"


def test_a_container_that_stops_at_rest_is_told_by_the_next_cell(
    kernel: LiveKernel, container: str
) -> None:
    docker("kill", container)

    told = kernel.run("echo never").error
    assert told[0] in ("ContainerNotRunning", "ShellExited")
    assert f"docker start {container}" in told[1]

    docker("start", container)
    assert kernel.run("pwd").text == "/usr/share\n"


def test_a_paused_container_lets_the_cell_go_on_when_it_does(
    kernel: LiveKernel, container: str
) -> None:
    cell = kernel.submit("echo begun; sleep 0.5; echo done")
    kernel.wait_for_output(cell, "begun\n")

    docker("pause", container)
    docker("unpause", container)

    assert kernel.finish(cell).text == "begun\ndone\n"


def test_a_cell_that_waits_for_a_paused_container_says_so_by_itself(
    kernel: LiveKernel, container: str
) -> None:
    docker("pause", container)
    try:
        cell = kernel.submit("echo on")

        kernel.wait_for_output(cell, f"docker unpause {container}", timeout=FROZEN_END)
    finally:
        docker("unpause", container)
    done = kernel.finish(cell)
    assert (done.status, done.text) == ("ok", "on\n")
    assert done.notices.count("is paused") == 1


def test_an_interrupt_of_a_paused_container_says_what_is_wrong(
    kernel: LiveKernel, container: str
) -> None:
    cell = running(kernel)
    docker("pause", container)
    try:
        kernel.interrupt(message=True)

        kernel.wait_for_output(cell, f"docker unpause {container}", timeout=FROZEN_END)
    finally:
        docker("unpause", container)
    assert kernel.finish(cell).error[0] == "KeyboardInterrupt"
    after = kernel.run('echo "$lost"')
    assert (after.text, after.notices) == ("yes\n", "")


def test_a_cell_of_a_container_that_stays_paused_can_be_given_up(
    kernel: LiveKernel, container: str
) -> None:
    cell = running(kernel)
    docker("pause", container)
    try:
        for _ in range(3):
            kernel.interrupt(message=True)

        assert kernel.ended(cell, within=FROZEN_END)
        assert kernel.finish(cell).status == "error"
        assert kernel.run("echo never").error[0] == "ContainerNotRunning"
    finally:
        docker("unpause", container)
    assert kernel.run("pwd").text == "/usr/share\n"


def test_a_cell_in_a_paused_container_can_be_given_up(kernel: LiveKernel, container: str) -> None:
    docker("pause", container)
    try:
        cell = kernel.submit("echo never")
        for _ in range(3):
            if kernel.ended(cell, within=FROZEN_END / 3):
                break
            kernel.interrupt(message=True)
        assert kernel.ended(cell, within=CELL_END)
        assert f"docker unpause {container}" in str(kernel.finish(cell))
    finally:
        docker("unpause", container)
    assert kernel.run("echo on").text == "on\n"


def test_a_kernel_that_is_there_before_its_container_is_runs_cells_afterwards(
    make_container: Callable[..., str], tmp_path: Path
) -> None:
    container = make_container("debian")
    docker("kill", container)
    with live_kernel(tmp_path, CTRKERNEL_TARGET=container) as kernel:
        assert kernel.run("echo never").error[0] == "ContainerNotRunning"

        docker("start", container)

        after = kernel.run("echo now")
        assert (after.status, after.text, after.notices) == ("ok", "now\n", "")


def test_an_attach_that_fails_keeps_the_shell(kernel: LiveKernel) -> None:
    assert kernel.run("%ctr_attach no-such-container").status == "error"

    assert kernel.run('echo "$lost $PWD"').text == "yes /usr/share\n"


def test_attaching_to_another_container_and_back(
    kernel: LiveKernel, container: str, busybox: str
) -> None:
    there = kernel.run(f"%ctr_attach {busybox}\nls -l /bin/sh; hostname")
    here = docker("inspect", "--format={{.Config.Hostname}}", busybox)
    assert there.text.endswith(f"{here}\n")
    assert f"attached to {busybox}" in there.text

    back = kernel.run(f'%ctr_attach {container}\necho "<$lost> $PWD"')

    assert back.text.endswith("<> /\n")
    assert back.notices == ""


def test_attaching_by_the_beginning_of_an_id(kernel: LiveKernel, busybox: str) -> None:
    identifier = docker("inspect", "--format={{.Id}}", busybox)

    assert f"attached to {busybox}" in kernel.run(f"%ctr_attach {identifier[:12]}").text


def test_attaching_to_a_container_that_stops_meanwhile_is_told(
    kernel: LiveKernel, container: str, make_container: Callable[..., str]
) -> None:
    other = make_container("busybox")
    kernel.run(f"%ctr_attach {other}")

    docker("kill", other)

    assert kernel.run("echo never").status == "error"
    assert kernel.run(f"%ctr_attach {container}\necho here").text.endswith("here\n")
