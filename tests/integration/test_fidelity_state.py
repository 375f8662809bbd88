# ruff: noqa: E501 - a row of a table stays on one line
"""What one cell sets, the next one finds, as at a terminal's prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.fidelity import ALL, ARRAYS, BASH, ZSH, Case, Shells, case, rows, said

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def shells(debian: str, busybox: str) -> Iterator[Shells]:
    with Shells(debian, busybox) as shells:
        yield shells


CARRIED = [
    case("$?", ("(exit 7)", "", 7), ("echo $?", "7\n"), ("echo $?", "0\n")),
    case("$? of a syntax error's successor", (")", None, None), ("true", ""), ("echo $?", "0\n")),
    case("$? through an empty cell", ("(exit 7)", "", 7), ("", ""), ("echo $?", "7\n")),
    case("$? through a comment", ("(exit 9)", "", 9), ("# c", ""), ("echo $?", "9\n")),
    case("$? through a blank cell", ("(exit 8)", "", 8), (" \n\t\n", ""), ("echo $?", "8\n")),
    case("$? of every size", *((f"(exit {n})", "", n) for n in (1, 2, 126, 127, 128, 130, 255))),
    case("$? of a signal", ("sh -c 'kill -9 $$'", None, 137), ("echo $?", "137\n")),
    case("$? of an assignment", ("x=$(exit 5)", "", 5), ("echo $?; unset x", "5\n")),
    case("$? of a function", ("f() { return 6; }; f", "", 6), ("echo $?; unset -f f", "6\n")),
    case("$_", ("echo a b", "a b\n"), ('echo "$_"', "b\n"), only=ARRAYS),
    case("$_ with a space", ("echo 'a  b'", "a  b\n"), ('echo "$_"', "a  b\n"), only=ARRAYS),
    case("$_ with a newline", ("echo 'a\nb'", "a\nb\n"), ('echo "$_"', "a\nb\n"), only=ARRAYS),
    case("$_ after a failure", ("false x y", "", 1), ('echo "$?$_"', "1y\n"), only=ARRAYS),
    case("$_ that looks like an option", ("echo x -n", "x -n\n"), ("printf '%s\\n' \"$_\"", "-n\n"), only=ARRAYS),
    case("PIPESTATUS", ("true | false | (exit 3)", "", 3), ('echo "${PIPESTATUS[@]} $?"', "0 1 3 3\n"), only=BASH),
    case("PIPESTATUS of success", ("false | true", ""), ('echo "${PIPESTATUS[@]} $?"', "1 0 0\n"), only=BASH),
    case("PIPESTATUS of one", ("(exit 4)", "", 4), ('echo "${PIPESTATUS[@]}"', "4\n"), only=BASH),
    case("pipestatus", ("true | false | (exit 3)", "", 3), ('echo "$pipestatus $?"', "0 1 3 3\n"), only=ZSH),
    case("variables", ("v='a  b'", ""), ('echo "$v"; unset v', "a  b\n")),
    case("exported variables", ("export w=1", ""), ("sh -c 'echo $w'; unset w", "1\n")),
    case("arrays", ("a=(1 '2 3')", ""), ('echo "${a[@]}"; unset a', "1 2 3\n"), only=ARRAYS),
    case("functions", ('f() { echo "f $1"; }', ""), ("f x; unset -f f", "f x\n")),
    case("aliases", ("alias hi='echo hello'", ""), ("hi there; unalias hi", "hello there\n")),
    case("an alias within the cell that sets it", ("alias hi='echo hello'\nhi x\nunalias hi", "hello x\n"), only=("bash", "dash", "ash")),
    case("umask", ("umask 027", ""), ("umask; umask 022", said("027"))),
    case("positional parameters", ("set -- a 'b c'", ""), ('echo "$# $2"', "2 b c\n"), ("set --", "")),
    case("shift", ("set -- a b c; shift", ""), ('echo "$@"; set --', "b c\n")),
    case("getopts", ("set -- -a -b; getopts ab o; echo $o", "a\n"), ("getopts ab o; echo $o; set --; OPTIND=1; unset o", "b\n")),
    case("cd", ("cd /tmp", ""), ("pwd; cd - >/dev/null", "/tmp\n")),
    case("cd -", ("cd /tmp; cd /usr", ""), ("cd -; cd /", "/tmp\n")),
    case("pushd", ("pushd /tmp >/dev/null", ""), ("dirs; popd >/dev/null", said("/tmp")), only=ARRAYS),
    case("ulimit", ("ulimit -c 0", ""), ("ulimit -c", "0\n")),
    case("options", ("set -o noglob", ""), ("echo /bi*", "/bi*\n"), ("set +o noglob", "")),
    case("shopt", ("shopt -s nullglob", ""), ("echo /nosuch*", "\n"), ("shopt -u nullglob", ""), only=BASH),
    case("setopt", ("setopt nullglob", ""), ("echo /nosuch*", "\n"), ("unsetopt nullglob", ""), only=ZSH),
    case("hash", ("hash ls", None), ("hash", said("ls")), only=("bash", "dash", "zsh")),
    case("open descriptors", ("exec 5>/tmp/five; echo a >&5", ""), ("echo b >&5; exec 5>&-; cat /tmp/five", "a\nb\n")),
    case("an inherited reader", ("printf 'x\\ny\\n' >/tmp/six; exec 6</tmp/six; read -r l <&6; echo $l", "x\n"), ("read -r l <&6; echo $l; exec 6<&-", "y\n")),
    case("the time", ("SECONDS=100", ""), ("[ $SECONDS -ge 100 ] && echo yes", "yes\n"), only=ARRAYS),
    case("RANDOM's seed", ("RANDOM=1; a=$RANDOM; RANDOM=1", ""), ("[ $RANDOM = $a ] && echo same", "same\n"), only=ARRAYS),
    case("BASH_REMATCH", ("[[ abc =~ b(.) ]]", ""), ('echo "${BASH_REMATCH[1]}"', "c\n"), only=BASH),
    case("traps on signals", ("trap 'echo usr1' USR1", ""), ("kill -USR1 $$", "usr1\n"), ("trap - USR1", "")),
    case("a trap's list", ("trap 'echo bye' USR2", ""), ("trap", said(r"trap -- 'echo bye' (SIG)?USR2\n\Z")), ("trap - USR2", "")),
    case("a subshell's changes do not", ("v=1; (v=2; cd /tmp)", ""), ("echo $v; pwd; unset v", "1\n/\n")),
    case("here and there", ("cd /tmp/../proc", ""), ("pwd; cd /", "/proc\n")),
    case("$$ stays", ("p=$$", ""), ("[ $p = $$ ] && echo same; unset p", "same\n")),
    case("$0", ("echo ${0#-}", said(r"\A(bash|dash|sh|zsh|/.*)\n\Z"))),
    case("$- is interactive", ("case $- in *i*) echo i;; esac", "i\n")),
    case("job control is on", ("case $- in *m*) echo m;; esac", "m\n")),
    case("$! ", ("sleep 0.01 & p=$!", None), ('wait $!; [ "$p" = $! ] && echo same; unset p', said("same\n"))),
]  # fmt: skip


@rows(CARRIED)
def test_state_carries(shells: Shells, shell: str, case: Case) -> None:
    shells.check(shell, case)


@pytest.mark.parametrize("shell", ALL)
def test_the_working_directory_comes_with_the_result(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)

    seen = [box.session.run(f"cd {place}").cwd for place in ("/tmp", "/proc/self", "..", "/")]

    assert seen == ["/tmp", "/proc/self", "/proc", "/"]


NAMES = [
    "a b",
    "a\nb",
    "a;b",
    "a\x07b",
    "é€𝄞",
    "a\x01b",
    "\x1b]133;D",
    "'",
    '"',
    "$x",
    "`id`",
    "%s%n",
    "\\",
    "-n",
    "~",
    "*",
    "!1",
    "a\tb",
    " ",
    "\n",
    "#",
    "\x7f",
]


@pytest.mark.parametrize("shell", ALL)
@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_directory_may_have_any_name(shells: Shells, shell: str, name: str) -> None:
    box = shells.shared(shell)
    quoted = "'" + name.replace("'", "'\\''") + "'"

    result = box.session.run(f"mkdir -p /tmp/n/{quoted}; cd /tmp/n/{quoted}", 15)

    assert (result.output, result.exit_code, result.cwd) == ("", 0, f"/tmp/n/{name}")
    assert box.output('printf %s "$PWD"') == f"/tmp/n/{name}"
    assert box.session.run("cd /; rm -r /tmp/n").cwd == "/"
    box.check_alive()


@pytest.mark.parametrize("shell", ALL)
def test_a_directory_that_is_no_utf_8_is_kept(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)
    cwd = box.session.run("d=/tmp/$(printf 'a\\377'); mkdir $d; cd $d; touch there").cwd

    assert cwd.encode("utf-8", "surrogateescape") == b"/tmp/a\xff"
    assert box.output("ls; cd /; rm -r $d; unset d") == "there\n"
    box.check_alive()


@pytest.mark.parametrize("shell", ALL)
def test_a_path_of_four_thousand_bytes_is_reported(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)
    deep = "/".join(["d" * 200] * 19)

    result = box.session.run(f"mkdir -p /tmp/deep/{deep}; cd /tmp/deep/{deep}", 15)

    assert result.cwd == f"/tmp/deep/{deep}"
    box.output("cd /; rm -r /tmp/deep")
    box.check_alive()


@pytest.mark.parametrize("shell", ALL)
def test_a_deleted_directory_is_survived(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)

    box.output("mkdir /tmp/gone; cd /tmp/gone; rmdir /tmp/gone")

    assert box.run("echo here") == ("here\n", 0)
    assert box.session.run("true").cwd == "/tmp/gone"
    assert box.run("ls; cd /; pwd") == ("/\n", 0)
    box.check_alive()


@pytest.mark.parametrize("shell", ALL)
def test_a_moved_directory_is_survived(shells: Shells, shell: str) -> None:
    box = shells.shared(shell)

    box.output("mkdir /tmp/old; cd /tmp/old; mv /tmp/old /tmp/new")

    assert box.run("echo here") == ("here\n", 0)
    box.output("cd /; rmdir /tmp/new")
    box.check_alive()


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh"])
def test_an_unreadable_directory_is_survived(shells: Shells, non_root: str, shell: str) -> None:
    box = shells.open(shell, non_root)

    box.output("mkdir /tmp/closed; cd /tmp/closed; chmod 0 /tmp/closed")

    assert box.run("echo here") == ("here\n", 0)
    assert box.run("ls")[1] != 0
    box.output("cd /; chmod 700 /tmp/closed; rmdir /tmp/closed")
    box.check_alive()


JOBS = [
    case("jobs lists one", ("sleep 50 &", None), ("jobs", said("Running|sleep 50|running")), ("kill $!; wait $!", None, None)),
    case("%1 and fg", ("sleep 0.2 &", None), ("fg %1", "sleep 0.2\n"), only=("bash", "dash", "ash")),
    case("fg carries the status", ("sh -c 'sleep 0.2; exit 5' &", None), ("fg", None, 5)),
    case("fg reads the terminal", ("sh -c 'sleep 0.1; read x </dev/null; echo got' &", None), ("fg", said("got\n"))),
    case("wait carries the status", ("sh -c 'sleep 0.1; exit 6' &", None), ("wait $!", None, 6)),
    case("a stopped job is killed", ("sleep 60 &\nkill -STOP $!", None), ("kill -9 $!; wait $!", None, None), only=("bash", "dash", "zsh")),
    case("disown", ("sleep 30 & disown", None), ("jobs; kill $!", ""), fresh=True, only=ARRAYS),
    case("%% and %sleep", ("sleep 40 &", None), ("kill %sleep; wait %%", None, None), only=("bash", "dash", "zsh")),
    case("bg", ("sh -c 'kill -STOP $$; exit 0'", None, None), ("bg", None, None), ("wait", None, None), fresh=True, only=("bash", "dash", "ash")),
    case("a stopped foreground job", ("sh -c 'kill -TSTP $$; echo back'", None, None), ("fg", said("back\n")), fresh=True),
    case("many", ("for i in 1 2 3 4 5; do sleep 0.01 & done; wait", None), ("wait", None), only=("bash", "dash", "ash")),
    case("bg in zsh", ("sh -c 'kill -STOP $$; exit 0'", None, None), ("bg in zsh", None, None), ("wait", None, None), fresh=True, only=ZSH),
    case("%1 and fg in zsh", ("sleep 0.2 &", None), ("fg %1", said(r"\A\[1\] +[-+] (running|continued) +sleep 0.2\n\Z")), fresh=True, only=ZSH),
    case("a stopped job is killed", ("sleep 60 &\nkill -STOP $!", None), ("kill -9 $!; wait $!", None, None), fresh=True, only=("ash",)),
]  # fmt: skip


@rows(JOBS)
def test_jobs_carry(shells: Shells, shell: str, case: Case) -> None:
    shells.check(shell, case)
