"""What a person sees in JupyterLab."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from playwright.sync_api import expect

from tests.browser.driver import NOTEBOOK_MS, Notebook, image_is_drawn
from workbench.names import DEMO, ENGINE

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.driver import Lab

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
QUICKSTART, MAGICS = NOTEBOOKS / "quickstart.ipynb", NOTEBOOKS / "magics.ipynb"

#: What each code cell of the quickstart shows; the failing one's error comes last.
QUICKSTART_OUTPUTS = (
    r"attached to CONTAINER \(.+\), bash 5\..+\nPRETTY_NAME=.+\n",
    r"",
    r"hello, world, from /tmp/quickstart\n",
    r"1 0\n",
    (
        r"ls: cannot access '/no/such/folder': No such file or directory\n"
        r"\nCommandFailed: exit status 2 · \d.* m?s · /tmp/quickstart"
    ),
    r"step 1 … done\nstep 2 … done\nstep 3 … done\n",
    (
        r"put 1 file, .+ → CONTAINER:/tmp/quickstart/quickstart\.ipynb in .+ s\n"
        r"total .+\n.+ quickstart\.ipynb\n18\n"
    ),
    r"",
    r"got 1 file, .+ → /tmp/ctrkernel-quickstart-stamp\.txt in .+ s\n",
    r"\[1\] \d+\nthe job is done\n\[1\]\+  Done .+\n",
    r"hello, again, from /\n",
)


def test_the_launcher_offers_the_kernel_with_its_logo(lab: Lab) -> None:
    card = lab.page.locator(".jp-LauncherCard[data-category='Notebook'][title='Container Shell']")

    assert image_is_drawn(card.locator("img"))

    card.click()
    notebook = Notebook(lab.page)
    expect(notebook.panel.locator(".jp-Toolbar-kernelName")).to_contain_text("Container Shell")


def test_the_quickstart_runs_to_its_end_and_shows_what_it_says(lab: Lab, container: str) -> None:
    document = nbformat.read(QUICKSTART, as_version=4)  # type: ignore[no-untyped-call]
    attach = next(cell for cell in document.cells if cell.cell_type == "code")
    attach.source = attach.source.replace(DEMO, container)
    nbformat.write(document, lab.folder / "quickstart.ipynb")  # type: ignore[no-untyped-call]
    notebook = lab.open("quickstart.ipynb")
    expect(notebook.code_cells).to_have_count(len(QUICKSTART_OUTPUTS))

    notebook.run_all()
    notebook.wait_done(len(QUICKSTART_OUTPUTS) - 1, timeout=NOTEBOOK_MS)

    shown = [notebook.output(index).inner_text() for index in range(len(QUICKSTART_OUTPUTS))]
    for text, pattern in zip(shown, QUICKSTART_OUTPUTS, strict=True):
        assert re.fullmatch(pattern.replace("CONTAINER", container), text), text


def test_run_all_stops_at_the_first_cell_that_fails(lab: Lab) -> None:
    notebook = lab.new("stops.ipynb", ["echo one", "false", "echo three"])

    notebook.run_all()
    notebook.wait_done(1)
    notebook.wait_idle()

    expect(notebook.output(0)).to_have_text("one")
    expect(notebook.prompt(2)).to_have_text("[ ]:")
    expect(notebook.output(2)).to_have_text("")


def test_a_prompt_without_a_newline_shows_while_the_cell_runs(lab: Lab, container: str) -> None:
    wait = "printf 'ready? '; until [ -e /tmp/go ]; do sleep 0.05; done; echo yes; rm /tmp/go"
    notebook = lab.new("prompt.ipynb", [wait])

    output = notebook.run(0)

    expect(output).to_have_text("ready?")
    expect(notebook.prompt(0)).to_have_text("[*]:")
    subprocess.run([ENGINE, "exec", container, "touch", "/tmp/go"], check=True)
    notebook.wait_done(0)
    assert output.inner_text() == "ready? yes\n"


def test_the_stop_button_interrupts_the_command_and_keeps_the_shell(lab: Lab) -> None:
    notebook = lab.new("stop.ipynb", ["word=kept; echo started; sleep 100", 'echo "$word"'])
    expect(notebook.run(0)).to_have_text("started")

    notebook.interrupt()
    notebook.wait_done(0)

    ended = re.compile(r"KeyboardInterrupt: exit status 130 · \d.* m?s · /")
    expect(notebook.errors(0)).to_have_text(ended)
    expect(notebook.run(1)).to_have_text("kept")


def test_a_restart_gives_a_new_shell(lab: Lab) -> None:
    notebook = lab.new("restart.ipynb", ["cd /tmp; word=gone", 'echo "$PWD ${word-unset}"'])
    notebook.run(0)
    notebook.wait_done(0)

    notebook.restart()
    notebook.run(1)
    notebook.wait_done(1)

    expect(notebook.output(1)).to_have_text("/ unset")
    expect(notebook.prompt(1)).to_have_text("[1]:")


def test_a_failing_cell_shows_one_red_line(lab: Lab) -> None:
    notebook = lab.new("red.ipynb", ["(exit 3)"])

    notebook.run(0)
    notebook.wait_done(0)

    error = notebook.errors(0)
    expect(error).to_have_count(1)
    assert re.fullmatch(r"CommandFailed: exit status 3 · \d.* m?s · /.*", error.inner_text())
    assert error.locator("span.ansi-red-fg").inner_text() == "CommandFailed"


def test_a_long_output_comes_whole_and_trips_no_limit_of_the_server(lab: Lab) -> None:
    notebook = lab.new("long.ipynb", ["%ctr_config output_limit=none", "seq 1 200000"])

    notebook.run(0)
    output = notebook.run(1)
    notebook.wait_done(1, timeout=NOTEBOOK_MS)

    text = output.text_content() or ""
    assert "IOPub" not in text
    assert text == "".join(f"{number}\n" for number in range(1, 200001))


def test_the_magics_run_in_a_python_notebook(lab: Lab, container: str) -> None:
    document = nbformat.read(MAGICS, as_version=4)  # type: ignore[no-untyped-call]
    for cell in document.cells:
        cell.source = cell.source.replace(DEMO, container)
    nbformat.write(document, lab.folder / "magics.ipynb")  # type: ignore[no-untyped-call]
    code = [cell.source for cell in document.cells if cell.cell_type == "code"]
    notebook = lab.open("magics.ipynb")
    expect(notebook.code_cells).to_have_count(len(code))

    # Two cells are meant to fail, and JupyterLab goes on only past those that are tagged so.
    notebook.run_all()
    notebook.wait_done(len(code) - 1, timeout=NOTEBOOK_MS)

    def output(start: str) -> Locator:
        return notebook.output(next(i for i, cell in enumerate(code) if cell.startswith(start)))

    expect(output("%%ctr\nfor")).to_contain_text("step 3 in /tmp/magics")
    table = output("%ctr_sessions").locator("table")
    expect(table).to_have_count(1)
    expect(table.locator("th")).to_have_text(
        ["", "container", "session", "shell", "directory", "state"]
    )
    assert output("%ctr ls /no/such").inner_text().endswith("CommandFailed: exit status 2")
    assert "Traceback" not in (notebook.panel.text_content() or "")
