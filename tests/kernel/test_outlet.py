"""Messages go out in order, and never more of them than a server lets pass."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from ctrkernel.kernel import outlet
from ctrkernel.kernel.outlet import Outlet

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class RecordingSession:
    """Keeps what a session of Jupyter's would send."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, _socket: object, _kind: str, content: dict[str, Any], **_: object) -> None:
        self.sent.append(content["n"])


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread: a browser that another test drives keeps this one's loop running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@pytest.fixture
def session() -> RecordingSession:
    return RecordingSession()


@pytest.fixture
def way_out(session: RecordingSession, monkeypatch: pytest.MonkeyPatch) -> Outlet:
    monkeypatch.setattr(outlet, "WINDOW", 0.05)
    monkeypatch.setattr(outlet, "BYTES", 5000)
    return Outlet(SimpleNamespace(session=session, iopub_socket=object(), ident="K"))


def test_without_a_pace_everything_goes_at_once(way_out: Outlet, session: RecordingSession) -> None:
    for number in range(100):
        way_out.send("stream", {"n": number}, {})

    assert session.sent == list(range(100))
    assert not way_out.behind


def test_what_is_too_much_waits_its_turn_and_arrives_in_order(
    way_out: Outlet, session: RecordingSession
) -> None:
    async def send() -> int:
        way_out.run_in(asyncio.get_running_loop())
        way_out.paced = True
        for number in range(20):
            way_out.send("stream", {"n": number}, {})
        at_once = len(session.sent)
        assert way_out.behind
        await way_out.drained()
        return at_once

    at_once = run(send())

    assert at_once == 5000 // (outlet.ENVELOPE + len('{"n": 0}'))
    assert session.sent == list(range(20))
    assert not way_out.behind


def test_a_message_larger_than_the_pace_goes_alone(
    way_out: Outlet, session: RecordingSession
) -> None:
    async def send() -> None:
        way_out.run_in(asyncio.get_running_loop())
        way_out.paced = True
        way_out.send("stream", {"n": 0, "text": "x" * 10_000}, {})
        way_out.send("stream", {"n": 1}, {})
        assert session.sent == [0]
        await way_out.drained()

    run(send())

    assert session.sent == [0, 1]
