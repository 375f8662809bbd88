"""``%ctr_copy``: files from one container into another."""

from __future__ import annotations

import io
import tarfile
import threading
from typing import TYPE_CHECKING

import pytest

from ctrkernel.engine.process import run_process
from ctrkernel.errors import CtrKernelError, TransferInterrupted
from ctrkernel.transfer.put import put
from tests.integration.command_bench import Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MAKE_TREE = r"""
rm -rf /tmp/from; mkdir -p /tmp/from/d/deep /tmp/from/empty; cd /tmp/from
printf one > one; printf 'two words' > 'two words'; printf u > 'ünï'; printf n > 'new
line'; printf x > ./-x; chmod 600 one; ln one hard; ln -s one link; ln -s /etc/passwd absolute
ln -s nowhere dangling; mkfifo pipe; head -c 300000 /dev/urandom > d/deep/random; : > nothing
chmod 700 d; touch -d '2001-02-03 04:05:06' one
"""
LIST = r"""cd "$0" && find . -printf '%P|%y|%m|%s|%Ts|%l\n' | grep -v '|d|' | sort"""


@pytest.fixture
def bench(debian: str) -> Iterator[Bench]:
    bench = Bench(debian)
    bench.sh(MAKE_TREE)
    yield bench
    bench.workspace.close()


@pytest.fixture
def other(make_container: Callable[..., str]) -> str:
    return make_container("debian", "--tmpfs=/scratch")


def listing(bench: Bench, folder: str, container: str = "") -> str:
    return bench.sh(LIST.replace('"$0"', folder), container=container)


def sums(bench: Bench, folder: str, container: str = "") -> str:
    return bench.sh(
        f"cd {folder} && find . -type f -exec sha256sum {{}} + | sort", container=container
    )


def test_a_tree_arrives_as_it_is(bench: Bench, other: str) -> None:
    output = bench.run(f"ctr_copy {bench.name}:/tmp/from {other}:/tmp")

    assert output.text.startswith("copied 8 files, 300.0 kB → ")
    assert f"→ {other}:/tmp/from in " in output.text
    assert listing(bench, "/tmp/from", other) == listing(bench, "/tmp/from")
    assert sums(bench, "/tmp/from", other) == sums(bench, "/tmp/from")
    hard = bench.sh(
        "cd /tmp/from; [ one -ef hard ] && [ -d empty ] && stat -c %a d", container=other
    )
    assert hard == "700\n"


def test_one_file_gets_its_new_name(bench: Bench, other: str) -> None:
    bench.run(f"ctr_copy {bench.name}:/tmp/from/one {other}:/srv/renamed")

    assert bench.sh("cat /srv/renamed", container=other) == "one"


def test_a_folders_content_is_merged(bench: Bench, other: str) -> None:
    bench.sh("mkdir /srv/to; echo kept > /srv/to/kept; echo old > /srv/to/one", container=other)

    bench.run(f"ctr_copy {bench.name}:/tmp/from/. {other}:/srv/to")

    assert bench.sh("cd /srv/to; cat kept one", container=other) == "kept\none"


def test_several_sources_come_from_several_containers(bench: Bench, other: str) -> None:
    bench.sh("echo theirs > /srv/theirs; mkdir /srv/to", container=other)
    bench.sh("rm -rf /tmp/all; mkdir /tmp/all")

    bench.run(f"ctr_copy {other}:/srv/theirs {bench.name}:/tmp/from/one {bench.name}:/tmp/all")

    assert bench.sh("ls /tmp/all") == "one\ntheirs\n"


def test_both_places_may_be_in_one_container(bench: Bench) -> None:
    bench.sh("rm -rf /tmp/again")

    bench.run(f"ctr_copy {bench.name}:/tmp/from {bench.name}:/tmp/again")

    assert listing(bench, "/tmp/again") == listing(bench, "/tmp/from")


def test_without_a_name_the_attached_containers_shell_is_meant(bench: Bench, other: str) -> None:
    bench.shell("cd /tmp/from")

    bench.run(f"ctr_copy one ./d {other}:/srv")
    bench.run(f"ctr_copy {other}:/srv/one back")

    assert bench.sh("ls /srv", container=other) == "d\none\n"
    assert bench.sh("cat /tmp/from/back") == "one"


def test_a_link_is_followed_where_that_is_said(bench: Bench, other: str) -> None:
    bench.run(f"ctr_copy {bench.name}:/tmp/from/link {other}:/srv/link")
    bench.run(f"ctr_copy -L {bench.name}:/tmp/from/link {other}:/srv/followed")

    told = bench.sh("cd /srv; readlink link; cat followed", container=other)
    assert told == "one\none"


def test_files_belong_to_the_other_containers_user(
    bench: Bench, make_container: Callable[..., str]
) -> None:
    other = make_container("debian", "--user=1000:1000")
    bench.sh("chown 5:6 /tmp/from/one")

    bench.run(f"ctr_copy {bench.name}:/tmp/from/one {other}:/tmp/theirs")
    bench.run(f"ctr_copy -a {bench.name}:/tmp/from/one {other}:/tmp/kept")

    assert bench.sh("stat -c %u:%g /tmp/theirs /tmp/kept", container=other) == "1000:1000\n5:6\n"


def test_owner_permissions_and_missing_folders_are_as_asked(bench: Bench, other: str) -> None:
    bench.run(f"ctr_copy -p --owner 7:8 --mode 4640 {bench.name}:/tmp/from/d {other}:/srv/a/b")

    assert bench.sh("cd /srv/a; stat -c %u:%g:%a b b/deep b/deep/random", container=other) == (
        "7:8:750\n7:8:750\n7:8:640\n"
    )


def test_set_id_bits_and_devices_do_not_go_along(bench: Bench, other: str) -> None:
    bench.sh(
        "rm -rf /tmp/odd; mkdir /tmp/odd; cd /tmp/odd; mknod null c 1 3; touch su; chmod 6755 su"
    )

    output = bench.run(f"ctr_copy {bench.name}:/tmp/odd {other}:/srv")

    assert "left out odd/null: a device\n" in output.text
    assert bench.sh("cd /srv/odd; ls; stat -c %a su", container=other) == "su\n755\n"


def test_a_busybox_and_a_tmpfs_take_part(
    bench: Bench, busybox: str, make_container: Callable[..., str]
) -> None:
    scratch = make_container("debian", "--read-only", "--tmpfs=/scratch")

    bench.run(f"ctr_copy {bench.name}:/tmp/from/d {scratch}:/scratch")
    bench.run(f"ctr_copy {scratch}:/scratch/d {busybox}:/tmp/relayed")

    assert (
        bench.sh("sha256sum /tmp/relayed/deep/random; rm -r /tmp/relayed", container=busybox)[:64]
        == sums(bench, "/tmp/from/d")[:64]
    )


def test_a_container_without_a_shell_takes_part(bench: Bench, no_shell: str, other: str) -> None:
    bench.run(f"ctr_copy {bench.name}:/tmp/from/one {no_shell}:/relayed")
    bench.run(f"ctr_copy {no_shell}:/relayed {other}:/srv/back")

    assert bench.sh("cat /srv/back", container=other) == "one"


def test_a_stopped_container_gives_its_files(bench: Bench, other: str) -> None:
    bench.sh("echo here > /srv/x", container=other)
    bench.workspace.engine.run(["stop", "-t", "0", other], timeout=30)

    bench.run(f"ctr_copy {other}:/srv/x {bench.name}:/tmp/from/stopped")

    assert bench.sh("cat /tmp/from/stopped") == "here\n"


def test_an_interrupt_leaves_the_other_side_as_it_was(bench: Bench, other: str) -> None:
    bench.sh("truncate -s 3G /tmp/from/large")
    bench.sh("echo old > /srv/large", container=other)
    engine = bench.workspace.engine

    def interrupt_when_something_came() -> None:
        look = ["exec", other, "sh", "-c", "until ls -A /srv | grep -q ctrkernel; do :; done"]
        run_process(engine.command(*look), timeout=60)
        bench.interrupts.interrupt()

    thread = threading.Thread(target=interrupt_when_something_came)
    thread.start()
    with pytest.raises(TransferInterrupted, match="interrupted; try again"):
        bench.run(f"ctr_copy {bench.name}:/tmp/from/large {other}:/srv/large")
    thread.join()

    assert bench.sh("ls -A /srv; cat /srv/large", container=other) == "large\nold\n"
    assert bench.sh("ps -e -o args", container=other).count("tar ") == 0


def test_a_copy_and_a_put_into_one_folder_at_once_both_arrive(
    bench: Bench, other: str, tmp_path: Path
) -> None:
    (tmp_path / "put").write_bytes(bytes(3_000_000))
    done: list[str] = []

    def copy_meanwhile(moved: int, _: int | None) -> None:
        if moved > 1_000_000 and not done:
            done.append(bench.run(f"ctr_copy {bench.name}:/tmp/from/one {other}:/scratch").text)

    engine = bench.workspace.engine
    put(
        engine,
        engine.inspect(other),
        [str(tmp_path / "put")],
        "/scratch",
        base="/",
        home=None,
        on_progress=copy_meanwhile,
    )

    assert len(done) == 1
    assert bench.sh("ls -A /scratch", container=other) == "one\nput\n"


def test_nothing_of_it_is_on_this_machine(
    bench: Bench, other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    bench.run(f"ctr_copy {bench.name}:/tmp/from {other}:/srv")

    assert list(tmp_path.iterdir()) == []


def test_a_hostile_tar_cannot_leave_the_destination(
    bench: Bench, make_container: Callable[..., str], other: str
) -> None:
    hostile = make_container("debian", "--tmpfs=/scratch")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as packed:
        link = tarfile.TarInfo("x/way")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        packed.addfile(link)
        packed.addfile(tarfile.TarInfo("x/way/owned"))
    evil = Bench(hostile)
    evil.fill("/evil.tar", archive.getvalue())
    evil.sh("rm /bin/tar; printf '#!/bin/sh\\ncat /evil.tar\\n' > /bin/tar; chmod +x /bin/tar")
    evil.sh("mkdir /scratch/x")

    with pytest.raises(CtrKernelError, match="leads through a link"):
        bench.run(f"ctr_copy {hostile}:/scratch/x {other}:/srv")

    assert bench.sh("ls -A /srv; ls /etc/owned 2>&1 | grep -c 'No such'", container=other) == "1\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("{here}:/nope {other}:/srv", "there is no file {here}:/nope"),
        ("{here}:/tmp/from {other}:/no/such", "there is no folder {other}:/no; "),
        ("{here}:/tmp/from {other}:/etc/passwd", "is a folder and {other}:/etc/passwd is a file"),
        ("{here}:/tmp/from/one {other}:/srv/new/", "there is no folder {other}:/srv/new"),
        ("{here}:/tmp/from/one {here}:/tmp/from/d {other}:/srv/new", "there is no folder"),
        ("{here}:/tmp/from {here}:/tmp/from/d", "cannot be copied into itself"),
        ("{here}:/tmp/from nobody:/srv", "no container 'nobody'"),
        ("{here}: {other}:/srv", "names no path"),
        ("{here}:/tmp/from", "needs a source and a destination"),
        ("{here}:/tmp/from {other}:/proc", "proc"),
        ("--owner nobody-there {here}:/tmp/from/one {other}:/srv", "nobody-there"),
        ("--mode nine {here}:/tmp/from/one {other}:/srv", "is no mode"),
        ("{here}:/dev/null {other}:/srv", "is a device"),
        ("{here}:/tmp/from/one {here}:/tmp/from/d/../one {other}:/srv", "would both become"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(
    bench: Bench, other: str, words: str, said: str
) -> None:
    names = {"here": bench.name, "other": other}

    with pytest.raises(CtrKernelError) as caught:
        bench.run(f"ctr_copy {words.format(**names)}")

    assert said.format(**names) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert bench.sh("ls -A /srv", container=other) == ""
