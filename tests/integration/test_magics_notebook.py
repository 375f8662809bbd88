"""The commands in a Python notebook: a real ipykernel, spoken to as a front end does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.live_kernel import (
    CELL_TIMEOUT,
    LiveKernel,
    docker,
    eventually,
    inside,
    live_kernel,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import MakeContainer
    from tests.kernel.live_kernel import Cell


@pytest.fixture(scope="module")
def shared(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "local file.txt").write_text("local")
    with live_kernel(folder, name="python3", CTRKERNEL_TARGET=debian) as kernel:
        yield kernel


@pytest.fixture
def kernel(shared: LiveKernel, debian: str) -> Iterator[LiveKernel]:
    """A Python kernel with a new shell in the container."""
    assert shared.run("%load_ext ctrkernel").status == "ok"
    assert shared.run(f"%ctr_attach {debian}").status == "ok"
    yield shared
    shared.heal("pass")


def value(cell: Cell) -> str:
    """Return what shows as Out[n]; it must show once."""
    shown = [each for each in cell.messages if each["msg_type"] == "execute_result"]
    assert len(shown) == 1
    return str(shown[0]["content"]["data"]["text/plain"])


def test_a_failing_cell_is_an_error_with_its_name_and_one_line(kernel: LiveKernel) -> None:
    cell = kernel.run("%%ctr\necho before\n(exit 3)")

    assert cell.text == "before\n"
    assert cell.error == ("CommandFailed", "exit status 3")
    traceback = cell.reply["content"]["traceback"]
    assert len(traceback) == 1
    assert "\n" not in traceback[0]


@pytest.mark.parametrize(
    ("code", "ename", "says"),
    [
        ("%ctr_attach no-such-box", "ContainerNotFound", "no container 'no-such-box'"),
        ("%ctr_attach -x", "UsageError", "type %ctr_attach --help"),
        ("%ctr", "UsageError", "%ctr needs code"),
        ("%%ctr ls\npwd", "UsageError", "type %ctr ls"),
        ("%ctr --on no-such-box ls", "ContainerNotFound", "no container 'no-such-box'"),
        ("%ctr exit 4", "ShellExited", "exit status 4"),
        ("%ctr --session 'a b' ls", "UsageError", "no name for a session"),
        ("%ctr_detach --session nosuch", "UsageError", "type %ctr_sessions"),
    ],
)
def test_every_error_is_one_line(kernel: LiveKernel, code: str, ename: str, says: str) -> None:
    cell = kernel.run(code)

    assert cell.error[0] == ename
    assert says in cell.error[1]
    assert "\n" not in cell.error[1]
    assert kernel.run("%ctr echo usable").text.endswith("usable\n")


def test_output_shows_while_the_cell_runs(kernel: LiveKernel, debian: str) -> None:
    wait = "printf 'ready? '; until [ -e /tmp/magics-go ]; do sleep 0.05; done; echo yes"
    running = kernel.submit(f"%%ctr\n{wait}")

    kernel.wait_for_output(running, "ready? ")
    docker("exec", debian, "touch", "/tmp/magics-go")
    assert kernel.finish(running).text == "ready? yes\n"


def test_a_table_is_html_and_text_in_one_value(kernel: LiveKernel, debian: str) -> None:
    cell = kernel.run("%ctr_sessions")

    assert value(cell).count(debian) == 1
    data = [each["content"]["data"] for each in cell.messages if "data" in each["content"]]
    assert len(data) == 1
    assert f">{debian}</td>" in data[0]["text/html"]
    assert cell.text == ""


def test_a_value_that_is_taken_does_not_show(kernel: LiveKernel) -> None:
    cell = kernel.run("rows = %ctr_sessions")

    assert {each["msg_type"] for each in cell.messages} <= {"status", "execute_input"}


def test_capture_takes_what_a_command_prints(kernel: LiveKernel) -> None:
    assert kernel.run("%%capture took\n%ctr echo inside").text == ""
    assert value(kernel.run("took.stdout")) == "'inside\\n'"


def test_output_belongs_to_the_cell_whose_thread_asked(kernel: LiveKernel) -> None:
    code = (
        "import threading\n"
        "run = get_ipython().run_line_magic\n"
        "work = [threading.Thread(target=run, args=('ctr', f'--session s{n} echo from {n}'))"
        " for n in range(3)]\n"
        "for each in work: each.start()\n"
        "for each in work: each.join()"
    )

    assert sorted(kernel.run(code).text.splitlines()) == ["from 0", "from 1", "from 2"]


def test_commands_work_in_a_cell_that_awaits(kernel: LiveKernel) -> None:
    code = (
        "import asyncio\n"
        "await asyncio.sleep(0)\n"
        "%ctr echo one\n"
        "await asyncio.to_thread(get_ipython().run_line_magic, 'ctr', 'echo two')"
    )

    assert kernel.run(code).text == "one\ntwo\n"


def test_help_is_a_page(kernel: LiveKernel) -> None:
    payload: list[dict[str, Any]] = kernel.run("%ctr_attach?").reply["content"]["payload"]

    assert "%ctr_attach 3f2a91" in payload[0]["data"]["text/plain"]


def test_an_interrupt_ends_the_command_and_what_is_queued(kernel: LiveKernel) -> None:
    running = kernel.submit("%%ctr\nkept=yes; echo started; sleep 1000")
    queued = kernel.submit("%ctr echo never")
    kernel.wait_for_output(running, "started")

    kernel.interrupt()

    assert kernel.finish(running).error == ("KeyboardInterrupt", "exit status 130")
    assert kernel.reply(queued)["content"]["status"] == "aborted"
    assert kernel.run("%ctr echo $kept").text == "yes\n"


def test_an_interrupt_of_a_cell_that_awaits_ends_the_command(kernel: LiveKernel) -> None:
    running = kernel.submit("import asyncio\nawait asyncio.sleep(0)\n%ctr echo started; sleep 1000")
    kernel.wait_for_output(running, "started")

    kernel.interrupt()

    assert kernel.finish(running).error == ("KeyboardInterrupt", "exit status 130")


def test_an_error_can_be_caught_and_carries_its_result(kernel: LiveKernel) -> None:
    code = (
        "from ctrkernel.errors import CommandFailed\n"
        "try:\n    get_ipython().run_cell_magic('ctr', '', 'echo out; (exit 3)')\n"
        "except CommandFailed as error:\n    print(error.result.exit_code, error.result.lines)"
    )

    assert kernel.run(code).text == "out\n3 ['out']\n"


# Options of %%ctr


def test_sessions_stand_side_by_side(kernel: LiveKernel) -> None:
    kernel.run("%ctr --session one cd /tmp; x=1")
    kernel.run("%ctr --session two cd /etc; x=2")

    assert kernel.run("%%ctr --session one\necho $PWD $x").text == "/tmp 1\n"
    assert kernel.run("%%ctr --session two\necho $PWD $x").text == "/etc 2\n"
    kernel.run("%ctr_detach --session one")
    assert " one " not in value(kernel.run("%ctr_sessions"))
    assert kernel.run("%ctr --session two echo $x").text == "2\n"


def test_a_time_out_keeps_what_was_printed_and_the_shell(kernel: LiveKernel) -> None:
    cell = kernel.run("%%ctr --timeout 1 --out part --result whole\nkept=1; echo part; sleep 1000")

    # bash itself prints a newline when it is interrupted.
    assert cell.text.strip() == "part"
    assert cell.error == ("CommandTimedOut", "timed out after 1 s")
    assert value(kernel.run("part.strip(), whole.exit_code")) == "('part', 130)"
    assert kernel.run("%ctr echo $kept").text == "1\n"


def test_out_and_result_are_kept_of_a_failure_too(kernel: LiveKernel) -> None:
    assert kernel.run("%ctr --out o --result r echo text; (exit 3)").status == "error"
    assert value(kernel.run("o, r.exit_code, r.ok, r.cwd")) == "('text\\n', 3, False, '/')"

    assert kernel.run("%ctr --no-raise --result r (exit 4)").status == "ok"
    assert value(kernel.run("r.exit_code")) == "4"


def test_a_background_command_gives_a_handle_at_once(kernel: LiveKernel) -> None:
    start = "job = %ctr --bg --session jobs echo begun; until [ -e /tmp/done ]; do sleep 0.05; done"
    assert kernel.run(start).text == ""
    busy = kernel.run("%ctr --session jobs echo typed into it")

    assert busy.error[0] == "ShellBusy"
    assert "running 'echo begun" in value(kernel.run("job"))
    kernel.run("%ctr touch /tmp/done")
    assert value(kernel.run("job.wait(20).output")) == "'begun\\n'"
    assert value(kernel.run("job.done, job.output")) == "(True, 'begun\\n')"


def test_a_background_command_can_be_interrupted(kernel: LiveKernel) -> None:
    kernel.run("job = %ctr --bg --session jobs2 sh -c 'echo begun; exec sleep 1000'")
    kernel.run("import time\nwhile 'begun' not in job.output: time.sleep(0.05)")
    kernel.run("job.interrupt()")

    assert value(kernel.run("job.wait(20).exit_code")) == "130"


# A fleet


def test_a_fleet_runs_at_once_and_labels_what_it_prints(
    kernel: LiveKernel, debian: str, busybox: str
) -> None:
    cell = kernel.run(f"%%ctr --on {debian},{busybox} --out text\necho hello; printf rest")

    assert cell.status == "ok"
    width = max(len(debian), len(busybox))
    assert sorted(cell.text.splitlines()) == sorted(
        f"{name:<{width}} │ {word}" for name in (debian, busybox) for word in ("hello", "rest")
    )
    assert value(
        kernel.run(f"text['{busybox}'], sorted(text) == sorted({[debian, busybox]!r})")
    ) == ("('hello\\nrest', True)")


def test_who_fails_is_named_and_the_others_finish(
    kernel: LiveKernel, make_container: MakeContainer, debian: str, busybox: str
) -> None:
    stopped = make_container()
    docker("stop", "--time=0", stopped)
    code = "if [ -e /etc/debian_version ]; then sleep 1; echo finished; else echo no; (exit 7); fi"

    cell = kernel.run(f"%%ctr --on {debian},{busybox},{stopped},no-such --result fleet\n{code}")

    assert "finished" in cell.text
    ename, evalue = cell.error
    assert ename == "CommandFailed"
    assert evalue.startswith("failed in 3 of 4: ")
    assert f"{busybox} (exit status 7)" in evalue
    assert f"{stopped} (container {stopped} is stopped" in evalue
    assert "no-such (no container 'no-such'" in evalue
    assert f"{debian} (" not in evalue
    results = f"(fleet['{debian}'].exit_code, fleet['{busybox}'].output)"
    assert value(kernel.run(results)) == "(0, 'no\\n')"


def test_an_interrupt_reaches_every_member(kernel: LiveKernel, debian: str, busybox: str) -> None:
    # One process: busybox's shell may miss a key between two commands.
    code = "sh -c 'echo started; exec sleep 1000'"
    running = kernel.submit(f"%%ctr --on {debian},{busybox}\n{code}")
    kernel.wait_for_output(running, f"{debian} ")
    kernel.wait_for_output(running, f"{busybox} ")

    kernel.interrupt()

    ename, evalue = kernel.finish(running).error
    assert ename == "KeyboardInterrupt"
    assert evalue.startswith("interrupted in 2 of 2: ")
    assert kernel.run(f"%ctr --on {debian},{busybox} true").status == "ok"


def test_detach_ends_the_shells_and_leaves_the_container(
    kernel: LiveKernel, make_container: MakeContainer
) -> None:
    other = make_container()
    kernel.run(f"%ctr_attach {other}")
    kernel.run("%ctr --bg --session side sleep 1000")

    assert kernel.run("%ctr_detach").text == f"detached from {other}\n"

    assert eventually(lambda: not inside(other)), inside(other)
    assert docker("inspect", "--format={{.State.Running}}", other) == "true"
    assert kernel.run("%ctr pwd").error[0] == "NoTarget"


# Completion


@pytest.mark.parametrize(
    ("code", "matches"),
    [
        ("%ctr_att", ["%ctr_attach"]),
        ("x = %ctr_att", ["%ctr_attach"]),
        ("%ctr --sess", ["--session"]),
        ("%ctr --session ma", ["main"]),
        ("%ctr ls /etc/hostn", ["hostname"]),
        ("%ctr_put lo", ["local\\ file.txt"]),
        ("%ctr_put 'lo", ["'local file.txt'"]),
        ("%ctr_put x /etc/hostn", ["/etc/hostname"]),
        ("%ctr_get /etc/hostn", ["/etc/hostname"]),
        ("%ctr --out my_varia", ["my_variable"]),
    ],
)
def test_tab_completes(kernel: LiveKernel, code: str, matches: list[str]) -> None:
    kernel.run("my_variable = 1")

    assert offered(kernel, code, matches)


def test_tab_completes_shell_code_in_a_cell_for_the_container(kernel: LiveKernel) -> None:
    kernel.run("%ctr my_function() { :; }")

    assert offered(kernel, "%%ctr\nif my_func", ["my_function"])
    assert offered(kernel, "%%ctr --session main\ngit checko", ["checkout"])
    assert offered(kernel, "%%ctr\ncat </etc/hostn", ["hostname"])
    assert offered(kernel, "%ctr git checko", ["checkout"])


def test_tab_completes_containers_and_images(kernel: LiveKernel, debian: str) -> None:
    assert completed(kernel, f"%ctr_attach {debian[:-3]}") == [debian]
    assert completed(kernel, f"%ctr --on x,{debian[:-3]}") == [debian]


def test_tab_completes_in_the_session_s_directory_and_its_home(kernel: LiveKernel) -> None:
    kernel.run("%ctr mkdir -p '/tmp/tab dir/in side' ~/of-mine; cd '/tmp/tab dir'; touch -- -dash")

    assert offered(kernel, "%ctr ls in", ["in\\ side/"])
    assert offered(kernel, '%ctr ls "in', ['"in side/'])
    assert offered(kernel, "%ctr ls ~/of-m", ["of-mine/"])
    assert offered(kernel, "%ctr ls no-such-thing", ["no-such-thing"])
    assert kernel.run("%ctr echo $PWD; history | grep -c list").text.startswith("/tmp/tab dir\n")


def test_tab_works_beside_a_command_that_runs(kernel: LiveKernel, debian: str) -> None:
    kernel.run("job = %ctr --bg sleep 1000")

    assert offered(kernel, "%ctr ls /etc/hostn", ["hostname"])
    kernel.run("job.interrupt(); job.wait(20)")


def test_the_container_shell_kernel_completes_commands_too(
    debian: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("shell-kernel")
    with live_kernel(folder, CTRKERNEL_TARGET=debian) as kernel:
        assert completed(kernel, "%ctr_att") == ["ctr_attach"]
        assert completed(kernel, f"%ctr_attach {debian[:-3]}") == [debian]
        assert offered(kernel, "%ctr ls /etc/hostn", ["hostname"])


def offered(kernel: LiveKernel, code: str, matches: list[str]) -> bool:
    """Whether TAB comes to offer `matches`: on a busy machine the first answer may be empty."""
    return eventually(lambda: completed(kernel, code) == matches, timeout=CELL_TIMEOUT)


def completed(kernel: LiveKernel, code: str) -> list[str]:
    """Return what TAB at the end of `code` offers, each in place of what it replaces."""
    content = {"code": code, "cursor_pos": len(code)}
    reply = kernel.ask("shell", "complete_request", content)
    assert reply["status"] == "ok"
    assert reply["cursor_end"] == len(code)
    return list(reply["matches"])


@pytest.mark.parametrize(
    "code",
    [
        "%ctr --on '{empty}' touch /tmp/wrong",
        "%ctr_exec --on '{empty}' touch /tmp/wrong",
        "%ctr_send --on '{empty}' touch /tmp/wrong",
        "%ctr_rm --force '{empty}'",
        "%ctr_stop --kill '{empty}'",
        "%ctr_pause '{empty}'",
        "%ctr_detach '{empty}'",
        "%ctr_status '{empty}'",
        "%ctr_logs '{empty}'",
        "%ctr_inspect --on '{empty}'",
        "%ctr_commit --on '{empty}' wrong:1",
        "%ctr_interact --on '{empty}'",
    ],
)
def test_a_name_that_is_empty_never_means_the_attached_container(
    kernel: LiveKernel, debian: str, code: str
) -> None:
    kernel.run("empty = ''")

    cell = kernel.run(code)

    assert cell.error[0] in ("UsageError", "ContainerNotFound", "NoTarget")
    assert "''" in cell.error[1]
    assert kernel.run("%ctr ls /tmp/wrong; hostname >/dev/null && echo here").text.endswith(
        "here\n"
    )
    assert docker("inspect", "--format", "{{.State.Status}}", debian).strip() == "running"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("%ctr --out a --result a true", "--out and --result both name a"),
        ("%ctr_exec --out a --err a true", "--out and --err both name a"),
        ("%ctr --out class true", "'class' is no name for a Python variable"),
        ("%ctr_get /etc/hostname --var class", "'class' is no name for a Python variable"),
        ("%ctr_send --enter --no-enter y", "not allowed with argument"),
        ("%ctr_logs --tail -1", "--tail"),
    ],
)
def test_options_that_fight_are_refused(kernel: LiveKernel, code: str, says: str) -> None:
    cell = kernel.run(code)

    assert cell.error[0] == "UsageError"
    assert says in cell.error[1]


def test_a_fleet_s_results_stand_in_the_order_of_its_names(
    kernel: LiveKernel, debian: str, busybox: str
) -> None:
    kernel.run(f"%ctr --on {debian},{busybox} --out said [ -e /etc/debian_version ] && sleep 0.5")

    assert value(kernel.run("list(said)")) == repr([debian, busybox])


def test_a_handle_that_is_waited_for_in_vain_says_what_still_runs(kernel: LiveKernel) -> None:
    kernel.run("job = %ctr --bg sleep 60")

    cell = kernel.run("job.wait(0.1)")

    assert cell.error[0] == "TimeoutError"
    assert "'sleep 60'" in cell.error[1]
    kernel.run("job.interrupt()")
    assert value(kernel.run("job.wait(10).exit_code")) == "130"


def test_a_container_that_was_only_looked_at_has_no_shell_to_detach(
    kernel: LiveKernel, make_container: MakeContainer
) -> None:
    seen = make_container("busybox")
    kernel.run(f"%ctr_status {seen}")

    ename, evalue = kernel.run(f"%ctr_detach {seen}").error

    assert ename == "NoTarget"
    assert evalue.startswith(f"no shell of ours is in '{seen}'; containers that have one: ")
    assert seen not in evalue.partition("one: ")[2]


def test_a_program_that_cannot_be_run_is_told_on_stderr(kernel: LiveKernel) -> None:
    cell = kernel.run("%ctr_exec --no-raise no-such-program")

    assert cell.status == "ok"
    streams = [each["content"] for each in cell.messages if each["msg_type"] == "stream"]
    assert {each["name"] for each in streams} == {"stderr"}


def test_a_secret_shows_in_no_value_of_a_command(
    kernel: LiveKernel, tmp_path: Path, make_container: MakeContainer
) -> None:
    told = make_container("debian", "--env=PASSWORD=open-sesame-9")
    (tmp_path / "secret").write_text("open-sesame-9")
    (tmp_path / "other").write_text("other\n")
    kernel.run(f"%ctr_secret WORD --from-file {tmp_path / 'secret'}")
    kernel.run("%ctr mkdir -p /tmp/$WORD; cd /tmp/$WORD; echo $WORD >file")

    cells = [
        kernel.run("%ctr_sessions"),
        kernel.run(f"%ctr_diff {tmp_path / 'other'} file"),
        kernel.run(f"%ctr_inspect --on {told} Config.Env"),
        kernel.run(f"%ctr_inspect --on {told}"),
        kernel.run("%ctr_status"),
        kernel.run("%ctr_ps -a"),
        kernel.run("%ctr --bg echo open-sesame-9"),
    ]

    assert [cell.reply["content"]["status"] for cell in cells] == ["ok"] * len(cells)
    assert all("open-sesame-9" not in str(cell.messages) for cell in cells[:-1])
    assert "open-sesame-9" not in value(cells[-1])
    assert "••••" in value(cells[0])
    assert "••••" in value(cells[2])
    kernel.run("%ctr cd /")
