"""Commands at the head of a cell: attach, put and get, and what is left to the shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from tests.kernel.live_kernel import LiveKernel, live_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def shared(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    folder = tmp_path_factory.mktemp("kernel")
    with live_kernel(folder, CTRKERNEL_TARGET=debian) as started:
        yield started


@pytest.fixture
def kernel(shared: LiveKernel) -> Iterator[LiveKernel]:
    """The module's kernel, its shell in an empty folder."""
    shared.run("rm -rf /tmp/work; mkdir /tmp/work; cd /tmp/work; set --")
    yield shared
    shared.heal()


@pytest.fixture
def folder(shared: LiveKernel) -> Path:
    """The notebook's folder."""
    return shared.folder


def test_a_put_goes_to_the_shell_s_directory(kernel: LiveKernel, folder: Path) -> None:
    (folder / "data.csv").write_text("a,b\n")

    cell = kernel.run("%ctr_put data.csv .\ncat /tmp/work/data.csv")

    assert cell.status == "ok"
    assert cell.text.startswith("put 1 file, 4 B → ")
    assert cell.text.endswith("a,b\n")


def test_a_put_follows_the_shell_to_where_it_goes(kernel: LiveKernel, folder: Path) -> None:
    (folder / "data.csv").write_text("a,b\n")
    kernel.run("mkdir -p 'deep er'; cd 'deep er'")

    assert kernel.run("%ctr_put data.csv copy.csv").status == "ok"

    assert kernel.run("cat '/tmp/work/deep er/copy.csv'").text == "a,b\n"


def test_a_get_comes_from_the_shell_s_directory(kernel: LiveKernel, folder: Path) -> None:
    kernel.run("printf got > result.txt")

    cell = kernel.run("%ctr_get result.txt fetched.txt")

    assert cell.text.startswith("got 1 file, 3 B → ")
    assert (folder / "fetched.txt").read_text() == "got"


def test_a_tilde_is_each_side_s_home(kernel: LiveKernel, folder: Path) -> None:
    (folder / "data.csv").write_text("a,b\n")

    kernel.run("%ctr_put data.csv ~/home.csv")
    cell = kernel.run("cat ~/home.csv; rm ~/home.csv; printf x > ~/there")

    assert cell.text == "a,b\n"
    assert kernel.run("%ctr_get ~/there there").status == "ok"
    assert (folder / "there").read_text() == "x"
    kernel.run("rm ~/there")


def test_a_tilde_follows_the_shell_s_home(kernel: LiveKernel, folder: Path) -> None:
    (folder / "data.csv").write_text("a,b\n")

    kernel.run("mkdir home; old=$HOME; HOME=$PWD/home")
    kernel.run("%ctr_put data.csv ~/")

    assert kernel.run("cat /tmp/work/home/data.csv; HOME=$old").text == "a,b\n"


@pytest.mark.parametrize("name", ["two words", "a'b", 'a"b', "ünï", "*", "$HOME", "a;b", "#", "-n"])
def test_names_are_data(kernel: LiveKernel, folder: Path, name: str) -> None:
    (folder / name).write_text("x")

    put = kernel.run(f"%ctr_put -- {shlex.quote(name)} .")
    listed = kernel.run(r"printf '%s\n' *")
    (folder / name).unlink()
    got = kernel.run(f"%ctr_get -- {shlex.quote(name)} .")

    assert (put.status, listed.text, got.status) == ("ok", f"{name}\n", "ok")
    assert (folder / name).read_text() == "x"


def test_several_sources_go_into_a_folder(kernel: LiveKernel, folder: Path) -> None:
    for name in ("one", "two", "three"):
        (folder / name).write_text(name)
    kernel.run("mkdir in")

    assert kernel.run("%ctr_put one two three in").text.startswith("put 3 files, 11 B → ")
    assert kernel.run("cat in/one in/two in/three").text == "onetwothree"

    (folder / "back").mkdir(exist_ok=True)
    assert kernel.run("%ctr_get in/one in/two back/").status == "ok"
    assert sorted(each.name for each in (folder / "back").iterdir()) == ["one", "two"]


def test_a_folder_goes_and_comes_whole(kernel: LiveKernel, folder: Path) -> None:
    (folder / "tree" / "deep").mkdir(parents=True)
    (folder / "tree" / "deep" / "leaf").write_text("leaf")

    kernel.run("%ctr_put tree .\n%ctr_get tree tree-again")

    assert (folder / "tree-again" / "deep" / "leaf").read_text() == "leaf"


@pytest.mark.parametrize("name", ["ctr_attach", "ctr_put", "ctr_get"])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_shown_and_nothing_is_done(kernel: LiveKernel, name: str, option: str) -> None:
    cell = kernel.run(f"%{name} {option}")

    assert cell.status == "ok"
    assert f"usage: %{name}" in cell.text
    assert "examples:" in cell.text


def test_leading_commands_run_in_order_and_then_the_shell(kernel: LiveKernel, folder: Path) -> None:
    (folder / "a").write_text("a\n")

    cell = kernel.run(
        "%ctr mkdir sub\n%ctr_put a sub/b\n%ctr cp sub/b c\n%ctr_get c d\n\ncat c\necho last"
    )

    assert cell.status == "ok"
    put, got, *rest = cell.text.splitlines()
    assert put.startswith("put 1 file")
    assert got.startswith("got 1 file")
    assert rest == ["a", "last"]
    assert (folder / "d").read_text() == "a\n"


def test_a_command_that_fails_ends_the_cell(kernel: LiveKernel) -> None:
    cell = kernel.run("%ctr echo one\n%ctr (exit 4)\n%ctr echo two\necho three")

    assert cell.error == ("CommandFailed", "exit status 4")
    assert cell.text == "one\n"


def test_a_line_of_the_shell_s_own_is_as_it_stands(kernel: LiveKernel) -> None:
    assert kernel.run("%ctr echo \"$((6 * 7))  '%ctr_put'\" | tr 4 5").text == "52  '%ctr_put'\n"


def test_a_command_behind_the_first_line_of_shell_is_the_shell_s(kernel: LiveKernel) -> None:
    cell = kernel.run("echo first\n%ctr_put a b")

    assert cell.text == "first\nbash: fg: %ctr_put: no such job\n"
    assert cell.error == ("CommandFailed", "exit status 1")


def test_a_cell_magic_takes_the_whole_body(kernel: LiveKernel) -> None:
    cell = kernel.run("%%ctr\necho one\n: \\\n%ctr_put a b\necho two")

    assert (cell.status, cell.text) == ("ok", "one\ntwo\n")


def test_line_numbers_count_within_the_shell_s_part(kernel: LiveKernel) -> None:
    assert kernel.run("%%ctr\necho $LINENO\necho $LINENO").text == "1\n2\n"
    assert kernel.run("echo $LINENO\necho $LINENO").text == "1\n2\n"


def test_job_specifications_are_the_shell_s(kernel: LiveKernel) -> None:
    kernel.run("sleep 0.3 & sleep 1000 &")

    assert kernel.run("fg %1").status == "ok"
    assert kernel.run("kill %2; wait %2 2>/dev/null; true").status == "ok"


@pytest.mark.parametrize("code", ["%1", "%ctrl", "%ctrl_x", "%%ctrl", "% ctr", "%", "%%", "%cd /"])
def test_other_words_with_a_percent_sign_are_the_shell_s(kernel: LiveKernel, code: str) -> None:
    cell = kernel.run(code)

    assert cell.error[0] == "CommandFailed"
    assert "ctrkernel" not in cell.text.replace("ctrkernel_", "")


def test_crlf_line_ends_do_not_hide_a_command(kernel: LiveKernel, folder: Path) -> None:
    (folder / "a").write_text("a\n")

    cell = kernel.run("%ctr_put a b\r\n%ctr cat b")

    assert cell.status == "ok"
    assert cell.text.endswith("a\n")


def test_the_exit_status_survives_a_command(kernel: LiveKernel, folder: Path) -> None:
    (folder / "a").write_text("a\n")
    kernel.run("(exit 7)")

    assert kernel.run("%ctr_put a b\necho $?").text.endswith("7\n")


def test_a_put_from_a_silent_cell_is_silent(kernel: LiveKernel, folder: Path) -> None:
    (folder / "a").write_text("a\n")

    cell = kernel.run("%ctr_put a b", silent=True, store_history=False)

    assert (cell.status, cell.streams) == ("ok", [])


def test_a_command_works_in_a_directory_that_is_gone(kernel: LiveKernel, folder: Path) -> None:
    kernel.run("mkdir gone; cd gone; rmdir ../gone")

    cell = kernel.run("%ctr_get /etc/hostname here")

    assert cell.status == "ok"
    assert (folder / "here").exists()
    assert kernel.run("%ctr_put here .").status == "error"
