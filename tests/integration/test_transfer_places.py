"""Puts and gets where `docker cp` fails or surprises: mounts, states, images, users, names."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ctrkernel.engine.engine import Engine, find_engine
from ctrkernel.errors import TransferError
from ctrkernel.transfer.get import get
from ctrkernel.transfer.options import Options
from ctrkernel.transfer.put import put

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.transfer.summary import TransferSummary

ANSWER = 60.0
SECOND = 1_000_000_000


class Box:
    """One container, and copies with its root as the working directory."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name

    def put(self, *paths: str, base: str = "/tmp", **options: object) -> TransferSummary:
        info = self.engine.inspect(self.name)
        return put(
            self.engine,
            info,
            paths[:-1],
            paths[-1],
            base=base,
            home="/root",
            **options,  # type: ignore[arg-type]
        )

    def get(self, *paths: str, base: str = "/tmp", **options: object) -> TransferSummary:
        info = self.engine.inspect(self.name)
        return get(
            self.engine,
            info,
            paths[:-1],
            paths[-1],
            base=base,
            home="/root",
            **options,  # type: ignore[arg-type]
        )

    def run(self, script: str, user: str | None = None) -> str:
        argv = self.engine.exec_argv(self.name, ["sh", "-c", script], user=user)
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    def do(self, *args: str) -> None:
        assert self.engine.run([*args, self.name], timeout=ANSWER).exit_code == 0


@pytest.fixture
def box(make_container: Callable[..., str]) -> Callable[..., Box]:
    """Return a function that starts a container of an image with options."""
    engine = find_engine(os.environ)
    return lambda image="debian", *options: Box(engine, make_container(image, *options))


@pytest.fixture
def shared(debian: str) -> Box:
    """Return the container that the whole run shares; a test uses a folder of its own in it."""
    return Box(find_engine(os.environ), debian)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which has a file and a folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("one")
    (tmp_path / "folder/sub").mkdir(parents=True)
    (tmp_path / "folder/sub/deep").write_text("two")
    return tmp_path


@pytest.mark.parametrize("image", ["debian", "busybox"])
def test_a_tmpfs_is_reached_both_ways(box: Callable[..., Box], here: Path, image: str) -> None:
    one = box(image, "--tmpfs=/scratch")
    (here / "folder" / ("n" * 150 + "é")).write_text("long")

    one.put("file", "/scratch")
    one.put("folder", "/scratch/new")
    one.get("/scratch/file", "/scratch/new", ".")

    assert one.run("cat /scratch/file /scratch/new/sub/deep") == "onetwo"
    assert (here / "new/sub/deep").read_text() == "two"
    assert (here / "new" / ("n" * 150 + "é")).read_text() == "long"
    assert one.run("ls -A /scratch").split() == ["file", "new"]


def test_a_folder_comes_with_the_tmpfs_in_it(box: Callable[..., Box], here: Path) -> None:
    one = box("debian", "--tmpfs=/srv/cache")
    one.run("echo disk > /srv/a; echo memory > /srv/cache/b")

    one.get("/srv", "got")

    assert (here / "got/a").read_text() == "disk\n"
    assert (here / "got/cache/b").read_text() == "memory\n"


@pytest.mark.usefixtures("here")
def test_a_folder_is_put_over_a_tmpfs_in_it(box: Callable[..., Box]) -> None:
    one = box("debian", "--tmpfs=/srv/sub")

    one.put("folder/.", "/srv")

    assert one.run("cat /srv/sub/deep; ls -A /srv") == "twosub\n"


def test_a_volume_is_reached_both_ways(box: Callable[..., Box], here: Path) -> None:
    one = box("debian", "--volume=/vol")

    one.put("folder", "/vol")
    one.get("/vol/folder", "got")

    assert one.run("cat /vol/folder/sub/deep") == "two"
    assert (here / "got/sub/deep").read_text() == "two"


def test_a_read_only_root_takes_files_where_it_can(box: Callable[..., Box], here: Path) -> None:
    one = box("debian", "--read-only", "--tmpfs=/scratch", "--volume=/vol")

    one.put("file", "/scratch")
    one.put("file", "/vol")
    with pytest.raises(TransferError, match=r"srv is on a read-only file system; what can be"):
        one.put("file", "/srv")
    one.get("/scratch/file", "a")
    one.get("/etc/passwd", "b")

    assert one.run("cat /scratch/file /vol/file") == "oneone"
    assert (here / "a").read_text() == "one"
    assert (here / "b").read_text().startswith("root:")


@pytest.mark.parametrize("stop", ["kill", "pause"])
def test_a_container_that_runs_no_command_takes_files(
    box: Callable[..., Box], here: Path, stop: str
) -> None:
    one = box("debian", "--tmpfs=/scratch", "--user=demo")
    one.run("ln -s /srv/exist /tmp/link; mkdir -p /tmp/dir/sub")
    one.run("echo old > /srv/exist", user="0")
    one.do(stop)

    one.put("file", "/srv/new")
    one.put("file", "link")
    one.put("folder/.", "dir")
    one.get("/srv/new", "got")
    one.get("dir", "back")
    for refused, said in [
        ("/none/x", "no folder .*:/none; add --parents"),
        ("/etc/passwd/x", "passwd is a file, so nothing can lie in it"),
        ("/scratch/x", f"docker {'unpause' if stop == 'pause' else 'start'}"),
        ("/dev/shm/x", "is on a tmpfs"),
    ]:
        with pytest.raises(TransferError, match=said):
            one.put("file", refused)
    with pytest.raises(TransferError, match=r"no file .*:/none; see"):
        one.get("/none/x/y", ".")
    one.do("unpause" if stop == "pause" else "start")

    assert one.run("cat /srv/new /srv/exist /tmp/dir/sub/deep") == "oneonetwo"
    assert one.run("stat -c %U /srv/new /tmp/dir/sub/deep").split() == ["demo", "demo"]
    assert (here / "got").read_text() == "one"
    assert (here / "back/sub/deep").read_text() == "two"


def test_an_image_without_a_shell_takes_files(no_shell: str, here: Path) -> None:
    one = Box(find_engine(os.environ), no_shell)

    one.put("folder", "/new", base="/")
    one.put("file", "/new")
    one.get("/new", "got", base="/")
    one.get("new/file", "file2", base="/")

    assert (here / "got/sub/deep").read_text() == "two"
    assert (here / "file2").read_text() == "one"
    with pytest.raises(TransferError, match="the image has no shell"):
        one.put("file", "/dev/shm")


@pytest.mark.parametrize("user", [None, "demo", "1000:1000"])
def test_files_arrive_owned_by_the_user_and_readable(non_root: str, here: Path, user: str) -> None:
    one = Box(find_engine(os.environ), non_root)
    (here / "file").chmod(0o600)
    folder = f"/tmp/owned-{user}".replace(":", "-")
    one.run(f"mkdir {folder}")

    one.put("file", folder, options=Options(owner=user))

    assert one.run(f"cat {folder}/file; stat -c ' %u:%g %a' {folder}/file") == "one 1000:1000 600\n"


def test_a_user_without_any_capability_gets_its_files(box: Callable[..., Box], here: Path) -> None:
    place = box("debian", "--user=1000", "--cap-drop=ALL")

    place.put("file", "folder", "/tmp")

    assert place.run("cd /tmp; cat file folder/sub/deep; ls -A") == "onetwofile\nfolder\n"


def test_archive_keeps_the_numbers(non_root: str, here: Path) -> None:
    if os.getuid() == 0:
        os.chown(here / "file", 4711, 4712)
    wanted = (here / "file").stat()
    one = Box(find_engine(os.environ), non_root)

    one.put("file", "kept", options=Options(archive=True))

    assert one.run("stat -c %u:%g /tmp/kept").strip() == f"{wanted.st_uid}:{wanted.st_gid}"


def test_an_unknown_user_is_said(shared: Box, here: Path) -> None:
    assert here.is_dir()
    with pytest.raises(TransferError, match="the container knows no user nobody-there"):
        shared.put("file", "/tmp/never", options=Options(owner="nobody-there"))

    assert shared.run("ls /tmp/never 2>/dev/null || echo none") == "none\n"


@pytest.mark.parametrize(
    "name",
    ["a:b.txt", "-dash", "--help", "sp ace", "new\nline", "é漢", "*", "$HOME", "'\"", "\\", "~x"],
)
def test_names_are_only_names(shared: Box, here: Path, name: str) -> None:
    (here / name).write_text(name)
    shared.run("rm -rf /tmp/names; mkdir /tmp/names")

    shared.put(name, ".", base="/tmp/names")
    shared.get(name, "back", base="/tmp/names")
    (here / "into").mkdir()
    shared.get(name, "into", base="/tmp/names")
    shared.put(name, name, base="/tmp/names")

    assert (here / "back").read_text() == name
    assert [path.name for path in (here / "into").iterdir()] == [name]
    assert shared.run("ls -A /tmp/names | wc -l").strip() == str(1 + name.count("\n"))


def test_a_name_that_is_not_unicode_goes_both_ways(shared: Box, here: Path) -> None:
    name = os.fsdecode(b"\xff\xfe")
    (here / "folder" / name).write_text("odd")

    shared.put("folder", "/tmp/bytes")
    shared.get("/tmp/bytes", "back")

    assert (here / "back" / name).read_text() == "odd"


@pytest.mark.parametrize("image", ["debian", "busybox"])
@pytest.mark.parametrize("folder", ["/tmp", "/scratch"])
def test_paths_that_are_not_unicode_are_reached_both_ways(
    box: Callable[..., Box], here: Path, image: str, folder: str
) -> None:
    place = box(image, "--tmpfs=/scratch")
    name = os.fsdecode(b"a\\d\xff\n")
    (here / name).write_text("content")
    (here / "into").mkdir()
    (here / "tree").mkdir()
    (here / "tree" / name).mkdir()

    place.put(str(here / "tree"), folder)
    verified = place.put(str(here / name), f"{folder}/tree/{name}", options=Options(verify=True))
    again = place.put(str(here / name), f"{folder}/tree/{name}/", options=Options(checksum=True))
    place.get(f"{folder}/tree/{name}/{name}", str(here / "into"))

    assert verified.notes == ("checksums agree (sha256sum)",)
    assert again.files == 0
    assert (here / "into" / name).read_text() == "content"


def test_paths_start_from_the_shells_folder_and_home(shared: Box, here: Path) -> None:
    shared.run("mkdir -p /srv/deep/er; rm -rf /root/up")

    shared.put("file", "x", base="/srv/deep")
    shared.put("file", "../up", base="/srv/deep/er")
    shared.put("file", "~/up")
    shared.get("er/../x", "~/got", base="/srv/deep")

    assert shared.run("cat /srv/deep/x /srv/deep/up /root/up") == "oneoneone"
    assert Path("~/got").expanduser().read_text() == "one"
    assert here.is_dir()


def test_several_sources_land_together(shared: Box, here: Path) -> None:
    shared.run("mkdir -p /tmp/several")

    summary = shared.put("file", "folder", "/tmp/several")
    back = shared.get("/tmp/several/file", "/tmp/several/folder/.", str(here / "folder"))

    assert shared.run("cd /tmp/several; cat file folder/sub/deep") == "onetwo"
    assert (summary.files, summary.bytes) == (2, 6)
    assert summary.destination == f"{shared.name}:/tmp/several"
    assert (here / "folder/file").read_text() == "one"
    assert (back.files, back.bytes, back.destination) == (2, 6, str(here / "folder"))


@pytest.mark.usefixtures("here")
def test_a_source_that_is_missing_stops_all_of_them(shared: Box) -> None:
    shared.run("mkdir -p /tmp/none")

    with pytest.raises(TransferError, match=r"no file .*/gone on this machine; see what is there"):
        shared.put("file", "gone/x/y", "/tmp/none")

    assert shared.run("ls -A /tmp/none") == ""


def test_times_and_modes_are_kept(shared: Box, here: Path) -> None:
    times = (SECOND, 1_600_000_000 * SECOND + 123_456_789)
    (here / "file").chmod(0o4751)
    os.utime(here / "file", ns=times)
    os.utime(here / "folder", ns=times)

    shared.put("file", "/tmp/timed")
    shared.put("folder", "/tmp/timed-folder")
    shared.get("/tmp/timed", "back")

    assert shared.run("stat -c '%a %y' /tmp/timed").startswith("4751 2020-09-13 12:26:40.123456789")
    assert ":40.123456789" in shared.run("stat -c %y /tmp/timed-folder")
    assert stat.S_IMODE((here / "back").stat().st_mode) == 0o751


def test_links_in_the_destination_are_followed_and_replaced_inside(shared: Box, here: Path) -> None:
    shared.run("mkdir -p /tmp/links/real; cd /tmp/links; echo v > victim; ln -s real l")
    shared.run("ln -s ../victim /tmp/links/real/file")

    source = here / "linked"
    source.mkdir()
    (source / "file").write_text("new")
    shared.put("linked/.", "/tmp/links/l")

    assert shared.run("cd /tmp/links; cat victim real/file") == "v\nnew"


def test_progress_and_summary_tell_the_same(shared: Box, here: Path) -> None:
    (here / "big").write_bytes(os.urandom(3_000_000))
    seen: list[tuple[int, int | None]] = []

    summary = shared.put("big", "/tmp/big", on_progress=lambda *now: seen.append(now))

    assert (summary.files, summary.bytes) == (1, 3_000_000)
    assert summary.destination == f"{shared.name}:/tmp/big"
    assert summary.duration > 0
    assert seen == sorted(seen)
    assert seen[-1] == (3_000_000, 3_000_000)

    seen.clear()
    shared.get("/tmp/big", "back", on_progress=lambda *now: seen.append(now))

    assert seen[-1] == (3_000_000, 3_000_000)
    assert (here / "back").read_bytes() == (here / "big").read_bytes()


def test_a_folder_with_a_large_file_keeps_its_times_and_links(shared: Box, here: Path) -> None:
    shared.run(
        "mkdir -p /tmp/holds/deep; cd /tmp/holds; head -c 40000000 /dev/urandom > deep/large; "
        "echo small > small; ln small hard; ln -s small link; touch -hd @1600000000.123456789 "
        "small link deep/large; touch -d @1500000000.000000007 deep"
    )

    shared.get("/tmp/holds", "back")
    shared.get("/tmp/holds/.", "again")

    digest = shared.run("sha256sum /tmp/holds/deep/large; rm -r /tmp/holds")[:64]
    for name in ("back", "again"):
        came = here / name
        assert hashlib.sha256((came / "deep/large").read_bytes()).hexdigest() == digest
        assert {(came / one).lstat().st_mtime_ns for one in ("small", "link", "deep/large")} == {
            1_600_000_000 * SECOND + 123_456_789
        }
        assert (came / "deep").stat().st_mtime_ns == 1_500_000_000 * SECOND + 7
        assert (came / "small").samefile(came / "hard")


def test_many_files_go_both_ways(shared: Box, here: Path) -> None:
    many = here / "many"
    many.mkdir()
    for number in range(1500):
        (many / f"{number:05}").write_text(str(number))
    shared.run("mkdir /tmp/many; echo own > /tmp/many/own")

    shared.put("many/.", "/tmp/many")
    summary = shared.get("/tmp/many", "back")

    assert summary.files == 1501
    assert (here / "back/01499").read_text() == "1499"
    assert (here / "back/own").read_text() == "own\n"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("path", ["/dev/null", "/proc/cpuinfo"])
def test_devices_and_kernel_files_are_no_files(shared: Box, path: str) -> None:
    with pytest.raises(TransferError, match=r"device|whose files have no size"):
        shared.get(path, ".")
    with pytest.raises(TransferError, match=r"device|takes no files"):
        shared.put("file", path)

    assert shared.run("test -c /dev/null && echo still") == "still\n"


def test_a_file_here_that_has_content_and_no_size_is_refused(shared: Box) -> None:
    with pytest.raises(TransferError, match=r"/proc/version has content but no size"):
        shared.put("/proc/version", "/tmp")

    assert shared.run("ls /tmp | grep -c version || true").strip() == "0"


def test_a_device_here_is_never_replaced(shared: Box) -> None:
    with pytest.raises(TransferError, match="is a device or a pipe"):
        shared.get("/etc/passwd", "/dev/null")

    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
