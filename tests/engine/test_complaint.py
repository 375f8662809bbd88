"""The engine's own complaint is told from what a program prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.engine import complaint as complaint_module
from ctrkernel.engine.complaint import COMPLAINT_LIMIT, Complaint

if TYPE_CHECKING:
    import pytest

NO_PROGRAM = (
    b"OCI runtime exec failed: exec failed: unable to start container process: "
    b'exec: "nope": executable file not found in $PATH: unknown\n'
)


def test_the_reason_of_a_client_that_could_not_run_the_program_is_taken_out() -> None:
    complaint = Complaint("docker")

    assert complaint.take("stdout", NO_PROGRAM[:60]) == []
    assert complaint.take("stdout", NO_PROGRAM[60:]) == []

    assert complaint.claim(127) == 'exec: "nope": executable file not found in $PATH'
    assert complaint.release() == []


def test_the_same_words_of_a_program_that_ended_well_are_its_output() -> None:
    complaint = Complaint("podman")
    complaint.take("stderr", b"Error: 3 of 4\n")

    assert complaint.claim(0) is None
    assert complaint.release() == [("stderr", b"Error: 3 of 4\n")]


def test_what_begins_otherwise_is_output_at_once_and_so_is_all_behind_it() -> None:
    complaint = Complaint("docker")

    assert complaint.take("stdout", b"hello\n") == [("stdout", b"hello\n")]
    assert complaint.take("stderr", NO_PROGRAM) == [("stderr", NO_PROGRAM)]
    assert complaint.claim(127) is None


def test_what_is_held_comes_whole_and_on_its_own_stream_when_it_gets_too_long() -> None:
    complaint = Complaint("podman")
    complaint.take("stderr", b"Error: ")

    assert complaint.take("stdout", b"x" * COMPLAINT_LIMIT) == [
        ("stderr", b"Error: " + b"x" * COMPLAINT_LIMIT)
    ]


def test_what_is_held_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    complaint = Complaint("podman")
    complaint.take("stderr", b"Error: retrying\n")
    assert not complaint.overdue

    monkeypatch.setattr(complaint_module, "COMPLAINT_INTERVAL", -1.0)

    assert complaint.overdue
