"""Both outputs of a child are handed on as they come, and the child ends whatever happens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctrkernel.engine import process
from ctrkernel.engine.process import Cancelled, Stalled
from ctrkernel.engine.streams import stream_process


class Heard:
    """Keeps what comes."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, bytes]] = []

    def __call__(self, name: str, data: bytes) -> None:
        self.pieces.append((name, data))

    def all(self, name: str) -> bytes:
        return b"".join(data for each, data in self.pieces if each == name)


def test_outputs_are_told_apart_and_the_status_comes_back() -> None:
    heard = Heard()

    status = stream_process(["sh", "-c", "echo out; echo err >&2; exit 4"], on_output=heard)

    assert status == 4
    assert (heard.all("stdout"), heard.all("stderr")) == (b"out\n", b"err\n")


def test_a_piece_is_handed_on_while_the_child_runs(tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = 'printf first; until [ -e "$0" ]; do sleep 0.02; done; printf second'

    def on_output(name: str, data: bytes) -> None:
        assert name == "stdout"
        said.append(data)
        go.touch()

    said: list[bytes] = []
    stream_process(["sh", "-c", script, str(go)], timeout=20, on_output=on_output)

    assert said == [b"first", b"second"]


def test_input_and_both_outputs_of_any_size_do_not_deadlock() -> None:
    data = os.urandom(1_000_000)
    heard = Heard()

    stream_process(["sh", "-c", "tee /dev/stderr"], timeout=20, input=data, on_output=heard)

    assert heard.all("stdout") == heard.all("stderr") == data


def test_a_child_that_does_not_read_its_input_is_no_error() -> None:
    assert stream_process(["true"], timeout=10, input=b"x" * 1_000_000, on_output=Heard()) == 0


def test_a_signal_is_a_negative_status() -> None:
    assert stream_process(["sh", "-c", "kill -9 $$"], timeout=10, on_output=Heard()) == -9


def test_cancelling_ends_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "TERMINATE_GRACE", 0.2)
    heard = Heard()

    with pytest.raises(Cancelled):
        stream_process(
            ["sh", "-c", "trap '' TERM; echo $$; while :; do sleep 0.1; done"],
            on_output=heard,
            cancelled=lambda: bool(heard.pieces),
        )

    assert not Path(f"/proc/{int(heard.all('stdout'))}").exists()


@pytest.mark.parametrize("script", ["exec sleep 60", "exec >&- 2>&-; exec sleep 60"])
def test_a_time_out_ends_the_child(script: str) -> None:
    with pytest.raises(Stalled):
        stream_process(["sh", "-c", script], timeout=0.3, on_output=Heard())


def test_an_error_of_the_listener_s_ends_the_child() -> None:
    pids: list[int] = []

    def refuse(_: str, data: bytes) -> None:
        pids.append(int(data))
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        stream_process(["sh", "-c", "echo $$; exec sleep 60"], on_output=refuse)

    assert not Path(f"/proc/{pids[0]}").exists()


def test_the_environment_is_added_to() -> None:
    heard = Heard()

    stream_process(["sh", "-c", 'echo "$MINE"'], environ={"MINE": "here"}, on_output=heard)

    assert heard.all("stdout") == b"here\n"
