"""Each message goes out under the cell that it belongs to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ctrkernel.kernel.stream import Publisher


class RecordingSession:
    """Keeps what a session of Jupyter's would send."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any], Any]] = []

    def send(
        self, _socket: object, kind: str, content: dict[str, Any], *, parent: object, ident: bytes
    ) -> None:
        assert ident == f"kernel.K.{kind}".encode()
        self.sent.append((kind, content, parent))


@pytest.fixture
def session() -> RecordingSession:
    return RecordingSession()


@pytest.fixture
def publisher(session: RecordingSession) -> Publisher:
    publisher = Publisher(SimpleNamespace(session=session, iopub_socket=object(), ident="K"))
    publisher.parent = {"cell": 1}
    return publisher


def test_output_goes_out_under_the_cell_that_runs(
    publisher: Publisher, session: RecordingSession
) -> None:
    publisher.stream("one\n")
    publisher.parent = {"cell": 2}
    publisher.stream("two\n")

    assert session.sent == [
        ("stream", {"name": "stdout", "text": "one\n"}, {"cell": 1}),
        ("stream", {"name": "stdout", "text": "two\n"}, {"cell": 2}),
    ]


def test_a_silent_cell_sends_nothing_of_its_own(
    publisher: Publisher, session: RecordingSession
) -> None:
    publisher.silent = True

    publisher.stream("unheard")
    publisher.error("Name", "value", ["line"])
    publisher.display({"text/plain": "text", "text/html": "<b>text</b>"})

    assert session.sent == []


def test_late_output_is_never_lost(publisher: Publisher, session: RecordingSession) -> None:
    publisher.silent = True

    publisher.late("late\n")

    assert session.sent == [("stream", {"name": "stdout", "text": "late\n"}, {"cell": 1})]
