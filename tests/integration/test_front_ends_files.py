"""The commands for files in the kernel, and in IPython in a notebook and a terminal."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.kernel.live_kernel import Cell, LiveKernel, docker, live_kernel
from workbench.names import ENGINE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
#: Seconds for IPython in a terminal.
IPYTHON_TIMEOUT = 60


@pytest.fixture(scope="module")
def shared(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    folder = tmp_path_factory.mktemp("kernel")
    with live_kernel(folder, CTRKERNEL_TARGET=debian) as started:
        yield started


@pytest.fixture
def kernel(shared: LiveKernel) -> Iterator[LiveKernel]:
    """The module's kernel, its shell in an empty folder."""
    shared.run("rm -rf /tmp/files; mkdir /tmp/files; cd /tmp/files")
    yield shared
    shared.heal()


def displayed(cell: Cell) -> list[dict[str, Any]]:
    return [each["content"]["data"] for each in cell.messages if each["msg_type"] == "display_data"]


def python(source: str, folder: Path) -> Any:
    """Run one cell in a Python notebook, after another that loads the extension."""
    cells = [nbformat.v4.new_code_cell(text) for text in ("%load_ext ctrkernel", source)]  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=60,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    return notebook.cells[1].outputs


# The kernel


def test_the_kernel_writes_the_rest_of_the_cell(kernel: LiveKernel) -> None:
    cell = kernel.run("%%ctr_write file\n%ctr_put is text here\n$HOME `x`\n\n")

    assert cell.text.startswith("wrote 33 B → ")
    assert kernel.run("cat file").text == "%ctr_put is text here\n$HOME `x`\n\n"


def test_the_kernel_shows_a_picture(kernel: LiveKernel) -> None:
    kernel.run(f"echo {PNG} | base64 -d > p.png")

    cell = kernel.run("%ctr_show p.png")

    (data,) = displayed(cell)
    assert data["image/png"] == PNG
    assert data["text/plain"].startswith("p.png: PNG image")
    assert cell.text.rpartition("\r")[2] == ""  # a slow machine may have shown progress


def test_the_kernel_shows_markdown_that_is_passive(kernel: LiveKernel) -> None:
    kernel.run("echo '# T <script>x</script>' > r.md")

    (data,) = displayed(kernel.run("%ctr_show r.md"))

    assert "<script" not in data["text/markdown"]


def test_the_kernel_shows_a_difference(kernel: LiveKernel) -> None:
    (kernel.folder / "a").write_text("one\n")
    kernel.run("echo two > a")

    cell = kernel.run("%ctr_diff a a")

    (data,) = displayed(cell)
    assert cell.status == "ok"
    assert "-one\n+two" in data["text/plain"]
    assert "<span" in data["text/html"]


def test_the_kernel_has_no_python_variables_and_says_so(kernel: LiveKernel) -> None:
    for line in ("%ctr_put --var x file", "%ctr_get file --var x"):
        name, value = kernel.run(line).error
        assert name == "UsageError"
        assert "--var needs Python variables, and this kernel has none" in value


def test_the_kernel_says_what_is_missing(kernel: LiveKernel) -> None:
    name, value = kernel.run("%ctr_show nothing").error

    assert name == "TransferError"
    assert "there is no file" in value


def test_a_silent_picture_is_not_sent(kernel: LiveKernel) -> None:
    kernel.run(f"echo {PNG} | base64 -d > p.png")

    assert displayed(kernel.run("%ctr_show p.png", silent=True, store_history=False)) == []


def test_progress_in_the_kernel_is_one_line_that_the_summary_replaces(
    debian: str, tmp_path: Path
) -> None:
    # A client that rests in the middle: what is done within a second shows no progress.
    slow = tmp_path / "docker"
    slow.write_text(
        f'#!/bin/sh\n[ "$1" = cp ] || exec {ENGINE} "$@"\n'
        f'{{ head -c 1000000; sleep 2; cat; }} | {ENGINE} "$@"\n'
    )
    slow.chmod(0o755)
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian, CTRKERNEL_ENGINE=str(slow)) as kernel:
        (kernel.folder / "large").write_bytes(b"\1" * 3_000_000)
        kernel.run("cd /tmp")

        cell = kernel.run("%ctr_put large .")

    (step,) = displayed(cell)
    assert re.fullmatch(r"│.+│ +\d+%, put .* of 3\.0 MB, .*", step["text/plain"])
    assert cell.messages[-2]["msg_type"] == "stream"
    assert re.fullmatch(r"put 1 file, 3\.0 MB → \S+:/tmp/large in .* s\n", cell.text)


# IPython in a notebook


def test_ipython_writes_shows_and_compares(debian: str, tmp_path: Path) -> None:
    (tmp_path / "here").write_text("one\n")
    source = (
        "shell = get_ipython()\n"
        f"shell.run_line_magic('ctr_attach', '{debian}')\n"
        "shell.run_cell_magic('ctr_write', '/tmp/written.csv', 'a,b\\n1,2')\n"
        "shell.run_line_magic('ctr_show', '/tmp/written.csv')\n"
        "data = b'\\x00\\xff'\n"
        "shell.run_line_magic('ctr_put', '--var data /tmp/data.bin')\n"
        "shell.run_line_magic('ctr_get', '/tmp/data.bin --var again')\n"
        "assert again == data\n"
        "shell.run_line_magic('ctr_diff', 'here /tmp/written.csv')\n"
    )

    outputs = python(source, tmp_path)

    texts = "".join(each.text for each in outputs if each.output_type == "stream")
    shown = [each.data for each in outputs if "data" in each]
    assert "wrote 8 B → " in texts
    assert "<th>a</th><th>b</th>" in shown[0]["text/html"]
    assert "got bytes, 2 B → again\n" in texts
    assert "-one\n+a,b\n+1,2" in shown[-1]["text/plain"]
    assert [each for each in outputs if each.output_type == "error"] == []


def test_ipython_shows_an_error_as_one_line(debian: str, tmp_path: Path) -> None:
    (error,) = [
        each
        for each in python(f"%ctr_attach {debian}\n%ctr_show /no/such/file", tmp_path)
        if each.output_type == "error"
    ]

    assert error.ename == "TransferError"
    assert len(error.traceback) == 1


# IPython in a terminal


def test_a_terminal_has_text_for_everything(debian: str, tmp_path: Path) -> None:
    docker(
        "exec", debian, "sh", "-c", f"mkdir -p /tmp/term; echo {PNG} | base64 -d > /tmp/term/p.png"
    )
    script = tmp_path / "script.ipy"
    script.write_text(
        f"%load_ext ctrkernel\n%ctr_attach {debian}\n"
        "%ctr_show /tmp/term/p.png\n%ctr_show /tmp/term\n%ctr_show -n 1 /etc/passwd\n"
    )
    argv = [sys.executable, "-m", "IPython", "--colors=nocolor", "--no-banner", str(script)]
    done = subprocess.run(
        argv,
        check=False,
        capture_output=True,
        text=True,
        timeout=IPYTHON_TIMEOUT,
        cwd=tmp_path,
        env={**os.environ, "PAGER": "cat"},
    )

    size = len(base64.b64decode(PNG))
    assert f"p.png: PNG image, {size} B, 1 x 1\n" in done.stdout
    assert f"name   size  modified\np.png  {size} B" in done.stdout
    assert "root:x:0:0:root:/root:/bin/bash\n… the first 1 line" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
