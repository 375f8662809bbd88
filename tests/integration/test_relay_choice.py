"""``%ctr_copy`` asked to choose, to verify and to tell; and ``ctrkernel copy``, and the API."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import ctrkernel
from ctrkernel.engine.engine import Engine, find_engine
from ctrkernel.errors import TransferError
from tests.integration.command_bench import Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: What is copied: a file of each sort that a choice could get wrong.
MAKE_TREE = """
rm -rf /tmp/tree; mkdir -p /tmp/tree/d; cd /tmp/tree; echo same > same; echo old > changes
echo deep > d/deep; ln -s same link; ln d/deep hard; touch -d '2001-02-03 04:05:06' same changes
"""
#: What changes in it afterwards: one file's content and time, and there is a new one.
CHANGE_TREE = "cd /tmp/tree; echo longer > changes; echo new > d/new"


@pytest.fixture
def bench(debian: str) -> Iterator[Bench]:
    bench = Bench(debian)
    bench.sh(MAKE_TREE)
    yield bench
    bench.workspace.close()


@pytest.fixture
def plain(make_container: Callable[..., str]) -> str:
    return make_container()


@pytest.fixture(params=["debian to debian", "busybox to debian", "debian to no_shell"])
def pair(
    request: pytest.FixtureRequest, bench: Bench, make_container: Callable[..., str]
) -> tuple[str, str]:
    """Two containers, for the ways in which files are listed, sent and received."""
    source, _, destination = request.param.partition(" to ")
    name = bench.name if source == "debian" else make_container(source)
    if name != bench.name:
        bench.sh(MAKE_TREE, container=name)
    return name, make_container(destination)


def content(bench: Bench, container: str, path: str) -> str:
    """Return a file's content, read by nothing in the container."""
    return bench.workspace.container(container).get_bytes(path).decode()


def test_only_what_changed_is_copied(bench: Bench, pair: tuple[str, str]) -> None:
    source, other = pair
    bench.run(f"ctr_copy {source}:/tmp/tree {other}:/")
    bench.sh(CHANGE_TREE, container=source)

    would = bench.run(f"ctr_copy {source}:/tmp/tree --update --dry-run {other}:/").text
    untouched = content(bench, other, "/tree/changes")
    changed = bench.run(f"ctr_copy -u {source}:/tmp/tree {other}:/").text

    here, there = f"{source}:/tmp/tree", f"{other}:/tree"
    first, *lines = would.splitlines()
    assert first.startswith(f"would copy 2 files, 11 B → {there} in ")
    assert sorted(lines) == [
        "4 files unchanged",
        f"new: {here}/d/new → {there}/d/new",
        f"replaced: {here}/changes → {there}/changes",
    ]
    assert untouched == "old\n"
    assert changed.startswith(f"copied 2 files, 11 B → {there} in ")
    assert changed.endswith(" s\n4 files unchanged\n")
    assert content(bench, other, "/tree/changes") == "longer\n"
    assert content(bench, other, "/tree/d/new") == "new\n"


def test_what_exists_stays_where_that_is_wanted(bench: Bench, plain: str) -> None:
    bench.run(f"ctr_copy {bench.name}:/tmp/tree {plain}:/")
    bench.sh(CHANGE_TREE)

    told = bench.run(f"ctr_copy {bench.name}:/tmp/tree --no-clobber {plain}:/").text

    assert told.startswith("copied 1 file, 4 B → ")
    assert told.endswith("\n5 files exist and stay\n")
    assert bench.sh("cd /tree; cat changes d/new", container=plain) == "old\nnew\n"


def test_content_decides_where_that_is_wanted(
    bench: Bench, make_container: Callable[..., str]
) -> None:
    other = make_container("busybox")
    bench.run(f"ctr_copy {bench.name}:/tmp/tree {other}:/")
    bench.sh("cd /tmp/tree; touch same; echo new > changes; touch -d '2001-02-03 04:05:06' changes")

    told = bench.run(f"ctr_copy --checksum {bench.name}:/tmp/tree {other}:/").text

    assert told.startswith("copied 1 file, 4 B → ")
    assert bench.sh("cat /tree/changes", container=other) == "new\n"


def test_contents_that_nobody_can_compare_are_an_error(bench: Bench, no_shell: str) -> None:
    with pytest.raises(TransferError, match=f"{no_shell} has no sha256sum, .* use --update"):
        bench.run(f"ctr_copy -c {bench.name}:/tmp/tree {no_shell}:/")


def test_a_hard_link_to_a_file_that_stays_has_its_content(
    bench: Bench, make_container: Callable[..., str]
) -> None:
    other = make_container("busybox")
    make = "mkdir /tmp/d; cd /tmp/d; echo deep > deep; {ln}; touch -d '2001-02-03 04:05:06' *"
    bench.sh(make.format(ln="ln deep aa; ln deep zz"), container=other)
    bench.sh("rm -rf /tmp/to; mkdir /tmp/to")

    for first in ("deep", "aa", "zz"):  # one of them is what the archive has the content of
        bench.sh(f"rm -f /tmp/to/*; echo kept > /tmp/to/{first}")
        told = bench.run(f"ctr_copy -n --verify {other}:/tmp/d/. {bench.name}:/tmp/to").text

        assert told.startswith("copied 2 files, ")
        rest = bench.sh(f"cd /tmp/to; rm {first}; set -- *; cat *; [ $1 -ef $2 ] && echo one file")
        assert rest == "deep\ndeep\none file\n"


def test_a_verified_copy_says_so(bench: Bench, plain: str, busybox: str, no_shell: str) -> None:
    both = bench.run(f"ctr_copy --verify {bench.name}:/tmp/tree/. {plain}:/srv").text
    small = bench.run(f"ctr_copy --verify {bench.name}:/tmp/tree/. {busybox}:/tmp").text
    bare = bench.run(f"ctr_copy --verify {bench.name}:/tmp/tree/same {no_shell}:/verified").text

    assert both.splitlines()[1:] == small.splitlines()[1:] == ["checksums agree (sha256sum)"]
    assert f"checksums were not compared: {no_shell} cannot run any of " in bare


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_copy_that_is_not_the_same_is_refused(
    bench: Bench, make_container: Callable[..., str], side: str
) -> None:
    liar, good = make_container(), make_container()
    bench.sh(
        "mkdir /srv/x; echo x > /srv/x/f; rm /usr/bin/sha256sum; printf '%s\\n' '#!/bin/sh' "
        "'for f; do echo \"$(printf %064d 0)  $f\"; done' > /usr/bin/sha256sum; "
        "chmod +x /usr/bin/sha256sum",
        container=liar,
    )
    bench.sh("mkdir /srv/x; echo x > /srv/x/f", container=good)
    source, destination = (liar, good) if side == "source" else (good, liar)

    with pytest.raises(TransferError, match=r"another checksum.*; nothing was changed, try again"):
        bench.run(f"ctr_copy --verify {source}:/srv/x {destination}:/tmp/new")

    assert bench.sh("ls -A /tmp", container=destination) == ""


def test_two_sources_that_would_become_one_file_are_refused(bench: Bench, plain: str) -> None:
    bench.sh("mkdir -p /srv/a /srv/b; touch /srv/a/f /srv/b/f", container=plain)

    for option in ("", "-u "):
        with pytest.raises(TransferError, match=r"would both become f; copy them one by one"):
            bench.run(f"ctr_copy {option}{plain}:/srv/a/. {plain}:/srv/b/. {bench.name}:/tmp/tree")

    assert bench.sh("ls -A /tmp/tree") == "changes\nd\nhard\nlink\nsame\n"


def test_a_pattern_names_several_sources(bench: Bench, plain: str) -> None:
    bench.run(f"ctr_copy {bench.name}:/tmp/tree/[cs]* {plain}:/srv")

    assert bench.sh("ls /srv", container=plain) == "changes\nsame\n"


def test_what_the_user_may_not_write_is_not_written(
    bench: Bench, make_container: Callable[..., str]
) -> None:
    theirs = make_container("debian", "--user=1000:1000")

    with pytest.raises(TransferError, match=r"1000:1000 may not write in .*; .* --owner root"):
        bench.run(f"ctr_copy {bench.name}:/tmp/tree/same {theirs}:/srv")

    assert bench.sh("ls -A /srv", container=theirs) == ""


def test_folders_that_are_made_belong_to_whom_the_files_do(bench: Bench, plain: str) -> None:
    bench.run(f"ctr_copy -p --owner 7:8 {bench.name}:/tmp/tree/same {plain}:/srv/a/b/c")

    assert bench.sh("cd /srv; stat -c %u:%g a a/b a/b/c", container=plain) == "7:8\n7:8\n7:8\n"


def test_the_command_line_does_the_same(bench: Bench, plain: str, tmp_path: Path) -> None:
    def ctrkernel(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "ctrkernel", "copy", *words]
        return subprocess.run(argv, check=False, capture_output=True, text=True, cwd=tmp_path)

    copied = ctrkernel("-p", f"{bench.name}:/tmp/tree/[cs]*", f"{plain}:/srv/in", "--verify")
    would = ctrkernel("--dry-run", f"{bench.name}:/tmp/tree/same", f"{plain}:/srv/new")
    gone = ctrkernel(f"{bench.name}:/tmp/gone", f"{plain}:/srv")
    nameless = ctrkernel("/tmp/tree", f"{plain}:/srv")
    alone = ctrkernel(f"{plain}:/srv")

    assert (copied.returncode, copied.stderr) == (0, "")
    assert copied.stdout.startswith(f"copied 2 files, 9 B → {plain}:/srv/in in ")
    assert copied.stdout.endswith("checksums agree (sha256sum)\n")
    assert would.stdout.startswith(f"would copy 1 file, 5 B → {plain}:/srv/new in ")
    assert bench.sh("cd /srv; ls *", container=plain) == "changes\nsame\n"
    assert [each.returncode for each in (gone, nameless, alone)] == [1, 1, 2]
    assert gone.stderr.startswith(f"ctrkernel: there is no file {bench.name}:/tmp/gone; ")
    assert nameless.stderr.startswith("ctrkernel: /tmp/tree names no container; ")
    assert [each.stderr.count("\n") for each in (gone, nameless, alone)] == [1, 1, 1]


def test_each_container_is_asked_of_its_own_engine(
    bench: Bench, plain: str, tmp_path: Path
) -> None:
    real = find_engine(os.environ)
    engines = []
    for name in ("one", "two"):
        program = tmp_path / name
        program.write_text(
            f'#!/bin/sh\necho "$*" >> {program}.log\nexec {real.program} "$@"\n', encoding="utf-8"
        )
        program.chmod(0o755)
        engines.append(Engine(program=str(program), name=real.name))
    ids = [real.inspect(name).id for name in (bench.name, plain)]
    steps: list[tuple[int, int | None]] = []

    with (
        ctrkernel.attach(bench.name, engine=engines[0]) as web,
        ctrkernel.attach(plain, engine=engines[1]) as db,
    ):
        summary = web.copy(
            "/tmp/tree",
            "/srv",
            to=db,
            update=True,
            verify=True,
            on_progress=lambda *step: steps.append(step),
        )

    assert (summary.files, summary.destination) == (4, f"{plain}:/srv/tree")
    assert steps[-1][0] == summary.bytes == 14
    logs = [(tmp_path / f"{name}.log").read_text() for name in ("one", "two")]
    assert [[each in log for each in ids] for log in logs] == [[True, False], [False, True]]
