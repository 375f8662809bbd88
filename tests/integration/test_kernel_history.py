"""Jupyter's history requests: cells of this kernel, and of those before it on the same target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.live_kernel import LiveKernel, live_kernel

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path


def kernel_of(target: str, folder: Path) -> AbstractContextManager[LiveKernel]:
    return live_kernel(
        folder, unprivileged=True, CTRKERNEL_TARGET=target, XDG_STATE_HOME=str(folder / "state")
    )


def history(kernel: LiveKernel, kind: str, *, output: bool = False, **more: Any) -> list[list[Any]]:
    content = {"hist_access_type": kind, "raw": True, "output": output, **more}
    reply = kernel.ask("shell", "history_request", content)
    assert reply["status"] == "ok"
    found: list[list[Any]] = reply["history"]
    return found


def test_a_new_kernel_finds_the_cells_of_the_last_one(debian: str, tmp_path: Path) -> None:
    with kernel_of(debian, tmp_path) as kernel:
        for code in ("echo one", "echo two", "false", "%ctr_status", "echo one"):
            kernel.run(code)
        kernel.run("echo unheard", silent=True, store_history=False)
        kernel.run("echo not to be kept", store_history=False)
    with kernel_of(debian, tmp_path) as kernel:
        kernel.run("echo three")

        tail = history(kernel, "tail", n=4)
        ours = history(kernel, "range", session=0, start=0, stop=None)
        before = history(kernel, "range", session=-1, start=2, stop=4)
        searched = history(kernel, "search", pattern="echo*", n=2, unique=True)
        outputs = history(kernel, "tail", n=1, output=True)

    session = tail[-1][0]
    assert tail == [
        [session - 1, 3, "false"],
        [session - 1, 4, "%ctr_status"],
        [session - 1, 5, "echo one"],
        [session, 1, "echo three"],
    ]
    assert ours == [[session, 1, "echo three"]]
    assert before == [[session - 1, 2, "echo two"], [session - 1, 3, "false"]]
    assert searched == [[session - 1, 5, "echo one"], [session, 1, "echo three"]]
    assert outputs == [[session, 1, ["echo three", None]]]


def test_who_switches_it_off_leaves_no_cell(debian: str, tmp_path: Path) -> None:
    with kernel_of(debian, tmp_path) as kernel:
        for code in ("echo kept", "%ctr_config history=off", "echo private"):
            kernel.run(code)
        kernel.run("%ctr_config history=on")
        kernel.run("echo again")

        found = history(kernel, "tail", n=9)

    assert [code for _, _, code in found] == ["echo kept", "%ctr_config history=off", "echo again"]


@pytest.mark.parametrize("kind", ["broken", "read-only"])
def test_a_file_that_cannot_be_written_breaks_no_cell_and_is_told_once(
    debian: str, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "state" / "ctrkernel" / "history.sqlite"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database " * 1000 if kind == "broken" else b"")
    path.chmod(0o444)
    with kernel_of(debian, tmp_path) as kernel:
        ids = [kernel.submit(f"echo {number}") for number in range(3)]
        cells = [kernel.finish(each) for each in ids]
        found = history(kernel, "tail", n=10)
        # What was said between cells is there when the next one has ended.
        ids.append(kernel.submit("true"))
        kernel.finish(ids[-1])
        messages = [each["content"] for cell in ids for each in kernel.caused_by(cell)]

    assert [(cell.status, cell.text) for cell in cells] == [("ok", f"{n}\n") for n in range(3)]
    assert [each[2] for each in found] == [f"echo {number}" for number in range(3)]
    told = "".join(each["text"] for each in messages if each.get("name") == "stderr")
    assert told.count("cells are not kept") == 1
    assert str(path) in told


def test_jupyter_console_offers_the_cells_of_the_last_kernel(debian: str, tmp_path: Path) -> None:
    with kernel_of(debian, tmp_path) as kernel:
        kernel.run("echo from the last kernel")

    with kernel_of(debian, tmp_path) as kernel:
        # What it asks at its start, before any cell: jupyter_console's init_history.
        found = history(kernel, "tail", n=1000)

    assert [each[2] for each in found] == ["echo from the last kernel"]
