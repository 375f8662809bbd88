# ruff: noqa: E501 - a row of a table stays on one line
"""Prompts, options and traps are the user's: whatever they are set to, the next cell works."""

from __future__ import annotations

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


#: What may be done to a prompt.
CHANGES = {
    "PS1 set": ("PS1='new> '", ALL),
    "PS1 empty": ("PS1=", ALL),
    "PS1 unset": ("unset PS1", ALL),
    "PS1 exported": ("export PS1", BASH),
    "PS1 of commands": ("PS1='$(echo sub)$(false) '", ALL),
    "PS1 with newlines": ("PS1='a\nb\n'", ALL),
    "PS1 that fails": ("PS1='${nosuch?gone}'", ALL),
    "PS1 that is broken": ("PS1='$('", ALL),
    "PS2 set": ("PS2='more> '", ALL),
    "PS2 unset": ("unset PS2", ALL),
    "PS4 set": ("PS4='trace '", ALL),
    "PS4 unset": ("unset PS4", ALL),
    "PS0 set": ("PS0='begin '", BASH),
    "PS0 of commands": ("PS0='$(echo zero)'", BASH),
    "PROMPT_COMMAND set": ("PROMPT_COMMAND='echo pc'", BASH),
    "PROMPT_COMMAND unset": ("unset PROMPT_COMMAND", BASH),
    "PROMPT_COMMAND an array": ("unset PROMPT_COMMAND; PROMPT_COMMAND=('echo p1' 'echo p2')", BASH),
    "PROMPT_COMMAND that fails": ("PROMPT_COMMAND='nosuch-x; false'", BASH),
    "PROMPT_COMMAND that is broken": ("PROMPT_COMMAND='('", BASH),
    "all of bash": ("PS0=a PS1=b PS2=c PS4=d PROMPT_COMMAND='echo e'", BASH),
    "precmd": ("precmd() { echo precmd; }", ZSH),
    "preexec": ("preexec() { echo preexec; }", ZSH),
    "hooks": ("precmd_functions=(hook); preexec_functions=(hook); hook() { echo hook; }", ZSH),
    "RPROMPT": ("RPROMPT=right; RPS1=right", ZSH),
    "PROMPT": ("PROMPT='p> '; prompt='q> '", ZSH),
    "PROMPT_EOL_MARK": ("PROMPT_EOL_MARK=eol; setopt prompt_sp", ZSH),
}

#: What may follow in the same cell.
ABORTS = {
    "nothing": "",
    "a syntax error": "\n)",
    "set -u": "\nset -u; echo $nosuch",
    "${x?}": "\n: ${nosuch?gone}",
    "an open quote": "\necho '",
}
#: What the user sees of their own prompts is theirs; it must only not be ours, and not last.
UNDO = "set +u"


@pytest.mark.parametrize("abort", ABORTS)
@pytest.mark.parametrize(
    ("shell", "change"),
    [(shell, name) for shell in ALL for name, (_, have) in CHANGES.items() if shell in have],
)
def test_a_changed_prompt_hurts_nothing(
    shells: Shells, shell: str, change: str, abort: str
) -> None:
    box = shells.shared(shell)
    box.spoilt = True

    printed, _ = box.run(CHANGES[change][0] + ABORTS[abort], 2)
    box.run("set +u", 10)
    box.run("true", 10)
    box.run("PS4='+ '" if shell != "zsh" else "PS4='+%N:%i> '")
    box.late.clear()

    assert "133;" not in printed
    if shell == "zsh" and change in ("precmd", "preexec", "hooks"):
        # The hooks are the user's, and so is what they print.
        box.run("unset -f precmd preexec hook; precmd_functions=(); preexec_functions=()")
        box.late.clear()
    box.check_alive()
    box.check_alive()
    box.spoilt = False


READONLY = [
    "readonly PS1", "readonly PS1=x", "readonly PS2", "readonly PS1 PS2 PS4", "PS1=a PS2=b; readonly PS1 PS2",
    "readonly PS1; set -u; echo $nosuch", "readonly PS1=x\n)", "readonly PS1=; echo ${nosuch?gone}", "readonly PS1=x; PS1=y",
]  # fmt: skip
READONLY_BASH = [
    "readonly PS2=x", "readonly PROMPT_COMMAND", "readonly PROMPT_COMMAND='echo pc'", "readonly PS0", "readonly PS0=x", "readonly PS0 PS1 PS2 PS4 PROMPT_COMMAND",
    "readonly PS0=a PS1=b PS2=c PROMPT_COMMAND=d", "readonly PS0 PS1=b PS2 PROMPT_COMMAND=;set -u; echo $nosuch", "readonly -a PROMPT_COMMAND=('echo p1')",
    "declare -ar PROMPT_COMMAND=(); readonly PS1=x", "readonly PS1=x PROMPT_COMMAND='echo pc'\n)", "declare -i PS1", "declare -n PS1=other", "declare -u PS1", "declare -a PS1",
    "declare -x PS1 PS2 PROMPT_COMMAND", "readonly PIPESTATUS", "readonly HISTCMD", "readonly PWD", "readonly OLDPWD", "readonly LINENO",
]  # fmt: skip


@pytest.mark.parametrize(
    ("shell", "code"),
    [
        (shell, code)
        for shell in ALL
        for code in (READONLY + READONLY_BASH if shell == "bash" else READONLY)
    ],
)
def test_a_readonly_prompt_hurts_nothing(shells: Shells, shell: str, code: str) -> None:
    box = shells.open(shell)

    box.run(code, 10)
    box.run("set +u", 10)
    box.late.clear()

    for _ in range(3):
        printed, status = box.run("echo one; echo two; (exit 3)", 10)
        assert "133;" not in printed
        assert (printed, status) == ("one\ntwo\n", 3)
    assert "ctrk" not in "".join(box.late)
    shells.close(box.session)


OPTIONS = [
    case("-e that fails", ("set -e", ""), ("false; echo not-here", Exit(1)), fresh=True),
    case("-e in one cell", ("set -e; (exit 7); echo no", Exit(7)), fresh=True),
    case("-e that does not fail", ("set -e", ""), ("true", ""), ("if false; then :; fi; false || true", ""), ("echo $-", said("e")), ("set +e", "")),
    case("-e and an empty cell", ("set -e", ""), ("", ""), ("# c", ""), ("set +e", "")),
    case("-u", ("set -u", ""), ("echo a", "a\n"), ("echo $nosuch", said("nosuch"), None), ("echo b", "b\n"), ("set +u", "")),
    case("-u with $@", ("set -u; set --", ""), ('echo "$@" $#', "0\n"), ("set +u", "")),
    case("-x", ("set -x", ""), ("echo a", "+ echo a\na\n"), ("(exit 3)", "+ exit 3\n", 3), ("echo $?", "+ echo 3\n3\n"), ("set +x", "+ set +x\n"), ("echo b", "b\n"), only=POSIX),
    # bash repeats the first character of PS4 for each level of eval, and a cell is one.
    case("-x in bash", ("set -x", ""), ("echo a", "++ echo a\na\n"), ("(exit 3)", "++ exit 3\n", 3), ("echo $?", "++ echo 3\n3\n"), ("set +x", "++ set +x\n"), ("echo b", "b\n"), only=BASH),
    case("-x in zsh", ("set -x", ""), ("echo a", said(r"\A\+[^\n]*> echo a\na\n\Z")), ("echo $?", said(r"\A\+[^\n]*> echo 0\n0\n\Z")), ("set +x", said(r"\A\+[^\n]*> set \+x\n\Z")), ("echo b", "b\n"), only=ZSH),
    case("-x and an empty cell", ("set -x", ""), ("", ""), ("# c", ""), ("set +x", None)),
    case("-x and a long cell", ("set -x", ""), ("echo a #" + "x" * 5000 + "\ttab", said(r"\A\+\+? echo a\na\n\Z")), ("set +x", None), only=("bash", "dash", "ash")),
    case("-x and an error", ("set -x", ""), (")", None, None), ("echo a", said(r"echo a\na\n\Z")), ("set +x", None)),
    case("-x and PS4", ("PS4='$(echo q)> '; set -x", ""), ("echo a", said(r"q> echo a\na\n\Z")), ("set +x; PS4='+ '", None)),
    case("-v", ("set -v", ""), ("echo a", said(r"\A(echo a\n)?a\n\Z")), ("echo b\necho c", said(r"\A(echo b\n)?(echo c\n)?b\n(echo c\n)?c\n\Z")), ("set +v", None), ("echo d", "d\n")),
    case("-v and a long cell", ("set -v", ""), ("x=" + "y" * 3000, None), ("echo 'a\tb'", said("a\tb\n\\Z")), ("set +v; unset x", None)),
    case("-v and an error", ("set -v", ""), (")", None, None), ("(", None, None), ("set +v", None)),
    case("-xv", ("set -xv", ""), ("echo a", said("a\n\\Z")), ("true", None), (")", None, None), ("set +xv", None)),
    case("-n", ("set -n", None, None), ("echo a", None, None), only=("bash", "zsh")),
    case("-a", ("set -a", ""), ("v=1", ""), ("env | grep -e ctrk -e CTRK; env | grep ^v=; set +a; unset v", "v=1\n")),
    case("-a and a big cell", ("set -a", ""), ("v='" + "x" * 200_000 + "'; true", ""), ("unset v; set +a", "")),
    case("-f", ("set -o noglob", ""), ("echo /*", "/*\n"), ("set +o noglob", "")),
    case("-C", ("set -C; : >/tmp/c", ""), ("echo a >/tmp/c", None, None), ("set +C; rm /tmp/c", "")),
    case("-b", ("set -b", ""), ("sleep 0.05 & sleep 0.1", None), ("set +b", None), only=("bash", "dash")),
    case("-m off", ("set +m", ""), ("sleep 0.01 & wait", None), ("set -m", "")),
    case("-h off", ("set +h", ""), ("ls >/dev/null", ""), ("set -h", ""), only=BASH),
    case("-k", ("set -k", ""), ("sh -c 'echo $v' v=1", "1\n"), ("set +k", ""), only=BASH),
    case("-B off", ("set +B", ""), ("echo {a,b}", "{a,b}\n"), ("set -B", ""), only=BASH),
    case("-P", ("set -P", ""), ("cd /tmp; pwd; cd /", "/tmp\n"), ("set +P", ""), only=BASH),
    case("-E and -T", ("set -ET", ""), ("f() { echo f; }; f", "f\n"), ("set +ET", ""), only=BASH),
    case("-p", ("set -p", ""), ("echo a", "a\n"), ("set +p", ""), only=BASH),
    case("pipefail", ("set -o pipefail", ""), ("false | true", "", 1), ("echo $?", "1\n"), ("set +o pipefail", ""), only=("bash", "zsh", "ash")),
    case("-euo pipefail", ("set -euo pipefail", ""), ("echo a | cat", "a\n"), ("", ""), ("false | true", Exit(1)), fresh=True, only=("bash", "zsh", "ash")),
    case("posix", ("set -o posix", ""), ("echo a", "a\n"), ("(exit 3)", "", 3), ("echo $?", "3\n"), (")", None, None), ("set +o posix", ""), only=BASH),
    case("posix and a special builtin", ("set -o posix", ""), ("export 1=2; echo x", None, None), (": ${q?}", None, None), ("set +o posix", ""), only=BASH),
    case("POSIXLY_CORRECT", ("POSIXLY_CORRECT=1", ""), ("echo a", "a\n"), ("unset POSIXLY_CORRECT; set +o posix", ""), only=BASH),
    case("emulate ksh", ("emulate ksh", ""), ("echo a", "a\n"), ("(exit 3)", "", 3), ("echo $?", "3\n"), fresh=True, only=ZSH),
    case("zsh options", ("setopt sh_word_split ksh_arrays ksh_glob extended_glob null_glob err_return", ""), ("echo a", "a\n"), fresh=True, only=ZSH),
    case("zsh ERR_RETURN", ("setopt err_return", ""), ("false", "", 1), ("echo a", "a\n"), fresh=True, only=ZSH),
    case("zsh histories", ("setopt share_history inc_append_history hist_verify hist_ignore_all_dups", ""), ("echo a", "a\n"), fresh=True, only=ZSH),
    case("zsh no_equals etc", ("setopt sun_keyboard_hack correct correct_all print_exit_value", ""), ("echo a", "a\n"), fresh=True, only=ZSH),
    case("zsh no_short_loops", ("setopt no_short_loops no_aliases no_bad_pattern no_nomatch no_function_argzero", ""), ("echo a", "a\n"), fresh=True, only=ZSH),
    case("zsh exec off", ("setopt no_exec", None, None), ("echo a", None, None), fresh=True, only=ZSH),
    case("extdebug", ("shopt -s extdebug", ""), ("echo a", "a\n"), ("shopt -u extdebug; set +ET", ""), only=BASH),
    case("a DEBUG trap that skips", ("shopt -s extdebug; trap '[[ $BASH_COMMAND != rm* ]]' DEBUG", None, None), ("rm -r /; echo a", "a\n"), ("trap - DEBUG; shopt -u extdebug; set +ET", None), fresh=True, only=BASH),
    case("history on", ("set -o history", ""), ("echo a", "a\n"), ("set +o history", ""), only=BASH),
    case("histexpand", ("set -H; set -o history", ""), ("echo '!!' \"x!y\"", None, None), ("echo ok!", None, None), ("set +H; set +o history", None), fresh=True, only=BASH),
    case("histexpand alone", ("set -o histexpand", ""), ("echo 'a!b'", None), ("set +o histexpand", ""), only=BASH),
    case("shopt everything that parses", ("shopt -s extglob globstar dotglob nocaseglob nocasematch failglob", ""), ("echo a", "a\n"), ("f=1; [[ A == a ]] && echo same", "same\n"), ("shopt -u globstar dotglob nocaseglob nocasematch failglob", ""), only=BASH),
    case("lastpipe", ("set +m; shopt -s lastpipe", ""), ("echo a | read v; echo $v", "a\n"), ("shopt -u lastpipe; set -m; unset v", ""), only=BASH),
    case("compat", ("shopt -s compat31; BASH_COMPAT=3.1", None), ("echo a", "a\n"), ("shopt -u compat31; unset BASH_COMPAT", None), only=BASH),
    case("expand_aliases off", ("shopt -u expand_aliases", ""), ("echo a", "a\n"), ("shopt -s expand_aliases", ""), only=BASH),
    case("inherit_errexit, xpg_echo, sourcepath", ("shopt -s inherit_errexit xpg_echo lithist cmdhist", ""), ("echo 'a\\tb'", "a\tb\n"), ("shopt -u xpg_echo inherit_errexit", ""), only=BASH),
    case("localvar and promptvars", ("shopt -u promptvars", ""), ("echo a", "a\n"), ("false", "", 1), ("shopt -s promptvars", None), only=BASH),
    case("execfail, checkjobs, huponexit", ("shopt -s execfail checkjobs huponexit gnu_errfmt", ""), ("nosuch-x", None, 127), ("shopt -u checkjobs huponexit gnu_errfmt", ""), only=BASH),
    case("noalias", ("unalias -a", ""), ("echo a", "a\n")),
    case("ignoreeof", ("set -o ignoreeof", None), ("echo a", "a\n"), ("set +o ignoreeof", None)),
    case("TMOUT", ("TMOUT=0", ""), ("echo a", "a\n"), ("unset TMOUT", ""), only=ARRAYS),
    case("CDPATH", ("CDPATH=/", ""), ("cd tmp", said("")), ("cd /; unset CDPATH", None)),
    case("no HOME", ("h=$HOME; unset HOME", ""), ("echo a", "a\n"), ("HOME=$h; unset h", "")),
    case("no PWD", ("unset PWD", ""), ("echo a", "a\n"), ("cd /", None)),
    case("a PWD that lies", ("PWD=/nowhere", ""), ("echo a", "a\n"), ("cd /", None)),
    case("no SHLVL, TERM", ("unset SHLVL TERM OLDPWD", ""), ("echo a", "a\n"), ("TERM=xterm", "")),
    case("bash variables unset", ("unset BASH BASHOPTS BASH_VERSION BASH_VERSINFO PIPESTATUS RANDOM SECONDS LINENO EPOCHSECONDS HISTCMD DIRSTACK FUNCNAME GROUPS BASH_COMMAND SHELLOPTS", None, None), ("echo a", "a\n"), ("(exit 4)", "", 4), fresh=True, only=BASH),
    case("zsh variables unset", ("unset LINENO RANDOM SECONDS pipestatus status ARGV0 0 HISTCMD funcstack", None, None), ("echo a", "a\n"), ("(exit 4)", "", 4), fresh=True, only=ZSH),
    case("ours unset", ("unset __ctrk_g __ctrk_k __ctrk_p __ctrk_u __ctrk_n __ctrk_s __ctrk_q", None, None), ("echo a", "a\n"), ("printf 'a\tb'\n", "a\tb"), fresh=True, only=ARRAYS),
    case("vi and emacs", ("set -o vi", None), ("echo a", "a\n"), ("set +o vi", None), ("echo a", "a\n"), fresh=True, only=POSIX),
    case("prompt options", ("setopt prompt_cr prompt_sp; unsetopt prompt_subst prompt_percent", ""), ("echo a", "a\n"), fresh=True, only=ZSH),
    case("the line editor", ("setopt zle", ""), ("echo a", "a\n"), fresh=True, only=ZSH),
    case("emulate sh", ("emulate sh", ""), ("x='a b'; printf '%s,' $x", "a,b,"), ("emulate zsh; unset x", ""), fresh=True, only=ZSH),
    case("zsh quirks", ("setopt c_bases rc_quotes ignore_braces interactive_comments csh_junkie_quotes rc_expand_param glob_subst no_multios", ""), ("echo a", "a\n"), ("echo b", "b\n"), fresh=True, only=ZSH),
    case("zsh ignore_close_braces", ("setopt ignore_close_braces", ""), ("echo a", "a\n"), fresh=True, only=ZSH),
]  # fmt: skip


@rows(OPTIONS)
def test_an_option_hurts_nothing(shells: Shells, shell: str, case: Case) -> None:
    shells.check(shell, case)


TRAPS = [
    case("EXIT", ("trap 'echo bye' EXIT", ""), ("echo a", "a\n"), ("trap - EXIT", "")),
    case("EXIT that fires", ("trap 'echo bye' EXIT", ""), ("exit 3", Exit(3)), fresh=True),
    case("EXIT in the cell that exits", ("trap 'echo bye' EXIT; exit 4", Exit(4)), fresh=True),
    case("DEBUG", ("trap 'echo D' DEBUG", None), ("echo a", "D\na\n"), ("true; true", "D\nD\n"), ("(exit 3)", None, 3), ("echo $?", "D\n3\n"), ("trap - DEBUG", "D\n"), ("echo b", "b\n"), only=BASH),
    case("DEBUG and errors", ("trap 'echo D' DEBUG", None), (")", None, None), ("echo ${nosuch?x}", None, None), ("trap - DEBUG", None), ("echo b", "b\n"), only=BASH),
    case("DEBUG and an empty cell", ("trap 'echo D' DEBUG", None), ("", ""), ("# c", ""), ("trap - DEBUG", None), only=BASH),
    case("DEBUG with BASH_COMMAND", ("trap 'echo \"[$BASH_COMMAND]\"' DEBUG", None), ("echo a", "[echo a]\na\n"), ("trap - DEBUG", None), only=BASH),
    case("DEBUG that fails", ("trap false DEBUG", None, None), ("echo a", "a\n"), ("trap - DEBUG", None), only=BASH),
    case("DEBUG that changes $_", ("trap ': x y z' DEBUG", None), ("echo a", "a\n"), ("trap - DEBUG", None), only=BASH),
    case("ERR", ("trap 'echo E' ERR", ""), ("true", ""), ("false", "E\n", 1), ("echo $?", said(r"\A[01]\n\Z")), ("false || true", ""), ("", ""), ("trap - ERR", ""), only=BASH),
    case("ERR in zsh", ("trap 'echo E' ZERR", ""), ("true", ""), ("false", "E\n", 1), ("echo a", "a\n"), ("trap - ZERR", ""), only=ZSH),
    case("ERR and a pipeline", ("trap 'echo E' ERR", ""), ("false | (exit 2)", "E\nE\n", 2), ("echo x", "x\n"), ("trap - ERR", ""), only=BASH),
    case("ERR and errtrace", ("set -E; trap 'echo E' ERR", ""), ("f() { false; }; f", "E\nE\n", 1), ("echo x", "x\n"), ("trap - ERR; set +E", ""), only=BASH),
    case("RETURN", ("trap 'echo R' RETURN", ""), ("f() { :; }; f", said(r"\A(R\n)?\Z")), ("echo x", "x\n"), ("trap - RETURN", None), only=BASH),
    case("RETURN and functrace", ("set -T; trap 'echo R' RETURN", None), ("f() { :; }; f", "R\n"), ("echo x", "x\n"), ("trap - RETURN; set +T", None), only=BASH),
    case("DEBUG and functrace", ("set -T; trap 'echo D' DEBUG", None), ("echo x", "D\nx\n"), ("(exit 2)", None, 2), ("trap - DEBUG; set +T", None), only=BASH),
    case("all of them", ("set -ET; trap 'echo D' DEBUG; trap 'echo E' ERR; trap 'echo R' RETURN; trap 'echo X' EXIT", None), ("echo x", "D\nx\n"), ("false", said(r"\AD\n(D\n)?E\n\Z"), 1), ("trap - DEBUG ERR RETURN EXIT; set +ET", None), only=BASH),
    case("DEBUG and -x", ("set -x; trap 'echo D' DEBUG", None), ("echo a", said("a\n\\Z")), ("trap - DEBUG; set +x", None), ("echo b", "b\n"), only=BASH),
    case("INT", ("trap 'echo int' INT", ""), ("kill -INT $$", said("int\n")), ("trap - INT", "")),
    case("INT ignored", ("trap '' INT", ""), ("kill -INT $$; echo a", "a\n"), ("trap - INT", "")),
    case("QUIT TSTP TTOU TTIN", ("trap '' QUIT TSTP TTOU TTIN", ""), ("echo a", "a\n"), ("trap - QUIT TSTP TTOU TTIN", ""), only=("bash", "dash", "ash")),
    case("CHLD", ("trap 'echo chld' CHLD", ""), ("ls >/dev/null; echo a", said("a\n")), ("trap - CHLD", None), ("echo a", "a\n")),
    case("WINCH", ("trap 'echo winch' WINCH", ""), ("kill -WINCH $$; true", said("winch\n")), ("trap - WINCH", ""), only=("bash", "dash", "ash")),
    case("HUP and TERM", ("trap 'echo hup' HUP; trap 'echo term' TERM", ""), ("kill -HUP $$; kill -TERM $$; true", said("hup\nterm\n")), ("trap - HUP TERM", "")),
    case("many", ('for s in HUP INT QUIT ALRM TERM USR1 USR2 PIPE; do trap "echo $s" $s; done', ""), ("trap", None), ("for s in HUP INT QUIT ALRM TERM USR1 USR2 PIPE; do trap - $s; done; unset s", "")),
    case("zsh TRAPEXIT", ("TRAPEXIT() { echo bye; }", None), ("echo a", "a\n"), ("unfunction TRAPEXIT", None), only=ZSH),
    case("the DEBUG trap's list", ("trap 'echo D' DEBUG", None), ("trap -p DEBUG", "D\ntrap -- 'echo D' DEBUG\n"), ("trap - DEBUG", None), only=BASH),
    case("DEBUG in zsh", ("trap 'echo D' DEBUG", None), ("echo a", "D\na\n"), ("trap - DEBUG", None), ("echo b", "b\n"), only=ZSH),
    case("zsh function traps", ("TRAPDEBUG() { echo D; }; TRAPZERR() { echo E; }", None), ("echo a", said("a\n")), ("unfunction TRAPDEBUG TRAPZERR", None), ("echo b", "b\n"), only=ZSH),
    case("DEBUG and errors in zsh", ("trap 'echo D' DEBUG", None), (")", None, None), ("echo ${nosuch?x}", None, None), ("trap - DEBUG", None), ("echo b", "b\n"), fresh=True, only=ZSH),
]  # fmt: skip


@rows(TRAPS)
def test_a_trap_hurts_nothing(shells: Shells, shell: str, case: Case) -> None:
    shells.check(shell, case)


EXPORTED = [
    # dash cannot take back that a name was exported: there it is enough that no mark is told.
    case("an exported PS1 is taken back", ("export PS1", ""), ("true", ""), ("env | grep -c -e ctrk -e 133", "0\n", 1), fresh=True, only=("bash", "ash", "zsh")),
    case("an exported PS1 tells no mark", ("export PS1", ""), ("true", ""), ("env | grep -c 133", "0\n", 1), ("echo exit | sh -i 2>&1 | grep -c 133", "0\n", 1), fresh=True),
    case("PROMPT_COMMAND longer", ("PROMPT_COMMAND+=('echo more')", ""), ("true", None), ("echo a", "a\n"), ("echo a", "a\n"), fresh=True, only=BASH),
]  # fmt: skip


@rows(EXPORTED)
def test_a_prompt_is_taken_back(shells: Shells, shell: str, case: Case) -> None:
    shells.check(shell, case)
