"""Whether a shell would ask for another line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctrkernel.protocol.open_code import Opening, is_open, opening

OPEN = [
    "if true",
    "if true; then",
    "for x in a b",
    "for x in a b; do echo $x",
    "while read -r x; do",
    "until false\ndo",
    "case $x in",
    "case $x in a) echo;;",
    "{ echo a",
    "( echo a",
    "f() {",
    "f()",
    "echo 'a",
    'echo "a',
    'echo "$(date',
    "echo $(date",
    "echo ${x",
    "echo ${x:-'}'",
    "echo `date",
    "echo a |",
    "echo a &&",
    "echo a ||",
    "echo a \\",
    "cat <<END",
    "cat <<END\none\n",
    "cat <<-'E'\n\tone",
    "[[ a == b",
    "echo $((1 + (2)",
    "((i = 1",
    'echo "a\nb',
    "echo $'a\\'",
    "if true; then echo a; fi; while",
    "echo a | # piped",
    "echo a | \\\n",
    "{ echo a \\\n",
    "{ echo \\\\",
    'echo "a\\',
]
WHOLE = [
    "",
    "echo a",
    "if true; then echo a; fi",
    "for x in a b; do echo $x; done",
    "while false; do :; done",
    "case $x in a|b) echo;; (c) echo;; esac",
    "{ echo a; }",
    "( echo a )",
    "f() { echo a; }",
    "f() ( echo a )",
    "echo 'a' \"b $(date) ${x:-\"y\"}\" `date`",
    "echo a | cat",
    "echo a &",
    "echo a \\\nb",
    "cat <<END\none\nEND",
    "cat <<-'E'\n\tone\n\tE\necho b",
    "cat <<< word",
    "[[ a == b && ( c < d ) ]]",
    "echo $((1 << 2)) $(( (1) ))",
    "((i = 1)); echo $i",
    "echo $'a\\'b'",
    "echo if then {",
    "echo a # it's a comment",
    "echo a#'b'",
    "fi",
    "}",
    ")",
    "echo done; echo }",
    "echo \"it's\"",
    "x=$(case a in a) echo b;; esac)",
    "if true; then\n  echo a\nelse\n  echo b\nfi",
    "a && b || c; d",
    "echo ${#x} ${x#y} $#",
    "f(){ :; }; f",
    "for ((i=0; i<3; i++)); do echo $i; done",
]  # fmt: skip


@pytest.mark.parametrize("code", OPEN)
def test_what_is_open_asks_for_more(code: str) -> None:
    assert is_open(code)


@pytest.mark.parametrize("code", WHOLE)
def test_what_is_whole_does_not(code: str) -> None:
    assert not is_open(code)


@given(st.text(alphabet="if fi;do{}()'\"`$\\\n<#|&a", max_size=30))
def test_any_text_has_an_answer(code: str) -> None:
    assert is_open(code) in (True, False)


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("echo a", None),
        ("if true; then", Opening.COMMAND),
        ("echo a &&", Opening.COMMAND),
        ("echo a \\", Opening.LINE),
        ("echo 'a", Opening.QUOTE),
        ('{ echo "a', Opening.QUOTE),
        ('echo "a\\', Opening.QUOTE),
        ("if true; then cat <<E\na", Opening.DOCUMENT),
        ("cat <<E", Opening.DOCUMENT),
        ("if true; then cat <<E\nE\n", Opening.COMMAND),
    ],
)
def test_what_is_open_is_told(code: str, what: Opening | None) -> None:
    assert opening(code) is what
