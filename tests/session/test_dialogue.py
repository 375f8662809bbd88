"""Where expect looks: unread output, in pieces, within bounds."""

from __future__ import annotations

import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctrkernel.errors import CommandInterrupted, ExpectEnded, ExpectTimedOut, UsageError
from ctrkernel.session import dialogue
from ctrkernel.session.dialogue import KEPT, Dialogue, compiled

#: Seconds for what must come.
SOON = 10.0


@pytest.fixture
def talk() -> Dialogue:
    """A command that has begun and said nothing."""
    made = Dialogue()
    made.begin()
    return made


def read(talk: Dialogue, pattern: str, timeout: float = SOON) -> str:
    return talk.expect(re.compile(pattern), timeout=timeout)


def test_a_match_consumes_what_came_up_to_its_end(talk: Dialogue) -> None:
    talk.add("one two three")

    assert read(talk, "two") == "one two"
    assert read(talk, "three") == " three"


def test_what_is_not_there_in_time_says_what_came_and_leaves_it(talk: Dialogue) -> None:
    talk.add("Name: ")

    with pytest.raises(ExpectTimedOut, match=r"'Password' did not come in 0\.01 s") as caught:
        read(talk, "Password", 0.01)

    assert caught.value.output == "Name: "
    assert "'Name: '" in str(caught.value)
    assert read(talk, "Name: ") == "Name: "


def test_the_command_s_end_says_what_came_and_leaves_it(talk: Dialogue) -> None:
    talk.add("bye\n")
    talk.end("ended with exit status 3")

    with pytest.raises(ExpectEnded, match="ended with exit status 3 before 'Name' came") as caught:
        read(talk, "Name")

    assert caught.value.output == "bye\n"
    assert read(talk, "bye") == "bye"


def test_without_a_pattern_the_end_is_waited_for(talk: Dialogue) -> None:
    talk.add("one")

    def finish() -> None:
        talk.add("two")
        talk.end("ended")

    threading.Timer(0.01, finish).start()

    assert talk.expect(None, timeout=SOON) == "onetwo"


def test_nothing_that_ran_is_an_end_too() -> None:
    with pytest.raises(ExpectEnded, match="nothing was run"):
        read(Dialogue(), "x")


def test_a_command_that_begins_forgets_what_the_last_one_said(talk: Dialogue) -> None:
    talk.add("old")
    talk.end("ended")
    talk.begin()
    talk.add("new")

    assert read(talk, "new") == "new"


def test_a_command_that_begins_ends_the_wait_for_the_last_one(talk: Dialogue) -> None:
    waiting = threading.Thread(target=lambda: caught.append(catch(talk)))
    caught: list[Exception] = []
    waiting.start()
    talk.add("some")
    talk.end("ended")
    talk.begin()
    talk.add("never")
    waiting.join(SOON)

    assert all(isinstance(each, ExpectEnded) for each in caught)


def catch(talk: Dialogue) -> Exception:
    try:
        read(talk, "never")
    except ExpectEnded as error:
        return error
    return AssertionError("it was of another command")


def test_a_wait_can_be_cancelled(talk: Dialogue) -> None:
    cancelled = threading.Event()

    def cancel() -> None:
        cancelled.set()
        talk.wake()

    threading.Timer(0.01, cancel).start()

    with pytest.raises(CommandInterrupted, match="'never'"):
        talk.expect(re.compile("never"), timeout=None, cancelled=cancelled)


def test_unread_output_is_bounded(talk: Dialogue) -> None:
    for _ in range(5):
        talk.add("x" * (KEPT // 2 + 7))
    talk.add("y" * (3 * KEPT) + "end")

    text = read(talk, "end")

    assert len(text) <= KEPT
    assert text.endswith("yend")


def test_a_piece_is_not_searched_again(talk: Dialogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue, "REACH", 10)
    seen: list[tuple[int, int]] = []

    class Counting:
        pattern = "never"

        def search(self, text: str, start: int) -> None:
            seen.append((start, len(text)))
            if len(seen) < 5:
                talk.add("x" * 100)
            else:
                talk.end("ended")

    with pytest.raises(ExpectEnded):
        talk.expect(Counting(), timeout=SOON)  # type: ignore[arg-type]

    assert seen[:5] == [(0, 0), (0, 100), (90, 200), (190, 300), (290, 400)]


def test_an_end_is_told_once_to_who_would_type(talk: Dialogue) -> None:
    talk.talk()
    assert talk.unseen_end() is None
    talk.end("ended with exit status 1")

    assert talk.unseen_end() == "ended with exit status 1"
    assert talk.unseen_end() is None


def test_an_end_that_was_expected_is_not_told_again(talk: Dialogue) -> None:
    talk.end("ended")
    talk.expect(None, timeout=SOON)

    assert talk.unseen_end() is None


@pytest.mark.parametrize(("pattern", "place"), [("a[", 1), ("(", 0), ("ab(?P<x", 6), ("*", 0)])
def test_a_pattern_that_is_none_names_the_position(pattern: str, place: int) -> None:
    with pytest.raises(UsageError, match=f"at position {place}") as caught:
        compiled(pattern)

    assert "\n" not in str(caught.value)


def test_a_pattern_of_bytes_is_refused() -> None:
    with pytest.raises(UsageError, match="of bytes"):
        compiled(re.compile(b"x"))  # type: ignore[arg-type]


@given(
    pieces=st.lists(st.text(alphabet="ab>\r\n ü", max_size=6), max_size=30),
    pattern=st.sampled_from(["ab", ">>> ?", r"\r?\n", "ü", "a.b", "^b", "(?<=a)b", "b{2}", "a|bb"]),
)
def test_pieces_cut_anywhere_lose_nothing(pieces: list[str], pattern: str) -> None:
    whole = "".join(pieces)
    talk = Dialogue()
    talk.begin()
    regex = re.compile(pattern)
    read_so_far = ""
    for piece in pieces:
        talk.add(piece)
        while (got := _read_or_unread(talk, regex)) is not None:
            assert regex.search(read_so_far + got) is not None
            read_so_far += got
    talk.end("ended")
    rest = talk.expect(None, timeout=SOON)

    assert read_so_far + rest == whole
    assert regex.search(rest) is None or "^" in pattern


def _read_or_unread(talk: Dialogue, regex: re.Pattern[str]) -> str | None:
    try:
        return talk.expect(regex, timeout=0.0)
    except ExpectTimedOut:
        return None
