# ruff: noqa: INP001 - a folder of documents, not a package
"""Make the pictures in docs/images, of JupyterLab that runs notebooks/quickstart.ipynb.

From the top of the checkout::

    make demo venv browser
    .venv/bin/python -m docs.screenshots

`make demo` leaves the container running that the quickstart attaches to.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.driver import (
    NOTEBOOK_MS,
    Lab,
    chromium_browser,
    image_is_drawn,
    jupyterlab,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
QUICKSTART = ROOT / "notebooks" / "quickstart.ipynb"

#: CSS pixels. GitHub draws a README about 840 wide, so text in this width stays near its size.
WIDTH, HEIGHT = 920, 1600
#: Ends the picture: the code cell that the README's reader should still see, counted from 0.
LAST_SHOWN = 4
#: CSS pixels below it.
MARGIN = 12
#: Pixels of the picture for each of CSS, for sharp text on every screen.
SCALE = 2

#: What is no part of the notebook goes, but for the menu and the tab.
_TIDY = """async () => {
    const {commands, shell} = window.jupyterapp;
    await commands.execute('statusbar:toggle');
    for (const side of ['left', 'right']) {
        await commands.execute('application:toggle-side-tabbar', {side});
    }
    shell.collapseLeft();
    shell.collapseRight();
}"""

#: Saved, alone, at its top, without a cursor; the cell that was run last stays the active one.
_AT_REST = """async () => {
    const {commands, shell} = window.jupyterapp;
    const panel = shell.currentWidget;
    await panel.context.save();
    for (const other of Array.from(shell.widgets('main'))) {
        if (other !== panel) { other.close(); }
    }
    document.activeElement.blur();
    panel.node.querySelector('.jp-WindowedPanel-outer').scrollTop = 0;
}"""


def main() -> None:
    """Make every picture."""
    with tempfile.TemporaryDirectory() as private:
        folder = Path(private) / "notebooks"
        folder.mkdir()
        shutil.copy(QUICKSTART, folder)
        with (
            jupyterlab(folder, Path(private)) as address,
            chromium_browser() as browser,
        ):
            page = browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE
            )
            lab = Lab(page, address, folder)
            page.evaluate(_TIDY)
            _launcher(page)
            _quickstart(lab)


def _launcher(page: Page) -> None:
    """The launcher's first row, from its heading to our card."""
    section = page.locator(".jp-Launcher-section").first
    card = section.locator(".jp-LauncherCard[title='Container Shell']")
    if not image_is_drawn(card.locator("img")):
        raise SystemExit("the launcher shows no logo; install the wheel again: make venv")
    whole, ours = section.bounding_box(), card.bounding_box()
    assert whole is not None
    assert ours is not None
    page.screenshot(
        path=IMAGES / "launcher.png",
        clip={
            "x": whole["x"],
            "y": whole["y"],
            "width": ours["x"] + ours["width"] + MARGIN - whole["x"],
            "height": ours["y"] + ours["height"] + MARGIN - whole["y"],
        },
    )


def _quickstart(lab: Lab) -> None:
    """The quickstart's beginning, after *Run All*."""
    notebook = lab.open(QUICKSTART.name)
    notebook.run_all()
    notebook.wait_done(notebook.code_cells.count() - 1, timeout=NOTEBOOK_MS)
    lab.page.evaluate(_AT_REST)
    lab.page.mouse.move(0, 0)
    box = notebook.code_cells.nth(LAST_SHOWN).bounding_box()
    assert box is not None
    lab.page.screenshot(
        path=IMAGES / "quickstart.png",
        animations="disabled",
        caret="hide",
        clip={"x": 0, "y": 0, "width": WIDTH, "height": box["y"] + box["height"] + MARGIN},
    )


if __name__ == "__main__":
    main()
