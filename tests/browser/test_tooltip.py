"""Shift-Tab in JupyterLab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import TimeoutError as NotInTime
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.driver import Lab, Notebook

#: Milliseconds until the keys are pressed again: a busy container's first answer may be none.
ANSWER_MS = 3000
TRIES = 6


def tooltip(notebook: Notebook, index: int) -> Locator:
    """Point behind a cell's code and press Shift-Tab; return what is shown."""
    shown = notebook.page.locator(".jp-Tooltip")
    for _ in range(TRIES):
        notebook.code_cells.nth(index).locator(".cm-content").click()
        notebook.page.keyboard.press("Control+End")
        notebook.page.keyboard.press("Shift+Tab")
        try:
            shown.wait_for(timeout=ANSWER_MS)
        except NotInTime:
            continue
        break
    return shown


def test_shift_tab_shows_a_function_s_source_and_a_builtin_s_help(lab: Lab) -> None:
    notebook = lab.new("tooltip.ipynb", ["greet() { echo hello; }", "greet", "umask"])
    notebook.run(0)
    notebook.wait_idle()

    expect(tooltip(notebook, 1)).to_contain_text("greet is a function")
    expect(tooltip(notebook, 1)).to_contain_text("echo hello")
    notebook.page.keyboard.press("Escape")
    expect(notebook.page.locator(".jp-Tooltip")).to_have_count(0)
    expect(tooltip(notebook, 2)).to_contain_text("Display or set file mode mask")
