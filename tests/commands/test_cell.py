"""Which lines of a cell are commands."""

from __future__ import annotations

import pytest

from ctrkernel.commands.cell import Cell, CommandLine, split_cell


@pytest.mark.parametrize(
    "code",
    [
        "",
        "\n",
        "echo hi",
        "%1",
        "%",
        "%%",
        "%cd /",
        "%ctrl",
        "%ctrl_x y",
        "%%ctrl",
        "% ctr",
        "ctr_put a b",
        "echo x\n%ctr_put a b",
        "# first\n%ctr_put a b",
        "\n%ctr_put a b",
        "%ctr-put a b",
        "%ctr_put;",
    ],
)
def test_what_is_no_command_is_the_shell_s_as_it_stands(code: str) -> None:
    assert split_cell(code) == Cell((), code)


@pytest.mark.parametrize(
    ("line", "name", "words"),
    [
        ("%ctr_put a b", "ctr_put", "a b"),
        ("  \t%ctr_put a b", "ctr_put", "a b"),
        ("%ctr_put\ta", "ctr_put", "a"),
        ("%ctr_put   a  b ", "ctr_put", "a  b "),
        ("%ctr_put", "ctr_put", ""),
        ("%ctr_put ", "ctr_put", ""),
        ("%ctr_", "ctr_", ""),
        ("%ctr ls -l", "ctr", "ls -l"),
        ("%ctr", "ctr", ""),
        ("%ctr_put a\u2028b c", "ctr_put", "a\u2028b c"),
        ("%ctr_put a\vb", "ctr_put", "a\vb"),
    ],
)
def test_a_leading_line_is_a_command(line: str, name: str, words: str) -> None:
    assert split_cell(line) == Cell((CommandLine(name, words),), None)


def test_commands_come_first_in_their_order_and_the_rest_is_shell() -> None:
    cell = split_cell("%ctr_attach web\n%ctr cd /srv\n%ctr_put a .\n\nls\n%ctr_get b .\n")

    assert cell == Cell(
        (
            CommandLine("ctr_attach", "web"),
            CommandLine("ctr", "cd /srv"),
            CommandLine("ctr_put", "a ."),
        ),
        "\nls\n%ctr_get b .\n",
    )


@pytest.mark.parametrize("rest", ["", "\n", "\n \n\t\n"])
def test_nothing_but_blank_lines_behind_a_command_is_no_shell(rest: str) -> None:
    assert split_cell("%ctr_put a b" + rest).shell is None


def test_a_carriage_return_before_the_newline_belongs_to_neither() -> None:
    assert split_cell("%ctr_put a b\r\n%ctr ls\r\npwd\r\n") == Cell(
        (CommandLine("ctr_put", "a b"), CommandLine("ctr", "ls")), "pwd\r\n"
    )


@pytest.mark.parametrize("head", ["%%ctr", "  %%ctr", "%%ctr ", "%%ctr\r"])
def test_a_cell_magic_takes_the_body_as_it_stands(head: str) -> None:
    assert split_cell(f"{head}\n%ctr_put a b\n\nls\n") == Cell((), "%ctr_put a b\n\nls\n")


def test_a_cell_magic_without_a_body_has_nothing_for_the_shell() -> None:
    assert split_cell("%%ctr").shell is None
    assert split_cell("%%ctr\n").shell == ""


@pytest.mark.parametrize(
    ("head", "name", "words"),
    [
        ("%%ctr --session build", "ctr", "--session build"),
        ("%%ctr   word more", "ctr", "word more"),
        ("%%ctr_put a b", "ctr_put", "a b"),
        ("%%ctr_build\r", "ctr_build", ""),
    ],
)
def test_a_cell_magic_takes_the_whole_cell_as_its_body(head: str, name: str, words: str) -> None:
    expected = Cell((CommandLine(name, words, "%ctr ls\nbody\n"),), None)

    assert split_cell(f"{head}\n%ctr ls\nbody\n") == expected
