"""The examples in the help can be typed as they stand."""

from __future__ import annotations

import ast
import re

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from ctrkernel.commands import registry

EXAMPLES = [
    (name, line) for name in sorted(registry.COMMANDS) for line, _ in registry.find(name).examples
]


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_an_example_is_what_its_parser_takes(name: str, line: str) -> None:
    match = re.fullmatch(r"(?:\w+ = )?%%?(\w+)(?: (.*))?", line)

    assert match is not None
    assert match[1] == name
    command = registry.find(name)
    command.parser().parse_args(command.words(match[2] or ""))


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_an_example_is_what_ipython_takes(name: str, line: str) -> None:
    body = "\nbody\n" if line.startswith("%%") else "\n"
    cell = TransformerManager().transform_cell(line + body)  # type: ignore[no-untyped-call]

    assert "magic(" in cell
    ast.parse(cell)
