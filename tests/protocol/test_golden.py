"""Sessions of real shells, recorded by golden/record.py, mean now what they meant then."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ctrkernel.protocol.conversation import Conversation, Done, Output, Ready
from ctrkernel.protocol.stream import MARK_LIMIT

GOLDEN = Path(__file__).parent / "golden"
SHELLS = ["bash", "dash", "ash", "zsh"]
#: So that a recording stays something that a person can look through.
FILE_LIMIT = 40_000

each_shell = pytest.mark.parametrize("shell", SHELLS)
every_way = pytest.mark.parametrize("way", ["whole", "bytes"])


def load(shell: str) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads((GOLDEN / f"{shell}.json").read_text(encoding="ascii"))
    return stored


def blank(code: str) -> dict[str, Any]:
    return {"code": code, "output": "", "status": None, "cwd": None, "late": ""}


def play(stored: dict[str, Any], way: str) -> tuple[list[dict[str, Any]], Conversation]:
    """Feed a recording to a new conversation; return what each cell did, and the conversation."""
    talk = Conversation(stored["nonce"])
    talk.hello()
    cells: list[dict[str, Any]] = [blank("")]
    for step in stored["steps"]:
        if "submit" in step:
            talk.submit(step["submit"])
            cells.append(blank(step["submit"]))
            continue
        data = base64.b64decode(step["read"])
        pieces = [data] if way == "whole" else [bytes([byte]) for byte in data]
        for happening in (each for piece in pieces for each in talk.receive(piece)):
            match happening:
                case Output(text, late):
                    # Bytes that are no text survive, one at a time as well.
                    cells[-1]["late" if late else "output"] += text.decode("latin-1")
                case Done(status, cwd):
                    assert cells[-1]["status"] is None
                    cells[-1].update(status=status, cwd=cwd)
                case Ready():
                    cells[-1]["status"] = 0
    assert talk.close() == []
    for cell in cells:
        for key in ("output", "late"):
            cell[key] = cell[key].encode("latin-1").decode("utf-8", "surrogateescape")
    return cells, talk


@each_shell
@every_way
def test_a_recorded_session_means_what_it_meant(shell: str, way: str) -> None:
    stored = load(shell)

    (start, *cells), _ = play(stored, way)

    assert start == {**blank(""), "status": 0}
    assert cells == stored["cells"]


@each_shell
def test_how_a_session_arrives_leaves_the_same_state(shell: str) -> None:
    stored = load(shell)

    _, whole = play(stored, "whole")
    _, split = play(stored, "bytes")

    assert whole.state == split.state
    assert whole.seq == len(stored["cells"])
    assert not whole.busy


@each_shell
def test_no_word_of_ours_is_in_the_output(shell: str) -> None:
    cells, _ = play(load(shell), "bytes")

    for cell in cells:
        assert "__ctrk" not in cell["output"] + cell["late"]
        assert "]133;A;" not in cell["output"] + cell["late"]


@each_shell
def test_recordings_are_small(shell: str) -> None:
    assert (GOLDEN / f"{shell}.json").stat().st_size < FILE_LIMIT
    longest = max(len(step.get("read", "")) for step in load(shell)["steps"])
    assert longest < MARK_LIMIT
