"""``%ctr_show`` of real files in real containers."""

from __future__ import annotations

import base64
import shlex
from typing import TYPE_CHECKING

import pytest

from ctrkernel.errors import CtrKernelError, TransferError, TransferInterrupted
from ctrkernel.transfer import peek
from tests.integration.command_bench import Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def bench(debian: str) -> Iterator[Bench]:
    bench = Bench(debian)
    bench.shell("rm -rf /tmp/show; mkdir /tmp/show; cd /tmp/show")
    yield bench
    bench.workspace.close()


def test_a_picture_is_shown_from_the_shells_directory(bench: Bench) -> None:
    bench.fill("/tmp/show/p.png", PNG)

    output = bench.run("ctr_show p.png")

    assert base64.b64decode(output.data["image/png"]) == PNG
    assert output.text == f"p.png: PNG image, {len(PNG)} B, 1 x 1\n"


@pytest.mark.parametrize("name", ["two words", "a'b", "-n", "--help", "ünï", "a:b", "*", "a\nb"])
def test_names_are_data(bench: Bench, name: str) -> None:
    bench.fill(f"/tmp/show/{name}", b"x\n")

    assert bench.run(f"ctr_show -- {shlex.quote(name)}").text == "x\n"


def test_only_the_head_of_a_huge_file_is_fetched(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.sh("yes 1,2,3 | head -c 300000000 > /tmp/show/huge.csv")
    fetched: list[int] = []
    original = peek.Head.__init__

    def record(self: peek.Head, path: str, content: bytes, *rest: object) -> None:
        fetched.append(len(content))
        original(self, path, content, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(peek.Head, "__init__", record)

    output = bench.run("ctr_show -n 2 huge.csv")

    assert (
        output.text
        == "1  2  3\n1  2  3\n1  2  3\n… the first 2 rows of 300.0 MB; --lines N shows more\n"
    )
    assert fetched == [4096]


def test_a_huge_picture_is_named_and_not_fetched(bench: Bench) -> None:
    bench.fill("/tmp/show/p.png", PNG)
    bench.sh("truncate -s 2G /tmp/show/p.png")

    output = bench.run("ctr_show p.png")

    assert output.text == "p.png: PNG image, 2.1 GB; too large to show, raise --max-size\n"
    assert not output.rich


def test_a_link_is_followed(bench: Bench) -> None:
    bench.sh("cd /tmp/show; echo yes > file; ln -s file link")

    assert bench.run("ctr_show link").text == "yes\n"


def test_a_path_is_what_the_shell_would_read(bench: Bench) -> None:
    bench.sh("cd /tmp/show; echo one > only.txt; echo two > '*.txt'")
    bench.shell("there=/tmp/show")

    assert bench.run("ctr_show $there/o*.txt").text == "one\n"
    assert bench.run("ctr_show '*.txt'").text == "two\n"
    with pytest.raises(CtrKernelError, match="matches 2 names"):
        bench.run("ctr_show *.txt")


def test_a_folder_lists_its_entries(bench: Bench) -> None:
    bench.sh("cd /tmp/show; mkdir d; printf abc > f; ln -s f l; touch .hidden 'a b'; mkfifo p")

    output = bench.run("ctr_show .")

    names = [line.split("  ")[0] for line in output.text.splitlines()]
    assert names == ["name", ".hidden", "a b", "d/", "f", "l → f", "p"]
    assert "3 B" in output.text


def test_a_folder_with_very_many_entries_is_bounded(bench: Bench) -> None:
    bench.sh("cd /tmp/show; seq 3000 | xargs touch")

    output = bench.run("ctr_show .")

    assert output.text.endswith("… the first 1,000 names; there are more\n")


def test_an_empty_folder_is_told(bench: Bench) -> None:
    assert bench.run("ctr_show .").text == "the folder is empty\n"


def test_files_without_a_size_are_read_too(bench: Bench) -> None:
    assert bench.run("ctr_show -n 1 /proc/meminfo").text.startswith("MemTotal:")


def test_a_folder_of_a_container_without_a_shell_is_listed(no_shell: str) -> None:
    output = Bench(no_shell).run("ctr_show /etc")

    assert "hostname" in output.text


def test_a_file_of_a_container_without_a_shell_is_shown(no_shell: str) -> None:
    assert "localhost" in Bench(no_shell).run("ctr_show /etc/hosts").text


def test_a_busybox_lists_a_folder(busybox: str) -> None:
    assert "bin/" in Bench(busybox).run("ctr_show /").text


def test_a_stopped_container_is_looked_into(make_container: Callable[..., str]) -> None:
    bench = Bench(make_container())
    bench.fill("/srv/x", b"still here\n")
    bench.workspace.engine.run(["stop", "-t", "0", bench.name], timeout=30)

    assert bench.run("ctr_show /srv/x").text == "still here\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ctr_show nothing", "there is no file .*:/tmp/show/nothing"),
        ("ctr_show no/such/x", "there is no file .*:/tmp/show/no; "),
        ("ctr_show /dev/null", "is a device"),
        ("ctr_show dangling", "leads nowhere"),
        ("ctr_show file/", "is a file, not a folder"),
        ("ctr_show -n 0 file", "1 or more; type %ctr_show --help"),
        ("ctr_show --max-size much file", "max-size"),
        ("ctr_show", "PATH; type %ctr_show --help"),
        ("ctr_show ''", "a path in the container is empty"),
        ("ctr_show 'open", "quote"),
    ],
)
def test_a_mistake_is_one_line(bench: Bench, line: str, said: str) -> None:
    bench.sh("cd /tmp/show; ln -s nowhere dangling; touch file")

    with pytest.raises(CtrKernelError, match=said) as caught:
        bench.run(line)

    assert "\n" not in str(caught.value)


def test_a_container_that_is_gone_is_told(make_container: Callable[..., str]) -> None:
    bench = Bench(make_container())
    bench.workspace.engine.run(["rm", "-f", bench.name], timeout=30)

    with pytest.raises(CtrKernelError, match="no container"):
        bench.run("ctr_show /etc/hosts")


def test_a_look_is_interrupted(bench: Bench) -> None:
    bench.sh("truncate -s 1G /tmp/show/big.json")
    bench.interrupts.interrupt()

    with pytest.raises(TransferInterrupted, match="interrupted"):
        bench.run("ctr_show --max-size 2GB big.json")


def test_the_ending_of_a_folder_name_is_heeded(bench: Bench) -> None:
    bench.sh("cd /tmp/show; mkdir d.csv; touch d.csv/x")

    assert "x" in bench.run("ctr_show d.csv/").text


def test_a_directory_behind_a_file_is_told(bench: Bench) -> None:
    with pytest.raises(TransferError, match="there is no file"):
        bench.run("ctr_show /etc/passwd/x")
