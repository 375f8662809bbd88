"""A line that is still being typed."""

from __future__ import annotations

import pytest

from ctrkernel.commands import registry
from ctrkernel.commands.words import Word, quoted, slot, split


@pytest.mark.parametrize(
    ("line", "last"),
    [
        ("", Word("", "")),
        ("ls ", Word("", "")),
        ("ls /et", Word("/et", "/et")),
        (r"ls a\ b", Word("a b", r"a\ b")),
        ("ls 'a b", Word("a b", "'a b")),
        ('ls "a b', Word("a b", '"a b')),
        ("ls 'a b'", Word("a b", "'a b'")),
        ("ls a\\", Word("a", "a\\")),
        ("ls x'y z", Word("xy z", "x'y z")),
    ],
)
def test_the_last_word_is_what_the_cursor_is_in(line: str, last: Word) -> None:
    assert split(line)[-1] == last


@pytest.mark.parametrize("line", ["a;b", "a|b", "a&&b", "$(b", "a>b", "a <b"])
def test_an_operator_begins_another_word(line: str) -> None:
    assert split(line, operators=True)[-1] == Word("b", "b")


@pytest.mark.parametrize(
    ("line", "dest", "text"),
    [
        ("--session ", "session", ""),
        ("--session=bu", "session", "bu"),
        ("--on web,d", "on", "web,d"),
        ("--no-raise ls", "code", "ls"),
        ("ls --session x", "code", "x"),
        ("-- --se", "code", "--se"),
        ("ls", "code", "ls"),
        ("", "code", ""),
    ],
)
def test_a_word_of_ctr_belongs_to_an_argument(line: str, dest: str, text: str) -> None:
    found = slot(registry.find("ctr"), line)

    assert found.action is not None
    assert (found.action.dest, found.word.text) == (dest, text)


def test_what_begins_with_a_dash_is_an_option() -> None:
    found = slot(registry.find("ctr"), "--timeout 5 --se")

    assert (found.action, found.options, found.word.raw) == (None, True, "--se")
    assert found.values == {"timeout": "5"}


def test_the_words_of_a_copy_are_counted() -> None:
    found = slot(registry.find("ctr_put"), "-L a b ")

    assert found.action is not None
    assert (found.action.dest, found.number) == ("paths", 2)


def test_a_word_too_many_belongs_to_nothing() -> None:
    assert slot(registry.find("ctr_attach"), "web more").action is None


@pytest.mark.parametrize(
    ("text", "raw", "expected"),
    [
        ("a b", "a", r"a\ b"),
        ("a b", "'a", "'a b'"),
        ("a b", '"a', '"a b"'),
        ("a b/", "'a", "'a b/"),
        ("it's", "'it", "'it'\\''s'"),
        ('a"$b', '"a', '"a\\"\\$b"'),
        ("~/x", "~", "~/x"),
        ("é-ü.txt", "", "é-ü.txt"),
    ],
)
def test_a_candidate_is_quoted_as_its_beginning_is(text: str, raw: str, expected: str) -> None:
    assert quoted(text, raw) == expected
    if not expected.endswith("/"):
        assert split(expected)[-1].text == text
