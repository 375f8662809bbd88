"""What stands at the cursor is told for any text, and nothing ever raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctrkernel.protocol.cursor import DEEPEST, LONGEST, place_at, word_of
from ctrkernel.protocol.typed_command import Position
from ctrkernel.protocol.typed_word import Opaque, Tilde, Variable, continued

#: What makes shell code what it is, to be thrown together.
PIECES = st.sampled_from(
    (
        *("'\"\\`$(){}[]<>|&;#!~=:/\n\t *?a"),
        *("é", "\U0001d4b3", "$(", "${", "$((", "<<E\n", "E\n", "<<", "$'", "<(", "\\\n", "2>"),
        *("if ", "case x in ", "esac", "[[ ", "]]", "done", "for ", "x=", "&>"),
    )
)
CODE = st.one_of(st.text(), st.lists(PIECES).map("".join))


@given(CODE, st.integers(min_value=-1, max_value=50))
def test_any_text_with_any_cursor_has_an_answer(code: str, cursor: int) -> None:
    place = place_at(code, cursor)

    typed = code[: max(0, cursor)]
    word = place.word
    assert typed[word.start :] == word.raw
    assert 0 <= word.name_start <= len(word.raw)
    assert all(0 < end <= len(word.raw) for end in word.breaks)
    for end in word.breaks:
        word_of(typed, word.start + end)


@pytest.mark.parametrize(
    ("code", "position", "raw"),
    [
        ("", Position.COMMAND, ""),
        ("gi", Position.COMMAND, "gi"),
        ("  gi", Position.COMMAND, "gi"),
        ("a; b && c", Position.COMMAND, "c"),
        ("a | b", Position.COMMAND, "b"),
        ("a &b", Position.COMMAND, "b"),
        ("X=1 Y=2 ma", Position.COMMAND, "ma"),
        ("2>/dev/null ma", Position.COMMAND, "ma"),
        ("if tru", Position.COMMAND, "tru"),
        ("if a; then b; else c", Position.COMMAND, "c"),
        ("for i in a; do ec", Position.COMMAND, "ec"),
        ("case x in a) ec", Position.COMMAND, "ec"),
        ("case x in (a) b;; c) ec", Position.COMMAND, "ec"),
        ("(cd /; l", Position.COMMAND, "l"),
        ("f() { ec", Position.COMMAND, "ec"),
        ("! gr", Position.COMMAND, "gr"),
        ("echo $(da", Position.COMMAND, "da"),
        ('echo "a $(da', Position.COMMAND, "da"),
        ("echo `da", Position.COMMAND, "da"),
        ("diff <(so", Position.COMMAND, "so"),
        ("cat <<E | gr", Position.COMMAND, "gr"),
        ("cat <<E\n$(x\nE\nec", Position.COMMAND, "ec"),
        ("[[ -f x ]] && ec", Position.COMMAND, "ec"),
        ("echo $(a) b `c` ; ec", Position.COMMAND, "ec"),
        ("a \\\n b; c", Position.COMMAND, "c"),
        ("git che", Position.ARGUMENT, "che"),
        ("git ", Position.ARGUMENT, ""),
        ("a # b\nc d", Position.ARGUMENT, "d"),
        ("echo a#b", Position.ARGUMENT, "a#b"),
        ("[[ -f x && -d /t", Position.ARGUMENT, "/t"),
        ("for i in a", Position.ARGUMENT, "a"),
        ("a=(x y", Position.ARGUMENT, "y"),
        ("cat 'a b", Position.ARGUMENT, "'a b"),
        ('echo "$(l)"x', Position.ARGUMENT, '"$(l)"x'),
        ("a > fi", Position.TARGET, "fi"),
        ("a 2>>fi", Position.TARGET, "fi"),
        ("a &>fi", Position.TARGET, "fi"),
        ("a <fi", Position.TARGET, "fi"),
        ("a <<<fi", Position.TARGET, "fi"),
        ("X=/us", Position.VALUE, "X=/us"),
        ("X='/us", Position.VALUE, "X='/us"),
        ("export P=/a:/b", Position.VALUE, "P=/a:/b"),
        ("echo $FO", Position.VARIABLE, "$FO"),
        ("echo a${FO", Position.VARIABLE, "${FO"),
        ('echo "a $', Position.VARIABLE, "$"),
        ("echo ${#FO", Position.VARIABLE, "${#FO"),
        ("echo ${x:-$F", Position.VARIABLE, "$F"),
        ("echo $((1 + fo", Position.VARIABLE, "fo"),
        ("((fo", Position.VARIABLE, "fo"),
        ("cat <<E\n$H", Position.VARIABLE, "$H"),
        ("cat <<'E'\n$H", Position.NOTHING, ""),
        ("cat <<E\nwor", Position.NOTHING, ""),
        ("# com", Position.NOTHING, ""),
        ("a # com", Position.NOTHING, ""),
        ("echo ${x:-wor", Position.NOTHING, ""),
        ("done ", Position.NOTHING, ""),
    ],
)
def test_a_place_is_known(code: str, position: Position, raw: str) -> None:
    place = place_at(code, len(code))

    assert (place.position, place.word.raw) == (position, raw)


def test_the_words_before_the_cursor_are_those_of_its_own_command() -> None:
    place = place_at("cd /; X=1 sudo 2>x git -C $(pwd) ~/a/che # no", 38)

    assert [word.raw for word in place.words] == ["sudo", "git", "-C", "$(pwd)"]
    assert place.words[3].opaque
    assert place.word.raw == "~/a/c"


def test_a_word_is_taken_apart_into_what_it_means() -> None:
    word = place_at("ls ~joe/$A/'b c'/${D}e\\ f", 25).word

    assert word.pieces == (Tilde("joe"), "/", Variable("A"), "/", "b c/", Variable("D"), "e f")
    assert word.folder == 5
    assert word.raw[word.name_start :] == "${D}e\\ f"
    assert place_at("ls $(x)/a", 9).word.pieces == (Opaque.OPAQUE, "/", "a")


@pytest.mark.parametrize("code", ["$(" * 5000, "((" * 5000, '"$(' * 5000, "`$(" * 5000])
def test_commands_in_commands_do_not_exhaust_it(code: str) -> None:
    assert len(code) > DEEPEST
    assert place_at(code, len(code)).word.raw == ""


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_what_is_put_into_a_word_is_read_back_as_it_was(name: str) -> None:
    for begin in ("", "'", '"'):
        text = continued(begin, name, quote=begin, escaped=False, ansi_c=False)
        word = place_at(f"cat {text}", len(text) + 4).word
        assert (word.text, word.raw) == (name, text)


def test_of_long_text_the_last_lines_are_read() -> None:
    line = "echo word # of many\n"
    long = line * (LONGEST // len(line) + 2)

    place = place_at(f"{long}ls /et", len(long) + 6)

    assert (place.position, place.word.raw) == (Position.ARGUMENT, "/et")
    assert place.word.start == len(long) + 3
    assert [word.raw for word in place.words] == ["ls"]
    assert place_at("x" * (LONGEST + 1), LONGEST + 1).position is Position.NOTHING
