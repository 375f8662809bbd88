"""Typed paths: what they start from and what their ending says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ctrkernel.errors import TransferError
from ctrkernel.transfer.paths import container_path, local_path

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("typed", "path", "asserts", "contents"),
    [
        ("a", "/work/a", False, False),
        ("/a", "/a", False, False),
        ("a/", "/work/a", True, False),
        ("a/.", "/work/a", True, True),
        ("a/./", "/work/a", True, False),
        ("a//", "/work/a", True, False),
        (".", "/work", True, True),
        ("./", "/work", True, False),
        ("./a:b", "/work/./a:b", False, False),
        ("..", "/work/..", True, False),
        ("../x", "/work/../x", False, False),
        ("/", "/", True, False),
        ("/.", "/", True, True),
        ("~", "/home/me", False, False),
        ("~/", "/home/me", True, False),
        ("~/x", "/home/me/x", False, False),
        ("~you", "/work/~you", False, False),
        ("-dash", "/work/-dash", False, False),
        ("web:x", "/work/web:x", False, False),
        ("a\nb", "/work/a\nb", False, False),
        ("a.", "/work/a.", False, False),
    ],
)
def test_a_container_path(typed: str, path: str, asserts: bool, contents: bool) -> None:
    read = container_path(typed, base="/work", home="/home/me")

    assert (read.path, read.asserts_folder, read.contents) == (path, asserts, contents)
    assert read.shown == typed


@pytest.mark.parametrize("typed", ["~", "~/x"])
def test_an_unknown_home_is_said(typed: str) -> None:
    with pytest.raises(TransferError, match="home folder is not known"):
        container_path(typed, base="/", home=None)


@pytest.mark.parametrize("typed", ["", "a\0b"])
def test_what_is_no_path_is_refused(typed: str) -> None:
    with pytest.raises(TransferError, match=r"is empty|holds a NUL"):
        container_path(typed, base="/", home="/")
    with pytest.raises(TransferError, match=r"is empty|holds a NUL"):
        local_path(typed)


def test_a_local_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")

    assert local_path("x/").path == f"{tmp_path}/x"
    assert local_path("~/x").path == "/home/me/x"
    assert local_path("web:x").path == f"{tmp_path}/web:x"
    assert local_path("/a/.").contents
