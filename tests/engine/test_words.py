"""Small pure parts of the engine layer: ports, ages, names, paths into a document."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ctrkernel.engine.build import BuildSpec
from ctrkernel.engine.create import RunSpec, _candidates
from ctrkernel.engine.document import at_path
from ctrkernel.engine.images import base_name, check_image, safe_name
from ctrkernel.engine.lifecycle import reason_of
from ctrkernel.engine.ports import Port, parse_ports
from ctrkernel.engine.times import age, moment
from ctrkernel.errors import UsageError

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("listed", "shown"),
    [
        ({}, []),
        ({"80/tcp": None}, ["80"]),
        ({"80/tcp": []}, ["80"]),
        ({"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}, ["8080→80"]),
        (
            {
                "80/tcp": [
                    {"HostIp": "0.0.0.0", "HostPort": "8080"},
                    {"HostIp": "::", "HostPort": "8080"},
                ]
            },
            ["8080→80"],
        ),
        ({"53/udp": [{"HostIp": "127.0.0.1", "HostPort": "53"}]}, ["127.0.0.1:53→53/udp"]),
        ({"80/tcp": [{"HostIp": "::1", "HostPort": "81"}]}, ["[::1]:81→80"]),
        ({"80": [{"HostIp": "", "HostPort": ""}]}, ["80"]),
        ({"9/tcp": None, "10/tcp": None, "9/sctp": None}, ["9/sctp", "9", "10"]),
        ({"80-90/tcp": None, "x": None}, []),
    ],
)
def test_ports_are_told_as_the_host_publishes_them(
    listed: dict[str, list[dict[str, str]] | None], shown: list[str]
) -> None:
    assert [str(port) for port in parse_ports(listed)] == shown


def test_a_port_is_data() -> None:
    listed = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}

    assert parse_ports(listed) == (Port(80, "tcp", 8080, "127.0.0.1"),)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-5, "0 seconds"),
        (0.4, "0 seconds"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (7_199, "1 hour"),
        (86_400 * 3, "3 days"),
        (86_400 * 15, "2 weeks"),
        (86_400 * 65, "2 months"),
        (86_400 * 800, "2 years"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds: float, told: str) -> None:
    then = NOW - timedelta(seconds=seconds)

    assert age(then.isoformat(), now=NOW) == told


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T11:59:00.123456789Z",
        "2026-03-01T12:59:00.12345+01:00",
        "2026-03-01T11:59:00",
        "2026-03-01 11:59:00.5Z",
    ],
)
def test_every_engine_s_way_to_write_a_time_is_read(text: str) -> None:
    assert age(text, now=NOW) in ("59 seconds", "1 minute")


@pytest.mark.parametrize("text", ["", "None", "0001-01-01T00:00:00Z", "yesterday"])
def test_what_never_happened_has_no_age(text: str) -> None:
    assert moment(text) is None
    assert age(text) == ""


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("debian", "debian"),
        ("debian:12", "debian"),
        ("docker.io/library/debian:12-slim", "debian"),
        ("localhost:5000/team/my.app_x@sha256:" + "0" * 64, "my.app_x"),
        ("ghcr.io/a/b+c:1", "b-c"),
        ("r", "rbox"),
        ("sha256:" + "ab" * 32, "box"),
        ("5a1be698b6ca", "box"),
    ],
)
def test_a_container_is_called_like_its_image(image: str, name: str) -> None:
    assert base_name(image) == name
    assert _candidates(RunSpec(image))[:3] == [name, f"{name}-2", f"{name}-3"]


def test_a_pinned_name_is_the_only_one() -> None:
    assert _candidates(RunSpec("debian", name="web")) == ["web"]


@pytest.mark.parametrize(
    "image",
    [
        "",
        "-v",
        "--help",
        " x",
        "a b",
        "a\nb",
        "$(id)",
        "../x",
        "Debian",
        "debian:1:2",
        "host/Debian",
    ],
)
def test_what_can_be_no_image_is_refused(image: str) -> None:
    with pytest.raises(UsageError, match="cannot be an image's name"):
        check_image(image)


@pytest.mark.parametrize(
    "image",
    [
        "debian",
        "debian:Bookworm-1.2_3",
        "library/a__b.c-d--e:1",
        "registry.test:5000/team/x:1",
        "REGISTRY.test:5000/team/x",
        "localhost/x@sha256:" + "ab" * 32,
        "debian:12@sha256:" + "ab" * 32,
        "sha256:" + "ab" * 32,
        "5a1be698b6ca",
        "docker://debian:12",
        "oci-archive:/images/App.tar",
    ],
)
def test_what_can_be_an_image_is_taken(image: str) -> None:
    assert check_image(image) == image


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (RunSpec("debian", name="-x"), "no name for a container"),
        (RunSpec("debian", name="a"), "no name for a container"),
        (RunSpec("debian", name="a/b"), "no name for a container"),
        (RunSpec("debian", pull="sometimes"), "missing, always, never"),
        (RunSpec("debian", env={"A B": "x"}), "no name for a variable"),
        (RunSpec("debian", env={"": "x"}), "no name for a variable"),
        (RunSpec("debian", env_files=["/no/such/file"]), "no such file"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_before_anything_is_made(spec: RunSpec, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        spec.checked()

    assert "\n" not in str(caught.value)


def test_values_of_variables_never_stand_on_the_argv() -> None:
    env = {"TOKEN": "s3cret", "PATH": "/s3cret", "KEY": "s3cret\nof two lines", "CR": "s3cret\r"}

    words, text, environ = RunSpec("debian", env=env).words()

    assert "s3cret" not in " ".join(words)
    assert text == b"TOKEN=s3cret\nPATH=/s3cret\n"
    assert environ == {"KEY": env["KEY"], "CR": env["CR"]}
    assert words == ["--env-file=/dev/stdin", "--env=KEY", "--env=CR"]


@pytest.mark.parametrize("name", ["PATH", "HOME", "DOCKER_HOST", "https_proxy", "XDG_RUNTIME_DIR"])
def test_a_variable_that_steers_the_engine_s_program_is_never_in_its_environment(name: str) -> None:
    assert not safe_name(name)
    with pytest.raises(UsageError, match=f"the value of {name}"):
        RunSpec("debian", env={name: "a\nb"}).words()


@pytest.mark.parametrize("name", ["TOKEN", "MY_PATH", "DOCKERFILE", "homepage", "GOAL", "USERS"])
def test_other_variables_may_be(name: str) -> None:
    assert safe_name(name)


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ("data:/data", "data:/data"),
        ("/data", "/data"),
        ("./data:/data:ro", "{cwd}/data:/data:ro"),
        (".:/data", "{cwd}:/data"),
        ("~/data:/data", "{home}/data:/data"),
        ("/srv:/data", "/srv:/data"),
    ],
)
def test_a_volume_of_this_machine_gets_an_absolute_path(given: str, passed: str) -> None:
    words, _, _ = RunSpec("debian", volumes=[given]).words()

    home = os.environ["HOME"]
    assert words == ["--volume=" + passed.format(cwd=Path.cwd(), home=home)]


def test_a_bind_gets_an_absolute_path_and_other_mounts_stay() -> None:
    mounts = ["type=bind,src=data,dst=/d,readonly", "type=volume,source=data,target=/d"]

    words, _, _ = RunSpec("debian", mounts=mounts).words()

    assert words == [
        f"--mount=type=bind,src={Path.cwd()}/data,dst=/d,readonly",
        "--mount=type=volume,source=data,target=/d",
    ]


def test_words_that_begin_with_a_dash_stay_values() -> None:
    words, _, _ = RunSpec(
        "debian", user="-x", workdir="--rm", labels=["--privileged"], ports=["-p"]
    ).words()

    assert words == ["--publish=-p", "--label=--privileged", "--workdir=--rm", "--user=-x"]


def test_build_arguments_travel_in_the_environment_where_they_can() -> None:
    words, environ = BuildSpec(".", build_args={"TOKEN": "x", "HTTP_PROXY": "http://p"}).words()

    assert words == ["--build-arg=TOKEN", "--build-arg=HTTP_PROXY=http://p"]
    assert environ == {"TOKEN": "x"}


DOCUMENT = {
    "Name": "/web",
    "Empty": {},
    "None": [],
    "Mounts": [{"Source": "/a"}, {"Source": "/b"}],
    "Labels": {"com.docker.compose.project": "shop", "com": {"docker": "no"}},
    "Ports": {"80/tcp": None},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("", DOCUMENT),
        ("Name", "/web"),
        ("Mounts.1.Source", "/b"),
        ("Mounts.0", {"Source": "/a"}),
        ("Labels.com.docker.compose.project", "shop"),
        ("Labels.com.docker", "no"),
        ("Ports.80/tcp", None),
    ],
)
def test_a_dotted_path_finds_its_value(path: str, value: object) -> None:
    assert at_path(DOCUMENT, path) == value


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("name", "no 'name' in the document; it has Name, Empty, None, Mounts, Labels, Ports"),
        ("Name.x", "no 'x' in Name; it is the value '/web'"),
        ("Mounts.2", "no '2' in Mounts; its positions are 0 to 1"),
        ("Mounts.-1", "no '-1' in Mounts; its positions are 0 to 1"),
        ("Mounts.0.Target", "no 'Target' in Mounts.0; it has Source"),
        ("Empty.x", "no 'x' in Empty; it is empty"),
        ("None.0", "no '0' in None; it is an empty list"),
        (".", "no '' in the document; it has Name"),
    ],
)
def test_a_wrong_path_names_what_is_there(path: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        at_path(DOCUMENT, path)

    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Error response from daemon: no.\n", "no"),
        ("docker: bad flag\nSee 'docker create --help'.\n", "bad flag"),
        ("Error: no container with name\n", "no container with name"),
        ('time="2026" level=warning msg="x"\nError: y\n', "y"),
        ("Error response from daemon: why\nError: failed to start containers: x\n", "why"),
        ("something\nelse\n", "else"),
        ("", "it gave no reason"),
    ],
)
def test_the_reason_of_a_failure_is_one_line(said: str, why: str) -> None:
    assert reason_of(said) == why
