"""Settings come from the environment or are typed, and nonsense changes nothing."""

from __future__ import annotations

import re

import pytest

from ctrkernel.commands import registry
from ctrkernel.commands.context import Context
from ctrkernel.commands.settings import Settings
from ctrkernel.commands.workspace import Workspace
from ctrkernel.errors import UsageError
from tests.commands.recording import RecordingFrontend


def _context(**environ: str) -> Context:
    return Context(Workspace(environ), RecordingFrontend())


def test_alone_it_shows_every_setting_with_its_meaning() -> None:
    output = registry.find("ctr_config").run("", _context())

    lines = output.text.splitlines()
    assert lines[0].split() == ["setting", "value", "default", "meaning"]
    assert re.match(r"output_limit +1MB +1MB +how much of a cell's output", lines[1])
    assert re.match(r"trust +none +none ", lines[2])
    assert dict(output.value)["output_limit"] == 1_000_000  # type: ignore[call-overload]


def test_what_is_typed_holds_from_then_on() -> None:
    context = _context(CTRKERNEL_OUTPUT_LIMIT="5MB")
    config = registry.find("ctr_config")

    assert context.workspace.settings.output_limit == 5_000_000
    assert "500.0kB" not in config.run("output_limit=500k", context).text
    assert context.workspace.settings.output_limit == 500_000
    config.run("output_limit=none trust=html", context)
    assert context.workspace.settings.output_limit is None
    assert context.workspace.settings["trust"] == "html"
    config.run("output_limit=", context)
    assert context.workspace.settings.output_limit == 1_000_000


@pytest.mark.parametrize(
    "line", ["trust=html output_limit=x", "trust=html nosuch=1", "trust=html output_limit=10"]
)
def test_of_several_words_all_take_effect_or_none(line: str) -> None:
    context = _context()

    with pytest.raises(UsageError, match="type %ctr_config"):
        registry.find("ctr_config").run(line, context)

    assert context.workspace.settings["trust"] == "none"


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("width=80", 80),
        ("height=2", 2),
        ("timeout=30", 30.0),
        ("timeout=1.5", 1.5),
        ("timeout=5m", 300.0),
        ("timeout=2h", 7200.0),
        ("timeout=none", None),
        ("timeout=", None),
        ("pager='less -R'", "less -R"),
    ],
)
def test_numbers_times_and_programs_are_read_as_typed(typed: str, value: object) -> None:
    context = _context()

    registry.find("ctr_config").run(typed, context)

    assert context.workspace.settings[typed.partition("=")[0]] == value


@pytest.mark.parametrize(
    "line",
    [
        "width=9",
        "width=1001",
        "width=x",
        "width=-5",
        "height=1",
        "timeout=0",
        "timeout=-1",
        "timeout=soon",
        "timeout=inf",
        "timeout=nan",
        "timeout=m",
        "stop_on_error=yes",
        "term='a\x1b'",
    ],
)
def test_what_is_no_size_time_or_word_is_told_with_what_to_type(line: str) -> None:
    with pytest.raises(UsageError, match=f"type %ctr_config {line.partition('=')[0]}="):
        registry.find("ctr_config").run(line, _context())


def test_the_terminal_follows_the_environment_where_that_makes_sense() -> None:
    settings = Settings({"COLUMNS": "80", "LINES": "0", "CTRKERNEL_TIMEOUT": "2m"})

    settings.check()

    assert (settings["width"], settings["height"], settings["timeout"]) == (80, 40, 120.0)


def test_a_variable_that_makes_no_sense_is_told_at_first_use_and_can_be_mended() -> None:
    settings = Settings({"CTRKERNEL_OUTPUT_LIMIT": "much"})

    with pytest.raises(UsageError, match="CTRKERNEL_OUTPUT_LIMIT=much"):
        settings.check()
    assert settings.output_limit == 1_000_000
    settings.update({"output_limit": "2MB"})
    settings.check()
    assert settings.output_limit == 2_000_000
