"""The engine layer on a real Docker engine: inspect, states, ambiguity, exec, processes."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING

import pytest

from ctrkernel.engine.engine import Engine, find_engine
from ctrkernel.errors import ContainerAmbiguous, ContainerNotFound, ContainerNotRunning, EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.engine.processes import Process
    from tests.integration.conftest import MakeContainer

ANSWER = 60.0


@pytest.fixture
def engine(engine_program: str) -> Engine:
    assert engine_program
    return find_engine(os.environ)


@pytest.fixture
def start(make_container: Callable[..., str]) -> Callable[..., str]:
    """Return a function of the engine's `run` options that starts a busybox container."""
    return lambda *options: make_container("busybox", *options)


def test_inspect_tells_what_run_was_told(engine: Engine, start: Callable[..., str]) -> None:
    name = start(
        "--user=1000:1000",
        "--workdir=/srv",
        "--read-only",
        "--tmpfs=/scratch",
        "--mount=type=tmpfs,destination=/mem",
        "--volume=/anon",
        "--label=com.docker.compose.project=shop",
        "--label=com.docker.compose.service=front",
    )

    info = engine.inspect(name)

    assert (info.name, info.state) == (name, "running")
    assert "busybox" in info.image
    assert (info.user, info.workdir, info.read_only) == ("1000:1000", "/srv", True)
    assert set(info.tmpfs) == {"/scratch", "/mem"}
    assert [mount.destination for mount in info.mounts if mount.type == "volume"] == ["/anon"]
    assert info.compose == ("shop", "front")
    assert info.pid > 0


def test_an_id_and_its_beginning_name_the_container(
    engine: Engine, start: Callable[..., str]
) -> None:
    info = engine.inspect(start())

    assert engine.inspect(info.id).name == info.name
    assert engine.inspect(info.id[:12]).name == info.name


def test_an_unknown_name_lists_the_running_and_the_line_to_type(
    engine: Engine, start: Callable[..., str]
) -> None:
    name = start()

    with pytest.raises(ContainerNotFound) as caught:
        engine.inspect(name[:-1])

    said = str(caught.value)
    assert said.startswith(f"no container '{name[:-1]}'; running: ")
    assert said.endswith(f"; name one, such as {name}")


@pytest.mark.parametrize("target", ["--help", "-f", "", "a b", "$(id)"])
def test_a_name_that_is_no_name_is_data(engine: Engine, target: str) -> None:
    with pytest.raises(ContainerNotFound, match="no container"):
        engine.inspect(target)


def test_a_compose_service_stands_for_its_one_container(
    engine: Engine, make_container: MakeContainer
) -> None:
    def of(project: str) -> str:
        return make_container(
            "busybox",
            f"--label=com.docker.compose.project={project}",
            "--label=com.docker.compose.service=ctrk-db",
        )

    one = of("ctrk-shop")

    assert engine.inspect("ctrk-db").name == one
    assert engine.inspect("ctrk-shop/ctrk-db").name == one
    wrong = engine.diagnose("ctrk-db")
    assert isinstance(wrong, ContainerNotFound)
    assert wrong.nearest == one

    other = of("ctrk-blog")

    assert engine.inspect("ctrk-blog/ctrk-db").name == other
    with pytest.raises(ContainerAmbiguous, match=f"{other}, {one}"):
        engine.inspect("ctrk-db")


def test_an_ambiguous_id_names_those_that_fit(engine: Engine, start: Callable[..., str]) -> None:
    # 17 containers: two ids share their first digit, for there are 16 digits.
    for _ in range(17):
        start("--entrypoint=true")
    ids = [info.id for info in engine.containers(all=True)]
    first = next(one[0] for one in ids if [other[0] for other in ids].count(one[0]) > 1)

    with pytest.raises(ContainerAmbiguous, match=f"begins with {first}: ") as caught:
        engine.inspect(first)

    assert caught.value.nearest in {info.name for info in engine.containers(all=True)}


def test_each_state_is_diagnosed(engine: Engine, start: Callable[..., str]) -> None:
    name = start()

    assert engine.diagnose(name) is None
    assert engine.require_running(engine.inspect(name)).name == name

    engine.run(["pause", name], timeout=ANSWER)
    assert f"docker unpause {name}" in str(engine.diagnose(name))

    engine.run(["unpause", name], timeout=ANSWER)
    engine.run(["kill", name], timeout=ANSWER)
    engine.run(["wait", name], timeout=ANSWER)
    with pytest.raises(ContainerNotRunning, match=f"exit status 137.*`docker start {name}`"):
        engine.require_running(engine.inspect(name))

    engine.run(["rm", name], timeout=ANSWER)
    assert isinstance(engine.diagnose(name), ContainerNotFound)


def test_a_restarting_container_is_told_from_a_running_one(
    engine: Engine, start: Callable[..., str]
) -> None:
    name = start("--restart=always", "--entrypoint=false")
    state = ""
    while state != "restarting":  # between two restarts it runs for a moment
        state = engine.inspect(name).state

    failure = engine.diagnose(name)

    assert failure is None or f"`docker logs {name}`" in str(failure)


def test_containers_lists_the_stopped_on_demand(engine: Engine, start: Callable[..., str]) -> None:
    up, paused, down = start(), start(), start("--entrypoint=true")
    engine.run(["wait", down], timeout=ANSWER)
    engine.run(["pause", paused], timeout=ANSWER)

    def names(**options: bool) -> set[str]:
        return {info.name for info in engine.containers(**options)} & {up, paused, down}

    assert names(all=True) == {up, paused, down}
    assert names() == {up, paused}
    assert {info.name for info in engine.running()} & {up, paused, down} == {up}


def test_exec_argv_runs_with_its_options(engine: Engine, start: Callable[..., str]) -> None:
    name = start()
    argv = engine.exec_argv(
        name,
        ["sh", "-c", 'cat; echo "$PWD $A $SECRET $(id -u)"', "--help"],
        interactive=True,
        env={"A": "a b"},
        env_names=["SECRET"],
        workdir="/tmp",
        user="7",
    )

    done = engine.run(argv[1:], timeout=ANSWER, input=b"in\n", environ={"SECRET": "s"})

    assert done.stdout == b"in\n/tmp a b s 7\n"


def test_a_failing_exec_is_a_status(engine: Engine, start: Callable[..., str]) -> None:
    argv = engine.exec_argv(start(), ["sh", "-c", "exit 9"])

    assert engine.run(argv[1:], timeout=ANSWER).exit_code == 9


def test_a_time_out_is_an_engine_error(engine: Engine, start: Callable[..., str]) -> None:
    argv = engine.exec_argv(start(), ["sleep", "60"])

    with pytest.raises(EngineError, match=r"took longer than 0\.5 s"):
        engine.run(argv[1:], timeout=0.5)


def test_processes_shows_a_foreground_process_that_waits_for_input(
    engine: Engine, start: Callable[..., str]
) -> None:
    name = start()
    argv = engine.exec_argv(name, ["sh", "-c", "echo up; cat"], tty=True, interactive=True)
    ours, theirs = pty.openpty()
    with subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs) as client:
        assert os.read(ours, 100).strip() == b"up"
        asleep = [one for one in wait_for_cat(engine, name) if one.wchan == "wait_woken"]
        os.write(ours, b"\x04")
        client.wait(ANSWER)
    os.close(ours)
    os.close(theirs)

    assert [one.command for one in asleep] == ["cat"]
    assert (asleep[0].stat, asleep[0].tty) == ("Ss+", "pts/0")
    assert asleep[0].tpgid == asleep[0].pgid


def wait_for_cat(engine: Engine, name: str) -> list[Process]:
    """Look until `cat` sleeps on its terminal; the test's own time-out bounds it."""
    while True:
        seen = engine.processes(name)
        if any(one.command == "cat" and one.wchan == "wait_woken" for one in seen):
            return seen


def test_processes_of_no_container_are_none(engine: Engine) -> None:
    assert engine.processes("nosuch-container") == []
