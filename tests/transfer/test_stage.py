"""Staging on this machine: all or nothing takes its place, and nothing is left over."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ctrkernel.errors import TransferError
from ctrkernel.transfer.stage import PREFIX, LocalStage


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(f"{PREFIX}*")]


def test_new_files_take_their_place_and_old_ones_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "d/own").mkdir(parents=True)
    (tmp_path / "d/f").write_text("old")
    with LocalStage(str(tmp_path)) as stage:
        staged = Path(stage.path)
        (staged / "d/new/deep").mkdir(parents=True)
        (staged / "d/f").write_text("new")
        (staged / "g").write_text("g")
        stage.place()

    assert (tmp_path / "d/f").read_text() == "new"
    assert (tmp_path / "d/own").is_dir()
    assert (tmp_path / "d/new/deep").is_dir()
    assert (tmp_path / "g").read_text() == "g"
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("old", ["file", "link"])
def test_a_folder_does_not_replace_a_file_or_a_link(tmp_path: Path, old: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    if old == "file":
        (tmp_path / "z").write_text("old")
    else:
        (tmp_path / "z").symlink_to("elsewhere")
    with LocalStage(str(tmp_path)) as stage:
        (Path(stage.path) / "a").write_text("new")
        (Path(stage.path) / "z").mkdir()
        (Path(stage.path) / "z/f").write_text("new")
        with pytest.raises(TransferError, match="is a file, and a folder would replace it"):
            stage.place()

    assert not (tmp_path / "a").exists()
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert left_over(tmp_path) == []


def test_a_file_does_not_replace_a_folder(tmp_path: Path) -> None:
    (tmp_path / "d/f").mkdir(parents=True)
    with LocalStage(str(tmp_path)) as stage:
        (Path(stage.path) / "d").mkdir()
        (Path(stage.path) / "d/f").write_text("new")
        with pytest.raises(TransferError, match=r"d/f is a folder, and a file would replace it"):
            stage.place()

    assert (tmp_path / "d/f").is_dir()


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / "f").symlink_to("victim")
    with LocalStage(str(tmp_path)) as stage:
        (Path(stage.path) / "f").write_text("new")
        stage.place()

    assert not (tmp_path / "f").is_symlink()
    assert (tmp_path / "victim").read_text() == "untouched"


def test_a_closed_folder_is_moved_and_stays_closed(tmp_path: Path) -> None:
    with LocalStage(str(tmp_path)) as stage:
        (Path(stage.path) / "d").mkdir()
        (Path(stage.path) / "d").chmod(0o500)
        stage.place()

    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o500


def test_an_error_leaves_nothing_behind(tmp_path: Path) -> None:
    stage = LocalStage(str(tmp_path))
    closed = Path(stage.path) / "d/e"
    closed.mkdir(parents=True)
    (closed / "f").write_text("x")
    closed.chmod(0)
    closed.parent.chmod(0)

    with pytest.raises(KeyboardInterrupt), stage:
        raise KeyboardInterrupt

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_nothing_is_said() -> None:
    with pytest.raises(TransferError, match=r"cannot write in /proc/self: .*; choose a folder"):
        LocalStage("/proc/self")


def test_names_that_are_not_unicode_take_their_place(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff")
    with LocalStage(str(tmp_path)) as stage:
        (Path(stage.path) / name).write_text("x")
        stage.place()

    assert (tmp_path / name).read_text() == "x"
