"""The Python API in the hands of threads, forks and callbacks that fail: a shell survives them."""

from __future__ import annotations

import gc
import math
import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ctrkernel import attach, list_containers, run_container
from ctrkernel.errors import (
    CommandTimedOut,
    CtrKernelError,
    ExpectTimedOut,
    SessionClosed,
    ShellBusy,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctrkernel import Container, ShellSession
    from tests.integration.conftest import MakeContainer

#: Seconds for what takes a moment.
TIMEOUT = 20.0


@pytest.fixture
def web(debian: str) -> Iterator[Container]:
    with attach(debian) as container:
        yield container


@pytest.fixture
def shell(web: Container) -> ShellSession:
    made = web.session()
    made.run("here=still")
    return made


def lives(shell: ShellSession) -> bool:
    """Whether it is the shell that it was, and takes a command."""
    return shell.run("echo $here", TIMEOUT).output == "still\n"


# Callbacks


@pytest.mark.parametrize("kind", [ValueError, BrokenPipeError, TimeoutError, SystemExit])
def test_what_on_output_raises_interrupts_the_command_and_is_raised_as_it_is(
    shell: ShellSession, kind: type[BaseException]
) -> None:
    def fail(_: str) -> None:
        raise kind("mine")

    with pytest.raises(kind, match="mine"):
        shell.run("echo a; sleep 1000", TIMEOUT, on_output=fail)

    assert lives(shell)


def test_a_command_within_on_output_is_refused_and_the_shell_stays(shell: ShellSession) -> None:
    def again(_: str) -> None:
        shell.run("echo b")

    with pytest.raises(ShellBusy):
        shell.run("echo a", TIMEOUT, on_output=again)

    assert lives(shell)


def test_a_program_whose_on_output_raises_is_ended(web: Container) -> None:
    def fail(_: str, __: str) -> None:
        raise BrokenPipeError("mine")

    with pytest.raises(BrokenPipeError, match="mine"):
        web.exec(["sh", "-c", "echo a; exec sleep 7531"], on_output=fail)

    assert "7531" not in web.run("cat /proc/[0-9]*/cmdline | tr '\\0' ' '; :").output


# Words that are no good


@pytest.mark.parametrize("timeout", [math.nan, "5", [1]])
def test_a_timeout_that_is_no_number_is_refused_before_anything_runs(
    web: Container, shell: ShellSession, timeout: float
) -> None:
    for call in (
        lambda: shell.run("here=gone", timeout),
        lambda: shell.expect("x", timeout=timeout),
        lambda: web.exec(["true"], timeout=timeout),
    ):
        with pytest.raises(UsageError, match="a timeout is a number of seconds"):
            call()

    assert lives(shell)


@pytest.mark.parametrize("timeout", [math.inf, 1e30])
def test_a_timeout_without_end_is_no_limit(
    web: Container, shell: ShellSession, timeout: float
) -> None:
    assert shell.run("echo a", timeout).output == "a\n"
    assert web.exec(["echo", "b"], timeout=timeout).stdout == "b\n"
    shell.send("echo c")
    assert shell.expect("c", timeout=timeout) == "c"


@pytest.mark.parametrize("size", [(0, 10), (10, -1), (100_000, 10), ("a", 10), (10, None)])
def test_a_size_that_no_terminal_has_is_refused_and_the_shell_stays(
    shell: ShellSession, size: tuple[int, int]
) -> None:
    with pytest.raises(UsageError, match="1 to 65,535 rows and columns"):
        shell.resize(*size)

    assert lives(shell)
    assert shell.run("stty size").output == "40 120\n"


def test_bytes_are_not_typed(shell: ShellSession) -> None:
    with pytest.raises(UsageError, match="text is a str, not bytes"):
        shell.send(b"echo")  # type: ignore[arg-type]

    assert lives(shell)


# Threads and processes


def test_threads_that_reopen_at_once_each_find_a_shell(shell: ShellSession) -> None:
    shell.run("cd /tmp")

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(shell.reopen) for _ in range(4)]:
            done.result(TIMEOUT)

    assert shell.run("pwd", TIMEOUT).output == "/tmp\n"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_is_told_that_the_shell_is_its_parent_s(web: Container, shell: ShellSession) -> None:
    heard, said = os.pipe()
    child = os.fork()
    if child == 0:
        words = []
        for call in (lambda: shell.run("here=gone"), lambda: shell.expect("x"), web.session):
            try:
                call()
            except SessionClosed as error:
                words.append(str(error))
        web.close()
        os.write(said, "\n".join(words).encode())
        os._exit(0)
    os.close(said)
    with os.fdopen(heard, "rb") as pipe:
        words = pipe.read().decode().splitlines()
    os.waitpid(child, 0)

    assert len(words) == 3
    assert all("forked from; attach anew" in each for each in words)
    assert lives(shell)


def test_results_and_errors_go_from_one_process_to_another(shell: ShellSession) -> None:
    with pytest.raises(CommandTimedOut) as timed_out:
        shell.run("echo a; sleep 1000", timeout=0.5)
    shell.send("printf b; sleep 1000")
    with pytest.raises(ExpectTimedOut) as unexpected:
        shell.expect("x", timeout=0.5)
    shell.send_keys("C-c")

    for error in (timed_out.value, unexpected.value):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy).keys()) == (
            type(error),
            str(error),
            vars(error).keys(),
        )
    assert pickle.loads(pickle.dumps(unexpected.value)).output == "b"
    infos = list_containers()
    assert set(pickle.loads(pickle.dumps(infos))) == set(infos)


# Ends


def test_a_closed_session_lets_nobody_in_and_says_what_it_is(shell: ShellSession) -> None:
    assert repr(shell) == f"<ShellSession main of {shell.container}: idle>"
    shell.close()
    shell.close()

    for call in (
        shell.open_door,
        lambda: shell.run("true"),
        lambda: shell.send("true"),
        lambda: shell.send_keys("C-c"),
    ):
        with pytest.raises(SessionClosed, match="reopen it"):
            call()
    assert repr(shell).endswith(": closed>")


def test_a_shell_that_was_reopened_by_itself_ends_with_its_container_all_the_same(
    web: Container, shell: ShellSession
) -> None:
    shell.close()
    other = web.session()
    shell.reopen()
    assert (shell.run("echo a").output, other.run("echo b").output) == ("a\n", "b\n")

    web.close()

    assert (shell.state, other.state) == ("closed", "closed")
    shell.reopen()
    web.close()
    assert shell.state == "closed"


def test_a_container_of_ours_stays_while_only_its_shell_is_held(
    debian_image: str, fresh_name: str
) -> None:
    shell = run_container(debian_image, name=fresh_name).session()
    gc.collect()

    assert shell.run("echo here", TIMEOUT).output == "here\n"
    with attach(fresh_name) as again:
        again.remove(force=True)


def test_a_directory_whose_name_is_no_text_is_found_again(shell: ShellSession) -> None:
    shell.run("d=/tmp/$(printf 'a\\377b'); mkdir -p $d; cd $d; touch there")

    shell.reopen()

    assert shell.run("ls; cd /; rm -r /tmp/a*").output == "there\n"


def test_a_container_that_is_gone_is_named_in_one_line(make_container: MakeContainer) -> None:
    name = make_container()
    web = attach(name)
    shell = web.session()
    with attach(name) as other:
        other.remove(force=True)
    ended = threading.Event()
    said: list[str] = []

    def use() -> None:
        for call in (
            lambda: shell.run("true"),
            lambda: web.run("true"),
            lambda: web.exec(["true"]),
            lambda: web.put(__file__, "/tmp"),
            web.logs,
            web.start,
            shell.reopen,
            lambda: shell.send("x"),
            web.remove,
        ):
            with pytest.raises(CtrKernelError) as raised:
                call()
            said.append(str(raised.value))
        web.close()
        ended.set()

    threading.Thread(target=use, daemon=True).start()

    assert ended.wait(2 * TIMEOUT)
    assert all(line and "\n" not in line for line in said)
