# ruff: noqa: E501 - a row of a table stays on one line
"""Whatever the user's names are, and whatever PATH, IFS and the locale say, cells work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.fidelity import (
    ALL,
    ARRAYS,
    BASH,
    POSIX,
    Case,
    Shells,
    case,
    rows,
    said,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def shells(debian: str, busybox: str) -> Iterator[Shells]:
    with Shells(debian, busybox) as shells:
        yield shells


#: Every word that somebody might use to speak to a shell.
WORDS = [
    "eval",
    "printf",
    "builtin",
    "command",
    "set",
    "unset",
    "trap",
    "history",
    "export",
    "return",
    "echo",
    "test",
    "stty",
    "read",
    "true",
    "false",
    "exit",
    "cd",
    "local",
    "declare",
    "typeset",
    "shopt",
    "enable",
    "readonly",
    "shift",
    "wait",
    "jobs",
    "kill",
    "cat",
    ":",
    "[",
    ".",
    "source",
    "exec",
    "unalias",
    "alias",
    "type",
    "help",
    "emulate",
    "setopt",
    "unsetopt",
    "print",
    "let",
    "fc",
    "bind",
    "complete",
    "umask",
    "pwd",
    "tty",
    "sh",
    "env",
]
#: What only an alias can be called.
RESERVED = [
    "{",
    "}",
    "[[",
    "if",
    "then",
    "else",
    "fi",
    "case",
    "esac",
    "in",
    "while",
    "do",
    "done",
    "for",
    "!",
    "function",
    "time",
]
#: No shell lets these be functions: POSIX special builtins come first, or the name is no name.
SPECIAL = {
    "eval",
    "set",
    "unset",
    "trap",
    "export",
    "return",
    ":",
    ".",
    "exec",
    "exit",
    "readonly",
    "shift",
    "source",
    "local",
}
#: A cell that has a control byte, a long line and a status, so that every way to stage it is used.
PROBES = (
    ("printf_() { :; }; /bin/true", "", 0),
    ("X='a\tb'; (exit 3)", "", 3),
    (f"X='{'y' * 2000}\t'", "", 0),
)


#: What passes our own calls by; no shell has a word that cannot be taken.
OURS = {("zsh", "builtin")}


def definable(shell: str, name: str) -> bool:
    """Whether a shell takes the name for a function."""
    if name in "[:.":
        return shell in ARRAYS and name != "."
    return shell in ARRAYS or name not in SPECIAL


def define(shell: str, name: str, body: str) -> str:
    """Return the code that defines a function."""
    if shell in ARRAYS:
        return f"function {name} {{ {body}; }}"
    return f"{name}() {{ {body}; }}"


@pytest.mark.parametrize(
    ("shell", "name"),
    [
        (shell, name)
        for shell in ALL
        for name in WORDS
        if definable(shell, name) and (shell, name) not in OURS
    ],
)
def test_a_function_of_any_name_hurts_nothing(shells: Shells, shell: str, name: str) -> None:
    box = shells.shared(shell)
    box.spoilt = True
    body = "/bin/echo FUNCTION >&2; return 9"

    printed, _ = box.run(define(shell, name, body), 4)
    assert printed == ""
    for code, output, status in PROBES:
        if name == "exit" and "exit" in code:
            continue
        assert box.run(code, 4) == (output, status)
    box.run(f"\\unset -f {name}" if name != "unset" else "\\builtin unset -f unset", 4)
    box.check_alive()
    box.spoilt = False


@pytest.mark.parametrize(
    ("shell", "name"),
    [(shell, name) for shell in ALL for name in [*WORDS, *RESERVED] if name not in "{}"],
)
def test_an_alias_of_any_name_hurts_nothing(shells: Shells, shell: str, name: str) -> None:
    box = shells.shared(shell)
    box.spoilt = True

    printed, status = box.run(
        f"alias -- '{name}'='/bin/echo ALIAS'"
        if shell != "dash"
        else f"alias '{name}'='/bin/echo ALIAS'",
        4,
    )
    if status == 0:
        assert printed == ""
    assert box.run("/bin/echo one\t\n/bin/echo two", 4) == ("one\ntwo\n", 0)
    box.run("\\unalias -a", 4)
    box.check_alive()
    box.spoilt = False


@pytest.mark.parametrize("shell", POSIX)
def test_aliases_of_all_names_at_once_hurt_nothing(shells: Shells, shell: str) -> None:
    box = shells.open(shell)
    names = [name for name in [*WORDS, *RESERVED] if name not in ("[", ".", ":", "[[", "alias")]
    quoted = " ".join(f"'{name}'='/bin/echo ALIAS'" for name in names)

    assert box.run(f"alias {quoted}", 5)[0] == ""

    for _ in range(3):
        assert box.run("/bin/echo one\t\n/bin/echo two", 5) == ("one\ntwo\n", 0)
    assert box.run("X='" + "a\t" * 3000 + "'; /bin/echo ${#X}", 5) == ("6000\n", 0)
    assert box.run(")", 5)[1] != 0
    assert box.run("\\unalias -a", 5) == ("", 0)
    box.check_alive()
    shells.close(box.session)


@pytest.mark.parametrize("shell", POSIX)
def test_functions_of_all_names_at_once_hurt_nothing(shells: Shells, shell: str) -> None:
    box = shells.open(shell)
    names = [name for name in WORDS if definable(shell, name)]

    printed, status = box.run(
        "\n".join(define(shell, name, "/bin/echo FUNCTION") for name in names), 5
    )

    assert (printed, status) == ("", 0)
    for _ in range(3):
        assert box.run("/bin/echo one\t; /bin/echo two", 5) == ("one\ntwo\n", 0)
    assert box.run("X='" + "a\t" * 3000 + "'; /bin/echo ${#X}", 5) == ("6000\n", 0)
    assert box.run(")", 5)[1] != 0
    assert box.run("/bin/echo three", 5) == ("three\n", 0)
    assert box.late == []
    shells.close(box.session)


DISABLED = {
    "bash": "builtin command printf set unset trap history export return echo test read eval shopt declare [ : true false",
    "zsh": "printf unset trap emulate print typeset return eval sched set fc export echo test read setopt true false builtin",
}


@pytest.mark.parametrize(
    ("shell", "disabled"),
    [(shell, one) for shell, words in DISABLED.items() for one in [*words.split(), words]],
)
def test_a_disabled_builtin_hurts_nothing(shells: Shells, shell: str, disabled: str) -> None:
    box = shells.shared(shell)
    box.spoilt = True

    assert box.run(f"{'enable -n' if shell == 'bash' else 'disable'} {disabled}", 5) == ("", 0)

    assert box.run("/bin/echo one\t; /bin/echo two", 5) == ("one\ntwo\n", 0)
    assert box.run(")", 5)[1] != 0
    assert box.run("(/bin/false)", 5) == ("", 1)
    assert box.run("/bin/echo $?", 5) == ("1\n", 0)
    assert box.run(f"enable {disabled}", 5) == ("", 0)
    box.check_alive()
    box.spoilt = False


IFS = ["", " ", "0", "1", "0123456789", ";", "_", "_ctrk", "a", "'", '"', "\\", "$", "{}", "/", "\n", "\x01", "éa", ",;:", "abcdefghijklmnopqrstuvwxyz", "\x1b", "\x07", "-", "%"]  # fmt: skip


@pytest.mark.parametrize("shell", ALL)
@pytest.mark.parametrize("value", IFS, ids=ascii)
def test_ifs_of_any_value_hurts_nothing(shells: Shells, shell: str, value: str) -> None:
    box = shells.shared(shell)
    box.spoilt = True
    quoted = "'" + value.replace("'", "'\\''") + "'"

    assert box.run(f"IFS={quoted}", 5) == ("", 0)
    assert box.run('printf "%s" "$IFS"', 5) == (value, 0)
    assert box.run("(exit 13)", 5) == ("", 13)
    assert box.run('printf "%s" "$?"; X="a\tb"', 5) == ("13", 0)
    assert box.run(")", 5)[1] != 0
    assert box.run("unset IFS", 5) == ("", 0)
    assert box.run("true | (exit 10)", 5) == ("", 10)
    assert box.run("IFS=' \t\n'", 5) == ("", 0)
    box.check_alive()
    box.spoilt = False


SURROUNDINGS = [
    case("PATH empty", ("PATH=", ""), ("echo a", "a\n"), ("printf 'a\tb'", "a\tb"), ("/bin/echo b", "b\n"), ("nosuch-x", None, 127), (")", None, None), fresh=True),
    case("PATH unset", ("unset PATH", ""), ("echo a", "a\n"), ("/bin/echo 'b\t'", "b\t\n"), fresh=True),
    case("PATH of nonsense", ("PATH=/nowhere:::.", ""), ("echo a", "a\n"), ("echo 'b\t'", "b\t\n"), fresh=True),
    case("a lying PATH", ("mkdir -p /tmp/lie; for n in stty printf cat sh test true; do printf '#!/bin/sh\\necho LIE\\n' >/tmp/lie/$n; chmod +x /tmp/lie/$n; done; PATH=/tmp/lie:$PATH", ""), ("echo a", "a\n"), ("echo 'b\t'", "b\t\n"), ("(exit 2)", "", 2), ("PATH=/usr/bin:/bin:/usr/sbin:/sbin; rm -r /tmp/lie", "")),
    case("hash -r", ("hash -r", ""), ("echo a", "a\n")),
    case("hash -p", ("hash -p /bin/false printf; hash -p /bin/false stty", ""), ("echo 'a\t'", "a\t\n"), ("hash -r", ""), only=BASH),
    case("no locale", ("unset LANG LC_ALL LC_CTYPE", ""), ("printf %s 'é€\t𝄞'", "é€\t𝄞"), ("x='é€'; printf %s \"$x\"; unset x", "é€")),
    case("the C locale", ("export LC_ALL=C", ""), ("printf %s 'é€\t𝄞'", "é€\t𝄞"), (")", None, None), ("unset LC_ALL", "")),
    case("C.UTF-8", ("export LC_ALL=C.UTF-8", None), ("printf %s 'é€\t𝄞'", "é€\t𝄞"), ("x='\u2028'; printf %s \"$x\"", "\u2028"), ("unset LC_ALL x", "")),
    case("an invalid locale", ("export LC_ALL=xx_YY.nosuch", None), ("printf %s 'é€\t𝄞'", "é€\t𝄞"), ("unset LC_ALL", None)),
    case("a UTF-8 cell that is long in the C locale", ("export LC_ALL=C", ""), (f"printf %s '{'é€𝄞' * 2000}'", "é€𝄞" * 2000), ("unset LC_ALL", "")),
    case("LC_ALL in the cell", ("LC_ALL=C; printf %s 'é'; LC_ALL=C.UTF-8; printf %s 'é'; unset LC_ALL", said("éé\\Z"))),
    case("an empty environment", ("unset $(env | sed -n 's/^\\([A-Za-z_][A-Za-z_0-9]*\\)=.*/\\1/p')", None, None), ("echo a", "a\n"), fresh=True, only=("bash", "dash", "ash")),
    case("variables of our commands", ("c=1 d=2 g=3 k=4 s=5 u=6 q=7 p=8 t=9 n=10 line=11", ""), ("echo $c$d$g$k$s$u$q$p$t$n$line", "1234567891011\n"), ("unset c d g k s u q p t n line", "")),
    case("LINES and COLUMNS", ("LINES=1 COLUMNS=1", None), ("echo a", "a\n"), ("unset LINES COLUMNS", None)),
    case("a TERM that is not", ("TERM=nosuch", None), ("echo a", "a\n"), ("TERM=xterm", None)),
    case("BASH_ENV and ENV", ("export BASH_ENV=/nosuch ENV=/nosuch", None), ("echo a", "a\n"), ("unset BASH_ENV ENV", None)),
    case("command_not_found_handle", ("command_not_found_handle() { echo handled $1; return 44; }", ""), ("nosuch-x", "handled nosuch-x\n", 44), ("unset -f command_not_found_handle", ""), only=BASH),
    case("a MAIL that comes", ("MAILCHECK=0 MAIL=/tmp/mail; : >/tmp/mail", ""), ("echo a", "a\n"), ("unset MAIL MAILCHECK; rm /tmp/mail", ""), only=BASH),
]  # fmt: skip


@rows(SURROUNDINGS)
def test_surroundings_hurt_nothing(shells: Shells, shell: str, case: Case) -> None:
    shells.check(shell, case)
