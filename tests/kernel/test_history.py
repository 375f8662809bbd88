"""Cells are kept for each target, by any number of kernels, within bounds and without secrets."""

from __future__ import annotations

import os
import pwd
import sqlite3
import threading
from pathlib import Path

import pytest

from ctrkernel.kernel import history
from ctrkernel.kernel.history import History, Search, history_path, matching, prune
from ctrkernel.session.mask import DOTS, Mask, Secret

_TAIL = Search("tail", n=100)
_SOURCES = [(1, 1, "ls"), (1, 2, "cd /srv"), (2, 1, "ls"), (2, 2, "ls -l\nls -a"), (2, 3, "LS")]


class Kernel:
    """One kernel's history, whose trouble is kept."""

    def __init__(self, path: Path, mask: Mask | None = None) -> None:
        self.trouble: list[str] = []
        self.history = History(path, mask=mask or Mask(), on_trouble=self.trouble.append)

    def ran(self, *cells: str, target: str = "web") -> None:
        for number, code in enumerate(cells, 1):
            self.history.add(code, number=number, target=target)

    def sources(self, search: Search = _TAIL, *, target: str = "web") -> list[str]:
        return [code for _, _, code in self.history.find(search, target=target)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.sqlite"


def test_the_next_kernel_on_a_target_finds_the_cells_of_the_last(path: Path) -> None:
    first = Kernel(path)
    first.ran("one", "two")
    first.history.close()
    other = Kernel(path)
    other.ran("elsewhere", target="db")
    other.history.close()

    next_one = Kernel(path)
    next_one.ran("three")

    assert next_one.sources() == ["one", "two", "three"]
    assert next_one.sources(Search("tail", n=2)) == ["two", "three"]
    assert next_one.sources(target="db") == ["elsewhere", "three"]
    assert next_one.sources(target="") == ["one", "two", "elsewhere", "three"]
    assert next_one.history.find(_TAIL, target="web")[0][:2] == (1, 1)


def test_a_range_counts_sessions_back_from_this_one(path: Path) -> None:
    for cells in (("a", "b", "c"), ("d",)):
        kernel = Kernel(path)
        kernel.ran(*cells)
        kernel.history.close()
    this = Kernel(path)
    this.ran("e", "f", "g")

    assert this.sources(Search("range")) == ["e", "f", "g"]
    assert this.sources(Search("range", start=2, stop=3)) == ["f"]
    assert this.sources(Search("range", session=-1)) == ["d"]
    assert this.sources(Search("range", session=-2, start=2)) == ["b", "c"]
    assert this.sources(Search("range", session=1, start=1, stop=2)) == ["a"]
    assert this.sources(Search("range", session=-9)) == []


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (Search("search", pattern="ls*"), ["ls", "ls", "ls -l\nls -a"]),
        (Search("search", pattern="ls*", unique=True), ["ls", "ls -l\nls -a"]),
        (Search("search", pattern="ls*", n=2), ["ls", "ls -l\nls -a"]),
        (Search("search", pattern="ls"), ["ls", "ls"]),
        (Search("search", n=1), ["LS"]),
        (Search("search", pattern="[c]? /*"), ["cd /srv"]),
        (Search("search", pattern="nothing"), []),
        (Search("search", pattern="*a" * 500), []),
    ],
)
def test_a_search_is_a_glob_over_whole_cells(search: Search, found: list[str]) -> None:
    assert [code for _, _, code in matching([*_SOURCES], search)] == found


def test_a_slow_pattern_takes_no_time_over_a_long_cell() -> None:
    entries = [(1, 1, "a" * history.LONGEST)]

    assert matching(entries, Search("search", pattern="*a*a*a*a*a*a*a*b")) == []


def test_a_secret_is_neither_kept_nor_shown(path: Path) -> None:
    mask = Mask()
    mask.add(Secret("hunter22"))
    kernel = Kernel(path, mask)
    kernel.ran("login hunter22", "login opensesame")

    kept = kernel.sources()
    mask.add(Secret("opensesame"))

    assert kept == [f"login {DOTS}", "login opensesame"]
    assert kernel.sources() == [f"login {DOTS}", f"login {DOTS}"]
    kernel.history.close()
    assert b"hunter22" not in path.read_bytes()


def test_cells_of_nothing_and_cells_of_a_book_are_not_kept(path: Path) -> None:
    kernel = Kernel(path)
    kernel.ran("", " \n", "x" * (history.LONGEST + 1), "\udc80 odd", "real")

    assert kernel.sources() == ["? odd", "real"]


def test_nothing_is_made_before_the_first_cell(path: Path) -> None:
    assert Kernel(path).sources() == []
    assert not path.parent.exists()


def test_the_file_is_its_owner_s_alone(path: Path) -> None:
    kernel = Kernel(path)
    kernel.ran("true")
    kernel.history.close()

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_many_kernels_write_at_once_and_lose_nothing(path: Path) -> None:
    kernels = [Kernel(path) for _ in range(6)]

    def work(kernel: Kernel, name: int) -> None:
        for number in range(20):
            kernel.history.add(f"{name}.{number}", number=number, target="web")
            kernel.sources(Search("tail", n=1))

    threads = [threading.Thread(target=work, args=(each, i)) for i, each in enumerate(kernels)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = kernels[0].history.find(Search("search"), target="web")
    assert sorted(code for _, _, code in found) == sorted(
        f"{name}.{number}" for name in range(6) for number in range(20)
    )
    assert len({session for session, _, _ in found}) == 6
    assert [kernel.trouble for kernel in kernels] == [[]] * 6


@pytest.mark.parametrize("kind", ["garbage", "directory", "foreign table"])
def test_a_file_that_cannot_be_used_is_told_once_and_memory_serves(path: Path, kind: str) -> None:
    path.parent.mkdir()
    if kind == "garbage":
        path.write_bytes(b"no database at all " * 500)
    elif kind == "directory":
        path.mkdir()
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE cells (something)")
        connection.close()
    kernel = Kernel(path)

    kernel.ran("one", "two")
    assert kernel.sources() == ["one", "two"]
    kernel.ran("three")

    assert kernel.sources() == ["one", "two", "three"]
    assert len(kernel.trouble) == 1
    assert str(path) in kernel.trouble[0]


def test_a_file_that_breaks_later_is_told_once(path: Path) -> None:
    kernel = Kernel(path)
    kernel.ran("one")
    kernel.sources()
    path.write_bytes(os.urandom(100_000))

    kernel.ran("two")
    found = kernel.sources()
    kernel.ran("three")

    assert found == ["two"]
    assert kernel.sources() == ["two", "three"]
    assert len(kernel.trouble) == 1


def test_the_oldest_cells_of_each_target_go_first() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(history._TABLE)
    for target, count in (("web", 50), ("db", 3)):
        for number in range(count):
            connection.execute(history._ADD, (target, 1, number, "x" * 900))

    prune(connection, target_limit=10_000, total_limit=12_000)

    left = connection.execute("SELECT target, line FROM cells ORDER BY id").fetchall()
    connection.close()
    assert left == [("web", each) for each in range(41, 50)] + [("db", each) for each in range(3)]


def test_the_file_is_where_state_belongs() -> None:
    assert history_path({"HOME": "/home/me"}) == Path(
        "/home/me/.local/state/ctrkernel/history.sqlite"
    )
    assert history_path({"HOME": "/home/me", "XDG_STATE_HOME": "/state"}) == Path(
        "/state/ctrkernel/history.sqlite"
    )
    # Never a folder that everybody may write.
    assert history_path({}) == Path(pwd.getpwuid(os.getuid()).pw_dir) / (
        ".local/state/ctrkernel/history.sqlite"
    )
    assert history_path({"HOME": "/home/me", "XDG_STATE_HOME": "relative"}).is_relative_to(
        "/home/me"
    )
