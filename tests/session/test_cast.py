"""A recording is an asciicast v2, line for line, whatever the pieces are."""

from __future__ import annotations

import json
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


def test_a_full_disk_ends_the_recording_once_and_not_the_shell() -> None:
    told: list[Any] = []
    cast = Cast(
        Path("/dev/full"),
        overwrite=True,
        header=HEADER,
        hide=str,
        typed=False,
        on_failure=told.append,
    )

    cast.output("a")
    cast.code("b")

    assert len(told) == 1
