"""Boxes for programs that ask, as a person answers them in JupyterLab."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.driver import Lab

#: Milliseconds until a box stands, on a busy machine.
BOX_MS = 20_000


def _picture(output: Locator, name: str) -> None:
    """Keep a picture of what is to be seen, where somebody asked for it."""
    if folder := os.environ.get("CTRKERNEL_SCREENSHOTS"):
        output.page.screenshot(path=str(Path(folder) / f"{name}.png"))


def test_a_program_that_asks_gets_boxes_and_their_answers(lab: Lab) -> None:
    notebook = lab.new("input.ipynb", ["read -p 'Name: ' n; read -p 'Age: ' a; echo $n is $a"])

    output = notebook.run(0)
    # JupyterLab takes an answered box away when the next message comes.
    box = output.locator("input.jp-Stdin-input").last
    prompt = output.locator(".jp-Stdin-prompt").last
    expect(prompt).to_have_text("Name:", timeout=BOX_MS)
    box.fill("bob")
    _picture(output, "input-box")
    box.press("Enter")
    expect(prompt).to_have_text("Age:", timeout=BOX_MS)
    box.fill("3")
    box.press("Enter")
    notebook.wait_done(0)

    expect(output).to_contain_text("bob is 3")
    _picture(output, "input-done")


def test_a_password_is_typed_into_a_box_of_dots_and_shown_nowhere(lab: Lab) -> None:
    notebook = lab.new("password.ipynb", ["read -sp 'Password: ' p; echo; echo ${#p} letters"])

    output = notebook.run(0)
    box = output.locator("input.jp-Stdin-input")
    expect(box).to_be_visible(timeout=BOX_MS)
    expect(box).to_have_attribute("type", "password")
    box.fill("hunter22")
    _picture(output, "password-box")
    box.press("Enter")
    notebook.wait_done(0)

    expect(output).to_contain_text("8 letters")
    expect(output).not_to_contain_text("hunter22")


def test_a_stop_at_the_box_ends_the_program(lab: Lab) -> None:
    notebook = lab.new("stop.ipynb", ["cat", "echo fine"])

    output = notebook.run(0)
    expect(output.locator("input.jp-Stdin-input")).to_be_visible(timeout=BOX_MS)
    notebook.interrupt()
    notebook.wait_done(0)

    expect(notebook.errors(0)).to_contain_text("KeyboardInterrupt")
    expect(notebook.run(1)).to_contain_text("fine")
