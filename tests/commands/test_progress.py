"""How far a copy is, as people see it."""

from __future__ import annotations

import pytest

from ctrkernel.commands.progress import (
    DELAY,
    WIDTH,
    Meter,
    Progress,
    Redrawn,
    bar,
    time_of,
    told,
)
from ctrkernel.transfer.summary import TransferSummary

MEGA = 1_000_000


class Screen:
    """A terminal's one line, as carriage returns and blanks leave it."""

    def __init__(self) -> None:
        self.line = ""
        self._column = 0

    def write(self, text: str) -> None:
        for character in text:
            if character == "\r":
                self._column = 0
                continue
            assert character != "\n"
            self.line = self.line[: self._column] + character + self.line[self._column + 1 :]
            self._column += 1


def test_a_line_says_share_size_rate_and_time_left() -> None:
    line = Progress("put", 25 * MEGA, 100 * MEGA, 5.0).line(79)

    assert line == "│██████                  │ 25%, put 25.0 MB of 100.0 MB, 5.0 MB/s, 15 s left"


def test_without_an_end_in_sight_there_is_no_bar() -> None:
    assert Progress("get", 3 * MEGA, None, 2.0).line() == "get 3.0 MB, 1.5 MB/s"


@pytest.mark.parametrize("width", range(8, 120))
@pytest.mark.parametrize("total", [None, 0, 1, 10**15])
def test_a_line_fits_the_screen(width: int, total: int | None) -> None:
    assert len(Progress("put", 123_456_789, total, 0.5).line(width)) <= width


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999, 1.0])
@pytest.mark.parametrize("width", [1, 7, 24])
def test_a_bar_is_as_wide_as_asked(share: float, width: int) -> None:
    assert len(bar(share, width)) == width


def test_a_bar_is_empty_at_the_start_and_full_at_the_end() -> None:
    assert bar(0.0, 4) == "    "
    assert bar(0.5, 3) == "█▌ "
    assert bar(1.0, 4) == "████"


def test_more_than_all_is_all() -> None:
    assert Progress("put", 12, 10, 1.0).line().startswith("│████████████████████████│ 100%, ")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1:00 min"), (187, "3:07 min"), (7500, "2:05 h")],
)
def test_times_are_told_in_words(seconds: float, shown: str) -> None:
    assert time_of(seconds) == shown


def test_a_shorter_line_leaves_nothing_of_the_longer_one() -> None:
    screen = Screen()
    redrawn = Redrawn(screen.write)

    redrawn.draw(Progress("put", 10, 100 * MEGA, 1.0))
    redrawn.draw(Progress("put", 10, None, 1.0))
    assert screen.line.rstrip() == "put 10 B, 10 B/s"

    redrawn.draw(None)
    assert not screen.line.strip()


def test_the_end_of_what_was_never_shown_writes_nothing() -> None:
    written: list[str] = []

    Redrawn(written.append).draw(None)

    assert written == []


def test_a_short_copy_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Progress | None] = []

    with Meter("put", shown.append) as meter:
        meter(1, 2)
        meter(2, 2)

    assert shown == []


def test_a_long_copy_shows_some_steps_and_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("ctrkernel.commands.progress.time.monotonic", lambda: now)
    shown: list[Progress | None] = []

    with Meter("put", shown.append) as meter:
        now += DELAY
        for done in range(100):
            meter(done, 100)
            now += 0.01

    assert shown[0] == Progress("put", 0, 100, DELAY)
    assert 3 <= len(shown) <= 7
    assert shown[-1] is None


def test_a_copy_that_fails_is_taken_away_too(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("ctrkernel.commands.progress.time.monotonic", lambda: now)
    shown: list[Progress | None] = []

    def fail(meter: Meter) -> None:
        nonlocal now
        with meter:
            now = DELAY
            meter(1, 2)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail(Meter("put", shown.append))

    assert shown[-1] is None


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (3, "put 3 files, 12.4 MB → web:/srv/data in 0.8 s\nleft out a device\n"),
        (1, "put 1 file, 12.4 MB → web:/srv/data in 0.8 s\nleft out a device\n"),
        (12000, "put 12,000 files, 12.4 MB → web:/srv/data in 0.8 s\nleft out a device\n"),
    ],
)
def test_the_last_line_sums_it_up(files: int, line: str) -> None:
    summary = TransferSummary(files, 12_400_000, 0.8, "web:/srv/data", notes=("left out a device",))

    assert told("put", summary) == line


def test_the_width_is_that_of_a_terminal() -> None:
    assert WIDTH < 80
