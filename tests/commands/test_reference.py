"""The reference page says what the parsers say."""

from __future__ import annotations

import argparse

import pytest

import command_reference
from ctrkernel.commands import registry


def test_the_page_is_what_the_parsers_make() -> None:
    assert command_reference.PAGE.read_text(encoding="utf-8") == command_reference.page(), (
        "docs/commands.md is old; type: python scripts/command_reference.py"
    )


@pytest.mark.parametrize("name", sorted(registry.COMMANDS))
def test_every_command_is_described_with_its_options_and_examples(name: str) -> None:
    section = command_reference.page().split(f"\n## {name}\n")[1].split("\n## ")[0]
    command = registry.find(name)

    for example, what in command.examples:
        assert f"`{example}`".replace("|", "\\|") in section
        assert what in section
    for action in command.parser()._actions:
        if action.help == argparse.SUPPRESS:
            continue
        assert action.dest == "help" or action.help, f"{action.dest} has no help"
        for option in action.option_strings:
            assert option in section or action.dest == "help"
