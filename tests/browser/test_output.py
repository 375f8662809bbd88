"""Images, redraws and floods, as a person sees them in JupyterLab."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from ctrkernel.output.png import palette_png
from tests.browser.driver import image_is_drawn
from workbench.names import ENGINE

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.driver import Lab

#: Milliseconds for a cell that prints for a while.
FLOOD_MS = 90_000
#: Milliseconds in which a page that is not busy answers.
ANSWER_MS = 3_000


def _picture(output: Locator, name: str) -> None:
    """Keep a picture of what is to be seen, where somebody asked for it."""
    if folder := os.environ.get("CTRKERNEL_SCREENSHOTS"):
        output.page.screenshot(path=str(Path(folder) / f"{name}.png"))


def test_an_image_of_a_program_is_drawn_between_its_lines(lab: Lab) -> None:
    png = palette_png(
        [b"\1\2" * 40] * 60, [(0, 0, 0), (200, 40, 40), (40, 40, 200)], transparent=False
    )
    encoded = base64.b64encode(png).decode()
    code = (
        "echo before\n"
        f"printf '\\033]1337;File=inline=1;width=160px:{encoded}\\a\\n'\n"
        f"echo {encoded} | base64 -d > /tmp/plot.png; ctr_display /tmp/plot.png\n"
        "printf '\\033Pq#1;2;0;80;0#1!40~-!40~\\033\\\\'; echo after"
    )
    notebook = lab.new("image.ipynb", [code])

    output = notebook.run(0)
    notebook.wait_done(0)

    expect(output.locator("img")).to_have_count(3)
    assert all(image_is_drawn(image) for image in output.locator("img").all())
    expect(output).to_contain_text("before")
    expect(output).to_contain_text("after")
    _picture(output, "image")


def test_progress_redraws_in_place_and_is_stored_as_it_ends(lab: Lab, container: str) -> None:
    code = (
        "echo begin; for i in 1 2 3 4 5 6 7 8 9 10; do "
        "printf '\\rone %s0%%\\nother %s0%%\\033[A' $i $i; "
        "[ $i != 5 ] || until [ -e /tmp/on ]; do sleep 0.05; done; done; "
        "printf '\\n\\n'; echo end"
    )
    notebook = lab.new("progress.ipynb", [code])

    output = notebook.run(0)
    expect(output).to_contain_text("one 50%")
    words = output.inner_text().split()
    _picture(output, "progress")
    subprocess.run([ENGINE, "exec", container, "touch", "/tmp/on"], check=True)
    notebook.wait_done(0)

    assert words == ["begin", "one", "50%", "other", "50%"]
    assert output.inner_text().splitlines() == ["begin", "one 100%", "other 100%", "end"]
    expect(output.locator(".jp-OutputArea-output")).to_have_count(1)


def test_a_flood_leaves_the_page_usable_and_can_be_stopped(lab: Lab) -> None:
    notebook = lab.new("flood.ipynb", ["yes", "echo fine"])

    output = notebook.run(0)
    for size in ("0 MB so far", "so far, in "):
        expect(output).to_contain_text(size, timeout=FLOOD_MS)
    # The page answers while it comes.
    for _ in range(5):
        lab.page.wait_for_timeout(1000)
        lab.page.evaluate("1 + 1")
        lab.page.locator(".lm-MenuBar-item", has_text="Run").click(timeout=ANSWER_MS)
        lab.page.keyboard.press("Escape")
    _picture(output, "flood")
    notebook.interrupt()
    notebook.wait_done(0, timeout=FLOOD_MS)

    expect(output).to_contain_text("left out; the whole output")
    expect(output).not_to_contain_text("IOPub")
    expect(notebook.errors(0)).to_contain_text("KeyboardInterrupt")
    notebook.run(1)
    notebook.wait_done(1)
    expect(notebook.output(1)).to_have_text("fine")
    _picture(output, "flooded")
