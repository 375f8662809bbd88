"""What a cell came to, and where it ran: at a glance, and in what a notebook keeps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from tests.kernel.live_kernel import Cell, LiveKernel, docker, live_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The colours of an error's line.
_RED, _GREY, _PLAIN = r"\x1b\[31m", r"\x1b\[38;5;243m", r"\x1b\[0m"
#: A short time.
_SOON = r"\d+(?:\.\d)? m?s"
#: An output of this type is kept and not shown.
RECORD_TYPE = "application/vnd.ctrkernel.cell+json"


@pytest.fixture(scope="module")
def shared(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    with live_kernel(tmp_path_factory.mktemp("kernel"), CTRKERNEL_TARGET=debian) as started:
        yield started


@pytest.fixture
def kernel(shared: LiveKernel) -> Iterator[LiveKernel]:
    """The module's kernel, with nothing set at the end."""
    yield shared
    shared.heal()
    for name in ("failure_line", "stop_on_error", "timestamps", "cell_record", "timeout"):
        shared.run(f"%ctr_config {name}=")


def line_of(cell: Cell) -> str:
    (line,) = cell.reply["content"]["traceback"]
    return str(line)


def facts(cell: Cell) -> dict[str, Any]:
    found: dict[str, Any] = cell.reply["metadata"]["ctrkernel"]
    return found


# The line


def test_a_failed_cell_s_one_line_says_how_long_it_took_and_where(kernel: LiveKernel) -> None:
    cell = kernel.run("cd /tmp; (exit 2)")

    assert cell.error == ("CommandFailed", "exit status 2")
    assert re.fullmatch(
        f"{_RED}CommandFailed{_PLAIN}: exit status 2{_GREY} · {_SOON} · /tmp{_PLAIN}",
        line_of(cell),
    )


def test_the_line_of_a_shell_that_ended_and_of_a_command_has_them_too(kernel: LiveKernel) -> None:
    ended = kernel.run("cd /usr; exit 4")
    command = kernel.run("%%ctr --session other\ncd /var; false")

    assert re.search(rf"exit status 4{_GREY} · {_SOON} · /", line_of(ended))
    assert re.search(rf"exit status 1{_GREY} · {_SOON} · /var", line_of(command))


def test_an_error_that_ran_nothing_has_no_such_words(kernel: LiveKernel) -> None:
    assert "·" not in line_of(kernel.run("%ctr_attach no-such-container"))


def test_a_person_can_do_without_them(kernel: LiveKernel) -> None:
    kernel.run("%ctr_config failure_line=off")

    assert line_of(kernel.run("(exit 2)")) == "\x1b[31mCommandFailed\x1b[0m: exit status 2"


def test_a_notebook_may_go_on_past_a_failure_and_says_so(kernel: LiveKernel) -> None:
    kernel.run("%ctr_config stop_on_error=off")

    failed = kernel.run("printf out; (exit 3)")

    assert failed.status == "ok"
    assert failed.text == "out"
    assert re.fullmatch(rf"{_GREY}exit status 3 · {_SOON} · /{_PLAIN}\n", failed.notices)
    assert facts(failed)["exit_status"] == 3
    assert kernel.run("exit 5").error[0] == "ShellExited"


def test_times_stand_before_and_behind_the_output_and_leave_it_as_it_is(
    kernel: LiveKernel,
) -> None:
    kernel.run("%ctr_config timestamps=on")

    cell = kernel.run("printf 'a\\nb'")

    assert cell.text == "a\nb"
    shown = [each["content"]["name"] for each in cell.messages if each["msg_type"] == "stream"]
    assert shown == ["stderr", "stdout", "stderr"]
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+"
    assert re.fullmatch(rf"{_GREY}{when}{_PLAIN}\n{_GREY}{when} · {_SOON}{_PLAIN}\n", cell.notices)


# The terminal, and the time that a cell has


def test_the_terminal_s_size_changes_at_once_and_for_shells_to_come(
    debian: str, tmp_path: Path
) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian, COLUMNS="100", LINES="none") as kernel:
        assert kernel.run("stty size").text == "40 100\n"
        assert kernel.run("%ctr_config width=77 height=20\nstty size").text == "20 77\n"
        assert kernel.run('echo "$COLUMNS $LINES $?"').text == "77 20 0\n"
        kernel.run("exit")
        assert kernel.run("stty size").text == "20 77\n"


def test_terminal_and_pager_change_in_open_shells_and_in_those_to_come(
    debian: str, tmp_path: Path
) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian) as kernel:
        show = 'echo "$TERM $PAGER $GIT_PAGER $?"'
        assert kernel.run(show).text == "xterm-256color cat cat 0\n"
        cell = kernel.run(f"%ctr_config term=dumb pager='less -R'\n{show}")
        assert (cell.text, cell.notices) == ("dumb less -R less -R 0\n", "")
        kernel.run("exit")
        assert kernel.run(show).text == "dumb less -R less -R 0\n"


def test_a_shell_that_is_busy_is_told_to_stay_as_it_is(debian: str, tmp_path: Path) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian) as kernel:
        kernel.run("%%ctr --bg --session busy\nread -r _")

        told = kernel.run("%ctr_config term=dumb").notices

    assert told.startswith(f"ctrkernel: term of session busy in {debian} stays until its next")


@pytest.mark.parametrize("begin", ["", "%%ctr\n", "%%ctr --session slow\n"])
def test_a_cell_that_takes_too_long_is_interrupted_and_its_shell_stays(
    kernel: LiveKernel, begin: str
) -> None:
    kernel.run("%ctr_config timeout=1")
    kernel.run(f"{begin}kept=yes")

    cell = kernel.run(f"{begin}echo before; sleep 60")

    assert cell.error == ("CommandTimedOut", "timed out after 1 s")
    assert cell.text.startswith("before\n")
    assert facts(cell)["exit_status"] == 130
    assert kernel.run(f'{begin}echo "$kept"').text == "yes\n"


def test_a_cell_s_own_time_out_goes_before_the_notebook_s(kernel: LiveKernel) -> None:
    kernel.run("%ctr_config timeout=0.5")

    assert kernel.run("%%ctr --timeout 15\nsleep 1; echo done").text == "done\n"


# What is kept


def test_a_reply_says_what_it_ran_on(kernel: LiveKernel, debian: str) -> None:
    kernel.run("cd /tmp")

    ran = facts(kernel.run("true"))
    failed = facts(kernel.run("sleep 0.2; (exit 7)"))

    assert (ran["exit_status"], failed["exit_status"]) == (0, 7)
    assert failed["duration"] > 0.2
    assert ran["directory"] == "/tmp"
    assert ran["shell"].startswith("bash 5.")
    assert ran["container"] == debian
    assert ran["container_id"] == docker("inspect", "--format={{.Id}}", debian)
    assert ran["image"] == docker("inspect", "--format={{.Config.Image}}", debian)
    assert ran["image_id"] == docker("inspect", "--format={{.Image}}", debian)
    assert ran["image_digest"] is None  # built here, and in no registry
    assert ran["user"] == "root"


def test_a_command_s_reply_has_its_duration_alone(kernel: LiveKernel) -> None:
    assert list(facts(kernel.run("%ctr_config"))) == ["duration"]


def test_a_saved_notebook_keeps_it_where_that_is_wanted_and_shows_nothing(
    debian: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTRKERNEL_TARGET", debian)
    monkeypatch.setenv("CTRKERNEL_CELL_RECORD", "on")
    cells = [nbformat.v4.new_code_cell(code) for code in ("echo out", "(exit 2)")]  # type: ignore[no-untyped-call]
    cells[1].metadata["tags"] = ["raises-exception"]
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]

    NotebookClient(
        notebook,
        timeout=60,
        kernel_name="ctrkernel",
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    nbformat.validate(notebook)
    page, _ = HTMLExporter().from_notebook_node(notebook)

    kinds = [[output.output_type for output in cell.outputs] for cell in cells]
    assert kinds == [["stream", "display_data"], ["display_data", "error"]]
    kept = [cell.outputs[at].data[RECORD_TYPE] for cell, at in ((cells[0], 1), (cells[1], 0))]
    assert [each["exit_status"] for each in kept] == [0, 2]
    assert kept[0]["container"] == debian
    assert kept[0]["container_id"] not in page
    assert "exit status 2" in page


# Where one is


def test_the_banner_and_the_status_say_where_cells_run(kernel: LiveKernel, debian: str) -> None:
    kernel.run("cd /usr")

    banner = kernel.ask("shell", "kernel_info_request", {})["banner"]
    status = kernel.run("%ctr_status")

    image = docker("inspect", "--format={{.Config.Image}}", debian)
    assert re.fullmatch(
        rf"ctrkernel .*\ncontainer {debian} · image {image} · shell bash 5\.\S+ · user root · "
        r"directory /usr",
        banner,
    )
    (shown,) = [each["data"]["text/plain"] for each in status.stored if "data" in each]
    rows = dict(line.split(None, 1) for line in shown.splitlines())
    assert rows["container"] == debian
    assert rows["image"].startswith(image)
    assert rows["shell"].startswith("bash 5.")
    assert (rows["user"], rows["directory"]) == ("root", "/usr")


def test_without_a_container_the_banner_says_what_to_type(
    engine_program: str, tmp_path: Path
) -> None:
    with live_kernel(tmp_path) as kernel:
        banner = kernel.ask("shell", "kernel_info_request", {})["banner"]

    assert "no container is attached; type %ctr_attach CONTAINER" in banner
