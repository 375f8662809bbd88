"""Bytes go both ways, time is kept, and whoever listens is told of every end."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

import pytest

from ctrkernel.protocol.conversation import Conversation, Done, Ready
from ctrkernel.session import pump as pump_module
from ctrkernel.session.pump import Pump

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.session.conftest import ScriptedTransport

    MakeTransport = Callable[..., ScriptedTransport]
    StartPump = Callable[[ScriptedTransport], tuple[Pump, "Ear"]]

#: Seconds that a test waits for what must come.
TIMEOUT = 20.0
NONCE = "00112233aabbccdd"


class Ear:
    """A listener that keeps everything it is told, in order."""

    def __init__(self) -> None:
        self.heard: queue.Queue[tuple[str, object]] = queue.Queue()
        self.fails_on = ""

    def on_ready(self, ready: Ready) -> None:
        self._hear("ready", ready)

    def on_output(self, text: str, *, late: bool) -> None:
        self._hear("late" if late else "output", text)

    def on_done(self, done: Done) -> None:
        self._hear("done", done)

    def on_quiet(self) -> None:
        self._hear("quiet", None)

    def on_exit(self, status: int) -> None:
        self._hear("exit", status)

    def on_failure(self, error: BaseException) -> None:
        self._hear("failure", error)

    def _hear(self, what: str, value: object) -> None:
        self.heard.put((what, value))
        if what == self.fails_on:
            raise ValueError("a listener's own fault")

    def until(self, *whats: str) -> list[tuple[str, object]]:
        """Return what was told up to the first of `whats`."""
        told = [self.heard.get(timeout=TIMEOUT)]
        while told[-1][0] not in whats:
            told.append(self.heard.get(timeout=TIMEOUT))
        return told


@pytest.fixture
def start() -> Iterator[StartPump]:
    """Return a function that starts a pump on a terminal and returns it with its listener."""
    pumps: list[Pump] = []

    def begin(transport: ScriptedTransport) -> tuple[Pump, Ear]:
        ear = Ear()
        pumps.append(Pump(transport, Conversation(NONCE), ear))
        pumps[-1].start()
        return pumps[-1], ear

    yield begin
    for each in pumps:
        each.stop()
        assert each.join(TIMEOUT)


def text_of(told: list[tuple[str, object]], what: str) -> str:
    return "".join(str(value) for kind, value in told if kind == what)


def test_the_first_prompt_makes_it_ready(make_transport: MakeTransport, start: StartPump) -> None:
    _, ear = start(make_transport())

    assert ear.until("ready") == [("ready", Ready(31, 4711, 8192, "bash 5.2"))]


def test_a_cell_is_typed_and_its_output_and_end_are_told_in_order(
    make_transport: MakeTransport, start: StartPump
) -> None:
    pump, ear = start(make_transport({"echo hi": b"hi\n"}))
    ear.until("ready")

    assert pump.submit("echo hi")

    told = ear.until("done")
    assert told == [("output", "hi\n"), ("done", Done(0, "/srv", "/root"))]


def test_output_shows_while_the_cell_runs(make_transport: MakeTransport, start: StartPump) -> None:
    transport = make_transport({"read x": None})
    pump, ear = start(transport)
    ear.until("ready")
    pump.submit("read x")

    transport.say(b"Password: ")
    shown = ear.until("output")
    transport.say(transport.shell.end(3))

    assert shown == [("output", "Password: ")]
    assert ear.until("done")[-1] == ("done", Done(3, "/srv", "/root"))


def test_late_output_is_told_apart(make_transport: MakeTransport, start: StartPump) -> None:
    transport = make_transport()
    pump, ear = start(transport)
    ear.until("ready")

    transport.say(b"job done\n")
    idle = ear.until("late")
    pump.submit("true")

    assert idle == [("late", "job done\n")]
    assert ear.until("done") == [("done", Done(0, "/srv", "/root"))]


def test_a_flood_arrives_whole_in_few_pieces(
    make_transport: MakeTransport, start: StartPump
) -> None:
    transport = make_transport({"flood": None})
    pump, ear = start(transport)
    ear.until("ready")
    pump.submit("flood")
    lines = [b"line %d\n" % number for number in range(20_000)]

    for line in lines:
        transport.say(line)
    transport.say(transport.shell.end())

    told = ear.until("done")
    assert text_of(told, "output") == b"".join(lines).decode()
    assert len(told) < len(lines) / 20


def test_a_cut_character_before_the_end_is_replaced(
    make_transport: MakeTransport, start: StartPump
) -> None:
    pump, ear = start(make_transport({"printf": b"a\xe6\x97"}))
    ear.until("ready")
    pump.submit("printf")

    assert text_of(ear.until("done"), "output") == "a�"


def test_without_an_answer_the_first_line_is_typed_again(
    make_transport: MakeTransport, start: StartPump, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump_module, "HELLO_INTERVAL", 0.01)
    transport = make_transport(silent=True)
    typed_thrice = threading.Event()
    answer = transport.shell.answer

    def count(line: bytes) -> bytes | int:
        reply = answer(line)
        if transport.shell.said_hello >= 3:
            typed_thrice.set()
        return reply

    monkeypatch.setattr(transport.shell, "answer", count)
    start(transport)

    assert typed_thrice.wait(TIMEOUT)


def test_output_without_a_begin_mark_is_released(
    make_transport: MakeTransport, start: StartPump, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump_module, "RELEASE_INTERVAL", 0.01)
    transport = make_transport({"lost": None})
    pump, ear = start(transport)
    ear.until("ready")
    monkeypatch.setattr(transport.shell, "answer", lambda _: b"no marks today\n")

    pump.submit("lost")

    assert ear.until("output") == [("output", "no marks today\n")]


def test_a_silent_cell_is_told_of_again_and_again(
    make_transport: MakeTransport, start: StartPump, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump_module, "QUIET_INTERVAL", 0.01)
    pump, ear = start(make_transport({"sleep 99": None}))
    ear.until("ready")
    pump.submit("sleep 99")

    assert [ear.until("quiet"), ear.until("quiet")] == [[("quiet", None)]] * 2


def test_the_end_of_the_terminal_is_told_with_its_status(
    make_transport: MakeTransport, start: StartPump
) -> None:
    transport = make_transport({"exit 7": 7})
    pump, ear = start(transport)
    ear.until("ready")

    pump.submit("exit 7")

    assert ear.until("exit") == [("exit", 7)]
    assert pump.join(TIMEOUT)
    assert transport.closed


def test_the_last_words_come_before_the_end(
    make_transport: MakeTransport, start: StartPump
) -> None:
    transport = make_transport({"exec dying": None})
    pump, ear = start(transport)
    ear.until("ready")
    pump.submit("exec dying")

    transport.say(b"last words\n\x1b]133;C\xe6")
    transport.end(137)

    told = ear.until("exit")
    assert text_of(told, "output") == "last words\n\x1b]133;C�"
    assert told[-1] == ("exit", 137)


def test_a_fault_of_the_terminal_is_told(make_transport: MakeTransport, start: StartPump) -> None:
    transport = make_transport()
    pump, ear = start(transport)
    ear.until("ready")

    transport.failure = OSError(5, "broken")
    transport.say(b"x")

    assert ear.until("failure") == [("failure", transport.failure)]
    assert pump.join(TIMEOUT)
    assert transport.closed


def test_a_listeners_fault_is_told_and_ends_the_terminal(
    make_transport: MakeTransport, start: StartPump
) -> None:
    transport = make_transport({"echo": b"x"})
    pump, ear = start(transport)
    ear.until("ready")
    ear.fails_on = "output"

    pump.submit("echo")

    assert isinstance(ear.until("failure")[-1][1], ValueError)
    assert pump.join(TIMEOUT)
    assert transport.closed


def test_stop_ends_the_terminal(make_transport: MakeTransport, start: StartPump) -> None:
    transport = make_transport()
    pump, ear = start(transport)
    ear.until("ready")

    pump.stop()

    assert ear.until("exit") == [("exit", 0)]
    assert transport.closed


def test_nothing_can_be_asked_of_a_pump_that_has_ended(
    make_transport: MakeTransport, start: StartPump
) -> None:
    transport = make_transport()
    pump, ear = start(transport)
    ear.until("ready")
    pump.stop()
    assert pump.join(TIMEOUT)

    assert not pump.post(lambda: None)
    assert not pump.submit("true")
    pump.stop()


def test_what_is_posted_runs_in_the_pumps_thread(
    make_transport: MakeTransport, start: StartPump
) -> None:
    pump, ear = start(make_transport())
    ear.until("ready")
    where: queue.Queue[threading.Thread] = queue.Queue()

    assert pump.post(lambda: where.put(threading.current_thread()))

    assert where.get(timeout=TIMEOUT).name == "ctrkernel-pump"


def test_the_size_is_passed_on(make_transport: MakeTransport, start: StartPump) -> None:
    transport = make_transport()
    pump, ear = start(transport)
    ear.until("ready")
    done = threading.Event()

    pump.post(lambda: pump.resize(10, 20))
    pump.post(done.set)

    assert done.wait(TIMEOUT)
    assert transport.sizes == [(10, 20)]


def test_a_terminal_that_takes_little_at_a_time_gets_everything(
    make_transport: MakeTransport, start: StartPump, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = make_transport({"x": b"seen\n"})
    write = transport.write
    takes = iter([0, 0, 0])

    def slowly(data: bytes) -> int:
        return write(data[: next(takes, 7)])

    monkeypatch.setattr(transport, "write", slowly)
    pump, ear = start(transport)
    ear.until("ready")

    pump.submit("x")

    assert text_of(ear.until("done"), "output") == "seen\n"
