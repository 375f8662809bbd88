"""Documents of both engines become the same few words."""

from __future__ import annotations

from typing import Any

import pytest

from ctrkernel.engine.container import ContainerInfo, Mount, not_running, parse_inspect

DOCKER: dict[str, Any] = {
    "Id": "f" * 64,
    "Name": "/web",
    "Created": "2026-11-22T17:16:56.6Z",
    "Image": "sha256:1234",
    "State": {"Status": "running", "Pid": 42, "ExitCode": 0, "Health": {"Status": "healthy"}},
    "Config": {
        "Image": "nginx:1",
        "User": "app",
        "WorkingDir": "/srv",
        "Labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": "front"},
    },
    "HostConfig": {"ReadonlyRootfs": True, "Tmpfs": {"/run": "rw,size=64m", "/ro": "ro"}},
    "Mounts": [
        {"Type": "bind", "Source": "/data", "Destination": "/mnt", "RW": False},
        {"Type": "volume", "Name": "v1", "Source": "/var/v", "Destination": "/vol", "RW": True},
        {"Type": "tmpfs", "Source": "", "Destination": "/tmp", "RW": True},
    ],
}


def test_a_docker_document_is_read() -> None:
    info = parse_inspect(DOCKER)

    assert (info.name, info.image, info.image_id) == ("web", "nginx:1", "sha256:1234")
    assert (info.state, info.pid, info.user, info.workdir) == ("running", 42, "app", "/srv")
    assert (info.read_only, info.health, info.running) == (True, "healthy", True)
    assert info.compose == ("shop", "front")
    assert info.mounts == (
        Mount(type="bind", source="/data", destination="/mnt", rw=False),
        Mount(type="volume", source="v1", destination="/vol", rw=True),
        Mount(type="tmpfs", source="", destination="/tmp", rw=True),
        Mount(type="tmpfs", source="", destination="/run", rw=True),
        Mount(type="tmpfs", source="", destination="/ro", rw=False),
    )
    assert info.tmpfs == ("/tmp", "/run", "/ro")


def test_a_podman_document_is_read() -> None:
    info = parse_inspect(
        {
            "Id": "a" * 64,
            "Name": "box",
            "Image": "1234",
            "ImageName": "localhost/debian",
            "State": {"Status": "stopped", "ExitCode": 137, "Health": {"Status": ""}},
            "Config": {"User": "", "Labels": None},
            "Mounts": [],
        }
    )

    assert (info.name, info.image, info.state) == ("box", "localhost/debian", "exited")
    assert (info.exit_code, info.health, info.running) == (137, None, False)
    assert info.compose is None


def test_a_document_of_nulls_is_read() -> None:
    info = parse_inspect({"Id": "a", "State": None, "Config": None, "Mounts": None})

    assert (info.id, info.state, info.mounts) == ("a", "", ())


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (
            "exited",
            "is stopped (exit status 7); type `docker start web`, or in a notebook %ctr_start",
        ),
        ("paused", "is paused; type `docker unpause web`, or in a notebook %ctr_unpause web"),
        ("created", "`docker start web`"),
        ("restarting", "`docker logs web`"),
        ("removing", "`docker ps`"),
        ("dead", "`docker rm -f web`"),
        ("asleep", "is in state 'asleep'"),
    ],
)
def test_every_state_says_what_to_type(state: str, said: str) -> None:
    info = ContainerInfo(
        id="f",
        name="web",
        image="",
        image_id="",
        state=state,
        exit_code=7,
        pid=0,
        user="",
        workdir="",
    )

    failure = not_running(info, "docker")

    assert failure is not None
    assert said in str(failure)


def test_a_running_container_has_nothing_wrong() -> None:
    assert not_running(parse_inspect(DOCKER), "docker") is None
