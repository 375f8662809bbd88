"""A staging folder's name says whose it is, and so whether anybody still needs it."""

from __future__ import annotations

import subprocess
import sys

from ctrkernel.transfer import stage_owner

TELL = "from ctrkernel.transfer import stage_owner as s; print(s.tag(), flush=True); input()"


def test_a_stage_in_use_is_not_left_over() -> None:
    name = f"{stage_owner.tag()}-1"
    stage_owner.hold(name)

    assert not stage_owner.is_left_over(name)

    stage_owner.let_go(name)
    assert stage_owner.is_left_over(name)


def test_a_stage_of_another_process_is_left_over_when_that_has_ended() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TELL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        name = f"{other.stdout.readline().strip()}-1"

        assert not stage_owner.is_left_over(name)
        other.kill()
    assert stage_owner.is_left_over(name)


def test_a_process_that_got_the_same_number_later_is_another() -> None:
    machine, pid, started = stage_owner.tag().split(".")
    with subprocess.Popen(["sleep", "60"]) as other:
        assert stage_owner.is_left_over(f"{machine}.{other.pid}.{started}-1")
        other.kill()
    assert pid != str(other.pid)


def test_a_stage_of_another_machine_is_left_alone() -> None:
    machine, rest = stage_owner.tag().split(".", 1)
    other = f"{int(machine, 16) ^ 1:08x}"

    assert not stage_owner.is_left_over(f"{other}.{rest}-1")
    assert not stage_owner.is_left_over("anything")
