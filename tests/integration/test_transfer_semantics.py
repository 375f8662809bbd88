"""Row by row, a put and a get do to the same tree what the real ``docker cp`` does.

Where ours is knowingly better, the row says so, and both outcomes are asserted.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ctrkernel.engine.engine import Engine, find_engine
from ctrkernel.errors import TransferError
from ctrkernel.transfer.get import get
from ctrkernel.transfer.options import Options
from ctrkernel.transfer.put import put

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ctrkernel.engine.container import ContainerInfo

#: What is copied, on either side.
SOURCE_TREE = """
umask 022
printf one > file; chmod 640 file
mkdir -p folder/sub folder/empty
printf two > folder/inner; ln folder/inner folder/hard; ln -s inner folder/link
printf three > folder/sub/deep; chmod 750 folder
ln -s file link-file; ln -s folder link-folder; ln -s nowhere broken
touch -d 2001-02-03T04:05:06 file folder/inner
"""
#: Where it is copied to, on the other side.
DESTINATION_TREE = """
umask 022
printf old > exist; mkdir -p dir/sub nested/folder/sub conflict/folder/inner conflict/file
printf old > dir/inner; printf stays > dir/own; printf old > nested/folder/inner
printf stays > nested/folder/sub/own
ln -s dir link-dir; ln -s exist link-exist; ln -s /nonexist/at/all dangling
find . -type f -exec touch -d 2002-03-04T05:06:07 {} +
"""
SOURCES = ("file", "folder", "folder/.", "link-file", "link-folder")
DESTINATIONS = (
    "new",
    "new/",
    "dir",
    "exist",
    "exist/",
    "link-dir",
    "link-exist",
    "missing/new",
    "exist/new",
    "nested",
    "conflict",
    "dangling",
)
FORMS = ("file/", "folder/", "link-folder/", "broken", "none")
FOLLOWED = ("file", "link-file", "link-folder", "broken")


@dataclass(frozen=True, slots=True)
class Row:
    """One copy: ``docker cp [-L] source destination``."""

    source: str
    destination: str
    follow: bool = False

    @property
    def name(self) -> str:
        return f"{'follow ' if self.follow else ''}{self.source} onto {self.destination}"

    @property
    def folder(self) -> str:
        return self.name.replace("/", "_").replace(" ", "-")


ROWS = [
    *(Row(*pair) for pair in itertools.product(SOURCES, DESTINATIONS)),
    *(Row(*pair) for pair in itertools.product(FORMS, ("new", "dir", "exist"))),
    *(Row(*pair, follow=True) for pair in itertools.product(FOLLOWED, ("new", "dir", "exist"))),
]

#: Where ours is better. A copy onto a folder that is there leaves that folder's own mode alone.
KEEPS_MODE = {Row("folder", "nested"), Row("folder", "conflict")}
#: The real one fails in the middle and leaves what it had copied; ours looks first.
WHOLE_OR_NOTHING = {Row("folder", "conflict")}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a copy left behind: a line for each file, and whether it said that it failed."""

    failed: bool
    tree: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """What ours and the real one did."""

    ours: Outcome
    real: Outcome
    message: str


#: Prints a line for each file: path, type, mode, owner, links, minute, content.
LIST = r"""
cd "$1" && find . -mindepth 2 -printf '%P|%y|%m|%U:%G|%l|' \
  \( -type f -printf '%TY%Tm%Td%TH%TM|%n|' -exec cat {} \; -o -true \) -printf '\n' | sort
"""


def trees(command: Iterable[str], folder: str) -> dict[str, tuple[str, ...]]:
    """List what is below `folder`, by the folder of the row."""
    done = subprocess.run(
        [*command, "sh", "-c", LIST, "sh", folder], check=True, capture_output=True, text=True
    )
    split = [line.partition("/") for line in done.stdout.splitlines()]
    return {
        first: tuple(rest for _, _, rest in lines)
        for first, lines in itertools.groupby(split, key=lambda parts: parts[0])
    }


@pytest.fixture(scope="module")
def engine(debian: str) -> Engine:
    assert debian
    return find_engine(os.environ)


@pytest.fixture(scope="module")
def container(engine: Engine, debian: str) -> ContainerInfo:
    return engine.inspect(debian)


def inside(engine: Engine, container: ContainerInfo, script: str) -> None:
    argv = engine.exec_argv(container.id, ["sh", "-c", script])
    subprocess.run(argv, check=True)


@pytest.fixture(scope="module")
def puts(
    engine: Engine, container: ContainerInfo, tmp_path_factory: pytest.TempPathFactory
) -> dict[Row, Pair]:
    """Put every row, ours into one tree and the real one into another."""
    here = tmp_path_factory.mktemp("put")
    subprocess.run(["sh", "-ec", SOURCE_TREE], check=True, cwd=here)
    folders = " ".join(f"/t/put/{side}/{row.folder}" for row in ROWS for side in ("ours", "real"))
    inside(
        engine,
        container,
        f"set -e; for d in {folders}; do mkdir -p $d; cd $d; {DESTINATION_TREE}\ndone",
    )
    pairs = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        for row in ROWS:
            ours, real = (f"/t/put/{side}/{row.folder}" for side in ("ours", "real"))
            message = ""
            try:
                put(
                    engine,
                    container,
                    [row.source],
                    row.destination,
                    base=ours,
                    home=None,
                    options=Options(archive=True, follow_link=row.follow),
                )
            except TransferError as error:
                message = str(error)
            target = f"{container.id}:{real}/{row.destination}"
            failed = real_copy(engine, row.source, target, follow=row.follow)
            pairs[row] = (message, failed)
    command = engine.exec_argv(container.id, [])
    return paired(pairs, trees(command, "/t/put/ours"), trees(command, "/t/put/real"))


@pytest.fixture(scope="module")
def gets(
    engine: Engine, container: ContainerInfo, tmp_path_factory: pytest.TempPathFactory
) -> dict[Row, Pair]:
    """Get every row, ours into one tree and the real one into another."""
    here = tmp_path_factory.mktemp("get")
    inside(engine, container, f"set -e; mkdir -p /t/get; cd /t/get; {SOURCE_TREE}")
    pairs = {}
    for row in ROWS:
        ours, real = (here / side / row.folder for side in ("ours", "real"))
        for folder in (ours, real):
            folder.mkdir(parents=True)
            subprocess.run(["sh", "-ec", DESTINATION_TREE], check=True, cwd=folder)
        message = ""
        try:
            get(
                engine,
                container,
                [row.source],
                f"{ours}/{row.destination}",
                base="/t/get",
                home=None,
                options=Options(follow_link=row.follow),
            )
        except TransferError as error:
            message = str(error)
        source = f"{container.id}:/t/get/{row.source}"
        failed = real_copy(engine, source, f"{real}/{row.destination}", follow=row.follow)
        pairs[row] = (message, failed)
    return paired(pairs, trees([], str(here / "ours")), trees([], str(here / "real")))


def paired(
    pairs: dict[Row, tuple[str, bool]],
    ours: dict[str, tuple[str, ...]],
    real: dict[str, tuple[str, ...]],
) -> dict[Row, Pair]:
    return {
        row: Pair(
            ours=Outcome(bool(message), ours[row.folder]),
            real=Outcome(failed, real[row.folder]),
            message=message,
        )
        for row, (message, failed) in pairs.items()
    }


def real_copy(engine: Engine, source: str, destination: str, *, follow: bool) -> bool:
    """Run the real ``docker cp``; true if it failed."""
    options = ["-L"] if follow else []
    argv = engine.command("cp", *options, "--", source, destination)
    return subprocess.run(argv, check=False, capture_output=True).returncode != 0


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_put_does_what_the_real_one_does(puts: dict[Row, Pair], row: Row) -> None:
    assert_same(puts[row], row)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_get_does_what_the_real_one_does(gets: dict[Row, Pair], row: Row) -> None:
    assert_same(gets[row], row)


def assert_same(pair: Pair, row: Row) -> None:
    assert pair.ours.failed == pair.real.failed
    if pair.ours.failed:
        assert "\n" not in pair.message
        assert "Traceback" not in pair.message
    if row in WHOLE_OR_NOTHING:
        assert pair.ours.tree != pair.real.tree
        assert "conflict/folder/inner is a folder, and a file would replace it" in pair.message
    elif row in KEEPS_MODE:
        assert "nested/folder|d|755|0:0||" in pair.ours.tree
        assert "nested/folder|d|750|0:0||" in pair.real.tree
        assert files(pair.ours) == files(pair.real)
    else:
        assert pair.ours.tree == pair.real.tree


def files(outcome: Outcome) -> list[str]:
    return [line for line in outcome.tree if not line.startswith("nested/folder|")]


def test_a_refused_copy_changes_nothing(puts: dict[Row, Pair], gets: dict[Row, Pair]) -> None:
    refused = [pair for pairs in (puts, gets) for pair in pairs.values() if pair.ours.failed]

    assert len({pair.ours.tree for pair in refused}) == 1
    assert len(refused) > len(SOURCES)


def test_nothing_of_ours_is_left_over(puts: dict[Row, Pair], gets: dict[Row, Pair]) -> None:
    lines = [line for pairs in (puts, gets) for pair in pairs.values() for line in pair.ours.tree]

    assert not [line for line in lines if ".ctrkernel" in line]
