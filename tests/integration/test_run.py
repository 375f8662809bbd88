"""Containers made for a notebook: they come up whole or not at all, and go with it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ctrkernel
from ctrkernel import run_container
from ctrkernel.engine.ownership import LABEL
from ctrkernel.errors import (
    CommandInterrupted,
    ContainerExited,
    CtrKernelError,
    EngineError,
    ShellNotFound,
    UsageError,
)
from ctrkernel.session.mask import Secret
from tests.kernel.live_kernel import docker, eventually, live_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.notebook import Notebook

#: Seconds for an owner's end to be followed by its container's.
GONE = 30.0


def made() -> set[str]:
    """Return the ids of all containers that ctrkernel made."""
    return set(docker("ps", "--all", "--quiet", f"--filter=label={LABEL}").split())


def there(name: str) -> bool:
    return bool(docker("ps", "--all", "--quiet", f"--filter=name=^{name}$"))


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """Whatever a test does, no container of ours is more than before."""
    before = made()
    yield
    assert eventually(lambda: made() <= before, timeout=GONE), made() - before


def test_a_container_comes_up_with_its_shell_and_goes_with_the_notebook(
    notebook: Notebook, debian_image: str, fresh_name: str
) -> None:
    output = notebook.run(f"%ctr_run --name {fresh_name} {debian_image}")

    assert output.text.startswith(f"attached to {fresh_name} ({debian_image}), bash")
    assert notebook.shell("echo $((6 * 7))") == "42\n"
    notebook.close()
    assert not there(fresh_name)


def test_every_option_arrives(
    notebook: Notebook,
    debian_image: str,
    fresh_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FROM_HERE", 'it\'s $HOME "here"')
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_text("content")
    (tmp_path / "variables").write_text("FROM_FILE=x y\n")

    notebook.run(
        f"%ctr_run {debian_image} --name {fresh_name} -e FROM_HERE -e 'PATH=/bin:/usr/bin' "
        "-e EMPTY= -e 'EQUALS=a=b' --env-file variables -v ./data:/data:ro "
        "--mount type=bind,source=data,target=/mounted -w /srv/work -u 1000:1000 -p 127.0.0.1::80 "
        "--network bridge --label a.b=c --ulimit nofile=77:99 --init --hostname box --memory 256m "
        "--tmpfs /scratch --shm-size 1m -- sleep 1000"
    )
    shown = notebook.shell(
        r'printf "%s\n" "$FROM_HERE" "$PATH" "$EMPTY" "$EQUALS" "$FROM_FILE" "$PWD" "$(id -u:%g 2>'
        r'/dev/null || id -u)" "$(ulimit -Hn)" "$(cat /data/file /mounted/file)" "$(hostname)"'
    )

    assert shown.splitlines() == [
        'it\'s $HOME "here"',
        "/bin:/usr/bin",
        "",
        "a=b",
        "x y",
        "/srv/work",
        "1000",
        "99",
        "contentcontent",
        "box",
    ]
    info = notebook.workspace.container().status()
    assert info.labels["a.b"] == "c"
    assert [(port.container, port.address) for port in info.ports] == [(80, "127.0.0.1")]
    inspected = notebook.workspace.container().inspect("HostConfig")
    assert (inspected["Memory"], inspected["Init"]) == (256 * 1024 * 1024, True)
    assert inspected["Tmpfs"].keys() == {"/scratch"}


def test_no_value_of_a_variable_is_seen_among_the_processes(
    notebook: Notebook, debian_image: str, fresh_name: str, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    engine = tmp_path / "docker"
    real = docker_path()
    engine.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{seen}\nexec {real} "$@"\n')
    engine.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CTRKERNEL_ENGINE", str(engine))
        patch.setenv("TOKEN", "geheim1")
        box = run_container(
            debian_image, name=fresh_name, env={"ONE": "geheim1", "TWO": "geheim2\nzwei"}
        )
    with box:
        assert box.run('printf "%s|%s" "$ONE" "$TWO"').output == "geheim1|geheim2\nzwei"

    assert "create" in seen.read_text()
    assert "geheim" not in seen.read_text()


def docker_path() -> str:
    found = subprocess.run(["sh", "-c", "command -v docker"], capture_output=True, check=True)
    return found.stdout.decode().strip()


def test_a_name_made_of_the_image_s_counts_up(notebook: Notebook, debian_image: str) -> None:
    names: list[str] = []
    for _ in range(3):
        notebook.run(f"%ctr_run --no-attach {debian_image} -- sleep 1000")
        names = [info.name for info in notebook.workspace.engine.containers()][:1] + names

    numbers = [int(name.removeprefix(debian_image).lstrip("-") or 1) for name in names]
    assert len(set(names)) == 3
    assert numbers == sorted(numbers, reverse=True)
    assert all(name.startswith(debian_image) for name in names)


def test_a_pinned_name_that_is_taken_is_an_error_that_says_what_to_type(
    notebook: Notebook, debian: str, debian_image: str
) -> None:
    with pytest.raises(EngineError) as caught:
        notebook.run(f"%ctr_run --name {debian} {debian_image}")

    said = str(caught.value)
    assert said.startswith(f"the name {debian} is taken by a container of {debian_image} (running)")
    assert f"type %ctr_attach {debian}, or %ctr_rm --force {debian}, or another --name" in said
    assert there(debian)


def test_a_second_container_leaves_the_first_one_there(
    notebook: Notebook, debian_image: str, fresh_name: str
) -> None:
    notebook.run(f"%ctr_run --name {fresh_name} {debian_image}")
    notebook.run(f"%ctr_run --name {fresh_name}-b {debian_image}")
    assert there(fresh_name)
    notebook.run(f"%ctr_attach {fresh_name}")
    assert there(f"{fresh_name}-b")

    notebook.close()

    assert not there(fresh_name)
    assert not there(f"{fresh_name}-b")


def test_keep_leaves_it(notebook: Notebook, debian_image: str, fresh_name: str) -> None:
    output = notebook.run(f"%ctr_run --keep --name {fresh_name} {debian_image}")
    assert "it stays" in output.text

    notebook.close()

    assert there(fresh_name)
    docker("rm", "-f", "-v", fresh_name)


def test_its_anonymous_volumes_go_with_it(
    notebook: Notebook, debian_image: str, fresh_name: str
) -> None:
    notebook.run(f"%ctr_run --name {fresh_name} -v /anonymous {debian_image}")
    volume = notebook.workspace.container().inspect("Mounts.0.Name")
    assert volume in docker("volume", "ls", "--quiet")

    notebook.close()

    assert volume not in docker("volume", "ls", "--quiet")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "the following arguments are required: IMAGE"),
        ("-- ls", "the following arguments are required: IMAGE"),
        ("--rm --keep {image}", "not allowed with argument"),
        ("{image} ls -l", "unrecognized arguments: -l"),
        ("{image} ls", "behind --; type %ctr_run {image} -- ls"),
        ("{image} --pull sometimes", "invalid choice"),
        ("{image} -e NO_SUCH_VARIABLE_HERE", "the environment has no NO_SUCH_VARIABLE_HERE"),
        ("{image} -e =x", "the name is empty"),
        ("{image} --env-file /no/such", "there is no such file"),
        ("{image} --name -x", "expected one argument"),
        ("{image} --name=-x", "no name for a container"),
        ("'--privileged x'", "cannot be an image's name"),
        ("'a b'", "cannot be an image's name"),
        ("{image} -p abc", "could be created: .*abc"),
        ("{image} --memory lots", "could be created: .*lots"),
        ("{image} --network no-such-network", "no-such-network"),
        ("{image} --user no-such-user -- sleep 9", "no-such-user"),
        ("{image} --mount type=bind,source=/no/such,target=/x", "/no/such"),
        ("{image} -- /no/such/program", "/no/such/program"),
        ("no-such-image-here --pull never", "is not on this machine"),
        ("{image} --log-dir /proc/no", "--log-dir /proc/no: "),
    ],
)
def test_what_cannot_be_run_is_one_line_and_leaves_nothing(
    notebook: Notebook, debian: str, debian_image: str, words: str, said: str
) -> None:
    notebook.run(f"%ctr_attach {debian}")

    with pytest.raises(CtrKernelError, match=said.format(image=debian_image)) as caught:
        notebook.run("%ctr_run " + words.format(image=debian_image))

    assert "\n" not in str(caught.value)
    assert notebook.workspace.target == debian
    assert notebook.shell("echo still") == "still\n"


def test_a_command_that_ends_at_once_is_told_with_its_last_lines(
    notebook: Notebook, debian_image: str
) -> None:
    command = "'for i in $(seq 30); do echo line $i; done >&2; echo because >&2; exit 3'"

    with pytest.raises(
        ContainerExited, match=r"exit status 3 \(because\); type %ctr_run"
    ) as caught:
        notebook.run(f"%ctr_run {debian_image} -- sh -c {command}")

    assert caught.value.log.endswith("line 30\nbecause\n")
    assert "line 30\nbecause\n" in notebook.frontend.text
    assert "line 9\n" not in notebook.frontend.text
    assert notebook.workspace.target == ""


@pytest.mark.parametrize("command", ['["true"]', '["bash"]', '["sh"]', '["echo", "usage"]', "[]"])
def test_an_image_whose_own_command_would_end_is_kept_alive(
    notebook: Notebook, debian_image: str, command: str
) -> None:
    tag = f"ctrkernel-test-{os.getpid()}-ends"
    notebook.run(f"%%ctr_build {tag}", f"FROM {debian_image}\nCMD {command}\n")
    try:
        output = notebook.run(f"%ctr_run {tag}")

        assert output.text.startswith("attached to ")
        assert notebook.shell("echo here") == "here\n"
        notebook.run("%ctr_stop --time 1")
        notebook.run("%ctr_start")
        assert notebook.shell("echo again") == "again\n"
    finally:
        notebook.close()
        docker("rmi", tag)


def test_an_image_without_a_shell_says_how_to_do_without(
    notebook: Notebook, no_shell_image: str, fresh_name: str
) -> None:
    with pytest.raises(ShellNotFound, match=f"type %ctr_run --no-attach {no_shell_image}"):
        notebook.run(f"%ctr_run --name {fresh_name} {no_shell_image}")
    assert not there(fresh_name)

    output = notebook.run(f"%ctr_run --no-attach --name {fresh_name} {no_shell_image}")

    assert output.text.startswith(f"started {fresh_name}")
    assert notebook.workspace.target == ""
    assert docker("inspect", "--format={{.State.Status}}", fresh_name) == "running"


def test_a_port_that_is_taken_leaves_nothing(
    notebook: Notebook, debian_image: str, fresh_name: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(EngineError, match=f"could not be started: .*{port}"):
            notebook.run(f"%ctr_run --name {fresh_name} -p {port}:80 {debian_image}")

    assert not there(fresh_name)


def test_an_interrupted_pull_leaves_nothing(notebook: Notebook) -> None:
    with socket.socket() as registry:
        registry.bind(("127.0.0.1", 0))
        registry.listen()
        image = f"127.0.0.1:{registry.getsockname()[1]}/silent"
        asked: list[socket.socket] = []

        def is_asked() -> bool:
            if not asked:
                asked.append(registry.accept()[0])
            return True

        thread = notebook.interrupt_when(is_asked)
        with pytest.raises(CommandInterrupted, match="was not pulled"):
            notebook.run(f"%ctr_run {image}")
        thread.join()
        asked[0].close()

    assert notebook.workspace.target == ""


@pytest.mark.parametrize("when", ["created", "running", "shell"])
def test_an_interrupted_run_leaves_nothing(
    notebook: Notebook, debian: str, debian_image: str, fresh_name: str, when: str
) -> None:
    notebook.run(f"%ctr_attach {debian}")

    def begun() -> bool:
        if not there(fresh_name):
            return False
        if when == "created":
            return True
        state = docker("inspect", "--format={{.State.Status}}", fresh_name)
        return state == "running" and (
            when == "running" or fresh_name in notebook.workspace.containers
        )

    # An exec that hangs: the shell never comes to its prompt.
    thread = notebook.interrupt_when(begun)
    with pytest.raises(CommandInterrupted, match=r"no container of .* is left"):
        notebook.run(
            f"%ctr_run --name {fresh_name} {debian_image} -e ENV=/dev/zero -e BASH_ENV=/dev/zero "
            "-v /dev/zero:/etc/bash.bashrc"
        )
    thread.join()

    assert not there(fresh_name)
    assert notebook.workspace.target == debian
    assert notebook.shell("echo still") == "still\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("keep", [False, True])
def test_an_owner_that_is_killed_takes_its_container_along_unless_it_is_kept(
    debian_image: str, fresh_name: str, number: signal.Signals, keep: bool
) -> None:
    code = textwrap.dedent(f"""
        import time
        from ctrkernel import run_container
        box = run_container({debian_image!r}, name={fresh_name!r}, keep={keep})
        box.session().submit("sleep 1000")
        print("up", flush=True)
        time.sleep(60)
    """)
    with owner(code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        os.killpg(process.pid, number)

    if keep:
        assert eventually(
            lambda: "sleep 1000" not in docker("top", fresh_name, "-eo", "pid,args"), timeout=GONE
        )
        assert there(fresh_name)
        docker("rm", "-f", "-v", fresh_name)
    else:
        assert eventually(lambda: not there(fresh_name), timeout=GONE)


def test_an_owner_that_is_killed_while_it_creates_leaves_nothing(
    debian_image: str, fresh_name: str, tmp_path: Path
) -> None:
    engine = tmp_path / "docker"
    waiting, go = tmp_path / "waiting", tmp_path / "go"
    engine.write_text(
        textwrap.dedent(f"""\
            #!/bin/sh
            if [ "$1" = create ]; then
              : >{waiting}
              until [ -e {go} ]; do sleep 0.05; done
            fi
            exec {docker_path()} "$@"
        """)
    )
    engine.chmod(0o755)
    code = (
        f"from ctrkernel import run_container\nrun_container({debian_image!r}, name={fresh_name!r})"
    )

    with owner(code, CTRKERNEL_ENGINE=str(engine)) as process:
        assert eventually(waiting.exists, timeout=GONE)
        process.kill()
        process.wait()
        go.touch()

    # The fixture waits until nothing is left; here it is seen that there was something.
    assert eventually(lambda: not there(fresh_name), timeout=GONE)


def owner(code: str, **environ: str) -> subprocess.Popen[bytes]:
    package = str(Path(ctrkernel.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": package, **environ},
        start_new_session=True,
    )


def test_a_kernel_that_is_killed_takes_its_container_along(
    debian_image: str, fresh_name: str, tmp_path: Path
) -> None:
    with live_kernel(tmp_path) as kernel:
        cell = kernel.run(f"%ctr_run --name {fresh_name} {debian_image}\necho in $HOSTNAME")
        assert (cell.status, cell.text.splitlines()[-1][:3]) == ("ok", "in ")

        os.kill(kernel.pid, signal.SIGKILL)

        assert eventually(lambda: not there(fresh_name), timeout=GONE)


def test_a_kernel_that_ends_takes_its_container_along(
    debian_image: str, fresh_name: str, tmp_path: Path
) -> None:
    with live_kernel(tmp_path) as kernel:
        assert kernel.run(f"%ctr_run --name {fresh_name} {debian_image}").status == "ok"

    assert not there(fresh_name)


def test_transcripts_outlive_the_container(
    notebook: Notebook, debian_image: str, fresh_name: str, tmp_path: Path
) -> None:
    folder = tmp_path / "deep" / "logs"
    command = "sh -c 'echo up; echo oops >&2; exec sleep 1000'"
    notebook.run(f"%ctr_run --name {fresh_name} --log-dir {folder} {debian_image} -- {command}")
    notebook.shell("echo from the shell; printf 'no end'")
    notebook.run("ctr --session other", "echo from another")
    written = folder / f"{fresh_name}.main.log"
    assert written.read_text() == "from the shell\nno end"

    notebook.run("%ctr_restart --time 0")
    notebook.run("%ctr_start")
    notebook.shell("echo after")
    notebook.run("%ctr_rm --force")

    assert written.read_text() == "from the shell\nno endafter\n"
    assert (folder / f"{fresh_name}.other.log").read_text() == "from another\n"
    lines = (folder / f"{fresh_name}.log").read_text().splitlines()
    assert sorted(line.split(" ", 1)[1] for line in lines) == ["oops", "oops", "up", "up"]


def test_a_secret_is_hidden_in_a_made_container_and_its_transcript(
    notebook: Notebook, debian_image: str, fresh_name: str, tmp_path: Path
) -> None:
    notebook.workspace.mask.add(Secret("geheimnis"))
    notebook.run(f"%ctr_run --name {fresh_name} --log-dir {tmp_path} {debian_image}")

    shown = notebook.shell("echo geheim''nis; echo end")

    assert "geheimnis" not in shown
    assert (tmp_path / f"{fresh_name}.main.log").read_text() == shown


def test_nothing_follows_a_kept_container_when_its_owner_has_gone(
    debian_image: str, fresh_name: str, tmp_path: Path
) -> None:
    code = textwrap.dedent(f"""
        import time
        from ctrkernel import run_container
        run_container({debian_image!r}, name={fresh_name!r}, keep=True, log_dir={str(tmp_path)!r})
        print("up", flush=True)
        time.sleep(60)
    """)
    with owner(code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        assert following(fresh_name)
        process.kill()

    assert eventually(lambda: not following(fresh_name), timeout=GONE)
    docker("rm", "-f", "-v", fresh_name)


def following(name: str) -> list[str]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if "logs" in line and name in line:
                found.append(line)
    return found


# From Python


def test_a_container_from_python_goes_at_the_end_of_its_block(
    debian_image: str, fresh_name: str
) -> None:
    with run_container(
        debian_image,
        "sleep 1000",
        name=fresh_name,
        env={"WORD": "a b"},
        labels={"k": "v"},
        workdir="/srv",
    ) as box:
        assert box.run("echo $WORD in $PWD").output == "a b in /srv\n"
        assert box.inspect("Config.Cmd") == ["sleep", "1000"]
        assert box.inspect("Config.Labels.k") == "v"

    assert not there(fresh_name)


def test_a_kept_container_from_python_stays(debian_image: str, fresh_name: str) -> None:
    with run_container(debian_image, name=fresh_name, keep=True):
        pass

    assert there(fresh_name)
    docker("rm", "-f", "-v", fresh_name)


def test_what_was_removed_by_hand_is_no_trouble_at_the_end(
    debian_image: str, fresh_name: str
) -> None:
    with run_container(debian_image, name=fresh_name):
        docker("rm", "-f", "-v", fresh_name)

    assert not there(fresh_name)


def test_another_s_container_of_the_same_name_is_not_touched(
    debian_image: str, fresh_name: str
) -> None:
    with run_container(debian_image, name=fresh_name):
        docker("rm", "-f", "-v", fresh_name)
        docker("run", "-d", "--name", fresh_name, debian_image, "sleep", "1000")

    assert there(fresh_name)


def test_a_name_that_is_none_is_refused_before_anything_happens() -> None:
    with pytest.raises(UsageError, match="cannot be an image's name"):
        run_container("--rm")


def test_the_document_of_a_made_container_tells_whose_it_is(
    debian_image: str, fresh_name: str
) -> None:
    with run_container(debian_image, name=fresh_name):
        labels = json.loads(docker("inspect", "--format={{json .Config.Labels}}", fresh_name))

    assert len(labels[LABEL]) == 16
