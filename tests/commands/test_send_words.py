"""How the lines of %ctr_send and %ctr_expect are read."""

from __future__ import annotations

import pytest

from ctrkernel.commands import registry
from ctrkernel.errors import UsageError


@pytest.mark.parametrize(
    ("line", "text", "keys", "enter"),
    [
        ("print('a b', \"c\")", "print('a b', \"c\")", [], None),
        ("--no-enter y", "y", [], False),
        ("--key C-c", "", ["C-c"], None),
        ("--key C-c --key Up --enter", "", ["C-c", "Up"], True),
        ("--key=Tab fo", "fo", ["Tab"], None),
        ("-- -x --key", "-x --key", [], None),
        ("yes --no-enter", "yes --no-enter", [], None),
        (r"a\ b 'open", r"a\ b 'open", [], None),
    ],
)
def test_text_is_typed_as_it_stands(
    line: str, text: str, keys: list[str], enter: bool | None
) -> None:
    send = registry.find("ctr_send")

    parsed = send.parser().parse_args(send.words(line))

    assert (parsed.text, parsed.key, parsed.enter) == (text, keys, enter)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (r"\d+", [r"\d+"]),
        ("'>>> '", [">>> "]),
        (r'"it\'s \w"', [r"it\'s \w"]),
        (r"--timeout 5 '\[y/n\] '", ["--timeout", "5", r"\[y/n\] "]),
        ("#x", ["#x"]),
    ],
)
def test_a_pattern_keeps_its_backslashes(line: str, words: list[str]) -> None:
    assert registry.find("ctr_expect").words(line) == words


def test_a_pattern_with_an_open_quote_says_how_to_quote() -> None:
    with pytest.raises(UsageError, match="quote the pattern"):
        registry.find("ctr_expect").words("it's")
