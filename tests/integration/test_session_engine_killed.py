"""What shells left in a container is ended once an engine that was killed is back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import ctrkernel
from ctrkernel.engine.engine import find_engine
from tests.integration.second_engine import (
    SECONDS,
    Killable,
    can_run_a_daemon,
    killable_engine,
)
from tests.kernel.live_kernel import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import MakeContainer

#: A daemon that takes its containers with it leaves nothing that could go on.
ENGINES = ["way", *(["daemon"] if can_run_a_daemon() else [])]


@pytest.fixture(params=ENGINES)
def box(
    request: pytest.FixtureRequest, make_container: MakeContainer
) -> Iterator[tuple[Killable, str]]:
    """An engine that can be killed, and a container of its own that goes on without it."""
    with killable_engine(
        "--live-restore", daemon=request.param == "daemon", make=make_container
    ) as (killable, make):
        yield killable, make()


def test_a_shell_that_was_closed_without_its_engine_leaves_nothing(
    box: tuple[Killable, str],
) -> None:
    killable, name = box
    container = ctrkernel.attach(name)
    shell = container.session()
    shell.run("sleep 4321 & trap '' HUP; sleep 8765 &")
    container.session("other").submit("sleep 6543")
    container.exec(["sh", "-c", "true"])
    look = find_engine(os.environ).exec_argv(name, ["ps", "-o", "args"])[1:]

    def left() -> list[str]:
        printed = find_engine(os.environ).run(look, timeout=SECONDS).stdout.decode()
        return [line for line in printed.splitlines() if line.startswith(("sleep ", "sh -"))]

    before = left()
    killable.kill()
    container.close(wait=False)
    killable.start()

    assert {"sleep 4321", "sleep 8765", "sleep 6543"} <= set(before)
    assert eventually(lambda: left() == ["sleep infinity"], timeout=SECONDS), left()
