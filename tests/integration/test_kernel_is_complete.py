"""is_complete is told by the container's own shell, and nothing of the code is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.live_kernel import LiveKernel, docker, eventually, live_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPLETE = [
    "",
    "ls -l",
    'echo "$HOME" | cat; true && false',
    "if true; then echo; fi",
    "for x in a b\ndo echo $x; done",
    "while read -r x; do :; done <<E\na\nE\n",
    "case $x in a) echo;; esac",
    "f() { echo; }",
    "echo 'it' # isn't",
    "(cd /; ls)",
    "ls ?",
    "cat <<'E'\n$(\nE",
    "echo $((1<<2))",
    "%ctr_ps\nls",
]
INCOMPLETE = [
    "if true",
    "if true; then",
    "for x in a b; do\n    echo $x",
    "while true",
    "case $x in",
    "case $x in a)",
    "f() {",
    "f()",
    "{ echo",
    "( echo",
    "echo 'it",
    'echo "it',
    "echo $(ls",
    "echo ${x",
    "echo `ls",
    "ls |",
    "ls &&",
    "ls ||",
    "ls \\",
    "cat <<E",
    "cat <<E\na\n",
    "cat <<-E\n\ta\nEE",
    "%ctr_ps\nif true",
]
INVALID = ["fi", "echo )", "if true; fi", "a & && b", "case x in esac esac", "do", "echo }; }"]


@pytest.fixture(scope="module")
def bash(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    with live_kernel(tmp_path_factory.mktemp("bash"), CTRKERNEL_TARGET=debian) as kernel:
        warm(kernel)
        yield kernel


@pytest.fixture(scope="module")
def dash(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    folder = tmp_path_factory.mktemp("dash")
    with live_kernel(folder, CTRKERNEL_TARGET=debian, CTRKERNEL_SHELL="dash") as kernel:
        warm(kernel)
        yield kernel


@pytest.fixture(scope="module")
def zsh(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    folder = tmp_path_factory.mktemp("zsh")
    with live_kernel(folder, CTRKERNEL_TARGET=debian, CTRKERNEL_SHELL="zsh") as kernel:
        warm(kernel)
        yield kernel


@pytest.fixture(scope="module")
def ash(busybox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    with live_kernel(tmp_path_factory.mktemp("ash"), CTRKERNEL_TARGET=busybox) as kernel:
        warm(kernel)
        yield kernel


def warm(kernel: LiveKernel) -> None:
    """Wait until the container answers: on a busy machine its start takes longer than an answer."""
    kernel.run("true")
    assert eventually(lambda: status(kernel, "echo $x") == "complete", timeout=20)


def ask(kernel: LiveKernel, code: str) -> dict[str, Any]:
    return kernel.ask("shell", "is_complete_request", {"code": code})


def status(kernel: LiveKernel, code: str) -> str:
    """Return the answer; one that did not come in time on a busy machine is asked for again."""
    found: list[str] = []

    def answered() -> bool:
        found.append(ask(kernel, code)["status"])
        return found[-1] != "unknown"

    eventually(answered, timeout=20)
    return found[-1]


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh", "ash"])
def test_each_shell_tells_whole_from_cut_off_from_wrong(
    shell: str, request: pytest.FixtureRequest
) -> None:
    kernel = request.getfixturevalue(shell)

    expected = {
        **dict.fromkeys(COMPLETE, "complete"),
        **dict.fromkeys(INCOMPLETE, "incomplete"),
        **dict.fromkeys(INVALID, "invalid"),
    }
    found = {code: status(kernel, code) for code in expected}

    assert found == expected


def test_bash_s_own_grammar_is_known(bash: LiveKernel) -> None:
    assert [
        status(bash, code) for code in ("x=(1", "[[ a", "[[ a ==", "for ((i=0", "select x")
    ] == ["incomplete"] * 5
    assert [status(bash, code) for code in ("x=(1 2)", "[[ a < b ]]", "ls !(a)", "cat <<<a")] == [
        "complete"
    ] * 4


def test_the_next_line_s_indent_comes_with_it(bash: LiveKernel) -> None:
    assert ask(bash, "if true; then") == {"status": "incomplete", "indent": "    "}
    assert ask(bash, "cat <<E") == {"status": "incomplete", "indent": ""}
    assert ask(bash, "ls") == {"status": "complete"}


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh", "ash"])
def test_nothing_is_run(shell: str, request: pytest.FixtureRequest) -> None:
    kernel = request.getfixturevalue(shell)
    mark = f"/tmp/ran-by-{shell}"
    codes = [
        f"touch {mark}; if true",
        f"set +n; touch {mark}",
        f"echo `touch {mark}` $(touch {mark}) <(touch {mark})",
        f"x=${{y:=$(touch {mark})}}; echo $((z[$(touch {mark})]))",
        f"'; touch {mark}; '",
        f"$(touch {mark}",
        f"exec touch {mark}\n",
        f"#!/bin/sh\ntouch {mark}\nE\n",
        f"trap 'touch {mark}' EXIT; exit",
    ]

    answers = [status(kernel, code) for code in codes]

    assert set(answers) <= {"complete", "incomplete", "invalid"}
    assert kernel.run(f"ls {mark}").status == "error"


def test_a_shell_that_cannot_answer_is_not_waited_for(
    make_container: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    container = make_container("debian")
    with live_kernel(tmp_path_factory.mktemp("paused"), CTRKERNEL_TARGET=container) as kernel:
        kernel.run("true")
        docker("pause", container)
        try:
            answers = [ask(kernel, code)["status"] for code in ("echo $x", "ls", "")]
        finally:
            docker("unpause", container)

    assert answers == ["unknown", "complete", "complete"]
