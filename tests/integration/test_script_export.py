"""``nbconvert --to script`` gives a script that does in the container what the notebook did."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient

from tests.kernel.live_kernel import docker

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

#: Seconds for nbconvert to start and convert.
CONVERT_TIMEOUT = 60


def convert(path: Path) -> Path:
    """Run nbconvert as a person does and return what it wrote."""
    argv = [sys.executable, "-m", "nbconvert", "--to", "script", str(path)]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=CONVERT_TIMEOUT
    )
    assert done.returncode == 0, done.stderr
    return path.with_suffix(".sh")


def notebook_of(*cells: Any, kernel: str) -> Any:
    metadata = {
        "kernelspec": {"name": kernel, "display_name": kernel, "language": "bash"},
        "language_info": {"name": "bash", "file_extension": ".sh", "mimetype": "text/x-sh"},
    }
    return nbformat.v4.new_notebook(cells=list(cells), metadata=metadata)  # type: ignore[no-untyped-call]


def code(source: str, *tags: str) -> Any:
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})  # type: ignore[no-untyped-call]


def test_the_script_does_in_the_container_what_the_notebook_did(
    debian: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTRKERNEL_TARGET", debian)
    notebook = notebook_of(
        nbformat.v4.new_markdown_cell("# A runbook\n\nIt's short."),  # type: ignore[no-untyped-call]
        code('%ctr_config output_limit=2MB\ncd /usr\ngreet() {\n  echo "hello, $1, from $PWD"\n}'),
        code("greet you"),
        code("%ctr pwd"),
        code("cat <<'END'\n$HOME stays\nEND"),
        code("ls /no/such 2>/dev/null; (exit 7)", "raises-exception"),
        code("echo done"),
        kernel="ctrkernel",
    )
    NotebookClient(notebook, timeout=60, kernel_name="ctrkernel").execute()
    shown = "".join(
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "stream"
    )
    path = tmp_path / "runbook.ipynb"
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]

    script = convert(path)
    docker("cp", str(script), f"{debian}:/tmp/runbook.sh")
    printed = docker("exec", debian, "sh", "-c", "bash /tmp/runbook.sh 2>&1; echo status $?")

    assert script.read_text().startswith("#!/usr/bin/env bash\n")
    assert "# %ctr_config output_limit=2MB\n" in script.read_text()
    assert "hello, you, from /usr\n" in shown
    assert printed.splitlines() == [*shown.splitlines(), "status 0"]


def test_a_notebook_of_another_kernel_is_exported_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "other.ipynb"
    notebook = notebook_of(code("echo one"), code("echo two"), kernel="bash")
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]

    assert convert(path).read_text().split() == ["echo", "one", "echo", "two"]
