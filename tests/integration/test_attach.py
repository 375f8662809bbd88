"""What an attachment and a session survive: interrupts, and code that is none."""

from __future__ import annotations

import os
from typing import Any

import pytest

from ctrkernel.commands.workspace import Workspace
from ctrkernel.container import attach
from ctrkernel.errors import CommandInterrupted, ContainerNotFound, UsageError


def test_an_interrupt_before_the_new_shell_is_ready_changes_nothing(
    debian: str, busybox: str
) -> None:
    workspace = Workspace({**os.environ, "CTRKERNEL_TARGET": debian})
    try:
        present, _ = workspace.ready()
        present.run("kept=yes")

        with pytest.raises(CommandInterrupted, match="nothing has changed"):
            workspace.attach(busybox, cancelled=lambda: True)

        assert workspace.target == debian
        assert list(workspace.containers) == [debian]
        assert workspace.session is present
        assert present.run("echo $kept").output == "yes\n"
    finally:
        workspace.close()


def test_an_empty_name_is_no_name_for_the_attached_container(debian: str) -> None:
    workspace = Workspace({**os.environ, "CTRKERNEL_TARGET": debian})
    try:
        assert workspace.container().name == debian
        with pytest.raises(ContainerNotFound):
            workspace.container("")
    finally:
        workspace.close()


@pytest.mark.parametrize("code", [3, None, b"ls", ["ls"]])
def test_code_that_is_no_text_is_refused_and_the_session_stays_usable(
    debian: str, code: Any
) -> None:
    with attach(debian) as box:
        session = box.session()

        with pytest.raises(UsageError, match="code is a str"):
            session.run(code)

        assert session.run("echo usable").output == "usable\n"


def test_a_shell_that_was_given_up_at_its_start_is_not_missed(debian: str) -> None:
    with attach(debian) as box:
        box.open("second").abandon()

        session, notice = box.ready("second")

        assert notice == ""
        assert session.run("echo there").output == "there\n"
