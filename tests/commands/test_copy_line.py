"""What a copy on the command line ends with."""

from __future__ import annotations

import pytest

from ctrkernel.cli import main
from ctrkernel.commands import copy_line
from ctrkernel.errors import TransferError, TransferInterrupted


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["put", "web", "a", "/b"], "find_engine"),
        (["get", "web", "/a", "b"], "find_engine"),
        (["copy", "web:/a", "db:/b"], "copy_between"),
    ],
)
@pytest.mark.parametrize("error", [TransferInterrupted("interrupted"), TransferError("full")])
def test_an_interrupt_has_a_status_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    asked: str,
    error: TransferError,
) -> None:
    def end(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(copy_line, asked, end)

    assert main(words) == (130 if isinstance(error, TransferInterrupted) else 1)
    assert capsys.readouterr().err == f"ctrkernel: {error}\n"
