"""Images, redraws and floods over the real protocol, and in what nbclient stores."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.kernel.live_kernel import LiveKernel, live_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator


#: A megabyte, and what JSON and the envelopes add.
SERVER_BYTES_IN_3_S = 3_000_000
#: One pixel.
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def shared(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    folder = tmp_path_factory.mktemp("kernel")
    cache = tmp_path_factory.mktemp("cache")
    with live_kernel(folder, CTRKERNEL_TARGET=debian, XDG_CACHE_HOME=str(cache)) as started:
        yield started


@pytest.fixture
def kernel(shared: LiveKernel) -> Iterator[LiveKernel]:
    yield shared
    shared.heal()


def test_a_long_output_keeps_its_ends_and_names_the_file_that_holds_it_all(
    kernel: LiveKernel,
) -> None:
    cell = kernel.run("seq 1 1000000")

    between = next(each for each in cell.stored if each["kind"] == "display_data")
    line = between["data"]["text/plain"]
    match = re.fullmatch(r"… 5\.9 MB left out; the whole output, 6\.9 MB, is in (/.+\.txt) …", line)
    assert match is not None, line
    path = Path(match[1])
    assert path.read_text() == "".join(f"{number}\n" for number in range(1, 1_000_001))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert cell.text.startswith("1\n2\n3\n")
    assert cell.text.endswith("\n999999\n1000000\n")
    assert 900_000 < len(cell.text) < 1_100_000


def test_a_flood_is_told_of_interrupted_and_bounded(kernel: LiveKernel) -> None:
    before = _memory(kernel.pid)
    flood = kernel.submit("yes")

    def told() -> list[str]:
        return [
            each["content"]["data"]["text/plain"]
            for each in kernel.caused_by(flood)
            if each["msg_type"] in ("display_data", "update_display_data")
        ]

    while len(told()) < 4:
        kernel.look()
    kernel.interrupt()
    cell = kernel.finish(flood)

    assert re.match(r"… \d+\.\d MB so far, in /.+\.txt\ny\n", told()[2])
    assert cell.error == ("KeyboardInterrupt", "exit status 130")
    assert len(cell.messages) < 60
    assert sum(len(json.dumps(each["content"])) for each in cell.messages) < SERVER_BYTES_IN_3_S
    assert _memory(kernel.pid) - before < 60_000
    assert kernel.run("echo fine").text == "fine\n"


def test_many_long_cells_in_a_row_stay_below_what_a_server_lets_through(kernel: LiveKernel) -> None:
    arrivals: list[tuple[float, int]] = []
    cells = [kernel.submit("head -c 900000 /dev/zero | tr '\\0' 'x' | fold") for _ in range(4)]

    for cell in cells:
        kernel.finish(cell, timeout=60)

    for cell in cells:
        for each in kernel.caused_by(cell):
            when = each["header"]["date"].timestamp()
            arrivals.append((when, len(json.dumps(each["content"]))))
    assert sum(size for _, size in arrivals) > SERVER_BYTES_IN_3_S
    for start, _ in arrivals:
        within = sum(size for when, size in arrivals if start <= when < start + 3)
        assert within < SERVER_BYTES_IN_3_S


def test_a_folder_that_cannot_be_written_is_told_and_the_cell_goes_on(
    debian: str, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("")

    with live_kernel(
        tmp_path, CTRKERNEL_TARGET=debian, XDG_CACHE_HOME=str(tmp_path / "cache")
    ) as started:
        cell = started.run("seq 1 500000; echo end")

    assert "could not be kept: Not a directory" in str(cell.stored)
    assert cell.text.endswith("500000\nend\n")
    assert cell.status == "ok"


def test_a_limit_that_makes_no_sense_is_told_and_can_be_mended(debian: str, tmp_path: Path) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian, CTRKERNEL_OUTPUT_LIMIT="lots") as started:
        failed = started.run("echo a")
        mended = started.run("%ctr_config output_limit=2k\nseq 1 1000")

    assert failed.error[0] == "UsageError"
    assert failed.error[1].startswith("CTRKERNEL_OUTPUT_LIMIT=lots: ")
    assert len(mended.text) < 2100
    assert mended.text.endswith("\n1000\n")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (r"printf 'abc\rX'", "Xbc"),
        (r"for i in 1 2 3; do printf '\r%s0%%' $i; sleep 0.15; done; echo", "30%\n"),
        (r"printf 'abc'; sleep 0.3; printf '\rX\n'", "Xbc\n"),
        (
            r"printf 'a: wait\nb: go\n'; sleep .3; printf '\033[2A\033[Ka: done\n\033[Kb: done\n'",
            "a: done\nb: done\n",
        ),
        ("seq 3; tput cuu 2; tput el; echo two; tput cud1", "1\ntwo\n3\n"),
        (
            r"echo a; printf '\033[?1049h\033[Hfull\nscreen\033[?1049l'; echo b",
            "a\nfull\nscreen\nb\n",
        ),
    ],
)
def test_redraws_are_stored_as_they_end(kernel: LiveKernel, code: str, text: str) -> None:
    cell = kernel.run(code)

    assert cell.text == text
    assert {each["kind"] for each in cell.stored} == {"stream"}


def test_files_are_shown_as_what_they_are_in_order(kernel: LiveKernel) -> None:
    code = (
        f"cd /tmp; echo {PNG} | base64 -d > 'a plot.png'; printf 'x,y\\n1,2\\n' > t.csv\n"
        "echo one; ctr_display 'a plot.png' t.csv; echo two; printf '# Head\\n' | "
        "ctr_display --type md -; printf '<script>alert(1)</script>' | ctr_display --type html -"
    )
    cell = kernel.run(code)

    one, plot, table, two, head, page = cell.stored
    assert (one["text"], two["text"]) == ("one\n", "two\n")
    assert plot["data"]["image/png"].startswith("iVBORw0KGgo")
    assert plot["data"]["text/plain"].startswith("a plot.png: PNG image")
    assert "<td>1</td>" in table["data"]["text/html"]
    assert head["data"]["text/markdown"] == "# Head\n"
    assert "<script" not in page["data"]["text/html"]
    assert "%ctr_config trust=html" in page["data"]["text/plain"]


def test_html_is_shown_as_such_once_it_is_trusted(debian: str, tmp_path: Path) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=debian) as started:
        cell = started.run(
            "%ctr_config trust=html\nprintf '<html><b>x</b></html>' | ctr_display --type html -"
        )

    assert "<iframe" in cell.stored[-1]["data"]["text/html"]


def test_the_function_is_there_in_the_smallest_container_and_leaves_nothing(
    busybox: str, tmp_path: Path
) -> None:
    with live_kernel(tmp_path, CTRKERNEL_TARGET=busybox) as started:
        shown = started.run("printf 'a,b\\n1,2\\n' | ctr_display --type csv -; env | grep -c ctr_")
        missing = started.run("ctr_display /nosuch")

    assert shown.stored[0]["data"]["text/plain"] == "a  b\n1  2\n1 row\n"
    assert shown.text == "0\n"
    assert missing.text == "ctr_display: /nosuch: not there, or it cannot be read\n"
    assert missing.error == ("CommandFailed", "exit status 1")


def test_what_nbclient_stores_is_the_final_state(debian: str, tmp_path: Path) -> None:
    notebook: Any = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        metadata={"kernelspec": {"name": "ctrkernel", "display_name": "Container Shell"}},
        cells=[
            nbformat.v4.new_code_cell(code)  # type: ignore[no-untyped-call]
            for code in (
                r"echo start; for i in 1 2 3; do printf '\r%s of 3' $i; sleep 0.2; done; echo",
                "seq 1 400000",
                f"printf '\\033]1337;File=inline=1:{PNG}\\a'; echo after",
            )
        ],
    )
    client = NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CTRKERNEL_TARGET", debian)
        client.execute()

    progress, flood, image = (cell.outputs for cell in notebook.cells)
    assert [output.text for output in progress] == ["start\n3 of 3\n"]
    kinds = [output.output_type for output in flood]
    assert (kinds[-2], kinds[-1]) == ("display_data", "stream")
    assert "left out; the whole output, 2.7 MB" in flood[-2].data["text/plain"]
    assert sum(len(output.get("text", "")) for output in flood) < 1_100_000
    assert [output.output_type for output in image] == ["display_data", "stream"]


def _memory(pid: int) -> int:
    """Return the most memory that a process has had, in kB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])
