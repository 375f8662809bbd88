"""The whole of long output is kept in private files, whose number and size are bounded."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from ctrkernel.commands import overflow
from ctrkernel.commands.overflow import OverflowFile, overflow_folder, prune

if TYPE_CHECKING:
    from pathlib import Path


def test_the_file_holds_everything_and_is_nobody_elses(tmp_path: Path) -> None:
    kept = OverflowFile(tmp_path / "a" / "b")

    kept.write("größe\n")
    kept.write("more\n")
    kept.close()

    assert kept.path is not None
    assert kept.path.read_text() == "größe\nmore\n"
    assert kept.size == kept.path.stat().st_size
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.path.parent.stat().st_mode) == 0o700


def test_what_was_not_needed_is_removed(tmp_path: Path) -> None:
    kept = OverflowFile(tmp_path)
    kept.write("a")

    kept.discard()

    assert list(tmp_path.iterdir()) == []
    assert kept.path is None


def test_a_folder_that_cannot_be_made_is_told_and_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = OverflowFile(tmp_path / "file" / "folder")

    kept.write("a")
    kept.write("b")
    kept.close()

    assert kept.path is None
    assert kept.trouble == "Not a directory"


def test_a_file_ends_at_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overflow, "FILE_LIMIT", 10)
    kept = OverflowFile(tmp_path)

    for _ in range(5):
        kept.write("abcd")
    kept.close()

    assert kept.path is not None
    assert kept.path.read_text() == "abcdabcdab"
    assert kept.trouble == "a file may not be larger"


def test_a_disk_that_is_nearly_full_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overflow, "FREE_LIMIT", 1 << 62)
    kept = OverflowFile(tmp_path)

    kept.write("a")
    kept.close()

    assert kept.trouble == "the disk is nearly full"
    assert kept.path is None
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_files_are_removed_first(tmp_path: Path) -> None:
    for age, name in enumerate(("new.txt", "old.txt", "older.txt")):
        path = tmp_path / name
        path.write_text("x" * 100)
        os.utime(path, (1000 - age, 1000 - age))
    (tmp_path / "mine.csv").write_text("x" * 1000)

    prune(tmp_path, 150)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.csv", "new.txt"]


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"HOME": "/home/x"}, "/home/x/.cache/ctrkernel/output"),
        ({"HOME": "/home/x", "XDG_CACHE_HOME": "/c"}, "/c/ctrkernel/output"),
        ({"HOME": "/home/x", "XDG_CACHE_HOME": "c"}, "/home/x/.cache/ctrkernel/output"),
    ],
)
def test_the_folder_is_where_caches_are(environ: dict[str, str], folder: str) -> None:
    assert str(overflow_folder(environ)) == folder
