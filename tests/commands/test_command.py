"""How a command's line is read, before any work is done."""

from __future__ import annotations

import pytest

from ctrkernel.commands import registry
from ctrkernel.commands.command import split_words
from ctrkernel.commands.context import Context
from ctrkernel.commands.workspace import Workspace
from ctrkernel.errors import CtrKernelError, UsageError
from tests.commands.recording import RecordingFrontend


@pytest.fixture
def context() -> Context:
    """A context in which nothing can work: no engine, no container."""
    return Context(Workspace({"PATH": ""}), RecordingFrontend())


def test_every_command_is_found_by_its_name() -> None:
    assert {"ctr", "ctr_attach", "ctr_get", "ctr_put"} <= set(registry.COMMANDS)
    for name in registry.COMMANDS:
        assert registry.find(name).name == name


@pytest.mark.parametrize("name", sorted(registry.COMMANDS))
@pytest.mark.parametrize("line", ["-h", "--help", "--no-such -h"])
def test_help_is_text_and_does_nothing(context: Context, name: str, line: str) -> None:
    output = registry.find(name).run(line, context)

    assert output.text.startswith(f"usage: %{name}")
    for example, what in registry.find(name).examples:
        assert example in output.text
        assert what in output.text


@pytest.mark.parametrize("name", sorted(registry.COMMANDS))
def test_help_behind_two_dashes_is_a_name(context: Context, name: str) -> None:
    with pytest.raises(CtrKernelError) as caught:
        registry.find(name).run("-- --help -h", context)

    assert "usage:" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "near"), [("ctr_atach", "%ctr_attach"), ("ctr_putt", "%ctr_put"), ("ctr_", "%ctr")]
)
def test_an_unknown_command_names_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"there is no command %{name}; .*{near}"):
        registry.find(name)


@pytest.mark.parametrize("name", sorted(registry.COMMANDS))
def test_an_option_that_is_none_says_how_to_get_help(context: Context, name: str) -> None:
    with pytest.raises(UsageError, match=f"type %{name} --help") as caught:
        registry.find(name).run("--no-such-option x y", context)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["ctr_put", "ctr_get"])
@pytest.mark.parametrize("line", ["", "one", "-L one", "-- one"])
def test_a_copy_needs_a_source_and_a_destination(context: Context, name: str, line: str) -> None:
    with pytest.raises(UsageError, match=f"type %{name} SRC DEST"):
        registry.find(name).run(line, context)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a b", ["a", "b"]),
        ("'a b' \"c d\"", ["a b", "c d"]),
        (r"a\ b", ["a b"]),
        ("'' x", ["", "x"]),
        ("'$HOME' *", ["$HOME", "*"]),
        ("a#b #c", ["a#b", "#c"]),
        ("  a \t b  ", ["a", "b"]),
        ("", []),
    ],
)
def test_words_are_split_as_a_shell_would(line: str, words: list[str]) -> None:
    assert split_words(line, "ctr_put") == words


@pytest.mark.parametrize("line", ["'a", '"a', "a\\"])
def test_an_open_quote_says_how_to_quote(line: str) -> None:
    with pytest.raises(UsageError, match=r"%ctr_put: .*quote") as caught:
        split_words(line, "ctr_put")

    assert "\n" not in str(caught.value)
