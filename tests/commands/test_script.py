"""A notebook becomes a script: shell as it is, all else as comments."""

from __future__ import annotations

import subprocess

import pytest
from pygments.lexers import get_lexer_by_name
from pygments.token import Keyword, Name, Operator, Token

from ctrkernel.commands.script import Piece, script_of

#: The line that ends a script where a cell has failed.
STOP = "case $? in 0) ;; *) exit ;; esac\n"


def body(*pieces: Piece) -> str:
    """The script less the lines that every one begins with."""
    script = script_of(pieces)
    assert script.startswith("#!/usr/bin/env bash\n")
    return script.split("\n\n", 1)[1]


@pytest.mark.parametrize(
    ("source", "shell"),
    [
        ("cd /srv\nls\n", f"cd /srv\nls\n{STOP}"),
        ("%ctr_attach web\nls", f"# %ctr_attach web\nls\n{STOP}"),
        ("%ctr ls -l", f"ls -l\n{STOP}"),
        ("%ctr --session a ls", "# %ctr --session a ls\n"),
        ("%%ctr\n%1\nls", f"%1\nls\n{STOP}"),
        ("%%ctr --on web,db\nls", "# %%ctr --on web,db\n# ls\n"),
        (
            "%%ctr_write a.py\nprint(1)\n\nprint(2)",
            "# %%ctr_write a.py\n# print(1)\n#\n# print(2)\n",
        ),
        ("# a remark", "# a remark\n"),
    ],
)
def test_commands_are_comments_and_shell_is_shell(source: str, shell: str) -> None:
    assert body(Piece(source)) == shell


def test_text_is_a_comment_and_an_empty_cell_is_nothing() -> None:
    assert body(Piece("# Title\n\nWords.", code=False), Piece(""), Piece("\n", code=False)) == (
        "# # Title\n#\n# Words.\n"
    )


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_it_stops_where_a_cell_fails_with_its_status_unless_that_may_be(shell: str) -> None:
    script = script_of(
        [Piece("(exit 3)", may_fail=True), Piece("echo on; (exit 4)"), Piece("echo no")]
    )

    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (4, "on\n", "")


@pytest.mark.parametrize(
    "code", ["echo a \\", "%ctr echo a \\", "cat <<E\na", "echo a; (", "echo 'a"]
)
def test_a_cell_with_an_open_end_leaves_the_others_alone(code: str) -> None:
    script = script_of([Piece(code, may_fail=True), Piece("echo a \\"), Piece("echo on")])

    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0
    assert done.stdout.splitlines()[-2:] == ["a", "on"]


def test_aliases_work_as_they_do_in_a_notebook() -> None:
    script = script_of([Piece("alias greet='echo hello'"), Piece("greet you")])

    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "hello you\n")


def test_a_cell_s_colours_know_our_commands_and_the_shell() -> None:
    lexer = get_lexer_by_name("ctrkernel", ensurenl=False, stripnl=False)
    source = "%ctr_attach web\n%ctr echo $X \nif true; then :; fi\n%1 %ctr_get\n"

    tokens = list(lexer.get_tokens(source))

    assert "".join(value for _, value in tokens) == source
    assert tokens[:2] == [(Operator, "%"), (Keyword, "ctr_attach")]
    assert (Name.Variable, "$X") in tokens
    assert (Keyword, "if") in tokens
    assert (Keyword, "ctr_get") not in tokens
    plain = list(lexer.get_tokens("%%ctr_write a\nif $X\n"))
    assert [kind for kind, _ in plain] == [Operator, Keyword, Token.Text, Token.Text]
