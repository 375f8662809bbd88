"""Argv, refused names, and what becomes of a client that fails; a script stands for the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ctrkernel.engine.engine import Engine
from ctrkernel.errors import (
    ContainerNotFound,
    EngineError,
    EngineNotFound,
    EngineUnreachable,
    UsageError,
)

if TYPE_CHECKING:
    from pathlib import Path

DOCKER = Engine(program="/usr/bin/docker", name="docker")


def scripted(tmp_path: Path, body: str, name: str = "docker") -> Engine:
    """Make an engine whose client is a shell script."""
    program = tmp_path / name
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return Engine(program=str(program), name=name)


def test_command_is_the_program_and_its_arguments() -> None:
    assert DOCKER.command("ps", "-a") == ["/usr/bin/docker", "ps", "-a"]


def test_exec_argv_carries_every_option() -> None:
    argv = DOCKER.exec_argv(
        "web",
        ["sh", "-c", "echo $X", "--help"],
        tty=True,
        interactive=True,
        env={"TERM": "xterm"},
        env_names=["TOKEN"],
        workdir="/srv",
        user="1000:1000",
        detach_keys="ctrl-^",
    )

    assert argv == [
        "/usr/bin/docker",
        "exec",
        "--interactive",
        "--tty",
        "--detach-keys=ctrl-^",
        "--workdir=/srv",
        "--user=1000:1000",
        "--env=TERM=xterm",
        "--env=TOKEN",
        "web",
        "sh",
        "-c",
        "echo $X",
        "--help",
    ]


def test_exec_argv_without_options_is_bare() -> None:
    assert DOCKER.exec_argv("web", ["true"]) == ["/usr/bin/docker", "exec", "web", "true"]


@pytest.mark.parametrize("name", ["A=B", "", "1A", "A B", "A\n"])
def test_exec_argv_refuses_a_variable_that_would_change_its_meaning(name: str) -> None:
    with pytest.raises(UsageError, match="is no name for a variable"):
        DOCKER.exec_argv("web", ["true"], env_names=[name])


@pytest.mark.parametrize("target", ["-it", "--privileged", "", "a b", "a/b", "a\nb", "é", "_x"])
def test_a_name_that_is_no_name_is_never_an_option(target: str) -> None:
    with pytest.raises(ContainerNotFound) as caught:
        DOCKER.exec_argv(target, ["true"])

    assert "\n" not in str(caught.value)


def test_run_returns_a_failure_of_a_command_when_the_engine_answers(tmp_path: Path) -> None:
    engine = scripted(tmp_path, 'case "$1" in version) echo 20;; *) echo no >&2; exit 3;; esac')

    done = engine.run(["rm", "x"], timeout=10)

    assert (done.exit_code, done.stderr) == (3, b"no\n")


def test_run_passes_input_and_secret_variables(tmp_path: Path) -> None:
    engine = scripted(tmp_path, 'cat; printf %s "$TOKEN"')

    done = engine.run(["exec"], timeout=10, input=b"in:", environ={"TOKEN": "s3cret"})

    assert done.stdout == b"in:s3cret"


def test_run_says_that_the_time_was_up(tmp_path: Path) -> None:
    engine = scripted(tmp_path, "exec sleep 60")

    with pytest.raises(EngineError, match=r"`docker ps -q` took longer than 0.2 s"):
        engine.run(["ps", "-q"], timeout=0.2)


def test_run_says_that_the_program_went_away(tmp_path: Path) -> None:
    engine = Engine(program=str(tmp_path / "docker"), name="docker")

    with pytest.raises(EngineNotFound, match="cannot be run: No such file"):
        engine.run(["ps"], timeout=10)


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("unix://{tmp}/none.sock", "there is no such socket; start it with"),
        ("unix://{tmp}/docker", "nothing listens on it; start it with"),
        ("ssh://nowhere", "at ssh://nowhere does not answer: sorry; check DOCKER_HOST"),
    ],
)
def test_a_daemon_that_does_not_answer_is_told_from_a_failing_command(
    tmp_path: Path, endpoint: str, said: str
) -> None:
    shown = endpoint.format(tmp=tmp_path)
    engine = scripted(
        tmp_path, f'case "$1" in context) echo {shown};; *) echo sorry >&2; exit 1;; esac'
    )

    with pytest.raises(EngineUnreachable, match=said) as caught:
        engine.run(["ps"], timeout=10)

    assert "\n" not in str(caught.value)


def test_a_podman_that_does_not_work_says_its_reason(tmp_path: Path) -> None:
    engine = scripted(tmp_path, "echo 'no subuid' >&2; exit 125", name="podman")

    with pytest.raises(EngineUnreachable, match="podman does not work: no subuid; see"):
        engine.containers()


def test_an_answer_that_is_not_json_is_said(tmp_path: Path) -> None:
    engine = scripted(tmp_path, "echo hello")

    with pytest.raises(EngineError, match="is not JSON"):
        engine.inspect("web")
