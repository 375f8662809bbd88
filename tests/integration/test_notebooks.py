"""Whole notebooks run from end to end by what people run them with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError

from tests.kernel.live_kernel import clients, docker, eventually, inside
from workbench import containers

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
QUICKSTART = NOTEBOOKS / "quickstart.ipynb"
FILES = NOTEBOOKS / "files.ipynb"
TOUR = NOTEBOOKS / "tour.ipynb"
#: The container that the quickstart attaches to.
DEMO = "ctrkernel-demo"
#: Seconds for one cell.
CELL_TIMEOUT = 60


@pytest.fixture
def quickstart(debian: str, tmp_path: Path) -> Path:
    """The quickstart in a folder of its own, with a container of the tests' for the demo's."""
    source = QUICKSTART.read_text()
    assert f"%ctr_attach {DEMO}" in source
    path = tmp_path / QUICKSTART.name
    stamp = "/tmp/ctrkernel-quickstart-stamp.txt"
    path.write_text(source.replace(DEMO, debian).replace(stamp, str(tmp_path / "stamp.txt")))
    return path


def notebook_of(*sources: str, tags: dict[int, str] | None = None) -> Any:
    """Make a notebook of ours; `tags` are for cells by their number."""
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell-{number}",
            "metadata": {"tags": [tags[number]]} if tags and number in tags else {},
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(sources)
    ]
    kernel = {"name": "ctrkernel", "display_name": "Container Shell", "language": "bash"}
    metadata = {"kernelspec": kernel}
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return nbformat.from_dict(content)  # type: ignore[no-untyped-call]


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def in_place_of_the_demo(path: Path, container: str) -> Any:
    """Read a notebook that attaches to the demo's container, for another one."""
    return nbformat.reads(path.read_text().replace(DEMO, container), as_version=4)  # type: ignore[no-untyped-call]


def client_of(notebook: Any, folder: Path, **options: Any) -> NotebookClient:
    resources = {"metadata": {"path": str(folder)}}
    return NotebookClient(notebook, resources=resources, timeout=CELL_TIMEOUT, **options)


def text_of(cell: Any) -> str:
    return "".join(each.text for each in cell.outputs if each.output_type == "stream")


def settled(cell: Any) -> str:
    """What stands there once progress, which a slow machine shows, has been drawn over."""
    return text_of(cell).rpartition("\r")[2]


def errors_of(cell: Any) -> list[tuple[str, str]]:
    return [(each.ename, each.evalue) for each in cell.outputs if each.output_type == "error"]


def assert_is_the_quickstart(notebook: Any, container: str, folder: Path) -> None:
    """What a person would see, cell by cell."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    texts = {cell.source.splitlines()[0]: text_of(cell) for cell in code}
    attach = f"%ctr_attach {container}"
    assert texts[attach].startswith(f"attached to {container} (")
    assert 'PRETTY_NAME="Debian' in texts[attach]
    assert texts['greet() { echo "hello, $1, from $PWD"; }'] == (
        "hello, world, from /tmp/quickstart\n"
    )
    assert texts["false | true"] == "1 0\n"
    assert "No such file" in texts["ls /no/such/folder"]
    assert texts["for step in 1 2 3; do"] == "".join(f"step {i} … done\n" for i in (1, 2, 3))
    put = texts["%ctr_put quickstart.ipynb ."].splitlines()
    assert put[0].startswith("put 1 file")
    assert "quickstart.ipynb" in put[2]
    assert int(put[-1]) == len(notebook.cells) + 1  # its own source has the word too
    get = next(text for source, text in texts.items() if source.startswith("%ctr_get"))
    assert get.startswith("got 1 file")
    assert "Linux" in (folder / "stamp.txt").read_text()
    assert "the job is done\n" in texts["(sleep 1; echo 'the job is done') &"]
    assert texts["cd / && rm -r /tmp/quickstart"] == "hello, again, from /\n"
    failing = [cell for cell in code if errors_of(cell)]
    assert [cell.source for cell in failing] == ["ls /no/such/folder"]
    assert errors_of(failing[0]) == [("CommandFailed", "exit status 2")]


def test_nbclient_runs_the_quickstart(debian: str, quickstart: Path) -> None:
    notebook = read(quickstart)

    client_of(notebook, quickstart.parent).execute()

    nbformat.validate(notebook)
    assert_is_the_quickstart(notebook, debian, quickstart.parent)
    assert notebook.metadata.language_info["name"] == "bash"
    assert eventually(lambda: not inside(debian)), inside(debian)
    assert eventually(lambda: not clients(debian)), clients(debian)


def test_nbclient_runs_the_tour_of_files(debian: str, tmp_path: Path) -> None:
    notebook = in_place_of_the_demo(FILES, debian)

    client_of(notebook, tmp_path).execute()

    code = {cell.source.splitlines()[0]: cell for cell in notebook.cells if "outputs" in cell}
    shown = {
        line: [each.data for each in cell.outputs if "data" in each] for line, cell in code.items()
    }
    assert text_of(code["%%ctr_write sales.csv"]).startswith("wrote 66 B → ")
    assert "<td>=SUM(B2:B3)</td>" in shown["%ctr_show sales.csv"][0]["text/html"]
    assert "&lt;b&gt;text stays text" in shown["%ctr_show sales.csv"][0]["text/html"]
    assert settled(code['Path("site").mkdir()']).startswith("put 2 files, 100 B → ")
    assert text_of(code["%ctr_get sales.csv site/"]).endswith("sales.csv\n")
    difference = next(data for line, data in shown.items() if "from both" in code[line].source)
    assert "-<p>from both sides</p>\n+<p>from here</p>" in difference[0]["text/plain"]
    found = shown["found = %ctr_diff site site"][-1]["text/plain"]
    assert found == "(('sales.csv',), {'index.html': 'different content'})"
    back = next(data for line, data in shown.items() if line.startswith("settings"))
    assert back[-1]["text/plain"] == "True"
    assert "image/png" in shown["%ctr_show plot.png"][0]
    assert shown["%ctr_show drawing.svg"][0]["text/html"].startswith("<img src=")
    assert shown["%ctr_show site/README.md"][0]["text/markdown"].startswith("# The site\n")
    assert "<iframe sandbox=" in shown["%ctr_show --trust site/index.html"][0]["text/html"]
    copied = next(cell for line, cell in code.items() if line.startswith("%ctr_copy"))
    assert settled(copied).startswith("copied 2 files, 100 B → ")
    assert [errors_of(cell) for cell in code.values() if errors_of(cell)] == []
    assert eventually(lambda: not inside(debian)), inside(debian)


def test_nbclient_runs_the_tour(debian: str, tmp_path: Path) -> None:
    notebook = in_place_of_the_demo(TOUR, debian)

    client_of(notebook, tmp_path).execute()

    code = {cell.source.splitlines()[0]: cell for cell in notebook.cells if "outputs" in cell}
    shown = {
        line: [each.data for each in cell.outputs if "data" in each] for line, cell in code.items()
    }
    assert text_of(code['greet "$name"']) == "hello, the tour\n"
    assert text_of(code["for step in 1 2 3 4 5; do"]) == "step 5 of 5\n"
    two_lines = next(line for line in code if line.startswith("printf 'one"))
    assert text_of(code[two_lines]) == "one: done\ntwo: done\n"
    drawing = next(line for line in code if line.startswith("cat > drawing"))
    assert shown[drawing][0]["text/html"].startswith("<img src=")
    table = next(line for line in code if line.startswith("printf 'month"))
    assert "<td>February</td><td>17</td>" in shown[table][0]["text/html"]
    pipe = next(line for line in code if line.startswith("echo '# Markdown"))
    assert shown[pipe][0]["text/markdown"] == "# Markdown, *from a pipe*\n"
    flood = code["%ctr_config output_limit=1kB"]
    assert len(text_of(flood)) < 2000
    assert "588.9 kB, is in " in shown["%ctr_config output_limit=1kB"][-1]["text/plain"]
    question = next(line for line in code if line.startswith("read -r -p"))
    assert text_of(code[question]).endswith("hello, nobody\n")
    ((ename, evalue),) = errors_of(code["ls no-such-file"])
    assert (ename, evalue.split(" · ")[0]) == ("CommandFailed", "exit status 2")
    film = [json.loads(line) for line in (tmp_path / "tour.cast").read_text().splitlines()]
    assert film[0]["version"] == 2
    assert "hello, the film\r\n" in "".join(event[2] for event in film[1:])
    assert [line for line, cell in code.items() if errors_of(cell)] == ["ls no-such-file"]
    assert eventually(lambda: not inside(debian)), inside(debian)


def test_papermill_runs_the_quickstart(
    debian: str, quickstart: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(quickstart.parent)
    executed = quickstart.with_name("executed.ipynb")

    # papermill knows no tag that lets a cell fail: it runs all of them, and then says so.
    with pytest.raises(papermill.PapermillExecutionError, match="exit status 2"):
        papermill.execute_notebook(
            str(quickstart), str(executed), progress_bar=False, execution_timeout=CELL_TIMEOUT
        )

    notebook = read(executed)
    code = [cell for cell in notebook.cells if "papermill-error" not in str(cell.metadata)]
    notebook.cells = code
    assert_is_the_quickstart(notebook, debian, quickstart.parent)
    assert eventually(lambda: not inside(debian)), inside(debian)


def test_papermill_stops_at_the_first_step_that_fails(
    debian: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTRKERNEL_TARGET", debian)
    source, executed = tmp_path / "source.ipynb", tmp_path / "executed.ipynb"
    source.write_text(json.dumps(notebook_of("echo one", "echo two; (exit 5)", "echo three")))

    with pytest.raises(papermill.PapermillExecutionError) as caught:
        papermill.execute_notebook(str(source), str(executed), progress_bar=False)

    assert (caught.value.ename, caught.value.evalue) == ("CommandFailed", "exit status 5")
    cells = [cell for cell in read(executed).cells if cell.cell_type == "code"]
    assert [text_of(cell) for cell in cells] == ["one\n", "two\n", ""]


def test_a_target_in_the_environment_needs_no_attach(
    debian: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTRKERNEL_TARGET", debian)
    notebook = notebook_of("x=1; cd /tmp", 'echo "$x $PWD"')

    client_of(notebook, tmp_path).execute()

    assert text_of(notebook.cells[1]) == "1 /tmp\n"


def test_nbclient_stops_at_the_first_step_that_fails(
    debian: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTRKERNEL_TARGET", debian)
    notebook = notebook_of("echo one", "false", "echo three")

    with pytest.raises(CellExecutionError, match="exit status 1"):
        client_of(notebook, tmp_path).execute()

    assert text_of(notebook.cells[0]) == "one\n"
    assert notebook.cells[2].outputs == []


def test_a_cell_that_may_fail_lets_the_notebook_go_on(
    debian: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTRKERNEL_TARGET", debian)
    notebook = notebook_of("(exit 3)", "echo $?", tags={0: "raises-exception"})

    client_of(notebook, tmp_path).execute()

    assert errors_of(notebook.cells[0]) == [("CommandFailed", "exit status 3")]
    assert text_of(notebook.cells[1]) == "3\n"


def test_a_time_out_of_nbclient_s_interrupts_the_cell(
    debian: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTRKERNEL_TARGET", debian)
    notebook = notebook_of("kept=yes", "echo begun; sleep 1000; echo never", 'echo "$kept"')
    options = {"interrupt_on_timeout": True, "timeout_func": _seconds}

    client_of(notebook, tmp_path, allow_errors=True, **options).execute()

    assert errors_of(notebook.cells[1]) == [("KeyboardInterrupt", "exit status 130")]
    assert "never" not in text_of(notebook.cells[1])
    assert text_of(notebook.cells[2]) == "yes\n"


def test_a_time_out_that_ends_the_run_leaves_nothing(
    debian: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTRKERNEL_TARGET", debian)
    notebook = notebook_of("sleep 1000")

    with pytest.raises(CellTimeoutError):
        client_of(notebook, tmp_path, timeout_func=_seconds).execute()

    assert eventually(lambda: not inside(debian)), inside(debian)
    assert eventually(lambda: not clients(debian)), clients(debian)


def test_a_long_output_is_stored_whole(
    debian: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTRKERNEL_TARGET", debian)
    notebook = notebook_of("seq 1 20000; printf 'no newline'")

    client_of(notebook, tmp_path).execute()

    assert text_of(notebook.cells[0]) == "".join(f"{i}\n" for i in range(1, 20_001)) + "no newline"


def _seconds(cell: Any) -> int:
    return 1 if "sleep 1000" in cell.source else CELL_TIMEOUT


def test_the_magics_notebook_shows_what_it_says(debian: str, tmp_path: Path) -> None:
    source = (NOTEBOOKS / "magics.ipynb").read_text()
    path = tmp_path / "magics.ipynb"
    source = source.replace(DEMO, debian).replace(
        "/tmp/ctrkernel-magics", str(tmp_path / "ctrkernel-magics")
    )
    path.write_text(source)
    notebook = read(path)

    client_of(notebook, tmp_path).execute()

    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = {cell.source: shown_by(cell) for cell in code}

    def after(start: str) -> str:
        return next(text for source, text in shown.items() if source.startswith(start))

    assert after("%load_ext").startswith(f"attached to {debian} (")
    assert after("%%ctr\nfor") == "".join(f"step {n} in /tmp/magics\n" for n in (1, 2, 3))
    assert after("count = 3") == "1\n2\n3\n6"
    assert after("%%ctr --expand") == "3000\n"
    assert after("result").startswith("CommandResult(exit_code=0, output='3000\\n'")
    assert after("%ctr --no-raise") == "(False, 3)"
    assert after("%ctr --timeout").startswith("begun\n")
    assert after("%ctr --session other cd").startswith("<running 'sleep 1; echo done' in ")
    assert after("%ctr --session other echo") == "mine, in /etc\ndone\n\n"
    assert "worker" in after("%ctr_sessions")
    assert sorted(after("%ctr_exec").splitlines()) == ["to stderr", "to stdout"]
    assert after("%ctr_env").endswith("stage: test\n")
    assert "name? " in after("%ctr_send --session talk sh")
    assert "hello, world" in after("%ctr_send --session talk world")
    assert "FROM THE HOST" in after("from pathlib")
    assert debian in after("rows = %ctr_ps")
    assert after("import ctrkernel") == "['ctrkernel-magics-in.txt', 'out.txt']\n"
    assert [errors_of(cell)[0] for cell in code if errors_of(cell)] == [
        ("CommandFailed", "exit status 2"),
        ("CommandTimedOut", "timed out after 1 s"),
    ]
    assert eventually(lambda: not inside(debian)), inside(debian)


def test_the_fleet_notebook_shows_what_it_says(engine_program: str, tmp_path: Path) -> None:
    mark = f"ctrkernel-test-{os.getpid()}-fleet"
    path = tmp_path / "fleet.ipynb"
    path.write_text((NOTEBOOKS / "fleet.ipynb").read_text().replace("fleet-", f"{mark}-"))
    notebook = read(path)
    a, b, c = (f"{mark}-{letter}" for letter in "abc")

    try:
        client_of(notebook, tmp_path).execute()
    finally:
        containers.remove([a, b, c])

    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = {cell.source: shown_by(cell) for cell in code}
    everywhere = next(text for source, text in shown.items() if "my number" in source)
    assert sorted(line.split(" │ ")[0] for line in everywhere.splitlines()) == [a, b, c]
    assert all(f"'{name}': '/tmp\\n'" in shown["where"] for name in (a, b, c))
    failures = [errors_of(cell)[0] for cell in code if errors_of(cell)]
    assert failures[0] == ("CommandFailed", f"failed in 1 of 3: {b} (exit status 7)")
    assert failures[1][0] == "CommandFailed"
    assert failures[1][1].startswith(f"failed in 1 of 3: {c} (container {c} is stopped")
    assert len(failures) == 2
    statuses = next(text for source, text in shown.items() if "exit_code" in source)
    assert f"'{b}': 7" in statuses
    assert not docker("ps", "--all", "--quiet", f"--filter=name={mark}")


def shown_by(cell: Any) -> str:
    """Return a cell's text: what streamed, then its values."""
    values = [each.data["text/plain"] for each in cell.outputs if "data" in each]
    return text_of(cell) + "".join(values)
