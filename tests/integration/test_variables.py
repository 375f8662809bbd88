"""``%ctr_put --var`` and ``%ctr_get --var``: Python values in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ctrkernel.errors import CtrKernelError, TransferError, UsageError
from tests.integration.command_bench import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def variables() -> dict[str, object]:
    return {}


@pytest.fixture
def bench(debian: str, variables: dict[str, object]) -> Iterator[Bench]:
    bench = Bench(debian, variables=variables)
    bench.shell("rm -rf /tmp/var; mkdir /tmp/var; cd /tmp/var")
    yield bench
    bench.workspace.close()


@pytest.mark.parametrize("value", ["ünï\n", "", b"\0\xff", "x" * 3_000_000])
def test_a_value_comes_back(bench: Bench, variables: dict[str, object], value: object) -> None:
    variables["there"] = value

    put = bench.run("ctr_put --var there file")
    got = bench.run("ctr_get file --var back")

    assert variables["back"] == value
    assert put.text.startswith("put 1 file, ")
    assert f" → {bench.name}:/tmp/var/file in " in put.text
    assert got.text.endswith(" → back\n")


def test_bytes_are_bytes_where_that_is_said(bench: Bench, variables: dict[str, object]) -> None:
    bench.fill("/tmp/var/file", b"text")

    assert bench.run("ctr_get file --var x --as bytes").text == "got bytes, 4 B → x\n"
    assert variables["x"] == b"text"


def test_a_file_that_is_too_large_is_not_fetched(
    bench: Bench, variables: dict[str, object]
) -> None:
    bench.sh("truncate -s 1G /tmp/var/large")

    with pytest.raises(TransferError, match=r"has 1.1 GB, more than 256.0 MB; raise --max-size"):
        bench.run("ctr_get large --var x")

    assert variables == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ctr_get nothing --var x", "there is no file"),
        ("ctr_get . --var x", "is a folder; name a file"),
        ("ctr_put --var x no/such", "there is no folder"),
        ("ctr_put --var x /tmp/var", "is a folder; name a file"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(
    bench: Bench, variables: dict[str, object], line: str, said: str
) -> None:
    variables["x"] = "before"

    with pytest.raises(CtrKernelError, match=said) as caught:
        bench.run(line)

    assert "\n" not in str(caught.value)
    assert variables == {"x": "before"}
    assert bench.sh("ls -A /tmp/var") == ""


@pytest.mark.parametrize(
    "options", ["--dry-run", "-n", "-u", "--verify", "-p", "--mode 600", "--owner 0", "-L"]
)
def test_an_option_that_would_be_passed_over_is_refused(
    bench: Bench, variables: dict[str, object], options: str
) -> None:
    variables["new"] = "new"
    bench.fill("/tmp/var/file", b"old")

    with pytest.raises(UsageError, match="is not for --var; leave it out"):
        bench.run(f"ctr_put {options} --var new file")
    with pytest.raises(UsageError, match="is not for --var; leave it out"):
        bench.run(f"ctr_get {options} file --var new")

    assert bench.sh("cat /tmp/var/file") == "old"
    assert variables["new"] == "new"


@pytest.mark.parametrize("line", ["ctr_put --max-size 1 a .", "ctr_get --as text a ."])
def test_an_option_for_variables_is_refused_without_one(bench: Bench, line: str) -> None:
    with pytest.raises(UsageError, match="is for --var alone"):
        bench.run(line)
