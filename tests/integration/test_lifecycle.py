"""A container's life by commands: states, logs, documents, images, on a real engine."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from ctrkernel.commands.table import Table
from ctrkernel.container import Container
from ctrkernel.engine.engine import find_engine
from ctrkernel.errors import (
    CommandInterrupted,
    ContainerNotFound,
    ContainerNotRunning,
    CtrKernelError,
    EngineError,
    EngineUnreachable,
    NoTarget,
    UsageError,
)
from ctrkernel.session.mask import Secret
from tests.kernel.live_kernel import docker, live_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.notebook import Notebook


@pytest.fixture
def web(notebook: Notebook, make_container: Callable[..., str]) -> str:
    """A container that the notebook is attached to."""
    name = make_container("debian")
    notebook.run(f"%ctr_attach {name}")
    return name


def state(name: str) -> str:
    return docker("inspect", "--format={{.State.Status}}", name)


def row(table: object, name: str) -> dict[str, str]:
    """Return a container's row of ``%ctr_ps``, by head."""
    assert isinstance(table, Table)
    found = next(each for each in table.rows if each[1] == name)
    return dict(zip(("mark", *table.heads[1:]), found, strict=True))


# ps and status


def test_ps_tells_each_container_and_marks_the_attached_one(
    notebook: Notebook, make_container: Callable[..., str], web: str
) -> None:
    other = make_container(
        "busybox",
        "--publish=127.0.0.1::80",
        "--label=com.docker.compose.project=shop",
        "--label=com.docker.compose.service=front",
    )
    stopped = make_container("busybox")
    docker("kill", stopped)
    docker("wait", stopped)
    notebook.run("ctr --session build", "cd /tmp")

    running, everything = notebook.run("%ctr_ps"), notebook.run("%ctr_ps -a")

    here = row(running.value, web)
    assert (here["mark"], here["state"], here["shells"]) == ("*", "running", "main, build")
    assert re.fullmatch(r"\d+ (seconds?|minutes?)", here["age"])
    there = row(running.value, other)
    assert (there["mark"], there["compose"], there["shells"]) == ("", "shop / front", "")
    assert re.fullmatch(r"127\.0\.0\.1:\d+→80", there["ports"])
    assert stopped not in running.text
    assert row(everything.value, stopped)["state"] == "exited (137)"
    assert isinstance(everything.value, Table)
    assert stopped in [info.name for info in everything.value]
    assert "<table>" in running.html


def test_status_tells_state_times_shells_and_directory(notebook: Notebook, web: str) -> None:
    notebook.shell("cd /srv")

    output = notebook.run("%ctr_status")

    shown = dict(line.split(None, 1) for line in output.text.splitlines())
    assert shown["container"] == web
    assert shown["state"] == "running"
    assert shown["directory"] == "/srv"
    assert shown["shells"] == "main"
    assert shown["user"] == "root"
    assert shown["image"].startswith("ctrkernel-demo (")
    assert isinstance(output.value, Table)
    assert output.value[0].started


def test_status_of_a_stopped_one_tells_exit_code_and_end(
    notebook: Notebook, make_container: Callable[..., str]
) -> None:
    name = make_container("busybox")
    notebook.run(f"%ctr_stop --kill {name}")

    output = notebook.run(f"%ctr_status {name}")

    shown = dict(re.split(r"  +", line, maxsplit=1) for line in output.text.splitlines())
    assert (shown["state"], shown["exit code"]) == ("exited (137)", "137")
    assert "ago" in shown["finished"]
    assert "pid" not in shown


def test_health_is_told(notebook: Notebook, make_container: Callable[..., str]) -> None:
    name = make_container(
        "busybox", "--health-cmd=true", "--health-interval=1s", "--health-retries=1"
    )

    shown = notebook.run(f"%ctr_status {name}").text

    assert re.search(r"running \((starting|healthy)\)", shown)


# start, stop and the rest


def test_stop_and_start_and_the_next_cell_has_a_new_shell(notebook: Notebook, web: str) -> None:
    notebook.shell("x=old; cd /srv")

    assert notebook.run("%ctr_stop --time 1").text.startswith(f"stopped {web} (exit status ")
    with pytest.raises(ContainerNotRunning, match="is stopped"):
        notebook.shell("echo no")
    assert notebook.run("%ctr_start").text == f"started {web}\n"

    assert notebook.shell("echo ${x-new} in $PWD") == "new in /\n"
    assert notebook.frontend.notices == []


def test_restart_is_followed_by_a_new_shell(notebook: Notebook, web: str) -> None:
    notebook.shell("x=old")
    before = notebook.workspace.container().status().started

    assert notebook.run("%ctr_restart --time 0").text == f"restarted {web}\n"

    assert notebook.shell("echo ${x-new}") == "new\n"
    assert notebook.frontend.notices == []
    assert notebook.workspace.container().status().started > before


def test_restart_starts_one_that_is_stopped(
    notebook: Notebook, make_container: Callable[..., str]
) -> None:
    name = make_container("busybox")
    notebook.run(f"%ctr_stop --kill {name}")

    notebook.run(f"%ctr_restart {name}")

    assert state(name) == "running"


def test_pause_keeps_the_shell_as_it_was(notebook: Notebook, web: str) -> None:
    notebook.shell("x=kept; cd /srv")

    assert f"%ctr_unpause {web}" in notebook.run("%ctr_pause").text
    assert state(web) == "paused"
    assert notebook.run("%ctr_unpause").text == f"{web} goes on\n"

    assert notebook.shell("echo $x in $PWD") == "kept in /srv\n"


@pytest.mark.parametrize("line", ["%ctr_stop --time 1", "%ctr_restart --time 1", "%ctr_rm --force"])
def test_a_paused_one_is_stopped_restarted_and_removed_too(
    notebook: Notebook, web: str, line: str
) -> None:
    notebook.run("%ctr_pause")

    assert web in notebook.run(line).text


def test_what_is_so_already_is_no_error(notebook: Notebook, web: str) -> None:
    assert notebook.run("%ctr_start").text == f"{web} is already running\n"
    assert notebook.run("%ctr_unpause").text == f"{web} is not paused\n"
    notebook.run("%ctr_pause")
    assert notebook.run("%ctr_pause").text == f"{web} is already paused\n"
    notebook.run("%ctr_unpause")
    notebook.run("%ctr_stop --kill")
    assert notebook.run("%ctr_stop").text == f"{web} is already stopped\n"
    assert state(web) == "exited"


def test_a_state_that_does_not_allow_it_says_what_to_type(notebook: Notebook, web: str) -> None:
    with pytest.raises(EngineError, match=rf"is running; type %ctr_stop {web} first, or %ctr_rm "):
        notebook.run("%ctr_rm")
    assert notebook.shell("echo still") == "still\n"

    notebook.run("%ctr_pause")
    with pytest.raises(ContainerNotRunning, match=f"is paused; type %ctr_unpause {web}"):
        notebook.run("%ctr_start")
    notebook.run("%ctr_unpause")
    notebook.run("%ctr_stop --kill")
    for line in ("%ctr_pause", "%ctr_unpause"):
        with pytest.raises(ContainerNotRunning, match=r"is stopped .*; type "):
            notebook.run(line)
    assert state(web) == "exited"


def test_removing_the_attached_one_detaches(notebook: Notebook, web: str) -> None:
    assert notebook.run("%ctr_rm --force").text == f"removed {web}\n"

    assert notebook.workspace.target == ""
    with pytest.raises(NoTarget):
        notebook.shell("echo no")
    with pytest.raises(ContainerNotFound):
        notebook.run(f"%ctr_status {web}")


def test_start_attaches_on_demand(
    notebook: Notebook, make_container: Callable[..., str], web: str
) -> None:
    other = make_container("busybox")
    notebook.run(f"%ctr_stop --kill {other}")

    output = notebook.run(f"%ctr_start --attach {other}")

    assert output.text.startswith(f"started {other}\nattached to {other} (")
    assert notebook.workspace.target == other
    assert state(web) == "running"
    assert notebook.shell("echo in") == "in\n"


def test_several_are_done_and_the_error_names_who_failed(
    notebook: Notebook, make_container: Callable[..., str]
) -> None:
    one, two = make_container("busybox"), make_container("busybox")

    with pytest.raises(ContainerNotFound, match="no container 'no-such-one'"):
        notebook.run(f"%ctr_stop --kill {one} no-such-one {two}")

    assert sorted(notebook.frontend.text.splitlines()) == sorted(
        f"stopped {name} (exit status 137)" for name in (one, two)
    )
    with pytest.raises(EngineError, match=r"2 of 3 could not be started: .*nope.*; .*neither"):
        notebook.run(f"%ctr_start nope {one} neither")
    assert state(one) == "running"


def test_an_interrupted_stop_ends_the_wait(
    notebook: Notebook, make_container: Callable[..., str]
) -> None:
    name = make_container("busybox", "--stop-signal=SIGCONT")
    thread = notebook.interrupt_when(lambda: True)

    with pytest.raises(CommandInterrupted, match=f"type %ctr_status {name}"):
        notebook.run(f"%ctr_stop --time 60 {name}")

    thread.join()
    docker("rm", "--force", name)


COMMANDS = ("start", "stop", "restart", "pause", "unpause", "rm", "status", "logs")


@pytest.mark.parametrize("name", COMMANDS)
def test_without_a_container_each_says_so(notebook: Notebook, name: str) -> None:
    with pytest.raises(NoTarget, match="no container is attached"):
        notebook.run(f"%ctr_{name}")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("target", ["no-such-container", "-- -x", "-- --help", "''x/y"])
def test_an_unknown_container_is_one_line(
    notebook: Notebook, debian: str, name: str, target: str
) -> None:
    with pytest.raises(ContainerNotFound, match="no container") as caught:
        notebook.run(f"%ctr_{name} {target}")

    assert "\n" not in str(caught.value)
    assert state(debian) == "running"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%ctr_stop --time x", "--time: 'x' is no whole number"),
        ("%ctr_stop --time -1", "is no whole number"),
        ("%ctr_stop --time 1 --kill", "not allowed with"),
        ("%ctr_start --attach a b", "--attach takes one container"),
        ("%ctr_logs a b", "unrecognized arguments: b"),
        ("%ctr_logs --tail x", "is no whole number"),
        ("%ctr_logs --tail -3", "is no whole number"),
        ("%ctr_logs --since yesterday {web}", "is no time; type a duration"),
        ("%ctr_ps web", "unrecognized arguments: web"),
        ("%ctr_commit", "the following arguments are required: TAG"),
        ("%ctr_commit -- -x", "cannot be an image's name"),
        ("%ctr_build", "needs a folder"),
        ("%ctr_build a b", "takes one folder, not 2"),
        ("%ctr_build /no/such/folder", "is no folder"),
        ("%ctr_build /proc", "no Dockerfile in .*; name one by --file"),
        ("%ctr_build --tag Big .", "cannot be an image's name, which is in small letters"),
        ("%ctr_commit a:1:2", "cannot be an image's name"),
        ("%ctr_build --tag -x .", "expected one argument"),
        ("%ctr_build --tag=-x .", "cannot be an image's name"),
        ("%ctr_build --file /no/such .", "there is no such file"),
        ("%ctr_build --build-arg NO_SUCH_VARIABLE_HERE .", "the environment has no"),
    ],
)
def test_words_that_do_not_fit_are_one_line(
    notebook: Notebook, web: str, line: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        notebook.run(line.format(web=web))

    assert "\n" not in str(caught.value)


# logs


@pytest.fixture
def talker(debian_image: str, fresh_name: str) -> Callable[[str], str]:
    """Return a function that starts a container which runs a script."""

    def start(script: str) -> str:
        docker("run", "--detach", "--init", "--name", fresh_name, debian_image, "sh", "-c", script)
        return fresh_name

    return start


def test_logs_tell_outputs_apart_and_keep_their_order_and_colours(
    notebook: Notebook, talker: Callable[[str], str]
) -> None:
    name = talker(
        "echo one; sleep 0.1; printf '\\033[31mtwo\\033[0m\\n' >&2; sleep 0.1; echo three"
    )
    docker("wait", name)

    notebook.run(f"%ctr_logs {name}")

    assert notebook.frontend.streams == [
        ("stdout", "one\n"),
        ("stderr", "\x1b[31mtwo\x1b[0m\n"),
        ("stdout", "three\n"),
    ]


def test_logs_are_cut_as_asked(notebook: Notebook, talker: Callable[[str], str]) -> None:
    name = talker("seq 100")
    docker("wait", name)

    notebook.run(f"%ctr_logs --tail 2 {name}")
    assert notebook.frontend.text == "99\n100\n"
    notebook.run(f"%ctr_logs --tail 0 {name}")
    assert notebook.frontend.text == ""
    notebook.run(f"%ctr_logs --since 2001-01-01 --tail 1 {name}")
    assert notebook.frontend.text == "100\n"
    notebook.run(f"%ctr_logs --since 2100-01-01T00:00:00Z {name}")
    assert notebook.frontend.text == ""
    notebook.run(f"%ctr_logs --timestamps --tail 1 {name}")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z 100\n", notebook.frontend.text)


def test_follow_shows_what_comes_and_an_interrupt_ends_it(
    notebook: Notebook, talker: Callable[[str], str]
) -> None:
    name = talker("echo first; until [ -e /tmp/go ]; do sleep 0.05; done; echo second; sleep 1000")
    thread = notebook.interrupt_when(lambda: _seen(notebook, name))

    with pytest.raises(CommandInterrupted):
        notebook.run(f"%ctr_logs --follow {name}")

    thread.join()
    assert notebook.frontend.text == "first\nsecond\n"
    assert state(name) == "running"


def _seen(notebook: Notebook, name: str) -> bool:
    if notebook.frontend.text == "first\n":
        docker("exec", name, "touch", "/tmp/go")
    return "second" in notebook.frontend.text


def test_a_secret_is_hidden_in_logs(notebook: Notebook, talker: Callable[[str], str]) -> None:
    name = talker("echo word geheimnis word")
    docker("wait", name)
    notebook.workspace.mask.add(Secret("geheimnis"))

    notebook.run(f"%ctr_logs {name}")

    assert "geheimnis" not in notebook.frontend.text
    assert notebook.frontend.text.startswith("word •")


def test_follow_ends_with_the_container(notebook: Notebook, talker: Callable[[str], str]) -> None:
    name = talker("echo first; sleep 0.3; echo last")

    notebook.run(f"%ctr_logs -f {name}")

    assert notebook.frontend.text == "first\nlast\n"


def test_a_log_that_cannot_be_read_says_why(
    notebook: Notebook, make_container: Callable[..., str]
) -> None:
    name = make_container("busybox", "--log-driver=none")

    with pytest.raises(EngineError, match=rf"the log of {name} cannot be read: .*logging driver"):
        notebook.run(f"%ctr_logs {name}")

    assert notebook.frontend.text == "", "the error says it"


# inspect, commit, build


def test_inspect_gives_python_what_it_shows(notebook: Notebook, web: str) -> None:
    assert notebook.run("%ctr_inspect Name").text == f'"/{web}"\n'
    assert notebook.run("%ctr_inspect Name").value == f"/{web}"
    assert notebook.run(f"%ctr_inspect State.Pid --on {web}").value == int(
        docker("inspect", "--format={{.State.Pid}}", web)
    )
    labels = notebook.run("%ctr_inspect Config.Labels")
    assert isinstance(labels.value, dict)
    assert f"{labels.value!r}\n" == labels.text
    assert notebook.run("%ctr_inspect").value["Name"] == f"/{web}"  # type: ignore[index]


def test_a_wrong_path_names_what_is_there(notebook: Notebook, web: str) -> None:
    assert web
    with pytest.raises(UsageError, match="no 'Statu' in State; it has Status, Running"):
        notebook.run("%ctr_inspect State.Statu")


@pytest.fixture
def tag() -> Iterator[str]:
    """An image's name; what has it at the end is removed."""
    name = f"ctrkernel-test-{os.getpid()}-built"
    yield name
    if docker("images", "--quiet", name):
        docker("rmi", "--force", name)


def test_commit_makes_an_image(notebook: Notebook, web: str, tag: str) -> None:
    notebook.shell("echo mine > /mine")

    output = notebook.run(f"%ctr_commit --message 'with mine' {tag}")

    assert output.text.startswith(f"made of {web}: {tag} (")
    assert str(output.value) == docker("inspect", "--format={{.Id}}", tag)
    assert docker("run", "--rm", tag, "cat", "/mine") == "mine"
    assert "with mine" in docker("history", "--no-trunc", tag)


def test_a_cell_is_a_dockerfile(notebook: Notebook, debian_image: str, tag: str) -> None:
    output = notebook.run(
        f"%%ctr_build {tag} --build-arg WORD=geheim",
        f'FROM {debian_image}\nARG WORD\nRUN echo "in $WORD"; echo "$WORD" > /word\n',
    )

    assert "in geheim\n" in notebook.frontend.text
    assert output.text.startswith(f"built {tag} (")
    assert output.value == docker("inspect", "--format={{.Id}}", tag)
    assert repr(output.value) == output.text.strip()
    assert docker("run", "--rm", tag, "cat", "/word") == "geheim"


def test_a_folder_is_built_with_its_files(
    notebook: Notebook, debian_image: str, tag: str, tmp_path: Path
) -> None:
    folder = tmp_path / "-with a space"
    folder.mkdir()
    (folder / "file").write_text("content")
    (folder / "Dockerfile").write_text(f"FROM {debian_image}\nCOPY file /file\n")
    (tmp_path / "Other").write_text(f"FROM {debian_image}\nCOPY file /other\n")

    notebook.run(f"%ctr_build -t {tag} '{folder}'")
    assert docker("run", "--rm", tag, "cat", "/file") == "content"
    docker("rmi", tag)
    notebook.run(f"%ctr_build -t {tag} --file '{tmp_path}/Other' --no-cache '{folder}'")
    assert docker("run", "--rm", tag, "cat", "/other") == "content"
    docker("rmi", tag)
    notebook.run(f"%%ctr_build {tag} '{folder}'", f"FROM {debian_image}\nCOPY file /third\n")
    assert docker("run", "--rm", tag, "cat", "/third") == "content"


def test_a_failing_step_is_one_line_and_leaves_no_container(
    notebook: Notebook, debian_image: str, tag: str
) -> None:
    step = f"RUN echo why {tag}; exit 3"

    with pytest.raises(
        EngineError,
        match=rf"the build failed: .*returned a non-zero code: 3; correct `{step}` and run it",
    ):
        notebook.run(f"%%ctr_build {tag}", f"FROM {debian_image}\n{step}\n")

    assert f"why {tag}\n" in notebook.frontend.text
    assert not docker("images", "--quiet", tag)
    # Other tests may build meanwhile; the step's own container has its words.
    assert tag not in docker("ps", "--all", "--no-trunc", "--format={{.Command}}")


@pytest.mark.parametrize(
    ("dockerfile", "hint"),
    [
        ("FROM localhost:1/no/such:1\n", "see `docker pull localhost:1/no/such:1`"),
        ("FROM {image}\nCOPY nothing /\n", "correct `COPY nothing /`, or the files that it names"),
        ("FROM {image}\nRUNN x\n", "correct what it names and run it again"),
    ],
)
def test_a_failed_build_says_what_to_do_about_the_step(
    notebook: Notebook, debian_image: str, tag: str, dockerfile: str, hint: str
) -> None:
    with pytest.raises(EngineError, match=r"the build failed: ") as caught:
        notebook.run(f"%%ctr_build {tag}", dockerfile.format(image=debian_image))

    assert hint in str(caught.value)


def test_a_build_without_an_engine_blames_no_dockerfile(notebook: Notebook, tag: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", "unix:///no/such.sock")

        with pytest.raises(EngineUnreachable, match=r"no Docker engine at /no/such\.sock"):
            notebook.run(f"%%ctr_build {tag}", "FROM scratch\n")


def test_an_interrupted_build_makes_no_image(
    notebook: Notebook, debian_image: str, tag: str
) -> None:
    thread = notebook.interrupt_when(lambda: "begun\n" in notebook.frontend.text)

    with pytest.raises(CommandInterrupted, match="no image was made"):
        notebook.run(f"%%ctr_build {tag}", f"FROM {debian_image}\nRUN echo begun; sleep 1000\n")

    thread.join()
    assert not docker("images", "--quiet", tag)


@pytest.mark.parametrize(
    ("line", "body", "said"),
    [
        ("%%ctr_build", "FROM x", "needs the image's name"),
        ("%%ctr_build x", " \n", "the cell has no Dockerfile"),
        ("%%ctr_build x --file y", "FROM x", "takes the cell as the Dockerfile"),
        ("%%ctr_build x /no/such", "FROM x", "is no folder"),
        ("%%ctr_ps", "x", "takes no body"),
    ],
)
def test_a_cell_that_cannot_be_built_is_one_line(
    notebook: Notebook, line: str, body: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        notebook.run(line, body)


# Python, and the kernel


def test_a_container_lives_from_python(make_container: Callable[..., str]) -> None:
    name = make_container("busybox")
    with Container(find_engine(os.environ), name) as box:
        box.session().run("x=1")
        assert box.stop(timeout=0).startswith(f"stopped {name}")
        assert box.start() == f"started {name}"
        assert box.run("echo ${x-new}").output == "new\n"
        box.pause()
        box.unpause()
        box.restart(timeout=0)
        assert box.logs() == ""
        assert box.inspect("State.Running") is True
        with pytest.raises(EngineError, match="is running"):
            box.remove()
        box.remove(force=True)
        with pytest.raises(ContainerNotFound):
            box.status()


def test_in_the_kernel_a_life_is_led_by_cells(
    make_container: Callable[..., str], talker: Callable[[str], str], tmp_path: Path
) -> None:
    name, loud = make_container("debian"), talker("echo said; exec sleep 1000")
    with live_kernel(tmp_path, CTRKERNEL_TARGET=name) as kernel:
        kernel.run("x=1")
        stopped = kernel.run("%ctr_stop --kill\necho never")
        assert stopped.error[0] == "ContainerNotRunning"
        assert stopped.text.startswith(f"stopped {name}")
        again = kernel.run("%ctr_start\necho ${x-new}")
        assert (again.text, again.notices) == (f"started {name}\nnew\n", "")
        table = [
            each["content"]["data"]
            for each in kernel.run("%ctr_ps").messages
            if each["msg_type"] == "display_data"
        ]
        assert name in table[0]["text/plain"]
        assert "<table>" in table[0]["text/html"]
        follow = kernel.submit(f"%ctr_logs --follow {loud}")
        kernel.wait_for_output(follow, "said\n")
        kernel.interrupt()
        assert kernel.finish(follow).error[0] == "KeyboardInterrupt"
        assert kernel.run("echo on").text == "on\n"


@pytest.mark.parametrize("line", ["%ctr_inspect", "%ctr_commit x"])
def test_another_container_is_named_by_on(notebook: Notebook, line: str) -> None:
    with pytest.raises(CtrKernelError, match="no container 'nobody'"):
        notebook.run(f"{line} --on nobody")
