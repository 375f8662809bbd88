"""``%ctr_diff`` of real files and folders."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ctrkernel.commands.diff import TEXT_LIMIT
from ctrkernel.commands.difference import Difference
from ctrkernel.errors import CtrKernelError, TransferError, TransferInterrupted
from tests.integration.command_bench import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bench(debian: str) -> Iterator[Bench]:
    bench = Bench(debian)
    bench.shell("rm -rf /tmp/diff; mkdir /tmp/diff; cd /tmp/diff")
    yield bench
    bench.workspace.close()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def difference(bench: Bench, line: str) -> Difference:
    value = bench.run(line).value
    assert isinstance(value, Difference)
    return value


def test_files_are_compared_line_by_line(bench: Bench, here: Path) -> None:
    (here / "a").write_text("one\ntwo\n")
    bench.fill("/tmp/diff/a", b"one\n2\n")

    output = bench.run("ctr_diff a a")

    assert output.text == (
        f"--- a\n+++ {bench.name}:/tmp/diff/a\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
    )
    assert "<span" in output.html


def test_files_that_are_the_same_are_told(bench: Bench, here: Path) -> None:
    (here / "a").write_bytes(b"\0\xff")
    bench.fill("/tmp/diff/a", b"\0\xff")

    found = difference(bench, "ctr_diff a a")

    assert found.same
    assert found.text == f"a and {bench.name}:/tmp/diff/a are the same\n"


def test_binary_files_differ_by_size_and_checksum(bench: Bench, here: Path) -> None:
    (here / "a").write_bytes(b"\0")
    bench.fill("/tmp/diff/a", b"\0\0")

    found = difference(bench, "ctr_diff a a")

    assert not found.same
    assert found.text == (
        "- a: 1 B (1 bytes), sha256 6e340b9cffb3…\n"
        f"+ {bench.name}:/tmp/diff/a: 2 B (2 bytes), sha256 96a296d224f2…\n"
    )


@pytest.mark.parametrize("same", [True, False])
def test_large_files_are_compared_as_they_stream(bench: Bench, here: Path, same: bool) -> None:
    content = b"x\n" * TEXT_LIMIT
    (here / "a").write_bytes(content if same else content + b"y")
    bench.fill("/tmp/diff/a", content)

    assert difference(bench, "ctr_diff a a").same is same


def test_a_file_and_a_folder_mean_the_file_in_it(bench: Bench, here: Path) -> None:
    (here / "a").write_text("x\n")
    (here / "d").mkdir()
    (here / "d" / "a").write_text("x\n")
    bench.fill("/tmp/diff/a", b"x\n")

    assert difference(bench, "ctr_diff a .").same
    assert difference(bench, "ctr_diff d a").same


def make_trees(bench: Bench, here: Path) -> None:
    tree = here / "tree"
    for name in ("same", "changed", "longer", "gone", "d/in", "only/in", "kind", "empty/x"):
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n")
    (tree / "empty" / "x").unlink()
    (tree / "link").symlink_to("same")
    (tree / "moved").symlink_to("same")
    os.link(tree / "same", tree / "hard")
    bench.sh(
        """cd /tmp/diff; mkdir -p tree/d tree/new/deep tree/empty; cd tree
        echo same > same; echo CHANGED > changed; echo longer and longer > longer
        echo d/in > d/in; echo n > new/deep/n; mkdir kind; echo y > kind/y
        ln -s same link; ln -s other moved; ln same hard"""
    )


def test_folders_tell_only_here_only_there_and_different(bench: Bench, here: Path) -> None:
    make_trees(bench, here)

    found = difference(bench, "ctr_diff tree tree")

    assert found.only_here == ("gone", "only/")
    assert found.only_there == ("new/",)
    assert found.differ == {
        "changed": "different content",
        "kind/": "a file here, a folder there",
        "longer": "different content",
        "moved": "links to different places",
    }
    assert "- only in tree: gone\n" in found.text
    assert f"+ only in {bench.name}:/tmp/diff/tree: new/\n" in found.text


def test_folders_that_are_the_same_are_told(bench: Bench, here: Path) -> None:
    (here / "tree" / "deep").mkdir(parents=True)
    (here / "tree" / "deep" / "x").write_text("x")
    bench.sh("cd /tmp/diff; mkdir -p tree/deep; printf x > tree/deep/x")

    assert difference(bench, "ctr_diff tree tree").same
    assert difference(bench, "ctr_diff tree tree/").same


def test_a_container_without_a_shell_is_compared_too(no_shell: str, here: Path) -> None:
    bench = Bench(no_shell)
    bench.run("ctr_write /compared", "x\n")
    (here / "compared").write_text("x\n")

    assert difference(bench, "ctr_diff compared /compared").same


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ctr_diff nothing a", "there is no file nothing on this machine"),
        ("ctr_diff a nothing", "there is no file .*:/tmp/diff/nothing"),
        ("ctr_diff a", "PATH; type %ctr_diff --help"),
        ("ctr_diff a /dev/null", "is a device"),
        ("ctr_diff pipe a", "are not both files"),
        ("ctr_diff a d", "there is no file"),
    ],
)
def test_a_mistake_is_one_line(bench: Bench, here: Path, line: str, said: str) -> None:
    (here / "a").write_text("x\n")
    os.mkfifo(here / "pipe")
    bench.sh("cd /tmp/diff; mkdir d; echo x > a")

    with pytest.raises(CtrKernelError, match=said) as caught:
        bench.run(line)

    assert "\n" not in str(caught.value)


def test_there_is_a_bound(bench: Bench, here: Path) -> None:
    (here / "tree").mkdir()
    (here / "tree" / "a").write_text("x")
    bench.sh("cd /tmp/diff; mkdir tree; head -c 100000 /dev/zero > tree/a")

    with pytest.raises(TransferError, match="raise --max-size"):
        bench.run("ctr_diff --max-size 50kB tree tree")


def test_a_comparison_is_interrupted(bench: Bench, here: Path) -> None:
    (here / "tree").mkdir()
    bench.interrupts.interrupt()

    with pytest.raises(TransferInterrupted):
        bench.run("ctr_diff tree /tmp/diff")
