"""Copies as a person types them: patterns, variables, owners, choices, and what goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ctrkernel.commands import registry
from ctrkernel.commands.context import Context
from ctrkernel.commands.workspace import Workspace
from ctrkernel.errors import CtrKernelError
from tests.commands.recording import RecordingFrontend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TIMEOUT = 60.0


class Notebook:
    """A workspace in a container, whose shell is in an empty folder."""

    def __init__(self, name: str) -> None:
        self.workspace = Workspace({**os.environ, "CTRKERNEL_TARGET": name})
        self.name = name

    def run(self, line: str) -> str:
        command, _, words = line.partition(" ")
        context = Context(self.workspace, RecordingFrontend())
        return registry.find(command).run(words, context).text

    def sh(self, code: str) -> str:
        return self.workspace.container().run(code, TIMEOUT).output


@pytest.fixture(scope="module")
def shared(debian: str) -> Iterator[Notebook]:
    made = Notebook(debian)
    yield made
    made.workspace.close()


@pytest.fixture
def book(shared: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """The notebook; its folder has a few files, and so has the shell's."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "b.csv", ".hidden.csv", "[x].csv", "sp ace.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "sub/deep").mkdir(parents=True)
    (tmp_path / "sub/deep/c.csv").write_text("c")
    shared.sh("rm -rf /tmp/work; mkdir -p '/tmp/work/da ta/sub'; cd /tmp/work")
    shared.sh("D='/tmp/work/da ta'; touch one.log two.log .log '*.log' 'da ta/sub/three.log'")
    return shared


@pytest.mark.parametrize(
    ("words", "came"),
    [
        ("*.csv", ["[x].csv", "a.csv", "b.csv"]),
        ("[ab].csv", ["a.csv", "b.csv"]),
        ("[!a].csv", ["b.csv"]),
        ("?.csv", ["a.csv", "b.csv"]),
        (".*.csv", [".hidden.csv"]),
        ("'[x].csv'", ["[x].csv"]),
        (r"\[x].csv", ["[x].csv"]),
        ("[[]*", ["[x].csv"]),
        ("sub/*/*.csv", ["c.csv"]),
        ("**/c.csv", ["c.csv"]),
        ('"sp ace".*', ["sp ace.txt"]),
    ],
)
def test_a_pattern_of_this_machine_is_a_shell_s(
    book: Notebook, words: str, came: list[str]
) -> None:
    book.run(f"ctr_put {words} $D")

    assert book.sh("cd \"$D\"; ls -A | grep -v '^sub$'; cd ..").splitlines() == came


@pytest.mark.parametrize(
    ("words", "came"),
    [
        ("*.log", ["*.log", "one.log", "two.log"]),
        ("'*.log'", ["*.log"]),
        (".l*", [".log"]),
        ("$D/*/*.log", ["three.log"]),
        ('"$D"/sub/t*', ["three.log"]),
        ("**/three.log", ["three.log"]),
        ("/tmp/work/[!o*]*.log", ["two.log"]),
    ],
)
def test_a_pattern_of_the_container_is_its_shell_s(
    book: Notebook, tmp_path: Path, words: str, came: list[str]
) -> None:
    book.run(f"ctr_get {words} got/ --parents")

    assert sorted(path.name for path in (tmp_path / "got").iterdir()) == came


def test_a_variable_is_asked_for_without_a_trace(book: Notebook) -> None:
    book.sh("X=unexported; mkdir unexported; false")

    book.run("ctr_put a.csv ${X}/")

    assert book.sh("echo $?; ls unexported; history | grep -c '[p]rintf'") == "1\na.csv\n0\n"


def test_home_folders_are_the_shell_s(book: Notebook, tmp_path: Path) -> None:
    book.run("ctr_put a.csv ~/from-test")
    book.run("ctr_get ~root/from-test back")

    assert (tmp_path / "back").read_text() == "a.csv"
    assert book.sh("cat ~/from-test; rm ~/from-test") == "a.csv"


def test_owner_and_mode_are_as_asked(book: Notebook, tmp_path: Path) -> None:
    book.run("ctr_put a.csv --owner demo --mode u=rw,go= .")
    book.run("ctr_put --owner 7:8 --mode 640 sub .")
    book.run("ctr_get a.csv --mode 400 mine")

    assert book.sh("stat -c '%U %a' a.csv; stat -c '%u:%g %a' sub sub/deep/c.csv") == (
        "demo 600\n7:8 750\n7:8 640\n"
    )
    assert (tmp_path / "mine").stat().st_mode & 0o7777 == 0o400


def test_parents_are_made_both_ways(book: Notebook, tmp_path: Path) -> None:
    book.run("ctr_put a.csv b.csv new/er -p")
    book.run("ctr_get -p new/er/a.csv here/too/x")

    assert book.sh("ls -1 new/er") == "a.csv\nb.csv\n"
    assert (tmp_path / "here/too/x").read_text() == "a.csv"


@pytest.mark.parametrize("way", ["put", "get"])
def test_only_what_changed_is_copied(book: Notebook, tmp_path: Path, way: str) -> None:
    book.run("ctr_put sub .")
    first = "sub ." if way == "put" else "sub got"
    book.run(f"ctr_{way} {first}")
    again = first if way == "put" else "sub/. got"

    same = book.run(f"ctr_{way} --update {again}")
    by_content = book.run(f"ctr_{way} --checksum --dry-run {again}")
    if way == "put":
        (tmp_path / "sub/deep/c.csv").write_text("longer")
    else:
        book.sh("echo longer > sub/deep/c.csv")
    planned = book.run(f"ctr_{way} --checksum --dry-run {again}")
    changed = book.run(f"ctr_{way} -u --verify {again}")

    assert f"{'put' if way == 'put' else 'got'} 0 files, 0 B" in same
    assert "1 file unchanged" in same
    assert by_content.startswith(f"would {way} 0 files")
    assert planned.startswith(f"would {way} 1 file")
    assert "replaced: " in planned
    assert "checksums agree (sha256sum)" in changed
    assert book.sh("cat sub/deep/c.csv").startswith("longer")


@pytest.mark.parametrize("way", ["put", "get"])
def test_no_clobber_leaves_what_exists(book: Notebook, tmp_path: Path, way: str) -> None:
    book.sh("echo theirs > a.csv")
    said = book.run(f"ctr_{way} --no-clobber a.csv .")

    assert "1 file exists and stays" in said
    assert book.sh("cat a.csv") == "theirs\n"
    assert (tmp_path / "a.csv").read_text() == "a.csv"


def test_a_user_s_files_are_that_user_s(non_root: str, tmp_path: Path) -> None:
    book = Notebook(non_root)
    (tmp_path / "f").write_text("x")
    (tmp_path / "f").chmod(0o600)
    try:
        book.run(f"ctr_put {tmp_path}/f ~/")
        with pytest.raises(CtrKernelError, match=r"may not write in .*:/etc; .*--owner root"):
            book.run(f"ctr_put {tmp_path}/f /etc/")
        book.run(f"ctr_put --owner root {tmp_path}/f /etc/as-root")

        assert book.sh("cat ~/f; stat -c ' %u' ~/f; ls /etc/f; stat -c %u /etc/as-root").startswith(
            "x 1000\n"
        )
    finally:
        book.workspace.close()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ctr_put gone .", "there is no file .*/gone on this machine; see what is there"),
        ("ctr_get gone .", "there is no file .*:/tmp/work/gone; see what is there"),
        ("ctr_put a.csv no/where/x", "no folder .*/tmp/work/no; add --parents, or make it"),
        ("ctr_get one.log no/where/x", "there is no folder .*/no; add --parents, or make it"),
        ("ctr_put sub one.log", "sub is a folder and .*one.log is a file"),
        ("ctr_get 'da ta' a.csv", "da ta is a folder and a.csv is a file"),
        ("ctr_put a.csv $NOPE/x", "the variable NOPE is not set in"),
        ("ctr_get one.log $NO_SUCH_NAME", "the variable NO_SUCH_NAME is not set on this machine"),
        ("ctr_put *.nothing .", r"nothing matches \*.nothing; quote it if it is a name"),
        ("ctr_get *.nothing .", r"nothing matches .*:\*.nothing; quote it"),
        ("ctr_put a.csv sub/../a.csv .", "would both become a.csv; copy them one by one"),
        ("ctr_put a.csv $(id)", "nothing that is run; quote the"),
        ("ctr_put a.csv /proc/x", "which takes no files"),
        ("ctr_put --mode 9 a.csv .", "'9' is no mode; write it as for chmod"),
        ("ctr_put --owner nobody-there a.csv .", "knows no user nobody-there"),
        ("ctr_get one.log /proc/x", "cannot write in /proc"),
        ("ctr_put a.csv", "needs a source and a destination"),
        ("ctr_put 'a.csv .", "no closing '"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(book: Notebook, line: str, said: str) -> None:
    before = book.sh("ls -AlR"), sorted(os.listdir("."))  # noqa: PTH208 - names only

    with pytest.raises(CtrKernelError, match=said) as caught:
        book.run(line)

    assert "\n" not in str(caught.value)
    assert (book.sh("ls -AlR"), sorted(os.listdir("."))) == before  # noqa: PTH208 - as above


def test_a_stopped_container_takes_absolute_paths(
    make_container: Callable[..., str], tmp_path: Path
) -> None:
    book = Notebook(make_container("debian"))
    (tmp_path / "f").write_text("x")
    book.workspace.engine.run(["kill", book.name], timeout=TIMEOUT)

    book.run(f"ctr_put --verify {tmp_path}/f /srv/f")
    book.run(f"ctr_get /srv/f {tmp_path}/back")

    assert (tmp_path / "back").read_text() == "x"
    with pytest.raises(CtrKernelError, match="docker start"):
        book.run(f"ctr_put {tmp_path}/f relative")


def test_the_command_line_does_the_same(debian: str, tmp_path: Path) -> None:
    def ctrkernel(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "ctrkernel", *words]
        return subprocess.run(argv, check=False, capture_output=True, text=True, cwd=tmp_path)

    (tmp_path / "-x").write_text("x")
    (tmp_path / "*").write_text("star")

    put = ctrkernel("put", "-p", debian, "--", "-x", "*", "/tmp/line/in")
    got = ctrkernel("get", debian, "/tmp/line/i?/*", "out", "--parents")
    wrong = ctrkernel("put", debian, "gone", "/tmp")

    assert (put.returncode, put.stderr) == (0, "")
    assert put.stdout.startswith(f"put 2 files, 5 B → {debian}:/tmp/line/in in ")
    assert (got.returncode, got.stderr) == (0, "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["*", "-x"]
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("ctrkernel: there is no file ")
    assert wrong.stderr.count("\n") == 1


def test_without_a_checksum_tool_a_verified_copy_says_so(
    make_container: Callable[..., str], tmp_path: Path
) -> None:
    bare = Notebook(make_container())
    (tmp_path / "f").write_text("content")
    try:
        bare.sh("rm -f /usr/bin/sha256sum /usr/bin/md5sum /usr/bin/cksum")
        went = bare.run(f"ctr_put --verify {tmp_path}/f /srv/f")
        came = bare.run(f"ctr_get --verify /srv/f {tmp_path}/g")
    finally:
        bare.workspace.close()

    said = f"checksums were not compared: {bare.name} cannot run any of sha256sum, md5sum, cksum"
    assert said in went
    assert said in came
    assert (tmp_path / "g").read_text() == "content"


def test_the_contents_of_several_folders_are_verified(book: Notebook, tmp_path: Path) -> None:
    book.sh("mkdir many one; echo 1 > many/1; echo 2 > one/2; ln one/2 one/3")
    (tmp_path / "to").mkdir()

    said = book.run("ctr_get --verify many/. one/. to")

    assert "checksums agree" in said
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == ["1", "2", "3"]


def test_holes_are_kept_on_the_way_in(book: Notebook, tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(300_000_000)
        file.seek(200_000_000)
        file.write(b"in the middle")

    book.run(f"ctr_put --verify {tmp_path}/sparse /tmp/work/sparse")

    found = book.sh("cd /tmp/work; stat -c '%s %b' sparse; tail -c +200000001 sparse | head -c 13")
    size, _, blocks = found.splitlines()[0].partition(" ")
    assert size == "300000000"
    assert int(blocks) * 512 < 1_000_000
    assert found.endswith("in the middle")
