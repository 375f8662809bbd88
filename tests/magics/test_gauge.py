"""What shows progress in IPython."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest

from ctrkernel.commands.progress import Progress, Redrawn
from ctrkernel.magics import gauge
from ctrkernel.magics.gauge import Hidden, NotebookBar, gauge_for


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def found(*names: str) -> Any:
    return lambda name: object() if name in names else None


NOTEBOOK: Any = SimpleNamespace(kernel=object())
SHELL: Any = SimpleNamespace()


def test_a_notebook_with_widgets_has_tqdm_s_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauge, "find_spec", found("tqdm", "ipywidgets"))

    assert isinstance(gauge_for(NOTEBOOK), NotebookBar)


@pytest.mark.parametrize("installed", [(), ("tqdm",), ("ipywidgets",)])
def test_a_notebook_without_has_a_line(
    monkeypatch: pytest.MonkeyPatch, installed: tuple[str, ...]
) -> None:
    monkeypatch.setattr(gauge, "find_spec", found(*installed))

    assert isinstance(gauge_for(NOTEBOOK), Redrawn)


def test_a_terminal_has_a_line_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("LINES", "10")
    shown = gauge_for(SHELL)

    shown.draw(Progress("put", 1_000_000, 3_000_000, 2.0))
    line = screen.getvalue()
    shown.draw(None)

    assert line.startswith("\r")
    assert 0 < len(line.strip()) < 30
    assert screen.getvalue().endswith("\r")


def test_a_file_is_not_drawn_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    shown = gauge_for(SHELL)

    shown.draw(Progress("put", 1, 2, 2.0))

    assert isinstance(shown, Hidden)


def test_a_bar_that_was_never_shown_ends_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    NotebookBar().draw(None)

    assert capsys.readouterr() == ("", "")
