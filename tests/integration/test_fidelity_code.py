# ruff: noqa: E501 - a row of a table stays on one line
"""The code of a cell: whatever it is made of, the shell reads exactly that."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.integration.fidelity import (
    ALL,
    ARRAYS,
    BASH,
    POSIX,
    ZSH,
    Case,
    Exit,
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


#: Every control byte but NUL, newline and CR, which have rows of their own.
CONTROL = "".join(map(chr, [*range(1, 10), 11, 12, *range(14, 32), 127]))

LITERAL = [
    case("empty", ("", "")),
    case("blank", ("   \n\n \t \n", "")),
    case("only newline", ("\n", "")),
    case("a comment", ("# nothing", "")),
    case("comments and blank lines", ("\n# one\n\n# two\n", "")),
    case("a comment that ends in a backslash", ("# nothing \\", ""), ("echo next", "next\n")),
    case("a comment after code", ("echo a # b", "a\n")),
    case("no newline at the end", ("echo a", "a\n")),
    case("newlines at the end", ("echo a\n\n\n", "a\n")),
    case("TAB", ("printf '%s' 'a\tb\t\tc'", "a\tb\t\tc"), ("\techo\ta\tb", "a b\n")),
    case("TABs alone before code", ("\t\techo x", "x\n")),
    case("every control byte", (f"printf %s '{CONTROL}'", CONTROL)),
    case("CR in a word", ("printf %s 'a\rb\r'", "a\rb\r")),
    case("CR LF in a word", ("printf %s 'a\r\nb'", "a\r\nb")),
    case("CR LF endings", ("echo a\r\necho b\r\n", "a\r\nb\r\n")),
    case("NUL is left out", ("printf %s 'a\0b'", "ab")),
    case(
        "Unicode line separators",
        ("printf %s 'a\u2028b\u2029c\x85d\x0be'", "a\u2028b\u2029c\x85d\x0be"),
    ),
    case("a byte order mark in a word", ("printf %s '\ufeffx'", "\ufeffx")),
    case("UTF-8 of every length", ("printf %s 'é€𝄞'", "é€𝄞")),
    case("bytes that are no UTF-8", ("printf %s 'a\udcffb\udc80' | od -An -tx1", " 61 ff 62 80\n")),
    case("a lone surrogate", ("printf %s 'a\ud800b'", "a?b")),
    case(
        "exclamation marks",
        ('printf %s "a!b!!c!$"', "a!b!!c!$"),
        ("echo !! !1 !-1 !x", "!! !1 !-1 !x\n"),
    ),
    case("a caret at the beginning", ("printf '%s' ^a^b^", "^a^b^")),
    case("single quotes", ("printf %s 'it'\\''s'", "it's")),
    case("double quotes", ('printf %s "a\\"b"', 'a"b')),
    case("backslashes", ("printf %s 'a\\\\b\\n\\0101\\x41'", "a\\\\b\\n\\0101\\x41")),
    case("backslash before newline", ("printf '%s' a\\\nb", "ab")),
    case("percent signs", ("printf %s '%s%d%%'", "%s%d%%")),
    case("our own quoting", ("printf %s \"$'a'\"'$(x)' '`'", "$'a'$(x)`")),
    case("leading dash words", ("printf '%s' -n -e -- -", "-n-e---")),
    case("tilde escapes at the beginning", ("echo '~.'", "~.\n")),
    case("Ctrl-P Ctrl-Q do not detach", ("printf %s '\x10\x11'", "\x10\x11")),
    case("bracketed paste", ("printf %s '\x1b[200~x\x1b[201~'", "\x1b[200~x\x1b[201~")),
    case("stdin is the terminal", ("test -t 0 && test -t 1 && test -t 2 && echo yes", "yes\n")),
    case("a heredoc", ("cat <<E\na $((1+1))\n\n\tb\nE", "a 2\n\n\tb\n")),
    case("a quoted heredoc", ("cat <<'E'\n$a `b` \\c\nE\n", "$a `b` \\c\n")),
    case("a heredoc of TABs", ("cat <<-E\n\t\ta\n\tE", "a\n")),
    case("two heredocs", ("cat <<A; cat <<B\n1\nA\n2\nB", "1\n2\n")),
    case("a heredoc with a comment after it", ("cat <<A\n1\nA\n# end", "1\n")),
    case("a heredoc within a function", ("f() { cat <<A\n$1\nA\n}\nf x; unset -f f", "x\n")),
    case("a here-string", ("cat <<<'a b'", "a b\n"), only=ARRAYS),
    case("shifts are no heredocs", ("echo $((1 << 3))", "8\n")),
    case("a heredoc in a substitution", ("echo $(cat <<A\nx\nA\n)", "x\n")),
    case("a word that ends in a pipe", ("echo 'a|'", "a|\n"), ("echo a\\|", "a|\n")),
    case("a pipe over lines", ("echo a |\ncat", "a\n"), ("echo a |\n\n# c\n cat", "a\n")),
    case("and over lines", ("true &&\necho a", "a\n"), ("false ||\n\necho a", "a\n")),
    case("a background command at the end", ("(echo bg) & wait", said("bg\n")), only=ARRAYS),
    case("case with every form", ("case x in (y) echo 1;; x) echo 2;; esac", "2\n")),
    case("a loop", ("for i in 1 2 3\ndo\necho $i\ndone", "1\n2\n3\n")),
    case("a subshell and a group", ("(echo a); { echo b; }", "a\nb\n")),
]


@rows(LITERAL)
def test_code_is_read_as_it_is(shells: Shells, shell: str, case: Case) -> None:
    shells.check(shell, case)


ALIVE = ("echo next", "next\n")

#: Code that is wrong, or not whole.
BROKEN = [
    ")", "{", "}", "((", "[[ a", "`", "'", '"', "$'", '$"', "$(", "${", "$((", "$[",
    "echo 'a", 'echo "a', "echo `a", "echo $(a", "echo ${a", "echo $((1+", "echo $(cat <<E", "<(",
    "if", "if true", "if true; then", "if true; then echo a; else", "if true; then echo a; elif", "then",
    "fi", "while false; do", "until true", "do", "done", "for", "for i",
    "for i in", "for i in 1 2", "for i in 1 2; do", "for ((", "case", "case x", "case x in", "case x in x",
    "case x in x)", "case x in x) echo a", "case x in x) echo a;;", "esac", "select", "select i in a; do",
    "function", "function f", "function f {", "f()", "f() {", "f() (", "f() { echo a",
    "|", "||", "&&", "&", ";", ";;", "|&", "echo a |", "echo a ||", "echo a &&", "true |  ", "true && # c",
    "echo a |\n", "echo a |\n# c\n", "echo a \\", "\\", "echo a |\\", "echo a && \\\n", "!", "time", "coproc", "<", ">", ">>",
    "2>", "<<", "<<<", "<<-", "cat <", "cat >", "cat <<", "cat <<E", "cat <<E\n", "cat <<E\na", "cat <<E\na\n",
    "cat <<'E'", "cat <<'E", "cat <<E\nE ", "cat <<E\n E\n", "cat <<-E\n\tx", "cat <<A <<B\nA\n", "cat << \\\n", "cat <<$(",
    "cat <<E |", "cat <<E &&\nE", "{ cat <<E\n", "( cat <<E\nx\n", "a[", "a[1", "${a:", "echo ${a[", "echo a; )", "echo a; }", "echo a)", "} }", ") )",
    "'\n'\n'", "echo \"$(echo '", 'echo "${x:-$(', "(((", "((1+", "[[ a ==", "[[ a =~ (", "x=$(\n", "if true\nthen\n(\n",
    "echo a # '", "alias x='", "eval '", "eval '('", "eval \"'\"", "trap '(' ", "! !", "{ ; }", "( )", "()", "for do done", "if then fi", "&&&", ";;&", ";&",
    "\x01", "\xa0", "\u3000", "'\u2028", "echo $'\\", "echo a \\\n\\", "if false; then :; fi; fi", "fi\nif true; then", "}; {", "done; while false; do", "esac; case x in x)", "fi; }; {", ")\n(", "'; :; '", '"; true; "', "fi # x",
]  # fmt: skip


@pytest.mark.parametrize("shell", ALL)
@pytest.mark.parametrize("code", BROKEN, ids=ascii)
def test_broken_code_is_over_at_once(shells: Shells, shell: str, code: str) -> None:
    printed, after = broken(shells, shell, code)

    assert "__ctrk" not in printed
    assert "133;" not in printed
    assert after == ("one\ntwo\n", 0)


def broken(shells: Shells, shell: str, code: str) -> tuple[str, tuple[str, int]]:
    """Run `code` twice; return what that printed, and what came of the cell behind it."""
    box = shells.shared(shell)
    box.spoilt = True
    printed = "".join(box.run(code, 10)[0] for _ in range(2))
    after = box.run("echo one; echo two")
    box.check_alive()
    box.spoilt = False
    return printed, after


LOOSE = [
    "# \\\n(",
    "$( ( ",
    "(",
    "[[",
    "\xff(",
    "a=(",
    "a=(1 2",
    "f( a",
    "f(",
    "until",
    "until true",
    "while true",
    "while",
]


@pytest.mark.parametrize("code", LOOSE, ids=ascii)
def test_open_code_is_over_at_once_in_zsh(shells: Shells, code: str) -> None:
    printed, after = broken(shells, "zsh", code)

    assert "__ctrk" not in printed
    assert "133;" not in printed
    assert after == ("one\ntwo\n", 0)


@pytest.mark.parametrize("shell", ALL)
@pytest.mark.parametrize(
    "code",
    ["(", ")", "echo 'a", 'echo "a', "echo $(a", "if true; then", "case x in", "echo a |", "f() {"],
)
def test_broken_code_fails_and_says_so(shells: Shells, shell: str, code: str) -> None:
    box = shells.shared(shell)

    printed, status = box.run(code)

    assert status != 0
    assert printed.endswith("\n")
    box.check_alive()


@rows(
    [
        case("a command before the error runs", ("echo a\n)", said(r"\Aa\n"), 2), only=("bash",)),
        case(
            "the status of a syntax error",
            (")", None, 2),
            ("echo $?", "2\n"),
            only=("bash", "dash", "ash"),
        ),
        case("unknown commands", ("nosuchcommand-x", said("nosuchcommand-x"), 127)),
        case(
            "set -u", ("set -u; echo $nosuch; echo not-here", said("nosuch"), None), ("set +u", "")
        ),
        case("${x?}", ("echo ${nosuch?gone}; echo not-here", said("nosuch: gone"), None)),
        case("division by zero", ("echo $((1/0)); echo not-here", said("(?i)divi"), None)),
        case(
            "bad substitution",
            ("echo ${a.b}", said("bad substitution|Bad substitution"), None),
            only=("bash", "dash", "zsh"),
        ),
        case("readonly assignment", ("readonly ro1=1", ""), ("ro1=2; echo", said("ro1"), None)),
        case("shift too far", ("shift 99", None, None)),
        case("a failing special builtin", (". /nosuch", said("nosuch"), None)),
        case("a redirection that fails", ("echo a >/nosuch/x", said("nosuch"), None)),
        case(
            "a failing exec keeps an interactive shell",
            ("exec /nosuch", said("nosuch"), 127),
            only=BASH,
        ),
        case("return outside", ("return 3; echo not-here", Exit(3)), only=POSIX, fresh=True),
        case("return outside a function", ("return 3", None, None), only=ARRAYS),
        case(
            "break outside", ("break; continue; echo a", said("a\n")), only=("bash", "dash", "ash")
        ),
        case(
            "an exec that fails ends the others", ("exec /nosuch", Exit(127)), only=ZSH, fresh=True
        ),
    ]
)
def test_errors_end_the_cell_alone(shells: Shells, shell: str, case: Case) -> None:
    shells.check(shell, case)


def digest(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


@pytest.mark.parametrize("shell", ALL)
def test_a_megabyte_of_code_arrives_whole(shells: Shells, shell: str) -> None:
    text = "".join(chr(33 + (i * i + i // 91) % 94) for i in range(1_000_000)).replace("'", "\n")
    box = shells.shared(shell)

    assert box.output(f"x='{text}'; printf %s \"$x\" | md5sum")[:32] == digest(text)
    assert box.output("echo ${#x}; unset x") == "1000000\n"
    box.check_alive()


@pytest.mark.parametrize("shell", ALL)
def test_a_megabyte_of_commands_runs(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)

    printed = box.output("n=0\n" + "n=$((n+1)) # %s\n" % ("x" * 190) * 5000 + "echo $n; unset n")

    assert printed == "5000\n"
    box.check_alive()


@pytest.mark.parametrize("shell", ALL)
@pytest.mark.parametrize("filler", ["a", "'\"'\"'", "é", "\t", "\\\\", "!"], ids=ascii)
def test_a_long_line_arrives_whole(shells: Shells, shell: str, filler: str) -> None:
    word = (filler * 100_000)[: 100_000 // len(filler) * len(filler)]
    box = shells.shared(shell)

    printed = box.output(f"printf %s '{word}' | md5sum")

    assert printed[:32] == digest(word.replace("'\"'\"'", "'"))
    box.check_alive()


@pytest.mark.parametrize("shell", ALL)
def test_a_long_heredoc_arrives_whole(shells: Shells, shell: str) -> None:
    lines = "".join(f"line {number}\t'\"$`!\\ {'é' * (number % 50)}\n" for number in range(3000))
    box = shells.shared(shell)

    assert box.output(f"md5sum <<'E'\n{lines}E\n")[:32] == digest(lines)
    box.check_alive()


@pytest.mark.parametrize("shell", ALL)
def test_two_thousand_commands_run_in_order(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)

    printed = box.output("\n".join(f"echo {number}" for number in range(2000)))

    assert printed == "".join(f"{number}\n" for number in range(2000))
    box.check_alive()


@pytest.mark.parametrize("shell", ALL)
@pytest.mark.parametrize("size", [839, 840, 841, 1022, 1023, 1024, 4094, 4095, 4096, 40320, 40321])
def test_code_of_every_length_around_a_limit_arrives_whole(
    shells: Shells, shell: str, size: int
) -> None:
    box = shells.shared(shell)
    code = "echo " + "y" * (size - 5)

    assert box.output(code) == code[5:] + "\n"
    box.check_alive()
