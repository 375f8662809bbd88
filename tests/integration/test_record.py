"""A recording shows what the notebook showed, and nothing that was not to be seen."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pyte
import pytest

from tests.kernel.live_kernel import LiveKernel, docker, eventually, kill, live_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def shared(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    with live_kernel(tmp_path_factory.mktemp("kernel"), CTRKERNEL_TARGET=debian) as started:
        yield started


@pytest.fixture
def kernel(shared: LiveKernel, debian: str) -> Iterator[LiveKernel]:
    """The module's kernel; at the end it records nothing and is attached to where it was."""
    shared.run("%ctr_config width= height=\ncd /")
    yield shared
    shared.heal()
    shared.run("%ctr_record --stop")
    shared.run(f"%ctr_attach {debian}")


def load(path: Path) -> tuple[dict[str, Any], list[tuple[float, str, str]]]:
    header, *events = [json.loads(line) for line in path.read_text().splitlines()]
    return header, [(at, kind, data) for at, kind, data in events]


def replay(path: Path) -> list[str]:
    """Return the lines of a terminal that has played the file."""
    header, events = load(path)
    screen = pyte.Screen(header["width"], header["height"])
    stream = pyte.Stream(screen)
    for _, kind, data in events:
        if kind == "o":
            stream.feed(data)
    lines = [line.rstrip() for line in screen.display]
    return lines[: max((at + 1 for at, line in enumerate(lines) if line), default=0)]


def test_played_it_is_the_session(kernel: LiveKernel, debian: str) -> None:
    path = kernel.folder / "played.cast"
    kernel.run(f"%ctr_record {path.name}")
    kernel.run("echo one; printf two")
    kernel.run("for i in 1 2 3; do\n  printf '\\r%s of 3' $i; sleep 0.1\ndone")
    kernel.run("%ctr_env SEEN=no\nprintf '\\033[31mred\\033[0m\\n'; (exit 3)")
    kernel.run("cd /usr")
    kernel.run("exit 4")
    kernel.run("pwd")

    stopped = kernel.run("%ctr_record --stop")
    kernel.run("echo later")

    assert f"asciinema play {path}" in stopped.text
    assert replay(path) == [
        *("$ echo one; printf two", "one", "two"),
        *("$ for i in 1 2 3; do", ">   printf '\\r%s of 3' $i; sleep 0.1", "> done", "3 of 3"),
        *("$ printf '\\033[31mred\\033[0m\\n'; (exit 3)", "red"),
        *("$ cd /usr", "$ exit 4", "exit", "$ pwd", "/usr"),
    ]
    header, events = load(path)
    assert (header["version"], header["width"], header["height"]) == (2, 120, 40)
    assert header["env"] == {"SHELL": "bash", "TERM": "xterm-256color"}
    assert {kind for _, kind, _ in events} == {"o"}
    assert "133;" not in path.read_text()
    assert "__ctrk" not in path.read_text()


def test_the_size_and_if_wanted_the_code_are_events_of_their_own(kernel: LiveKernel) -> None:
    path = kernel.folder / "events.cast"
    kernel.run(f"%ctr_record --input {path.name}")
    kernel.run("%ctr_config width=80 height=24\n:")
    kernel.run("%ctr_record --stop")

    _, events = load(path)

    assert ("i", ":\n") in [(kind, data) for _, kind, data in events]
    assert [data for _, kind, data in events if kind == "r"][-1] == "80x24"


def test_what_is_secret_is_not_in_it(kernel: LiveKernel) -> None:
    path = kernel.folder / "secret.cast"
    kernel.run(f"%ctr_record --input {path.name}")
    asked = kernel.submit("%ctr_secret TOKEN", allow_stdin=True)
    request = kernel.client.get_stdin_msg(timeout=20)
    assert request["content"]["password"]
    kernel.client.input("hunter2hunter2")
    assert kernel.finish(asked).status == "ok"
    kernel.run('echo "it is $TOKEN"; echo hunter2hunter2')
    kernel.run("%ctr_record --stop")

    assert "hunter2" not in path.read_text()
    assert '$ echo "it is $TOKEN"; echo ••••' in replay(path)
    assert "it is ••••" in replay(path)


def test_it_follows_to_another_container_and_leaves_other_sessions_out(
    kernel: LiveKernel, busybox: str
) -> None:
    path = kernel.folder / "followed.cast"
    kernel.run(f"%ctr_record {path.name}\necho here")
    kernel.run("%%ctr --session other\necho elsewhere")
    kernel.run(f"%ctr_attach {busybox}\necho there")
    kernel.run("%ctr_record --stop")

    assert replay(path) == ["$ echo here", "here", "$ echo there", "there"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%ctr_record", "nothing is recorded; type %ctr_record demo.cast"),
        ("%ctr_record --stop", "nothing is recorded; type %ctr_record demo.cast"),
        ("%ctr_record no/such/folder.cast", "No such file or directory; name another file"),
        ("%ctr_record a.cast --stop", "type %ctr_record --stop"),
        ("%ctr_record there.cast", "is there already; name another file, or type --overwrite"),
    ],
)
def test_what_cannot_be_is_told(kernel: LiveKernel, line: str, said: str) -> None:
    (kernel.folder / "there.cast").write_text("kept")

    ename, evalue = kernel.run(line).error

    assert ename == "UsageError"
    assert said in evalue
    assert (kernel.folder / "there.cast").read_text() == "kept"


def test_a_kernel_that_is_killed_leaves_a_film_that_plays(
    make_container: Callable[..., str], tmp_path: Path
) -> None:
    container = make_container("debian")
    path = tmp_path / "killed.cast"
    kernel = LiveKernel(tmp_path, {"CTRKERNEL_TARGET": container}).start()
    try:
        kernel.run(f"%ctr_record {path.name}")
        endless = kernel.submit("echo begun; while :; do echo on and on; sleep 0.01; done")
        kernel.wait_for_output(endless, "on and on")
        kill(kernel.pid, signal.SIGKILL)
        assert eventually(lambda: not kernel.manager.is_alive(), timeout=20)
    finally:
        kernel.end()

    assert path.read_text().endswith("\n")
    assert "on and on" in replay(path)
    assert docker("ps", "--quiet", f"--filter=name={container}")
