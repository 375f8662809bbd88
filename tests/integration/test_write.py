"""``%%ctr_write``: a cell's body becomes a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ctrkernel.errors import CtrKernelError, TransferError
from tests.integration.command_bench import Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def bench(debian: str) -> Iterator[Bench]:
    bench = Bench(debian)
    bench.shell("rm -rf /tmp/write; mkdir /tmp/write; cd /tmp/write")
    yield bench
    bench.workspace.close()


@pytest.mark.parametrize(
    "body",
    [
        "one\n",
        "$HOME `id` $(id) {x} !! %s \\n \\\\ 'q' \"d\"\n",
        "\ttab\n  blanks  \n\n\n",
        "crlf\r\nnext\r\n",
        "ünï ✓ 𝄞\n",
        "\x00\x01\x1b[2J\n",
        "EOF\n__ctrk_c\n",
        "x" * 1_000_000 + "\n",
    ],
)
def test_a_body_arrives_byte_for_byte(bench: Bench, body: str) -> None:
    bench.run("ctr_write file", body)

    assert bench.workspace.container().get_bytes("/tmp/write/file") == body.encode()


def test_the_last_line_gets_its_newline_as_in_writefile(bench: Bench) -> None:
    assert bench.run("ctr_write file", "a\nb").text == f"wrote 4 B → {bench.name}:/tmp/write/file\n"

    assert bench.sh("od -c /tmp/write/file | head -1").split() == [
        "0000000",
        "a",
        r"\n",
        "b",
        r"\n",
    ]


def test_an_empty_body_is_an_empty_file(bench: Bench) -> None:
    bench.run("ctr_write file", "")

    assert bench.sh("stat -c %s /tmp/write/file") == "0\n"


def test_append_keeps_what_is_there(bench: Bench) -> None:
    bench.sh("printf 'no newline' > /tmp/write/file")

    output = bench.run("ctr_write --append file", "more")

    assert output.text.startswith("appended 5 B → ")
    assert bench.sh("cat /tmp/write/file") == "no newlinemore\n"


def test_append_makes_a_file_that_is_missing(bench: Bench) -> None:
    assert bench.run("ctr_write -a file", "x").text.startswith("wrote 2 B")


def test_a_file_that_is_there_keeps_owner_and_mode(bench: Bench) -> None:
    bench.sh("cd /tmp/write; echo old > file; chown 33:44 file; chmod 750 file")

    bench.run("ctr_write file", "new")
    bench.run("ctr_write --append file", "more")

    assert bench.sh("stat -c '%u:%g %a' /tmp/write/file; cat /tmp/write/file") == (
        "33:44 750\nnew\nmore\n"
    )


def test_owner_and_mode_can_be_said(bench: Bench) -> None:
    bench.run("ctr_write --owner daemon:sys --mode 0640 file", "x")
    bench.run("ctr_write --owner 12:13 other", "x")

    assert bench.sh("cd /tmp/write; stat -c '%U:%G %a' file; stat -c '%u:%g %a' other") == (
        "daemon:sys 640\n12:13 644\n"
    )


def test_a_new_file_is_the_container_users(non_root: str) -> None:
    bench = Bench(non_root)

    bench.run("ctr_write /tmp/written", "x")

    assert bench.sh("stat -c '%u:%g %a' /tmp/written; rm /tmp/written") == "1000:1000 644\n"


def test_a_link_is_written_through(bench: Bench) -> None:
    bench.sh("cd /tmp/write; mkdir d; echo old > d/file; ln -s d/file link")

    bench.run("ctr_write link", "new")

    assert bench.sh("cd /tmp/write; readlink link; cat d/file") == "d/file\nnew\n"


def test_parents_are_made(bench: Bench) -> None:
    bench.run("ctr_write --parents a/b/c", "x")

    assert bench.sh("cat /tmp/write/a/b/c") == "x\n"


def test_a_path_is_what_the_shell_would_read(bench: Bench) -> None:
    bench.shell("place=/tmp/write/deep; mkdir -p $place")

    bench.run("ctr_write $place/one", "x")
    bench.run('ctr_write "${place}/two words"', "x")
    bench.run("ctr_write '$place'", "x")
    with pytest.raises(CtrKernelError, match="never_set"):
        bench.run("ctr_write $never_set/x", "x")

    assert bench.sh("ls /tmp/write /tmp/write/deep") == (
        "/tmp/write:\n$place\ndeep\n\n/tmp/write/deep:\none\ntwo words\n"
    )


def test_a_session_of_its_own_has_its_own_directory(bench: Bench) -> None:
    bench.workspace.container().session("other").run("mkdir -p /tmp/write/o; cd /tmp/write/o")

    bench.run("ctr_write --session other file", "x")

    assert bench.sh("cat /tmp/write/o/file") == "x\n"


def test_nothing_is_left_behind(bench: Bench) -> None:
    bench.run("ctr_write file", "x")
    with pytest.raises(TransferError):
        bench.run("ctr_write no/file", "x")

    assert bench.sh("ls -A /tmp/write") == "file\n"


def test_a_write_that_is_interrupted_leaves_the_old_file(bench: Bench) -> None:
    bench.sh("echo old > /tmp/write/file")
    bench.interrupts.interrupt()

    with pytest.raises(CtrKernelError, match="interrupted"):
        bench.run("ctr_write file", "new")

    assert bench.sh("cat /tmp/write/file; ls -A /tmp/write") == "old\nfile\n"


def test_a_container_without_a_shell_takes_a_file(no_shell: str) -> None:
    bench = Bench(no_shell)

    bench.run("ctr_write /written", "x")

    assert bench.workspace.container().get_bytes("/written") == b"x\n"


def test_a_tmpfs_takes_a_file(make_container: Callable[..., str]) -> None:
    bench = Bench(make_container("debian", "--read-only", "--tmpfs=/scratch"))

    bench.run("ctr_write /scratch/file", "x")

    assert bench.sh("cat /scratch/file") == "x\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ctr_write /tmp/write", "is a folder; name a file"),
        ("ctr_write new/", "there is no folder"),
        ("ctr_write no/such/file", "there is no folder .*:/tmp/write/no; .*mkdir -p"),
        ("ctr_write /etc/passwd/x", "is a file"),
        ("ctr_write /dev/null", "is a device"),
        ("ctr_write /proc/1/x", "proc"),
        ("ctr_write --mode 999 file", "octal digits"),
        ("ctr_write --owner a:b:c file", "USER or USER:GROUP"),
        ("ctr_write --owner nobody-here file", "knows no user nobody-here"),
        ("ctr_write one two", "type %ctr_write --help"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(bench: Bench, line: str, said: str) -> None:
    with pytest.raises(CtrKernelError, match=said) as caught:
        bench.run(line, "x")

    assert "\n" not in str(caught.value)
    assert bench.sh("ls -A /tmp/write") == ""


def test_what_utf_8_cannot_carry_is_told(bench: Bench) -> None:
    with pytest.raises(CtrKernelError, match=r"U\+D800, which is no character"):
        bench.run("ctr_write file", "a\ud800")


def test_a_read_only_container_says_so(read_only: str) -> None:
    with pytest.raises(TransferError, match="read-only"):
        Bench(read_only).run("ctr_write /etc/x", "x")


def test_a_line_alone_says_how_it_is_typed(bench: Bench) -> None:
    with pytest.raises(CtrKernelError, match="type %%ctr_write as its first line"):
        bench.run("ctr_write file")
