"""Words reach a program in a container as they are, whatever bytes they have."""

from __future__ import annotations

import os
import subprocess

import pytest

from ctrkernel.engine.raw_words import passable

WORDS = [
    b"",
    b"plain",
    b"a\\nb",
    b"bad\xff\xfe",
    b"\xff\n\n",
    b"*",
    b"-n",
    b"\\\\0101\xc3",
    b"\x80 %s",
]
PRINT = 'for w; do printf "%s|" "$w"; done'


def test_utf8_is_passed_on_as_it_is() -> None:
    assert passable(["ls", "ü", "a\\b"]) == ["ls", "ü", "a\\b"]


@pytest.mark.parametrize("shell", ["bash", "dash", "busybox", "zsh"])
def test_a_shell_makes_the_same_bytes_again(shell: str) -> None:
    argv = ["sh", "-c", PRINT, "sh", *map(os.fsdecode, WORDS)]

    _, *words = passable(argv)

    # Nothing in them is lost on the way through JSON.
    assert all(word.encode() for word in words if word)
    shell_argv = ["busybox", "sh"] if shell == "busybox" else [shell]
    done = subprocess.run([*shell_argv, *words], check=True, capture_output=True)
    assert done.stdout == b"|".join(WORDS) + b"|"
