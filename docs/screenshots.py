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
    Notebook,
    chromium_browser,
    image_is_drawn,
    jupyterlab,
)

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

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

#: How the notebooks of the smaller pictures begin.
ATTACH = "%ctr_attach ctrkernel-demo"

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
            for name, picture in PARTS.items():
                lab.close_all()
                picture(lab, IMAGES / f"{name}.png")


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


def _completion(lab: Lab, path: Path) -> None:
    """Tab behind the beginning of a name."""
    _popup(lab, path, "gre", key="Tab", shows=".jp-Completer")


def _tooltip(lab: Lab, path: Path) -> None:
    """Shift-Tab on a function of the shell's."""
    _popup(lab, path, "greet", key="Shift+Tab", shows=".jp-Tooltip")


def _popup(lab: Lab, path: Path, word: str, *, key: str, shows: str) -> None:
    """What a key shows behind a word."""
    notebook = lab.new("popup.ipynb", [ATTACH, 'greet() { echo "hello, $1"; }', word])
    _run(notebook, 2)
    notebook.code_cells.nth(2).locator(".cm-content").click()
    lab.page.keyboard.press("End")
    lab.page.keyboard.press(key)
    popup = lab.page.locator(shows)
    popup.wait_for()
    _clip(lab.page, path, notebook.code_cells.nth(1), popup)


def _input(lab: Lab, path: Path) -> None:
    """A program that asks."""
    question = "read -r -p 'What is your name? ' name\necho \"hello, $name\""
    notebook = lab.new("input.ipynb", [ATTACH, question])
    _run(notebook, 1)
    notebook.run(1)
    box = lab.page.locator(".jp-Stdin-input")
    box.wait_for()
    box.type("world")
    _clip(lab.page, path, notebook.code_cells.nth(1))


def _display(lab: Lab, path: Path) -> None:
    """A table and an image from the container, and how a cell failed."""
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="220" height="50">'
        '<rect width="220" height="50" rx="8" fill="#2b6cb0"/>'
        '<text x="20" y="32" fill="white" font-size="18">from the container</text></svg>'
    )
    cells = [
        f"{ATTACH}\ncd /tmp",
        "printf 'month,units\\nJanuary,12\\nFebruary,17\\n' | ctr_display --type csv -",
        f"echo '{drawing}' > drawing.svg",
        "ctr_display drawing.svg",
        "ls no-such-file",
    ]
    notebook = lab.new("display.ipynb", cells)
    _run(notebook, len(cells))
    _clip(lab.page, path, notebook.code_cells.nth(1), notebook.code_cells.nth(4))


def _run(notebook: Notebook, count: int) -> None:
    """Run the first cells, one after the other."""
    for index in range(count):
        notebook.run(index)
        notebook.wait_done(index)


def _clip(page: Page, path: Path, *parts: Locator) -> None:
    """Take the picture of what spans these parts."""
    page.mouse.move(0, 0)
    boxes = [box for part in parts if (box := part.bounding_box()) is not None]
    top = min(box["y"] for box in boxes) - MARGIN
    bottom = min(max(box["y"] + box["height"] for box in boxes) + MARGIN, HEIGHT)
    page.screenshot(
        path=path,
        animations="disabled",
        caret="hide",
        clip={"x": 0, "y": top, "width": WIDTH, "height": bottom - top},
    )


#: The pictures of docs/notebook.md and docs/output.md.
PARTS = {"completion": _completion, "tooltip": _tooltip, "input": _input, "display": _display}


if __name__ == "__main__":
    main()
