"""A shell is started in the way that it needs, in an environment that stays quiet."""

from __future__ import annotations

import subprocess

import pytest

from ctrkernel.errors import UsageError
from ctrkernel.session.launcher import ENVIRONMENT, environment, launches


@pytest.mark.parametrize("shell", [None, "", "  "])
def test_without_a_choice_bash_is_taken_else_sh(shell: str | None) -> None:
    first, second = launches(shell)

    assert first.helper == "sh"
    assert "exec bash" in first.argv[2]
    assert "exec sh" in first.argv[2]
    assert second.argv[0] == second.helper == "bash"


def test_a_choice_keeps_its_own_arguments() -> None:
    first, second = launches("/usr/bin/zsh -f '--emulate=a b'")

    assert second.argv == ("/usr/bin/zsh", "-f", "--emulate=a b", "-i", "+Z")
    assert first.argv[-5:] == second.argv
    assert second.helper == "/usr/bin/zsh"


@pytest.mark.parametrize(
    ("shell", "arguments"),
    [
        ("bash", ("--noediting", "+o", "history", "-i")),
        ("/opt/bin/bash", ("--noediting", "+o", "history", "-i")),
        ("dash", ("-i",)),
        ("/busybox sh", ("-i",)),
    ],
)
def test_every_shell_is_interactive(shell: str, arguments: tuple[str, ...]) -> None:
    for launch in launches(shell):
        assert launch.argv[-len(arguments) :] == arguments


def test_a_choice_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(UsageError, match="CTRKERNEL_SHELL=bash 'open cannot be read"):
        launches("bash 'open")


def test_the_silencing_words_start_what_they_are_given() -> None:
    first, _ = launches("echo 'a b' --")

    done = subprocess.run(first.argv, capture_output=True, timeout=10, check=True, text=True)

    assert (done.stdout, done.stderr) == ("a b -- -i\n", "")


def test_pagers_are_quiet_unless_somebody_says_otherwise() -> None:
    variables = environment({"PAGER": "less", "X": "1"}, nonce="abc")

    assert variables == {**ENVIRONMENT, "PAGER": "less", "X": "1", "CTRKERNEL_NONCE": "abc"}
