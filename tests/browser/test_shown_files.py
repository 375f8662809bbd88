"""Files of a container in JupyterLab: they are drawn, and nothing in them runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.driver import NOTEBOOK_MS, Lab, image_is_drawn

if TYPE_CHECKING:
    from collections.abc import Sequence

SET = "window.ranForeignCode = 1"
SVG = (
    f'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40" onload="{SET}">'
    f'<script>{SET}</script><circle cx="20" cy="20" r="15" fill="tomato"/></svg>'
)
MARKDOWN = (
    f'# A title\n\n<script>{SET}</script><img src=x onerror="{SET}"> '
    f"[click](javascript:{SET.replace(' ', '')}) and *text*"
)


def write(path: str, content: str) -> str:
    return f"%%ctr_write /tmp/{path}\n{content}"


def run(lab: Lab, name: str, cells: Sequence[str]) -> int:
    """Run cells in a notebook of their own and return the number of the last."""
    notebook = lab.new(name, cells)
    notebook.run_all()
    notebook.wait_done(len(cells) - 1, timeout=NOTEBOOK_MS)
    notebook.wait_idle(timeout=NOTEBOOK_MS)
    return len(cells) - 1


def test_hostile_files_are_drawn_and_do_not_run(lab: Lab) -> None:
    files = {
        "a.svg": SVG,
        "a.md": MARKDOWN,
        "a.html": f"<h1>x</h1><script>{SET}</script>",
        "a.csv": f'a,b\n<img src=x onerror="{SET}">,=1+1',
        "a.py": f"x = '</pre><script>{SET}</script>'",
    }
    cells = [write(name, content) for name, content in files.items()]

    run(lab, "hostile.ipynb", [*cells, *(f"%ctr_show /tmp/{name}" for name in files)])

    outputs = lab.page.locator(".jp-CodeCell .jp-OutputArea")
    assert image_is_drawn(outputs.locator("img[alt='a.svg']"))
    expect(outputs.locator("h1")).to_have_text(re.compile("^A title"))
    expect(outputs.locator("em")).to_have_text("text")
    expect(outputs.locator("td").first).to_have_text(f'<img src=x onerror="{SET}">')
    links = outputs.locator("a", has_text="click")
    assert all("javascript:" not in (each.get_attribute("href") or "") for each in links.all())
    assert lab.page.evaluate("window.ranForeignCode") is None


def test_a_trusted_page_runs_apart_from_the_notebook(lab: Lab) -> None:
    page = f"<p>page</p><script>{SET}; document.body.append('it ran')</script>"

    run(lab, "trusted.ipynb", [write("b.html", page), "%ctr_show --trust /tmp/b.html"])

    frame = lab.page.frame_locator(".jp-CodeCell iframe")
    expect(frame.locator("body")).to_contain_text("it ran")
    assert lab.page.evaluate("window.ranForeignCode") is None
