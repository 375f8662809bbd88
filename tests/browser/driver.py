"""JupyterLab in a headless Chromium, as a person uses it: a server, a page, a notebook."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import nbformat
from playwright.sync_api import Error, Locator, Page, expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, Request

#: Seconds until the server takes connections.
SERVER_SECONDS = 60.0
#: Between two looks at what the server has written.
LOOK_SECONDS = 0.05
#: For the server to end.
STOP_SECONDS = 10.0
#: Milliseconds until JupyterLab, a few megabytes of JavaScript, has drawn itself.
LAB_MS = 60_000
#: How often JupyterLab is loaded before it is known not to load.
LOADS = 10
#: How Chromium fails requests that wait for a connection when an interface of the host comes or
#: goes, as one does with every container and network of the engine's; to the loopback too.
NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"
#: Milliseconds for a kernel to start, for a cell to run, for a dialog to come.
STEP_MS = 20_000
#: Milliseconds for a whole notebook.
NOTEBOOK_MS = 60_000

CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)

#: What JupyterLab would ask a person, or hide from one who does not scroll.
_SETTINGS: dict[str, dict[str, Any]] = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}

#: True when the notebook in front has its cells and its kernel.
_READY = """() => {
    const widget = window.jupyterapp.shell.currentWidget;
    const session = widget?.sessionContext;
    const kernel = session?.session?.kernel;
    return widget?.context?.isReady && session?.isReady
        && kernel?.connectionStatus === 'connected' && kernel?.status === 'idle';
}"""

#: Has a request for data that never reached the server sent again: see :data:`NETWORK_CHANGED`.
_FETCH_AGAIN = """(() => {
    const fetch = window.fetch;
    window.fetch = async (input, init) => {
        const request = new Request(input, init);
        for (let left = 20; ; left--) {
            try {
                return await fetch(request.clone());
            } catch (error) {
                if (!(error instanceof TypeError) || left === 0) { throw error; }
            }
        }
    };
})()"""

#: The prompt of a cell that has run.
_NUMBERED = re.compile(r"\[\d+\]")
#: What a cell's error is drawn as.
_ERROR = "[data-mime-type='application/vnd.jupyter.stderr']"


@contextmanager
def jupyterlab(
    folder: Path, private: Path, *, environ: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Serve `folder` by the JupyterLab of this interpreter, and yield its address.

    Args:
        folder: The notebooks.
        private: Where its settings, runtime files and log go.
        environ: Variables on top of this process's own; its kernels inherit them.

    Raises:
        RuntimeError: It did not start; the message holds the end of its log.
    """
    settings, runtime, log = private / "settings", private / "runtime", private / "server.log"
    for name, values in _SETTINGS.items():
        path = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    token = secrets.token_hex(16)
    options = (
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=8888",
        "--ServerApp.port_retries=100",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.user_settings_dir={settings}",
        f"--LabApp.workspaces_dir={private / 'workspaces'}",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",
        "--allow-root",
    )
    variables = {
        **os.environ,
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_CONFIG_DIR": str(private / "config"),
        "JUPYTER_TOKEN": token,
        **(environ or {}),
    }
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-P", "-m", "jupyterlab", *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=variables,
            cwd=folder,
        )
    try:
        yield f"{_address(server, runtime, log)}lab?token={token}"
    finally:
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _address(server: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """Wait for the file in which the server tells where it listens."""
    deadline = time.monotonic() + SERVER_SECONDS
    told = runtime / f"jpserver-{server.pid}.json"
    while time.monotonic() < deadline:
        try:
            return str(json.loads(told.read_text())["url"])
        except (OSError, ValueError):
            pass
        try:
            server.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        break
    raise RuntimeError(f"JupyterLab did not start: {log.read_text(errors='replace')[-2000:]}")


@contextmanager
def chromium_browser(path: str | None = None) -> Iterator[Browser]:
    """Start the headless Chromium at `path`, or the one that is installed."""
    program = path or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_ARGS))
        try:
            yield browser
        finally:
            browser.close()


class Lab:
    """One JupyterLab page.

    Args:
        page: An empty page.
        address: What :func:`jupyterlab` yields.
        folder: The folder that the server serves.
    """

    def __init__(self, page: Page, address: str, folder: Path) -> None:
        self.page = page
        self.folder = folder
        page.set_default_timeout(STEP_MS)
        self._load(address)

    def _load(self, address: str) -> None:
        """Load the page, again where the engine's interfaces have cut off a part of it."""
        cut_off: list[str] = []

        def note(request: Request) -> None:
            if request.failure == NETWORK_CHANGED and request.resource_type != "fetch":
                cut_off.append(request.url)

        self.page.add_init_script(_FETCH_AGAIN)
        self.page.on("requestfailed", note)
        for _ in range(LOADS):
            cut_off.clear()
            try:
                self._load_once(address)
            except Error:
                if not cut_off:
                    raise
            if not cut_off:
                break
        else:
            raise RuntimeError(f"{NETWORK_CHANGED} in each of {LOADS} loads: {cut_off}")
        self.page.remove_listener("requestfailed", note)

    def _load_once(self, address: str) -> None:
        self.page.goto(address, timeout=LAB_MS)
        launcher = self.page.locator(".jp-Launcher, .jp-NotebookPanel")
        launcher.first.wait_for(timeout=LAB_MS)
        self.page.wait_for_function("window.jupyterapp")
        # The theme's style sheet comes after the launcher is drawn.
        self.page.wait_for_load_state("networkidle", timeout=LAB_MS)

    def open(self, path: str) -> Notebook:
        """Open the notebook at `path`, relative to the folder, and wait for its kernel."""
        self.page.evaluate(
            """async path => {
                await window.jupyterapp.commands.execute(
                    'docmanager:open', {path, factory: 'Notebook'});
            }""",
            path,
        )
        return Notebook(self.page)

    def new(self, name: str, cells: Sequence[str]) -> Notebook:
        """Write a notebook of shell cells and open it."""
        document = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
            metadata={"kernelspec": {"name": "ctrkernel", "display_name": "Container Shell"}},
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],  # type: ignore[no-untyped-call]
        )
        nbformat.write(document, self.folder / name)  # type: ignore[no-untyped-call]
        return self.open(name)

    def close_all(self) -> None:
        """Close every tab and end every kernel, so that the next test has the page to itself."""
        self.page.evaluate(
            """async () => {
                const app = window.jupyterapp;
                await app.serviceManager.sessions.shutdownAll();
                for (const widget of Array.from(app.shell.widgets('main'))) {
                    if (widget.context) { widget.context.model.dirty = false; }
                    widget.close();
                }
            }"""
        )
        expect(self.page.locator(".jp-NotebookPanel")).to_have_count(0)


class Notebook:
    """The notebook in front.

    Args:
        page: JupyterLab's page.
    """

    def __init__(self, page: Page) -> None:
        page.wait_for_function(_READY)
        self.page = page
        self.panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        self.code_cells = self.panel.locator(".jp-CodeCell")
        self._indicator = self.panel.locator(".jp-Notebook-ExecutionIndicator")
        self.wait_idle()

    def wait_idle(self, *, timeout: float = STEP_MS) -> None:
        """Wait until the kernel is up and has nothing to do."""
        expect(self._indicator).to_have_attribute("data-status", "idle", timeout=timeout)

    def run_all(self) -> None:
        """Choose *Run All Cells* from the menu, and do not wait."""
        self.page.locator(".lm-MenuBar-item", has_text="Run").click()
        self.page.locator("[data-command='runmenu:run-all']").click()

    def run(self, index: int) -> Locator:
        """Run one code cell by Ctrl-Enter, and return the place of its outputs; do not wait."""
        self.code_cells.nth(index).locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        return self.output(index)

    def interrupt(self) -> None:
        """Press the stop button."""
        self._tool("notebook:interrupt-kernel")

    def restart(self) -> None:
        """Press the restart button, confirm, and wait for the new kernel."""
        self._tool("notebook:restart-kernel")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        expect(self.page.locator(".jp-Dialog")).to_have_count(0)
        self.page.wait_for_function(_READY)

    def _tool(self, command: str) -> None:
        self.panel.locator(f".jp-NotebookPanel-toolbar [data-command='{command}']").click()

    def output(self, index: int) -> Locator:
        """Return the place of a code cell's outputs."""
        return self.code_cells.nth(index).locator(".jp-OutputArea").first

    def errors(self, index: int) -> Locator:
        """Return a code cell's error outputs."""
        return self.output(index).locator(_ERROR)

    def prompt(self, index: int) -> Locator:
        """Return a code cell's ``[1]:``, which is ``[*]:`` while it runs."""
        return self.code_cells.nth(index).locator(".jp-InputPrompt")

    def wait_done(self, index: int, *, timeout: float = STEP_MS) -> None:
        """Wait until a code cell has run."""
        expect(self.prompt(index)).to_contain_text(_NUMBERED, timeout=timeout)


def image_is_drawn(image: Locator) -> bool:
    """Whether an image was fetched and decoded."""
    try:
        image.wait_for()
        return bool(image.evaluate("image => image.decode().then(() => image.naturalWidth > 0)"))
    except Error:
        return False
