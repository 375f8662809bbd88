"""However a kernel ends, nothing of it outlives it: not in the container, not on this machine."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.kernel.live_kernel import (
    GONE_TIMEOUT,
    START_TIMEOUT,
    LiveKernel,
    clients,
    docker,
    eventually,
    inside,
    live_kernel,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: A foreground command, and jobs: one plain, one that ignores HUP, one under nohup, one stopped.
BUSY = (
    "sleep 1001 &\n"
    "(trap '' HUP TERM; exec sleep 1002) &\n"
    "nohup sleep 1003 >/dev/null 2>&1 &\n"
    "sleep 1004 & kill -STOP $!\n"
    "(sleep 1005; sleep 1006) | sleep 1007 &\n"
    "echo begun; sleep 1000"
)


def killed(kernel: LiveKernel) -> None:
    os.kill(kernel.pid, signal.SIGKILL)


def terminated(kernel: LiveKernel) -> None:
    os.kill(kernel.pid, signal.SIGTERM)


def shut_down(kernel: LiveKernel) -> None:
    kernel.manager.shutdown_kernel()


def shut_down_at_once(kernel: LiveKernel) -> None:
    kernel.manager.shutdown_kernel(now=True)


WAYS = [killed, terminated, shut_down, shut_down_at_once]


@pytest.fixture
def busy(debian: str, tmp_path: Path) -> Iterator[LiveKernel]:
    """A kernel in mid-cell, with jobs in the background."""
    assert inside(debian) == []
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian) as kernel:
        cell = kernel.submit(BUSY)
        kernel.wait_for_output(cell, "begun\n")
        assert eventually(lambda: len(inside(debian)) >= 8)
        yield kernel


@pytest.mark.parametrize("way", WAYS)
def test_a_kernel_that_ends_in_mid_cell_leaves_nothing(
    busy: LiveKernel, debian: str, way: Callable[[LiveKernel], None]
) -> None:
    way(busy)

    assert eventually(lambda: not inside(debian)), inside(debian)
    assert eventually(lambda: not clients(debian)), clients(debian)


def test_a_kernel_that_ends_at_rest_leaves_nothing(debian: str, tmp_path: Path) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian) as kernel:
        kernel.run("sleep 1000 & nohup sleep 1001 >/dev/null 2>&1 &")

    assert eventually(lambda: not inside(debian)), inside(debian)
    assert eventually(lambda: not clients(debian)), clients(debian)


def test_a_shell_that_was_stopped_ends_with_its_kernel(debian: str, tmp_path: Path) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian) as kernel:
        cell = kernel.submit("echo begun; kill -STOP $$; sleep 1000")
        kernel.wait_for_output(cell, "begun\n")

        killed(kernel)

        assert eventually(lambda: not inside(debian)), inside(debian)


def test_a_cell_that_leaves_its_shell_behind_ends_with_the_kernel(
    debian: str, tmp_path: Path
) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian) as kernel:
        kernel.run("sleep 1001 &\nexit 3")
        kernel.run("sleep 1002 &")

        killed(kernel)

        assert eventually(lambda: not inside(debian)), inside(debian)


@pytest.mark.parametrize("target", ["debian", "busybox"])
@pytest.mark.parametrize("stage", ["client", "process"])
def test_a_kernel_killed_while_it_starts_leaves_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, target: str, stage: str
) -> None:
    container: str = request.getfixturevalue(target)
    reached = {
        "client": lambda: bool(clients(container)),
        "process": lambda: bool(inside(container)),
    }[stage]
    for _ in range(3):
        with live_kernel(tmp_path, wait=False, CTRKERNEL_TARGET=container) as kernel:
            assert eventually(reached, timeout=START_TIMEOUT)
            killed(kernel)

            assert eventually(lambda: not clients(container)), clients(container)
            assert eventually(lambda: not inside(container)), inside(container)


def test_a_restart_gives_a_fresh_shell_and_ends_the_last(busy: LiveKernel, debian: str) -> None:
    busy.manager.restart_kernel()
    busy.forget()

    fresh = busy.run('echo "<$lost> $PWD $(jobs)"')
    assert (fresh.text, fresh.notices) == ("<> / \n", "")
    assert eventually(lambda: len(inside(debian)) == 1), inside(debian)
    assert fresh.reply["content"]["execution_count"] == 1


@pytest.mark.parametrize("now", [False, True])
def test_a_restart_at_rest_forgets_the_directory_and_the_variables(
    debian: str, tmp_path: Path, now: bool
) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian) as kernel:
        kernel.run("cd /tmp; kept=yes")

        kernel.manager.restart_kernel(now=now)
        kernel.forget()

        assert kernel.run('echo "<$kept> $PWD"').text == "<> /\n"
        assert eventually(lambda: len(inside(debian)) == 1), inside(debian)


def test_attaching_elsewhere_ends_the_shell_before(
    debian: str, busybox: str, tmp_path: Path
) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian) as kernel:
        kernel.run("sleep 1000 &")

        assert kernel.run(f"%ctr_attach {busybox}").status == "ok"

        assert eventually(lambda: not inside(debian), timeout=GONE_TIMEOUT), inside(debian)
        assert len(inside(busybox)) == 1


def test_a_paused_container_lets_the_kernel_end_and_is_tidied_once_it_goes_on(
    make_container: Callable[..., str], tmp_path: Path
) -> None:
    container = make_container("debian")
    with live_kernel(tmp_path, CTRKERNEL_TARGET=container) as kernel:
        docker("pause", container)
        shut_down(kernel)
        assert not kernel.manager.is_alive()

        docker("unpause", container)

        assert eventually(lambda: not inside(container)), inside(container)
        assert eventually(lambda: not clients(container)), clients(container)
