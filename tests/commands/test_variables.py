"""Python values as files, and back; pandas is played by a stand-in, for it is no dependency."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from ctrkernel.commands import registry
from ctrkernel.commands.context import Context
from ctrkernel.commands.variables import as_bytes, from_bytes
from ctrkernel.commands.workspace import Workspace
from ctrkernel.errors import UsageError
from tests.commands.recording import RecordingFrontend

if TYPE_CHECKING:
    from collections.abc import MutableMapping


class RangeIndex:
    name = None


class Index:
    name = "key"


class DataFrame:
    """What our code asks of a frame."""

    shape = (2, 1)

    def __init__(self, index: object) -> None:
        self.index = index

    def to_csv(self, *, index: bool, sep: str) -> str:
        return f"csv index={index} sep={sep!r}"

    def to_json(self, *, orient: str, indent: int) -> str:
        return f"json {orient} {indent}"

    def to_parquet(self, target: Any, *, index: bool | None) -> None:
        target.write(f"parquet index={index}".encode())


DataFrame.__module__ = "pandas.core.frame"


@pytest.fixture
def pandas(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A pandas that says how it was asked."""
    module = ModuleType("pandas")
    module.read_csv = lambda source, sep: ("csv", source.read(), sep)  # type: ignore[attr-defined]
    module.read_json = lambda source: ("json", source.read())  # type: ignore[attr-defined]
    module.read_parquet = lambda source: ("parquet", source.read())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pandas", module)
    return module


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ("ünï\n", "ünï\n".encode()),
        ("", b""),
        (b"\0\xff", b"\0\xff"),
        (bytearray(b"x"), b"x"),
        (memoryview(b"x"), b"x"),
    ],
)
def test_text_and_bytes_go_as_they_are(value: object, data: bytes) -> None:
    assert as_bytes(value, "a.csv", name="x") == data


@pytest.mark.parametrize("value", [{"a": [1, "ü"]}, [1, None]])
def test_a_dict_or_a_list_is_json(value: object) -> None:
    assert json.loads(as_bytes(value, "a.json", name="x")) == value


@pytest.mark.parametrize(
    ("ending", "index", "data"),
    [
        (".csv", RangeIndex(), b"csv index=False sep=','"),
        (".CSV", Index(), b"csv index=True sep=','"),
        (".tsv", RangeIndex(), b"csv index=False sep='\\t'"),
        (".parquet", RangeIndex(), b"parquet index=None"),
        (".parquet", Index(), b"parquet index=True"),
        (".json", RangeIndex(), b"json records 1"),
    ],
)
def test_a_frame_is_written_as_the_ending_says(ending: str, index: object, data: bytes) -> None:
    assert as_bytes(DataFrame(index), f"a{ending}", name="x") == data
    assert "pandas" not in sys.modules


@pytest.mark.parametrize(
    ("value", "path", "said"),
    [
        (object(), "a.txt", "x is of type object; what can be put: text, bytes, a DataFrame"),
        (42, "a.json", "x is of type int"),
        (None, "a.txt", "NoneType"),
        ({"a": 1}, "a.txt", "x is of type dict"),
        ({"a": object()}, "a.json", "x cannot be JSON"),
        (DataFrame(RangeIndex()), "a.xlsx", "choose one of .csv, .tsv, .parquet, .json"),
        (DataFrame(RangeIndex()), "a", "choose one of"),
        ("\ud800", "a.txt", "no character"),
    ],
)
def test_what_can_be_no_file_is_told(value: object, path: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        as_bytes(value, path, name="x")

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_parquet_without_pyarrow_is_told() -> None:
    class Poor(DataFrame):
        def to_parquet(self, *_: object, **__: object) -> None:
            raise ImportError("no engine")

    Poor.__module__ = "pandas"
    with pytest.raises(UsageError, match="Parquet needs pyarrow"):
        as_bytes(Poor(RangeIndex()), "a.parquet", name="x")


def test_without_a_word_it_is_text_if_it_can_be() -> None:
    assert from_bytes(b"a,b\n", "a.csv", kind=None) == "a,b\n"
    assert from_bytes(b"\xff", "a.txt", kind=None) == b"\xff"


def test_it_becomes_what_is_asked_for() -> None:
    assert from_bytes(b"x", "a", kind="bytes") == b"x"
    assert from_bytes(b"x", "a", kind="text") == "x"
    assert from_bytes(b'{"a": 1}', "a", kind="json") == {"a": 1}


def test_a_frame_is_read_as_the_ending_says(pandas: ModuleType) -> None:
    assert from_bytes(b"x", "/a/b.csv", kind="frame") == ("csv", b"x", ",")
    assert from_bytes(b"x", "b.TSV", kind="frame") == ("csv", b"x", "\t")
    assert from_bytes(b"x", "b.parquet", kind="frame") == ("parquet", b"x")
    assert from_bytes(b"x", "b.json", kind="frame") == ("json", b"x")


def test_a_frame_without_pandas_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)

    with pytest.raises(UsageError, match="needs pandas; type %pip install pandas"):
        from_bytes(b"x", "a.csv", kind="frame")


@pytest.mark.parametrize(
    ("data", "path", "kind", "said"),
    [
        (b"\xff", "a.txt", "text", "a.txt is no UTF-8 at byte 0; get it with --as bytes"),
        (b"{", "a.json", "json", "a.json is no JSON"),
        (b"[" * 100_000, "a.json", "json", "a.json is no JSON"),
        (b"x", "a.txt", "frame", "only what ends in .csv"),
    ],
)
def test_what_it_cannot_become_is_told(data: bytes, path: str, kind: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_bytes(data, path, kind=kind)

    assert said in str(caught.value)


def test_a_fault_of_pandas_is_one_line(pandas: ModuleType) -> None:
    def fail(source: object, sep: str) -> None:
        raise ValueError("many\nlines")

    pandas.read_csv = fail  # type: ignore[attr-defined]

    with pytest.raises(UsageError, match=r"a.csv is no .csv table: many lines"):
        from_bytes(b"", "a.csv", kind="frame")


@pytest.mark.parametrize(
    ("line", "variables", "said"),
    [
        ("ctr_put --var x file", None, "needs Python variables, and this kernel has none"),
        ("ctr_get file --var x", None, "needs Python variables, and this kernel has none"),
        ("ctr_put --var x file", {}, "there is no Python variable x"),
        ("ctr_put --var a.b file", {}, "'a.b' is no name for a Python variable"),
        ("ctr_put --var x one two", {"x": ""}, "one path"),
        ("ctr_get --var x", {}, "one path"),
        ("ctr_put --var x --max-size 2 file", {"x": "abc"}, "x has 3 B, more than 2 B"),
        ("ctr_put --var x file", {"x": 1}, "x is of type int"),
        ("ctr_get file --var x --as pickle", {}, "type %ctr_get --help"),
    ],
)
def test_a_mistake_is_one_line(
    line: str, variables: MutableMapping[str, object] | None, said: str
) -> None:
    name, _, words = line.partition(" ")
    context = Context(Workspace({"PATH": ""}), RecordingFrontend(variables=variables))

    with pytest.raises(UsageError) as caught:
        registry.find(name).run(words, context)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
