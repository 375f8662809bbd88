"""A recording is an asciicast v2, line for line, whatever the pieces are."""

from __future__ import annotations

import json
import os
import resource
import signal
from pathlib import Path
from typing import Any

import pytest

from ctrkernel.session.cast import Cast

#: A header's least.
HEADER = {"width": 80, "height": 24}


def make(path: Path, *, typed: bool = False, overwrite: bool = False) -> Cast:
    return Cast(
        path,
        overwrite=overwrite,
        header=HEADER,
        hide=lambda text: text.replace("secret", "••••"),
        typed=typed,
        on_failure=lambda error: pytest.fail(str(error)),
    )


def events(path: Path) -> list[tuple[str, str]]:
    header, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert (header["version"], header["width"], header["height"]) == (2, 80, 24)
    times = [at for at, _, _ in lines]
    assert times == sorted(times)
    return [(kind, data) for _, kind, data in lines]


def test_code_stands_behind_a_prompt_on_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.cast"
    cast = make(path, typed=True)

    cast.code("printf a\n")
    cast.output("a")
    cast.code("for i in 1; do\n  echo secret\ndone")

    assert events(path) == [
        ("o", "$ printf a\r\n"),
        ("i", "printf a\n"),
        ("o", "a"),
        ("o", "\r\n$ for i in 1; do\r\n>   echo ••••\r\n> done\r\n"),
        ("i", "for i in 1; do\n  echo ••••\ndone\n"),
    ]


@pytest.mark.parametrize("pieces", [["a\nb\r\nc\rd\n"], list("a\nb\r\nc\rd\n")])
def test_a_line_feed_is_a_new_line_however_the_output_is_cut(
    tmp_path: Path, pieces: list[str]
) -> None:
    cast = make(tmp_path / "a.cast")

    for piece in pieces:
        cast.output(piece)

    assert "".join(data for _, data in events(cast.path)) == "a\r\nb\r\nc\rd\r\n"


def test_a_size_is_told_when_it_changes(tmp_path: Path) -> None:
    cast = make(tmp_path / "a.cast")

    cast.size(80, 24)
    cast.size(100, 30)
    cast.size(100, 30)

    assert events(cast.path) == [("r", "100x30")]


def test_a_file_that_is_there_stays_unless_it_may_go(tmp_path: Path) -> None:
    path = tmp_path / "a.cast"
    path.write_text("kept")

    with pytest.raises(FileExistsError):
        make(path)

    assert path.read_text() == "kept"
    make(path, overwrite=True).output("new")
    assert events(path) == [("o", "new")]


def test_nothing_is_written_after_the_end(tmp_path: Path) -> None:
    cast = make(tmp_path / "a.cast")
    cast.output("a")

    cast.close()
    cast.output("b")
    cast.close()

    assert events(cast.path) == [("o", "a")]


def test_what_cannot_be_written_any_more_ends_the_recording_once_and_not_the_shell(
    tmp_path: Path,
) -> None:
    told: list[Any] = []
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def failed(error: OSError) -> None:
        told.append(error)
        cast.close()

    cast = Cast(path, overwrite=True, header=HEADER, hide=str, typed=False, on_failure=failed)
    cast.output("a")
    os.close(reader)

    cast.output("b")
    cast.code("c")

    assert len(told) == 1


def test_a_film_for_which_there_is_no_room_is_not_begun() -> None:
    with pytest.raises(OSError, match="No space left"):
        Cast(
            Path("/dev/full"),
            overwrite=True,
            header=HEADER,
            hide=str,
            typed=False,
            on_failure=lambda error: pytest.fail(str(error)),
        )


def test_of_a_full_disk_whole_lines_are_left(tmp_path: Path) -> None:
    told: list[OSError] = []
    path = tmp_path / "a.cast"
    cast = Cast(path, overwrite=False, header=HEADER, hide=str, typed=False, on_failure=told.append)
    cast.output("a")
    # A limit of the process stands for the disk's: what fits of a line is written.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50, before[1]))
    try:
        cast.output("b" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)

    assert len(told) == 1
    assert events(path) == [("o", "a")]
