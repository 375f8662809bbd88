"""What the shells say of code is understood: whole, cut off, or wrong."""

from __future__ import annotations

import pytest

from ctrkernel.session.syntax import Verdict, at_a_glance, interpret

_OF = {"c": Verdict.COMPLETE, "i": Verdict.INCOMPLETE, "w": Verdict.INVALID, "?": Verdict.UNKNOWN}


@pytest.mark.parametrize(
    ("said", "code", "verdict"),
    [
        ("", "echo $x", "?"),
        ("bash 127\nbash: not found", "echo $x", "?"),
        ("bash 0\n", "echo $x", "c"),
        ("bash 0\n", "echo $x \\", "i"),
        # The shell knows better than a look at the text.
        ("bash 0\n", "let x=1<<2", "c"),
        ("bash 2\nbash: line 2: syntax error: unexpected end of file", "if true", "i"),
        ("bash 2\nbash: line 1: unexpected EOF while looking for matching `\"'", 'echo "', "i"),
        ("bash 2\nbash: line 1: syntax error near unexpected token `fi'", "fi", "w"),
        (
            "bash 0\nbash: line 1: warning: here-document at line 1 delimited by end-of-file",
            "cat <<E",
            "i",
        ),
        (
            "bash 2\nbash: line 1: unexpected token `newline', conditional operator expected",
            "[[ a",
            "i",
        ),
        ("dash 0\n", "cat <<E\na", "i"),
        ("dash 0\n", "cat <<E\na\nE", "c"),
        ('dash 2\ndash: 2: Syntax error: end of file unexpected (expecting "then")', "if a", "i"),
        ("dash 2\ndash: 2: Syntax error: Unterminated quoted string", "echo 'a", "i"),
        ("dash 2\ndash: 1: Syntax error: Missing '}'", "echo ${a", "i"),
        ('dash 2\ndash: 1: Syntax error: "fi" unexpected', "fi", "w"),
        ('busybox 2\nsh: syntax error: unexpected end of file (expecting "do")', "for x", "i"),
        ("busybox 2\nsh: syntax error: EOF in backquote substitution", "echo `a", "i"),
        ('busybox 2\nsh: syntax error: unexpected ")"', ")", "w"),
        ("zsh 0\n", "for x in a", "i"),
        ("zsh 0\n", "for x in a; do echo; done", "c"),
        ("zsh 1\nzsh: parse error near `\\n'", "if true", "i"),
        ("zsh 1\nzsh: parse error near `\\n'", "echo >", "w"),
        ("zsh 1\nzsh: parse error near `)'", "echo )", "w"),
        ("zsh 1\nzsh: parse error near `&&'", "a & && b; {", "w"),
        ("zsh 1\nzsh: parse error near `$(a'", "echo $(a", "i"),
        ("zsh 1\nzsh: unmatched '", "echo 'a", "i"),
    ],
)
def test_what_a_shell_says_is_understood(said: str, code: str, verdict: str) -> None:
    assert interpret(said, code) is _OF[verdict]


@pytest.mark.parametrize("code", ["", " \n", "ls", "  git checkout -b a/b\n", "a --x=1,2 ./b.txt"])
def test_a_plain_command_needs_no_shell(code: str) -> None:
    assert at_a_glance(code) is Verdict.COMPLETE


@pytest.mark.parametrize(
    "code",
    ["if", "for x", "do", "done", "a 'b", "a\\", "a; b", "a\nb", "{", "x=$(", "f()", "repeat"],
)
def test_what_may_be_grammar_is_asked_of_the_shell(code: str) -> None:
    assert at_a_glance(code) is Verdict.UNKNOWN
