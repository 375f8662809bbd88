"""Bad input is one line that says what to type next; the notebook goes on."""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.live_kernel import Cell, LiveKernel, docker, eventually, live_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Seconds for an error that an engine which does not answer causes.
ENGINE_ERROR_TIMEOUT = 20.0


@pytest.fixture(scope="module")
def shared(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    folder = tmp_path_factory.mktemp("kernel")
    with live_kernel(folder, CTRKERNEL_TARGET=debian) as started:
        yield started


@pytest.fixture
def kernel(shared: LiveKernel) -> Iterator[LiveKernel]:
    """The module's kernel; at the end it is still attached to where it was."""
    shared.run("kept=yes")
    yield shared
    shared.heal()


def told(cell: Cell) -> tuple[str, str]:
    """The cell's error, once it is seen to be one line that says what to do, and no traceback."""
    ename, evalue = cell.error
    assert cell.status == "error"
    assert "\n" not in evalue
    assert evalue.strip()
    (line,) = cell.reply["content"]["traceback"]
    assert "\n" not in line
    assert "Traceback" not in "".join(cell.streams)
    return ename, evalue


def assert_goes_on(kernel: LiveKernel) -> None:
    """The shell that was there before is still there."""
    assert kernel.run('echo "$kept"').text == "yes\n"


# Targets


def test_an_unknown_container_names_those_that_run(kernel: LiveKernel, debian: str) -> None:
    ename, evalue = told(kernel.run(f"%ctr_attach {debian}x"))

    assert ename == "ContainerNotFound"
    assert evalue.startswith(f"no container '{debian}x'; running: ")
    assert evalue.endswith(f"; type %ctr_attach {debian}")
    assert_goes_on(kernel)


def test_an_unknown_container_is_corrected_in_the_line_that_names_it(
    kernel: LiveKernel, debian: str, make_container: Callable[..., str]
) -> None:
    stopped = make_container("busybox")
    docker("kill", stopped)
    lines = {
        "%ctr_logs --tail 3 {}x": debian,
        "%ctr --on {}x pwd": debian,
        "%%ctr --session s --on {}x\npwd": debian,
        "%ctr_copy {}x:/etc/hosts /tmp": debian,
        "%ctr_rm {}x": stopped,
    }

    told_of = {
        line: told(kernel.run(line.format(name)))[1].rpartition("; type ")[2]
        for line, name in lines.items()
    }

    assert told_of == {
        line: line.partition("\n")[0].replace("{}x", name) for line, name in lines.items()
    }
    assert_goes_on(kernel)


@pytest.mark.parametrize("target", ["-it", "--help-me", "-- -it", "-- --privileged", "''", "'a b'"])
def test_a_target_that_can_be_no_name_is_no_option_of_the_engine_s(
    kernel: LiveKernel, target: str
) -> None:
    ename, evalue = told(kernel.run(f"%ctr_attach {target}"))

    assert ename in ("ContainerNotFound", "UsageError")
    assert "type" in evalue
    assert_goes_on(kernel)


def test_an_ambiguous_id_names_those_that_it_fits(
    kernel: LiveKernel, make_container: Callable[..., str]
) -> None:
    # Seventeen ids have two that share their first of sixteen digits.
    ids: list[str] = []
    while len({each[0] for each in ids}) == len(ids):
        make_container("busybox")
        ids = docker("ps", "--all", "--quiet", "--no-trunc").split()
    digit = next(each[0] for each in ids if [other[0] for other in ids].count(each[0]) > 1)

    ename, evalue = told(kernel.run(f"%ctr_attach {digit}"))

    assert ename == "ContainerAmbiguous"
    assert f"begins with {digit}: " in evalue
    assert "type %ctr_attach " in evalue
    assert_goes_on(kernel)


def test_a_stopped_container_says_how_to_start_it(
    kernel: LiveKernel, make_container: Callable[..., str]
) -> None:
    container = make_container("busybox")
    docker("kill", container)

    ename, evalue = told(kernel.run(f"%ctr_attach {container}"))

    assert ename == "ContainerNotRunning"
    assert f"type `docker start {container}`" in evalue
    assert_goes_on(kernel)


def test_a_paused_container_says_how_to_go_on(
    kernel: LiveKernel, make_container: Callable[..., str]
) -> None:
    container = make_container("busybox")
    docker("pause", container)

    ename, evalue = told(kernel.run(f"%ctr_attach {container}"))

    docker("unpause", container)
    assert ename == "ContainerNotRunning"
    assert f"type `docker unpause {container}`" in evalue
    assert_goes_on(kernel)


def test_a_restarting_container_says_where_to_look(
    kernel: LiveKernel, make_container: Callable[..., str]
) -> None:
    container = make_container("busybox", "--restart=always", "--entrypoint=false")
    state = "{{.State.Status}}"
    # Each pause between two restarts is twice the one before.
    assert eventually(
        lambda: (
            int(docker("inspect", "--format={{.RestartCount}}", container)) >= 3
            and docker("inspect", f"--format={state}", container) == "restarting"
        ),
        timeout=30,
    )

    ename, evalue = told(kernel.run(f"%ctr_attach {container}"))

    assert ename == "ContainerNotRunning"
    assert f"`docker logs {container}`" in evalue
    assert_goes_on(kernel)


def test_a_container_without_a_shell_says_what_to_do(kernel: LiveKernel, no_shell: str) -> None:
    ename, evalue = told(kernel.run(f"%ctr_attach {no_shell}"))

    assert ename == "ShellNotFound"
    assert evalue.startswith(f"{no_shell} has no shell")
    assert "CTRKERNEL_SHELL" in evalue
    assert_goes_on(kernel)


def test_without_a_target_the_error_is_the_line_to_type(debian: str, tmp_path: Path) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=None) as kernel:
        ename, evalue = told(kernel.run("echo never"))

        assert ename == "NoTarget"
        assert evalue.startswith("no container is attached; running: ")
        line = re.search(r"type (%ctr_attach \S+)$", evalue)
        assert line is not None
        assert kernel.run(line[1].replace(line[1].split()[1], debian)).status == "ok"
        assert kernel.run("echo now").text == "now\n"


@pytest.mark.parametrize("code", ["%ctr_put a b", "%ctr_get a b"])
def test_a_copy_without_a_target_is_told_the_same(debian: str, tmp_path: Path, code: str) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=None) as kernel:
        for _ in range(2):
            assert told(kernel.run(code))[0] == "NoTarget"


@pytest.mark.parametrize("target", ["no-such-container", "-it", "a b"])
def test_a_target_in_the_environment_that_is_none_is_told_at_the_first_cell(
    debian: str, tmp_path: Path, target: str
) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=target) as kernel:
        for _ in range(2):
            ename, evalue = told(kernel.run("echo never"))
            assert ename == "ContainerNotFound"
            assert target in evalue
            assert "; type %ctr_attach " in evalue or "`docker ps` lists the names" in evalue
        assert kernel.run(f"%ctr_attach {debian}\necho now").text.endswith("now\n")


# The engine


@pytest.mark.parametrize(
    ("environ", "ename", "says"),
    [
        ({"DOCKER_HOST": "unix:///no/such/docker.sock"}, "EngineUnreachable", "DOCKER_HOST"),
        ({"DOCKER_HOST": "tcp://127.0.0.1:9"}, "EngineUnreachable", "127.0.0.1:9"),
        ({"DOCKER_HOST": "nonsense"}, "EngineUnreachable", "DOCKER_HOST"),
        ({"PATH": ""}, "EngineNotFound", "install Docker or Podman"),
        ({"CTRKERNEL_ENGINE": "nonsense"}, "UsageError", "CTRKERNEL_ENGINE=nonsense"),
        ({"CTRKERNEL_ENGINE": "/no/such/docker"}, "EngineNotFound", "unset CTRKERNEL_ENGINE"),
    ],
    ids=["no socket", "nobody listens", "no address", "no program", "no engine", "no such program"],
)
def test_no_engine_says_why_and_what_to_type(
    tmp_path: Path, environ: dict[str, Any], ename: str, says: str
) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET="some-container", **environ) as kernel:
        for code in ("echo never", "%ctr_attach some-container"):
            error = told(kernel.run(code, timeout=ENGINE_ERROR_TIMEOUT))
            assert error[0] == ename
            assert says in error[1]


def test_no_engine_and_no_target_says_why(tmp_path: Path) -> None:
    nowhere = "unix:///no/such/docker.sock"
    with live_kernel(tmp_path, CTRKERNEL_TARGET=None, DOCKER_HOST=nowhere) as kernel:
        assert told(kernel.run("echo never"))[0] == "EngineUnreachable"


def test_a_socket_that_one_may_not_use_says_so(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        path.chmod(0)
        host = f"unix://{path}"
        with live_kernel(
            tmp_path, unprivileged=True, CTRKERNEL_TARGET="web", DOCKER_HOST=host
        ) as kernel:
            ename, evalue = told(kernel.run("echo never", timeout=ENGINE_ERROR_TIMEOUT))

    assert ename == "EngineUnreachable"
    assert f"you may not use the Docker socket {path}" in evalue
    assert "usermod -aG docker" in evalue


# Shells


@pytest.mark.parametrize(
    ("shell", "asked"),
    [
        ("zsh", "$ZSH_VERSION"),
        ("dash", "$0"),
        ("bash", "$BASH_VERSION"),
        ("/bin/bash --norc", "$BASH_VERSION"),
        ("busybox sh", "$0"),
        ("/bin/sh", "$0"),
    ],
)
def test_the_shell_that_was_asked_for_runs_cells(
    debian: str, tmp_path: Path, shell: str, asked: str
) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian, CTRKERNEL_SHELL=shell) as kernel:
        assert kernel.run("x=1; cd /tmp").status == "ok"
        assert kernel.run('echo "$x $PWD"').text == "1 /tmp\n"
        assert kernel.run(f'test -n "{asked}"').status == "ok"
        assert told(kernel.run("(exit 3)")) == ("CommandFailed", "exit status 3")
        cell = kernel.submit("echo begun; sleep 1000")
        kernel.wait_for_output(cell, "begun")
        kernel.interrupt()
        assert kernel.finish(cell).error[0] == "KeyboardInterrupt"
        assert kernel.run('echo "$x"').text == "1\n"


@pytest.mark.parametrize("shell", ["nonsense", "/no/such/shell", "-x", "'"])
def test_a_shell_that_is_not_there_says_what_to_do(debian: str, tmp_path: Path, shell: str) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian, CTRKERNEL_SHELL=shell) as kernel:
        for _ in range(2):
            _, evalue = told(kernel.run("echo never", timeout=40))
            assert "CTRKERNEL_SHELL" in evalue


def test_a_program_that_is_no_shell_is_told(debian: str, tmp_path: Path) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian, CTRKERNEL_SHELL="/bin/true") as kernel:
        ename, evalue = told(kernel.run("echo never", timeout=40))

        assert ename == "ShellStartFailed"
        assert "CTRKERNEL_SHELL" in evalue


# Commands


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%ctr_no_such_thing", "there is no command %ctr_no_such_thing"),
        ("%ctr_putt a b", "did you mean %ctr_put?"),
        ("%ctr_attach", "type %ctr_attach --help"),
        ("%ctr_attach a b", "type %ctr_attach --help"),
        ("%ctr_attach --no-such", "type %ctr_attach --help"),
        ("%ctr_put", "type %ctr_put SRC DEST"),
        ("%ctr_put only-one", "type %ctr_put SRC DEST"),
        ("%ctr_get", "type %ctr_get SRC DEST"),
        ("%ctr_get --no-such a b", "type %ctr_get --help"),
        ("%ctr_put --foll a b", "type %ctr_put --help"),
        ("%ctr_put 'a b", "quote"),
        ("%%ctr_put a b\nbody", "type %ctr_put on a line of its own"),
        ("%%ctr_attach x", "type %ctr_attach on a line of its own"),
        ("%%ctr_no_such\nbody", "no command %ctr_no_such"),
        ("%%ctr --no-such\nbody", "--no-such"),
    ],
)
def test_a_line_that_does_not_fit_says_how_to_get_help(
    kernel: LiveKernel, line: str, says: str
) -> None:
    cell = kernel.run(f"{line}\necho never")

    ename, evalue = told(cell)
    assert ename == "UsageError"
    assert says in evalue
    assert "never" not in cell.text
    assert_goes_on(kernel)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("%ctr_put no-such-file .", "no-such-file"),
        ("%ctr_put here.txt /no/such/folder/x", "/no/such/folder"),
        ("%ctr_put here.txt nowhere/", "nowhere"),
        ("%ctr_put here.txt here.txt no-such-folder", "no-such-folder"),
        ("%ctr_put -- -dash .", "-dash"),
        ("%ctr_get no-such-file .", "no-such-file"),
        ("%ctr_get /etc/passwd no/such/folder/x", "no/such/folder"),
        ("%ctr_get /etc/passwd /etc/group no-such-folder", "no-such-folder"),
        ("%ctr_get -- -dash .", "-dash"),
        ("%ctr_put '' .", "is empty; type `.`"),
        ("%ctr_get '' .", "is empty; type `.`"),
        ("%ctr_put here.txt ''", "is empty; type `.`"),
    ],
)
def test_a_path_that_is_not_there_is_named(kernel: LiveKernel, line: str, names: str) -> None:
    (kernel.folder / "here.txt").write_text("here\n")

    ename, evalue = told(kernel.run(line))

    assert ename in ("TransferError", "UsageError")
    assert names in evalue
    assert_goes_on(kernel)


def test_a_file_that_cannot_be_read_is_named(debian: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    secret.chmod(0)
    with live_kernel(tmp_path, unprivileged=True, CTRKERNEL_TARGET=debian) as kernel:
        ename, evalue = told(kernel.run("%ctr_put secret /tmp/"))

        assert ename == "TransferError"
        assert "secret" in evalue
        assert os.strerror(13).lower() in evalue.lower()
        assert kernel.run("ls /tmp/secret 2>/dev/null").status == "error"


def test_a_file_that_cannot_be_read_in_the_container_is_named(
    non_root: str, tmp_path: Path
) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=non_root) as kernel:
        cell = kernel.run("%ctr_get /etc/shadow .")

        # docker cp reads as root; whichever way it goes, it is told or it is whole.
        if cell.status == "error":
            assert "/etc/shadow" in told(cell)[1]
        else:
            assert (tmp_path / "shadow").stat().st_size > 0
        assert kernel.run("echo on").text == "on\n"
