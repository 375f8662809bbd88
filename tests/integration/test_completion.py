"""Completion in the kernel, asked over Jupyter's protocol of real shells."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

import ctrkernel
from tests.kernel.live_kernel import CELL_TIMEOUT, LiveKernel, docker, eventually, live_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: How each shell is had: the container's fixture and CTRKERNEL_SHELL.
SHELLS = {
    "bash": ("debian", None),
    "zsh": ("debian", "zsh -f"),
    "dash": ("debian", "dash"),
    "ash": ("busybox", None),
}
#: Names that a shell takes apart unless they are quoted; each begins like no other.
AWKWARD = (
    *("a b", "c'd", 'e"f', "g$h", "i`touch ran`", "j$(touch ran)", "k;touch ran", "l\\m", "n\no"),
    *("p*q", "r?s", "t[u]v", "w&x", "y|z", "{1,2}", "é ü", "🐳y", "(sub)", "<in>", "=eq", "!bang"),
    *("~tilde", "#hash", "%job", "A\tB"),
)


class Asked:
    """A kernel, and what it answers when a person presses Tab."""

    def __init__(self, kernel: LiveKernel, container: str) -> None:
        self.kernel = kernel
        self.container = container

    def tab(self, code: str, cursor: int | None = None) -> tuple[list[str], list[str]]:
        """Return the texts that the cell may become, and the kinds of what was put in."""
        cursor = len(code) if cursor is None else cursor
        request = {"code": code, "cursor_pos": cursor}
        reply = self.kernel.ask("shell", "complete_request", request)
        start, end = reply["cursor_start"], reply["cursor_end"]
        types = reply["metadata"]["_jupyter_types_experimental"]
        assert reply["status"] == "ok"
        assert [each["text"] for each in types] == reply["matches"]
        assert {(each["start"], each["end"]) for each in types} <= {(start, end)}
        assert 0 <= start <= end == cursor
        texts = [code[:start] + each + code[end:] for each in reply["matches"]]
        return texts, [each["type"] for each in types]

    def expect(self, code: str, texts: Sequence[str], kind: str | None = None) -> None:
        """Wait for an answer: a busy machine may have none in the second that a person waits."""
        deadline = time.monotonic() + CELL_TIMEOUT
        while (answer := self.tab(code))[0] != list(texts) and time.monotonic() < deadline:
            pass
        assert answer[0] == list(texts)
        if kind is not None:
            assert set(answer[1]) == {kind}


@pytest.fixture(scope="module")
def kernels(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Asked]]:
    """Return a function that returns a kernel with the shell of a name, in an empty directory."""
    made: dict[str, Asked] = {}
    with ExitStack() as stack:

        def get(name: str) -> Asked:
            container, shell = SHELLS[name]
            if name not in made:
                target = request.getfixturevalue(container)
                started = live_kernel(
                    tmp_path_factory.mktemp(name), CTRKERNEL_TARGET=target, CTRKERNEL_SHELL=shell
                )
                made[name] = Asked(stack.enter_context(started), target)
            made[name].kernel.heal()
            made[name].kernel.run(f"rm -rf /tmp/{name}; mkdir /tmp/{name}; cd /tmp/{name}")
            return made[name]

        yield get


@pytest.fixture
def bash(kernels: Callable[[str], Asked]) -> Asked:
    return kernels("bash")


@pytest.fixture(params=list(SHELLS))
def any_shell(request: pytest.FixtureRequest, kernels: Callable[[str], Asked]) -> Asked:
    return kernels(request.param)


def test_every_shell_completes_commands_variables_and_paths(any_shell: Asked) -> None:
    any_shell.kernel.run("alias my_alias=ls; MY_ONE=1 MY_TWO=2; mkdir folder; echo x >folder/file")

    any_shell.expect("basena", ["basename"], "command")
    any_shell.expect("umas", ["umask"], "builtin")
    any_shell.expect("whil", ["while"], "keyword")
    any_shell.expect("my_al", ["my_alias"], "alias")
    any_shell.expect('echo "$MY_', ['echo "$MY_ONE', 'echo "$MY_TWO'], "variable")
    any_shell.expect("echo ${MY_O", ["echo ${MY_ONE}"], "variable")
    any_shell.expect("cat fo", ["cat folder/"], "directory")
    any_shell.expect("cat <folder/", ["cat <folder/file"], "file")
    any_shell.expect("cat $PWD/folder/f", ["cat $PWD/folder/file"], "file")
    any_shell.expect("ls /et", ["ls /etc/"], "directory")
    any_shell.expect("X=/et", ["X=/etc/"], "directory")


def test_awkward_names_become_words_that_mean_them(any_shell: Asked) -> None:
    quoted = [name.replace("'", "'\\''") for name in AWKWARD]
    any_shell.kernel.run("".join(f"printf '%s' '{each}' >'./{each}'\n" for each in quoted))
    any_shell.expect("cat 'e", ["cat 'e\"f'"])
    beginnings = [
        f"cat {quote}{name[0]}"
        for name in AWKWARD
        for quote in (("", "'", '"') if name[0].isalnum() else ("'",))
    ]
    meant = [name for name in AWKWARD for _ in range(3 if name[0].isalnum() else 1)]

    completed = [any_shell.tab(each)[0] for each in beginnings]

    assert [len(texts) for texts in completed] == [1] * len(beginnings), completed
    cell = "; printf '\\036'; ".join(texts[0] for texts in completed)
    assert any_shell.kernel.run(cell).text.split("\036") == meant
    assert any_shell.kernel.run("[ -e ran ] || echo never").text == "never\n"


def test_functions_are_known_where_the_shell_can_list_them(
    kernels: Callable[[str], Asked],
) -> None:
    for name in ("bash", "zsh"):
        asked = kernels(name)
        asked.kernel.run("my_function() { :; }")
        asked.expect("my_f", ["my_function"], "function")
        asked.kernel.run("unset -f my_function")
        asked.expect("my_f", [])


def test_paths_keep_what_was_typed_before_them(bash: Asked) -> None:
    bash.kernel.run("mkdir -p 'a b/c d' .hidden; touch 'a b/c d/e f'; A='/tmp/bash/a b'")
    bash.kernel.run("touch ~/at_home; touch -- -dash")

    bash.expect("cat a\\ b/c\\ d/e", ["cat a\\ b/c\\ d/e\\ f"])
    bash.expect("cat 'a b'/c", ["cat 'a b'/c\\ d/"])
    bash.expect('cat "a b/c', ['cat "a b/c d/'])
    bash.expect('cat "$A/c', ['cat "$A/c d/'])
    bash.expect("cat $A/c", ["cat $A/c\\ d/"])
    bash.expect("cat ~/at_", ["cat ~/at_home"])
    bash.expect("cat ~root/at_", ["cat ~root/at_home"])
    bash.expect("cat ~roo", ["cat ~root/"], "user")
    bash.expect("cat .hi", ["cat .hidden/"])
    bash.expect("cat ", ["cat ./-dash", "cat a\\ b/"])
    bash.expect("cd a", ["cd a\\ b/"], "directory")
    bash.expect("program --from=a", ["program --from=a\\ b/"])
    bash.kernel.run("rm ~/at_home")


def test_the_text_behind_the_cursor_stays_and_positions_count_characters(bash: Asked) -> None:
    bash.kernel.run("touch 'a b'")

    bash.expect('cat "a', ['cat "a b"'])
    texts, _ = bash.tab('echo 🐳é; cat "a" | wc', 15)
    assert texts == ['echo 🐳é; cat "a b" | wc']


def test_programs_complete_their_options_as_in_the_container_s_bash(bash: Asked) -> None:
    bash.kernel.run("git init -q repo 2>/dev/null; cd repo")

    bash.expect("git checko", ["git checkout"])
    bash.expect("ls; sudo -u root git chec", ["ls; sudo -u root git checkout"])
    bash.expect("echo $(git checko", ["echo $(git checkout"])
    bash.expect("git --vers", ["git --version"], "option")
    bash.expect("set -o noclo", ["set -o noclobber"])


def test_a_person_s_own_specifications_and_functions_count(bash: Asked) -> None:
    bash.kernel.run("""
words() { echo start stop; }
_service() { COMPREPLY=($(compgen -W "$(words)" -- "$2")); }
complete -F _service service
complete -W "red green" paint
""")

    bash.expect("service sto", ["service stop"])
    bash.expect("paint ", ["paint green", "paint red"])


@pytest.mark.parametrize("name", ["bash", "ash"])
def test_nothing_that_is_typed_is_run(kernels: Callable[[str], Asked], name: str) -> None:
    any_shell = kernels(name)
    ran = "touch /tmp/typed"
    docker("exec", any_shell.container, "rm", "-f", "/tmp/typed")
    places = ["{}", 'git "{}', "cd {}/", "X={}", "git -C {} che"]
    inner = [
        *(f"$({ran})", f"`{ran}`", f"<({ran})", f"${{x:=$({ran})}}", f"';{ran};'", f'";{ran};"'),
        *(f"$({ran};", f"`{ran};", f"$[$({ran})]", f"$(({ran}))", f"\n{ran}\n", f"a[$({ran})]="),
        *(f"${{x@P}}$({ran})", f"~$({ran})", f"!{ran}", f"$'\\n{ran}\\n'", f"*;{ran}", f"|{ran}&"),
    ]

    for place in places:
        for each in inner:
            any_shell.tab(place.format(each))

    assert any_shell.kernel.run("[ -e /tmp/typed ] || echo never; echo ${x-unset}").text == (
        "never\nunset\n"
    )


def test_nothing_in_quotes_is_run_by_functions_that_evaluate_it_again(bash: Asked) -> None:
    ran = "touch${IFS}/tmp/again"
    inner = (f"$({ran})", f"`{ran}`", f'";{ran};"', f"\n{ran}\n", f'" ); {ran} #', f"a[$({ran})]")
    places = ("make -f '{}' a", "make -C '{}' ", "tar '{}", "tar --file='{}", "star '{}/")

    for place in places:
        for each in inner:
            bash.tab(place.format(each))

    assert bash.kernel.run("[ -e /tmp/again ] || echo never").text == "never\n"
    # It has an answer nevertheless.
    bash.expect("ls '$(date); `x`' --almo", ["ls '$(date); `x`' --almost-all"])


def test_a_person_s_shell_is_left_as_it_was(bash: Asked) -> None:
    bash.kernel.run("set -o history; trap 'echo failed' ERR; known=1")
    bash.kernel.run("true seen; false | (exit 3) | true word")

    bash.expect("$know", ["$known"])

    state = 'echo "$? $_ ${PIPESTATUS[*]}"; history | tail -n 1'
    assert bash.kernel.run("(exit 3)").error == ("CommandFailed", "exit status 3")
    bash.kernel.run(": last")
    bash.expect("$know", ["$known"])
    shown = bash.kernel.run(state).text.split("\n")
    assert shown[0] == "0 last 0"
    assert shown[1].endswith(state)
    bash.kernel.run("(exit 3) | true")
    bash.tab("$know")
    assert bash.kernel.run('echo "${PIPESTATUS[*]}"').text == "3 0\n"
    bash.kernel.run("trap - ERR; count=0; trap 'count=$((count+1))' DEBUG")
    counts = []
    for _ in range(3):
        counts.append(int(bash.kernel.run("echo $count").text))
        if len(counts) == 1:
            bash.tab("$know")
    bash.kernel.run("trap - DEBUG")
    assert counts[2] - counts[1] == counts[1] - counts[0]


def test_the_last_word_and_the_status_of_zsh_stay_too(kernels: Callable[[str], Asked]) -> None:
    zsh = kernels("zsh")
    zsh.kernel.run("known=1; (exit 3) | true; : word")
    zsh.expect("$know", ["$known"])

    assert zsh.kernel.run('echo "$? $_"').text == "0 word\n"
    zsh.kernel.run("(exit 3) | true")
    zsh.tab("$know")
    assert zsh.kernel.run('echo "$? ${pipestatus[*]}"').text == "0 3 0\n"


def test_a_command_waits_for_a_statement_of_ours_that_is_still_running(debian: str) -> None:
    with ctrkernel.attach(debian) as container:
        session = container.session()
        session.wait_ready()

        docker("exec", debian, "sh", "-c", "rm -f /tmp/ours; mkfifo /tmp/ours")
        session.submit("read -r line </tmp/ours", ours=True)
        docker("exec", "-d", debian, "sh", "-c", "sleep 0.5; echo now >/tmp/ours")

        assert session.run('echo "$line"').output == "now\n"


def test_it_answers_while_a_cell_runs(bash: Asked) -> None:
    bash.kernel.run("waited_for=1; touch 'a b'")
    bash.expect("echo $waited", ["echo $waited_for"])
    running = bash.kernel.submit("mkdir inside; cd inside; touch 'c d'; echo begun; read -r line")
    bash.kernel.wait_for_output(running, "begun\n")

    bash.expect("echo $waited", ["echo $waited_for"])
    bash.expect("git checko", ["git checkout"])
    # The directory is the one that the cell is in by now.
    bash.expect("cat c", ["cat c\\ d"])

    assert bash.kernel.ask("control", "kernel_info_request", {})["status"] == "ok"
    assert not bash.kernel.ended(running, within=0.1)
    bash.kernel.interrupt()
    cell = bash.kernel.finish(running)
    states = [
        each["content"]["execution_state"] for each in cell.messages if each["msg_type"] == "status"
    ]
    # Whoever shows what was said last shows a kernel that is busy until the end.
    assert states == ["busy"] * (len(states) - 1) + ["idle"]


def test_a_completion_that_hangs_has_no_answer_and_harms_nothing(bash: Asked) -> None:
    bash.kernel.run("_hang() { sleep 4321; }; complete -F _hang hang")

    assert bash.tab("hang ") == ([], [])

    bash.expect("git checko", ["git checkout"])
    assert eventually(lambda: "4321" not in docker("top", bash.container), timeout=CELL_TIMEOUT)


def test_below_lines_of_commands_comes_the_shell_s_code(bash: Asked) -> None:
    bash.expect("%ctr_config\nbasena", ["%ctr_config\nbasename"])
    bash.expect("%ctr_conf", ["%ctr_config"], "magic")
    bash.expect("%%ctr\nbasena", ["%%ctr\nbasename"])
    bash.expect("# it's a comment", [])


def test_commands_of_ours_take_code_commands_settings_and_places(bash: Asked) -> None:
    bash.kernel.run("mine() { :; }; touch 'a b'")

    bash.expect("%ctr basena", ["%ctr basename"], "command")
    bash.expect("%ctr --timeout 5 git checko", ["%ctr --timeout 5 git checkout"])
    bash.expect("%ctr cat <a", ["%ctr cat <a\\ b"], "file")
    bash.expect("%ctr_help min", ["%ctr_help mine"])
    bash.expect("%ctr_exec basena", ["%ctr_exec basename"])
    bash.expect("%ctr_config trus", ["%ctr_config trust="])
    both = ["%ctr_config width=80 stderr=merged", "%ctr_config width=80 stderr=split"]
    bash.expect("%ctr_config width=80 stderr=", both)
    place = f"%ctr_copy {bash.container}:"
    bash.expect(place[:-2], [place])
    bash.expect(f"{place}/etc/hostn", [f"{place}/etc/hostname"])
