"""Shift-Tab over the real protocol: what each shell and its container know of a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.live_kernel import LiveKernel, docker, eventually, live_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import MakeContainer

SETUP = """greet() { echo "hi $1"; }
alias ll='ls -l'
FOO='a b'
export BAR=1
readonly RO=3
mkdir -p /tmp/look/lib
cd /tmp/look"""


@pytest.fixture(scope="module")
def bash(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    with live_kernel(tmp_path_factory.mktemp("bash"), CTRKERNEL_TARGET=debian) as kernel:
        yield prepared(kernel)


@pytest.fixture(scope="module")
def dash(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    folder = tmp_path_factory.mktemp("dash")
    with live_kernel(folder, CTRKERNEL_TARGET=debian, CTRKERNEL_SHELL="dash") as kernel:
        yield prepared(kernel)


@pytest.fixture(scope="module")
def zsh(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    folder = tmp_path_factory.mktemp("zsh")
    with live_kernel(folder, CTRKERNEL_TARGET=debian, CTRKERNEL_SHELL="zsh") as kernel:
        yield prepared(kernel)


@pytest.fixture(scope="module")
def ash(busybox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    with live_kernel(tmp_path_factory.mktemp("ash"), CTRKERNEL_TARGET=busybox) as kernel:
        yield prepared(kernel)


def prepared(kernel: LiveKernel) -> LiveKernel:
    """Define what is looked up, and wait until the container answers, on a busy machine too."""
    assert kernel.run(SETUP).status == "ok"
    assert eventually(lambda: inspect(kernel, "^ls") != "", timeout=20)
    return kernel


def inspect(kernel: LiveKernel, code: str, *, detail: int = 0) -> str:
    """Inspect at the sign ``^`` and return the text; empty where nothing is found."""
    content = {
        "code": code.replace("^", ""),
        "cursor_pos": code.index("^"),
        "detail_level": detail,
    }
    reply = kernel.ask("shell", "inspect_request", content)
    assert reply["status"] == "ok"
    assert reply["found"] == bool(reply["data"])
    return str(reply["data"].get("text/plain", ""))


def told(kernel: LiveKernel, code: str, expected: str, *, detail: int = 0) -> str:
    """Return what is told at the sign ``^``, and see that it holds `expected`.

    What does not come in time on a busy machine is asked for again, as a person does.
    """
    found: list[str] = []

    def there() -> bool:
        found.append(inspect(kernel, code, detail=detail))
        return expected in found[-1]

    assert eventually(there, timeout=20), found[-1]
    return found[-1]


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh", "ash"])
def test_each_shell_tells_what_a_name_is(shell: str, request: pytest.FixtureRequest) -> None:
    kernel = request.getfixturevalue(shell)

    assert told(kernel, "gre^et you", "greet is a function\n\ngreet")
    assert "ls -l" in told(kernel, "l^l", "ll is an alias\n\n")
    assert told(kernel, "c^d /", "cd is a builtin of the shell")
    assert told(kernel, "i^f true", "if is a word of the shell's grammar")
    assert told(kernel, "tar -x^f a", "tar is a program\n\n/")
    assert "a b" in told(kernel, "echo $FO^O", "FOO is a variable\n\nFOO=")
    assert told(kernel, "export B^AR", "BAR is a variable, exported\n\nBAR=")
    assert told(kernel, "ls l^ib/", "lib/: directory\n\nd")
    assert told(kernel, "~^", "~: directory\n\nd")
    assert "-rw-r--r--" in told(kernel, "cat </etc/pass^wd", "/etc/passwd: ")
    assert "usage: %ctr_put" in inspect(kernel, "%ctr_p^ut a b\nls")
    assert told(kernel, "%ctr gre^et", "greet is a function")
    assert "usage: %ctr_write" in inspect(kernel, "%%ctr_wr^ite /a\nls")
    assert inspect(kernel, "%%ctr_write /a\nl^s") == ""
    assert told(kernel, "%%ctr\ngre^et", "greet is a function")
    for unknown in ("nosuch^command", "echo $NO^SUCH", "", "# com^ment"):
        assert inspect(kernel, unknown if "^" in unknown else "^") == ""


def test_bash_tells_source_help_and_attributes(bash: LiveKernel) -> None:
    bash.run("declare -A MAP=([x]=1); declare -ai LIST=(1 2)")

    assert told(bash, "gre^et", 'echo "hi $1"')
    assert told(bash, "c^d", "Change the shell working directory")
    assert told(bash, "$R^O", "variable") == 'RO is a variable, readonly\n\nRO="3"'
    assert told(bash, "$MA^P", 'MAP is a variable, associative array\n\nMAP=([x]="1" )')
    assert told(bash, "$LI^ST", "LIST is a variable, array, integer\n\nLIST=(")
    assert told(bash, "t^ar", "package tar")


def test_looking_leaves_no_trace(bash: LiveKernel) -> None:
    bash.run("history -c; set -x; (exit 7)")

    for code in ("gre^et", "$FO^O", "t^ar", "ls l^ib", "c^d", "nosuch^"):
        inspect(bash, code)

    cell = bash.run("echo $?; set +x; set -- ; history; declare -p | grep __ctrk_[av]=")
    assert cell.text.splitlines()[1] == "7"
    assert "declare" not in cell.text.replace("declare -p | grep", "")
    assert "type -t" not in cell.text


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh", "ash"])
def test_looking_defines_nothing(shell: str, request: pytest.FixtureRequest) -> None:
    kernel = request.getfixturevalue(shell)
    kernel.run(": before")
    before = kernel.run("alias; : word").text

    for code in ("env MADE^=up", "sudo MADE=u^p ls", "'MADE=up'^ ", "type MADE\\=u^p", "$FO^O"):
        inspect(kernel, code)

    last = kernel.run('echo "$_"').text
    assert kernel.run("alias").text == before
    if shell in ("bash", "zsh"):
        assert last == "word\n"


def test_while_a_cell_runs_files_and_what_was_known_are_told(bash: LiveKernel) -> None:
    told(bash, "gre^et", "a function")
    cell = bash.submit("echo begun; cd /; unset -f greet; sleep 1000")
    bash.wait_for_output(cell, "begun\n")

    assert told(bash, "gre^et", "a function")
    assert told(bash, "s^ort", "sort is a program\n\n/")
    assert told(bash, "c^d", "Change the shell working directory")
    assert told(bash, "ls et^c", "etc: directory")
    assert inspect(bash, "$NEVER_SE^EN") == ""
    assert not bash.ended(cell, within=0)

    bash.interrupt()
    assert bash.finish(cell).error[0] == "KeyboardInterrupt"
    bash.run(SETUP)


def test_a_traced_shell_is_not_asked(bash: LiveKernel) -> None:
    bash.run("trap 'echo trap' DEBUG; TRACED=1")

    assert inspect(bash, "$TRAC^ED") == ""

    assert bash.run("trap - DEBUG").text == "trap\n"
    # That it is gone is seen at the next cell.
    bash.run("true")
    assert told(bash, "$TRAC^ED", "TRACED=")


def test_nothing_that_is_pointed_at_is_run(bash: LiveKernel) -> None:
    mark = "/tmp/pointed-at"
    program = f"#!/bin/sh\ntouch {mark}; echo did\n"
    bash.run(f"printf '{program}' >/usr/local/bin/danger; chmod +x /usr/local/bin/danger")
    codes = (
        "dan^ger",
        "danger -^-help",
        "/usr/local/bin/dan^ger",
        f"$(touch {mark})^",
        f"`touch {mark}^`",
        f"x'; touch {mark}; '^",
        f'"$(touch {mark})"^ a',
        f"ls $(touch {mark})/^",
        f"${{x:=$(touch {mark})}}^",
        f"$x[$(touch {mark})]^",
    )

    for code in codes:
        for detail in (0, 1):
            inspect(bash, code, detail=detail)

    assert bash.run(f"ls {mark}").status == "error"
    # On request alone.
    assert "did" in bash.run("%ctr_help danger").text
    assert bash.run(f"ls {mark}; rm {mark} /usr/local/bin/danger").status == "ok"


def test_help_on_request_has_no_stdin_and_ends(bash: LiveKernel) -> None:
    bash.run(
        "printf '#!/bin/sh\\necho about to read; cat; echo read; exec sleep 1000\\n' "
        ">/usr/local/bin/waits; chmod +x /usr/local/bin/waits"
    )

    assert bash.run("%ctr_help waits").text.startswith("waits is a program")

    assert bash.run("rm /usr/local/bin/waits; echo fine").text == "fine\n"
    assert eventually(lambda: "sleep 1000" not in bash.run("ps -ef").text, timeout=20)


def test_a_secret_is_not_shown(bash: LiveKernel, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("hunter22\n")
    bash.run(f"%ctr_secret TOKEN --from-file {key}")
    bash.run('copy="my hunter22"; shows() { echo hunter22; }')

    assert (
        told(bash, "$TOK^EN", "variable") == "TOKEN is a variable, exported, secret\n\nTOKEN=••••"
    )
    assert told(bash, "$cop^y", "variable") == 'copy is a variable\n\ncopy="my ••••"'
    assert "hunter22" not in told(bash, "sho^ws", "function")


def test_a_long_value_is_cut(bash: LiveKernel) -> None:
    bash.run("LONG=$(printf '%0300000d' 1); printf -v ODD 'a\\033[31mb'")

    assert 1000 < len(told(bash, "$LON^G", "LONG=")) < 20_000
    assert "\x1b" not in told(bash, "$OD^D", "ODD=")


def test_a_manual_s_page_is_shown_where_there_is_one(
    make_container: MakeContainer, tmp_path: Path
) -> None:
    container = make_container("debian")
    page = """%%ctr_write --mode 755 /usr/local/bin/man
#!/bin/sh
if [ "$1" = -w ]; then [ "$3" = tar ]; exit; fi
printf 'NAME\\n  t\\btar - an archiving utility\\n'
"""
    with live_kernel(tmp_path, CTRKERNEL_TARGET=container) as kernel:
        assert kernel.run(page).status == "ok"
        assert told(kernel, "t^ar", "  tar - an archiving utility")
        assert told(kernel, "l^s", "%ctr_help ls runs it with --help")


def test_a_cell_with_a_question_mark_pages_a_command_s_help(bash: LiveKernel) -> None:
    for code in ("%ctr_put?", "?%ctr_put", "%%ctr_put??", " %ctr_put?\n"):
        reply = bash.run(code).reply["content"]
        assert reply["payload"][0]["source"] == "page"
        assert "usage: %ctr_put" in reply["payload"][0]["data"]["text/plain"]
    assert bash.run("%ctr_putt?").error == (
        "UsageError",
        "there is no command %ctr_putt; did you mean %ctr_put?",
    )


def test_a_question_mark_elsewhere_is_the_shell_s(bash: LiveKernel) -> None:
    bash.run("mkdir -p /tmp/marks && cd /tmp/marks && touch a b xls")

    assert bash.run("echo ?").text == "a b\n"
    assert bash.run("echo ?ls").text == "xls\n"
    assert bash.run("echo %ctr_put?").text == "%ctr_put?\n"
    assert bash.run("ls?").error[0] == "CommandFailed"
    bash.run("cd /tmp/look; rm -r /tmp/marks")


def test_ctr_help_looks_up_names_and_lists_our_commands(bash: LiveKernel) -> None:
    assert "Usage: /usr/bin/sort" in bash.run("%ctr_help sort").text
    assert bash.run("%ctr_help greet").text.startswith("greet is a function")
    assert bash.run("%ctr_help $FOO").text == 'FOO is a variable\n\nFOO="a b"\n'
    assert "usage: %ctr_put" in bash.run("%ctr_help %ctr_put").text
    assert "%ctr_put  " in bash.run("%ctr_help").text
    name, line = bash.run("%ctr_help nosuch").error
    assert (name, "nosuch" in line) == ("UsageError", True)


def test_a_container_that_does_not_answer_is_not_waited_for(
    make_container: MakeContainer, tmp_path: Path
) -> None:
    container = make_container("debian")
    with live_kernel(tmp_path, CTRKERNEL_TARGET=container) as kernel:
        kernel.run("FOO=1")
        docker("pause", container)
        try:
            found: list[Any] = [inspect(kernel, code) for code in ("$FO^O", "t^ar", "%ctr_p^s")]
        finally:
            docker("unpause", container)

        assert found[0] == ""
        assert "usage: %ctr_ps" in found[2]
        assert kernel.run("echo $FOO").text == "1\n"
