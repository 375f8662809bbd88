"""Tab in JupyterLab: what the kernel offers is shown, taken, and there while a cell runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.browser.driver import Lab, Notebook

#: Presses of Tab until the container has answered in time: the first answer takes the longest.
PRESSES = 20
#: Milliseconds for one of them.
PRESS_MS = 2_000


def test_tab_offers_what_the_shell_knows_even_while_a_cell_runs(lab: Lab) -> None:
    define = "tab_one() { :; }; tab_two() { :; }; cd /tmp; touch 'tab file'"
    notebook = lab.new("tab.ipynb", [define, "tab_", "cat tab\\ f", "echo go; sleep 100"])
    notebook.run(0)
    notebook.wait_done(0)
    items = lab.page.locator(".jp-Completer .jp-Completer-item")

    _press_tab(notebook, 1)

    expect(items.first).to_contain_text("tab_one")
    expect(items.first).to_contain_text("function")
    expect(items.nth(1)).to_contain_text("tab_two")
    lab.page.keyboard.press("ArrowDown")
    lab.page.keyboard.press("Enter")
    expect(notebook.code_cells.nth(1).locator(".cm-content")).to_have_text("tab_two")

    expect(notebook.run(3)).to_have_text("go")
    _press_tab(notebook, 2)
    expect(items.first).to_contain_text("tab\\ file")
    lab.page.keyboard.press("Enter")
    expect(notebook.code_cells.nth(2).locator(".cm-content")).to_have_text("cat tab\\ file")
    expect(notebook.prompt(3)).to_have_text("[*]:")
    notebook.interrupt()
    notebook.wait_done(3)


def _press_tab(notebook: Notebook, index: int) -> None:
    """Press Tab at the end of a cell until the kernel's menu is there.

    JupyterLab adds names of its own from the cell, which have no kind.
    """
    notebook.code_cells.nth(index).locator(".cm-content").click()
    notebook.page.keyboard.press("Control+End")
    kinds = notebook.page.locator(".jp-Completer .jp-Completer-item .jp-Completer-typeExtended")
    for _ in range(PRESSES):
        notebook.page.keyboard.press("Tab")
        try:
            expect(kinds.filter(has_text=re.compile("function|file")).first).to_be_visible(
                timeout=PRESS_MS
            )
        except AssertionError:
            notebook.page.keyboard.press("Escape")
            continue
        return
    raise AssertionError("Tab showed nothing of the kernel's")
