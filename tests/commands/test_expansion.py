"""What a command's line takes from Python, and what stays the shell's."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from ctrkernel.commands.expansion import expand
from ctrkernel.errors import UsageError

VARIABLES: dict[str, Any] = {
    "x": 5,
    "a": 1,
    "b": 2,
    "name": "w eb",
    "row": {"k": "v"},
    "files": ["p", "q"],
    "path": Path("/srv"),
    "math": math,
    "call": len,
    "_": 7,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("echo {x} {name}", "echo 5 w eb"),
        ("echo $x $name.txt", "echo 5 w eb.txt"),
        ('{row["k"]} {x + 1} {len(files)} {files[0]}', "v 6 2 p"),
        ("{[f for f in files]}", "['p', 'q']"),
        ("ls $path/{x}", "ls /srv/5"),
        ("awk '{x}'", "awk '5'"),
        ('"it\'s $x"', '"it\'s 5"'),
        ("{_}", "7"),
    ],
)
def test_what_names_a_variable_is_replaced(text: str, expected: str) -> None:
    assert expand(text, VARIABLES) == expected


@pytest.mark.parametrize(
    "text",
    [
        "echo {a,b} {1,2} {1..3} {}",
        "awk '{print}' '{print $1}' '{n++}'",
        "find . -exec rm {} \\;",
        "echo $HOME ${HOME} ${x} ${x:-{a}} ${#x}",
        "echo $? $! $$ $1 $_ $@",
        "echo '$x'",
        r"echo \$x \{x}",
        "docker ps --format '{{.Names}}'",
        "{ x; } { x }",
        "{unknown} $unknown {x.}",
        "{math} $math {call} $call $row $files",
        "echo {x",
        "{x\n}",
        "$",
        "\\",
        "",
    ],
)
def test_what_is_the_shell_s_stays(text: str) -> None:
    assert expand(text, VARIABLES) == text


@pytest.mark.parametrize(
    ("text", "expected"), [("{{x}} $$x", "{x} $x"), ("{{unknown}} $$HOME", "{{unknown}} $$HOME")]
)
def test_what_is_doubled_is_kept(text: str, expected: str) -> None:
    assert expand(text, VARIABLES) == expected


def test_one_place_that_is_the_shell_s_does_not_keep_another_from_its_value() -> None:
    assert expand("awk '{print $1}' {x} ${HOME}", VARIABLES) == "awk '{print $1}' 5 ${HOME}"


def test_a_value_is_not_expanded_again() -> None:
    assert expand("{v}", {"v": "{x} $x", "x": 5}) == "{x} $x"


def test_dollars_can_be_left_to_the_shell() -> None:
    assert expand("{x} $x", VARIABLES, dollars=False) == "5 $x"


def test_an_expression_that_fails_is_one_line_that_says_how_to_keep_it() -> None:
    with pytest.raises(UsageError) as caught:
        expand('echo {row["z"]}', VARIABLES)

    assert str(caught.value) == (
        '{row["z"]}: KeyError: \'z\'; where the braces are the shell\'s, type {{row["z"]}}'
    )
