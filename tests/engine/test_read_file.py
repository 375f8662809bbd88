"""What a child prints goes into a file without being read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ctrkernel.engine.process import MOVE_SIZE, Child

if TYPE_CHECKING:
    from pathlib import Path

SIZE = MOVE_SIZE + 3_000_001


@pytest.mark.parametrize("splice", [True, False])
def test_what_a_child_prints_arrives_in_the_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, splice: bool
) -> None:
    if not splice:
        monkeypatch.delattr(os, "splice", raising=False)
    source, there = tmp_path / "source", tmp_path / "there"
    source.write_bytes(os.urandom(SIZE))
    descriptor = os.open(there, os.O_WRONLY | os.O_CREAT)

    with Child(["cat", str(source)], wide=True) as child:
        child.close_stdin()
        at = 0
        while moved := child.read_file(descriptor, SIZE, at=at, timeout=30):
            at += moved
            if at == SIZE:
                break
        end = child.read_file(descriptor, 1, at=at, timeout=30)
    os.close(descriptor)

    assert end == 0
    assert there.read_bytes() == source.read_bytes()
