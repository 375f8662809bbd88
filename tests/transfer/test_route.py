"""Which way the bytes take, by the mounts."""

from __future__ import annotations

import pytest

from ctrkernel.engine.container import ContainerInfo, Mount
from ctrkernel.errors import TransferError
from ctrkernel.transfer.probe import MountPoint, Probe, parse_mountinfo
from ctrkernel.transfer.route import Route, get_route, mount_of, put_route

MOUNTINFO = r"""
266 184 0:95 / / rw,relatime master:8 - overlay overlay rw,lowerdir=/l
267 266 0:98 / /proc rw,nosuid - proc proc rw
268 266 0:99 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k
270 266 0:101 / /sys ro,nosuid - sysfs sysfs ro
283 266 0:104 / /scratch rw,nosuid - tmpfs tmpfs rw
284 266 254:0 /hosts /etc/hosts rw - ext4 /dev/vda rw
285 266 254:0 /v /vol rw - ext4 /dev/vda rw
286 266 254:0 /r /fixed ro - ext4 /dev/vda rw
287 266 0:105 / /data/a\040b rw - tmpfs tmpfs rw
not a mount
"""
MOUNTS = parse_mountinfo(MOUNTINFO)
DECLARED = (
    Mount(type="volume", source="v", destination="/vol", rw=True),
    Mount(type="bind", source="/r", destination="/fixed", rw=False),
    Mount(type="tmpfs", source="", destination="/scratch", rw=True),
)


def info(*, read_only: bool = False, state: str = "running") -> ContainerInfo:
    return ContainerInfo(
        id="f",
        name="web",
        image="",
        image_id="",
        state=state,
        exit_code=0,
        pid=1,
        user="",
        workdir="",
        mounts=DECLARED,
        read_only=read_only,
    )


def probe(*tools: str, mounts: tuple[MountPoint, ...] = MOUNTS, by_exec: bool = True) -> Probe:
    return Probe(paths=(), mounts=mounts, by_exec=by_exec, tools=frozenset(tools))


def test_mountinfo_is_read_with_its_escapes() -> None:
    assert MOUNTS[0] == MountPoint(path="/", type="overlay", read_only=False)
    assert MOUNTS[-1] == MountPoint(path="/data/a b", type="tmpfs", read_only=False)
    assert len(MOUNTS) == 9


@pytest.mark.parametrize(
    ("path", "mount"),
    [("/", "/"), ("/scratchy", "/"), ("/scratch", "/scratch"), ("/vol/a/b", "/vol"), ("/v", "/")],
)
def test_the_longest_mount_that_contains_a_path(path: str, mount: str) -> None:
    assert mount_of(MOUNTS, path).path == mount


def test_a_mount_over_another_hides_it() -> None:
    over = MountPoint(path="/vol", type="tmpfs", read_only=False)

    assert mount_of((*MOUNTS, over), "/vol/x") is over


@pytest.mark.parametrize(
    ("folder", "route"),
    [
        ("/", Route.ARCHIVE),
        ("/srv", Route.ARCHIVE),
        ("/vol/x", Route.ARCHIVE),
        ("/scratch", Route.TAR),
        ("/dev/shm", Route.TAR),
        ("/data/a b/c", Route.TAR),
    ],
)
def test_a_put_goes_by_tar_only_where_the_archive_does_not_see(folder: str, route: Route) -> None:
    assert put_route(info(), probe("tar"), folder, engine_name="docker") is route


def test_a_read_only_root_takes_puts_on_its_volumes_and_tmpfs() -> None:
    mounts = (MountPoint(path="/", type="overlay", read_only=True), *MOUNTS[1:])
    container, seen = info(read_only=True), probe("tar", mounts=mounts)

    assert put_route(container, seen, "/vol", engine_name="docker") is Route.TAR
    assert put_route(container, seen, "/scratch", engine_name="docker") is Route.TAR
    bare = probe(mounts=mounts)
    assert put_route(container, bare, "/vol", engine_name="docker") is Route.ARCHIVE
    with pytest.raises(
        TransferError,
        match="web:/srv is on a read-only file system; what can be written: /scratch, /vol",
    ):
        put_route(container, seen, "/srv", engine_name="docker")


def test_a_root_without_anything_to_write_on_says_so() -> None:
    mounts = (MountPoint(path="/", type="overlay", read_only=True),)

    with pytest.raises(TransferError, match="nothing in this container can be written"):
        put_route(info(), probe("tar", mounts=mounts), "/srv", engine_name="docker")


@pytest.mark.parametrize("folder", ["/proc", "/fixed/x"])
def test_a_put_where_nothing_can_be_written_is_refused(folder: str) -> None:
    with pytest.raises(TransferError, match=r"takes no files|read-only"):
        put_route(info(), probe("tar"), folder, engine_name="docker")


@pytest.mark.parametrize(
    ("state", "by_exec", "said"),
    [
        ("running", True, "the image has no tar"),
        ("running", False, "the image has no shell"),
        ("exited", False, "type `docker start web`"),
        ("paused", False, "type `docker unpause web`"),
    ],
)
def test_what_nothing_can_reach_says_what_to_do(state: str, by_exec: bool, said: str) -> None:
    container, seen = info(state=state), probe(by_exec=by_exec)

    with pytest.raises(TransferError, match=said):
        put_route(container, seen, "/scratch", engine_name="docker")
    with pytest.raises(TransferError, match=said):
        get_route(container, seen, "/scratch/x", is_folder=False, engine_name="docker")


@pytest.mark.parametrize(
    ("path", "is_folder", "route"),
    [
        ("/srv", True, Route.ARCHIVE),
        ("/etc/hosts", False, Route.ARCHIVE),
        ("/fixed/x", False, Route.ARCHIVE),
        ("/scratch/x", False, Route.TAR),
        ("/scratch", True, Route.TAR),
        ("/data", True, Route.TAR),
        ("/data/b", False, Route.ARCHIVE),
        ("/", True, Route.ARCHIVE),
    ],
)
def test_a_get_goes_by_tar_where_something_hidden_is_in_it(
    path: str,
    is_folder: bool,
    route: Route,
) -> None:
    chosen = get_route(info(), probe("tar"), path, is_folder=is_folder, engine_name="docker")

    assert chosen is route


def test_files_of_the_kernel_have_no_size_to_copy() -> None:
    with pytest.raises(TransferError, match="on proc, whose files have no size"):
        get_route(info(), probe("tar"), "/proc/cpuinfo", is_folder=False, engine_name="docker")
