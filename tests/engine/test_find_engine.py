"""Which engine is chosen, without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ctrkernel.engine.engine import find_engine
from ctrkernel.errors import EngineNotFound, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def make_program(folder: Path, name: str) -> Path:
    program = folder / name
    program.write_text("#!/bin/sh\necho ran >> ran\n")
    program.chmod(0o755)
    return program


def test_docker_comes_before_podman(tmp_path: Path) -> None:
    make_program(tmp_path, "podman")
    docker = make_program(tmp_path, "docker")

    engine = find_engine({"PATH": str(tmp_path)})

    assert (engine.program, engine.name) == (str(docker), "docker")


def test_podman_is_taken_where_docker_is_missing(tmp_path: Path) -> None:
    podman = make_program(tmp_path, "podman")

    engine = find_engine({"PATH": str(tmp_path)})

    assert (engine.program, engine.name) == (str(podman), "podman")


def test_the_variable_chooses_by_name(tmp_path: Path) -> None:
    make_program(tmp_path, "docker")
    podman = make_program(tmp_path, "podman")

    engine = find_engine({"PATH": str(tmp_path), "CTRKERNEL_ENGINE": "podman"})

    assert engine.program == str(podman)


@pytest.mark.parametrize(
    ("program", "name"),
    [("podman-remote", "podman"), ("docker-27", "docker"), ("podman", "podman")],
)
def test_the_variable_chooses_by_path(tmp_path: Path, program: str, name: str) -> None:
    path = make_program(tmp_path, program)

    engine = find_engine({"PATH": "", "CTRKERNEL_ENGINE": str(path)})

    assert (engine.program, engine.name) == (str(path), name)


@pytest.mark.parametrize("asked", ["lxc", "/usr/bin/env", "dockerish", "--help", "docker\nrm"])
def test_another_program_is_refused_with_the_choices(asked: str) -> None:
    with pytest.raises(UsageError, match="docker, podman") as caught:
        find_engine({"PATH": "/usr/bin", "CTRKERNEL_ENGINE": asked})

    assert "\n" not in str(caught.value)


def test_an_engine_that_is_asked_for_and_missing_is_said(tmp_path: Path) -> None:
    make_program(tmp_path, "docker")

    with pytest.raises(EngineNotFound, match="CTRKERNEL_ENGINE=podman is not installed"):
        find_engine({"PATH": str(tmp_path), "CTRKERNEL_ENGINE": "podman"})


def test_no_engine_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(EngineNotFound, match="install Docker or Podman"):
        find_engine({"PATH": str(tmp_path)})


def test_finding_runs_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_program(tmp_path, "docker")

    find_engine({"PATH": str(tmp_path)})

    assert not (tmp_path / "ran").exists()
