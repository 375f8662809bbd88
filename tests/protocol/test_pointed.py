"""What a person may mean who points at a place in shell code."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctrkernel.protocol.pointed import pointed_at


@pytest.mark.parametrize(
    ("code", "likeliest"),
    [
        ("ta^r -xf a", "command tar"),
        ("^tar", "command tar"),
        ("tar ^", "command tar"),
        ("tar -x^f a", "command tar"),
        ("sudo ap^t install", "path apt, command apt, command sudo"),
        ("git com^mit", "path commit, command git"),
        ("echo $HO^ME/x", "variable HOME"),
        ("echo ${HO^ME}/x", "variable HOME"),
        ('echo "${#HO^ME}"', "variable HOME"),
        ("export PA^TH", "variable PATH, path PATH, command export"),
        ("FO^O=1", "variable FOO, path 1"),
        ("cat < fi^le", "path file, command cat"),
        ("ls 'a b^c'", "path a bc, command ls"),
        ("ls ~/^x", "path ~/x, command ls"),
        ("ls $HOME/^x", "command ls"),
        ("a | gr^ep x", "command grep, variable grep"),
        ("if tr^ue; then", "command true, variable true"),
        ("x=$(da^te)", "command date, variable date"),
        ("# fo^o", ""),
        ("cat <<E\nfo^o\nE", ""),
        ("^", ""),
        ("echo 'it^", "path it, command echo"),
    ],
)
def test_the_likeliest_reading_comes_first(code: str, likeliest: str) -> None:
    cursor = code.index("^")

    pointed = pointed_at(code.replace("^", ""), cursor)

    readings = pointed.readings if pointed is not None else ()
    said = ", ".join(f"{what.value} {name}" for what, name in readings)
    assert said.startswith(likeliest)
    assert bool(said) == bool(likeliest)


@settings(deadline=None, database=None)
@given(st.text("a$~{}()'\"`\\|&;<> \n=#/", max_size=30), st.integers(-2, 40))
def test_any_place_in_any_text_has_an_answer(code: str, cursor: int) -> None:
    pointed = pointed_at(code, cursor)

    assert pointed is None or all(name for _, name in pointed.readings)
