"""The reaper runs its command when its owner is gone, however it went, and only then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest

import ctrkernel
from ctrkernel.engine import reaper as reaper_module
from ctrkernel.engine.reaper import PID_WORD, START_WORD, Reaper

#: Seconds that a test waits for what must come.
TIMEOUT = 20.0


def words_to(path: Path, *words: str) -> list[str]:
    """Return an argv that writes `words`, one a line, to a file that then appears as a whole."""
    script = 'for word; do printf "%s\\n" "$word"; done >"$0.part"; mv "$0.part" "$0"'
    return ["sh", "-c", script, str(path), *words]


@pytest.fixture
def said(tmp_path: Path) -> Path:
    return tmp_path / "said"


def test_release_runs_the_command(said: Path) -> None:
    reaper = Reaper(words_to(said, "word"), unable=["false"], environ=os.environ)

    reaper.release()

    assert reaper.wait(TIMEOUT)
    assert said.read_text() == "word\n"


def test_nothing_runs_while_its_owner_lives(said: Path) -> None:
    reaper = Reaper(words_to(said), unable=["false"], environ=os.environ)

    assert not reaper.wait(0.1)
    assert not said.exists()
    reaper.dismiss()


def test_dismissal_ends_it_without_the_command(said: Path) -> None:
    reaper = Reaper(words_to(said), unable=["false"], environ=os.environ)
    reaper.tell(1, 2)

    reaper.dismiss()

    assert reaper.wait(0)
    assert not said.exists()


def test_what_was_told_last_takes_the_place_of_the_words(said: Path) -> None:
    argv = words_to(said, "-x", PID_WORD, "a b", START_WORD, "", f"{PID_WORD}x", "*", "$HOME")
    reaper = Reaper(argv, unable=["false"], environ=os.environ)

    reaper.tell(1, 2)
    reaper.tell(12345, 67890)
    reaper.release()

    assert reaper.wait(TIMEOUT)
    expected = ["-x", "12345", "a b", "67890", "", f"{PID_WORD}x", "*", "$HOME"]
    assert said.read_text().splitlines() == expected


def test_the_words_are_nought_where_nothing_was_told(said: Path) -> None:
    reaper = Reaper(words_to(said, PID_WORD, START_WORD), unable=["false"], environ=os.environ)

    reaper.release()

    assert reaper.wait(TIMEOUT)
    assert said.read_text() == "0\n0\n"


def test_telling_and_releasing_again_are_harmless(said: Path) -> None:
    reaper = Reaper(words_to(said), unable=["false"], environ=os.environ)
    reaper.release()
    assert reaper.wait(TIMEOUT)

    reaper.release()
    reaper.tell(1, 2)
    reaper.dismiss()

    assert said.exists()


def test_a_command_that_takes_long_is_not_waited_for_for_ever() -> None:
    reaper = Reaper(["sleep", "0.3"], unable=["false"], environ=os.environ)
    reaper.release()

    assert not reaper.wait(0.05)
    assert reaper.wait(TIMEOUT)


def test_those_that_were_released_together_are_waited_for_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, waited = [100.0], []

    def select(*arguments: object) -> tuple[list[int], list[int], list[int]]:
        waited.append(arguments[-1])
        now[0] += 4.0
        return [], [], []

    reapers = [Reaper(["true"], environ=os.environ) for _ in range(3)]
    with monkeypatch.context() as clock:
        clock.setattr(reaper_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
        clock.setattr(reaper_module, "select", SimpleNamespace(select=select))
        for each in reapers:
            each.release()
        for each in reapers:
            assert not each.wait(6.0)

    assert waited == [6.0, 2.0, 0.0]


def test_an_owner_that_forgets_it_has_released_it(said: Path) -> None:
    reaper = Reaper(words_to(said), unable=["false"], environ=os.environ)
    watch = os.dup(reaper._ended)

    del reaper

    with os.fdopen(watch, "rb") as ended:
        assert ended.read() == b""
    assert said.exists()


def test_the_environment_is_the_given_one(said: Path) -> None:
    script = 'printf "%s" "$MINE" >"$0.part"; mv "$0.part" "$0"'
    reaper = Reaper(
        ["sh", "-c", script, str(said)],
        unable=["false"],
        environ={"PATH": os.environ["PATH"], "MINE": "here"},
    )

    reaper.release()

    assert reaper.wait(TIMEOUT)
    assert said.read_text() == "here"


def test_what_cannot_be_started_leaves_no_descriptor_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "run", refuse)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - descriptors, not paths

    with pytest.raises(OSError, match="temporarily"):
        Reaper(["true"], unable=["false"], environ=os.environ)

    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_owner_that_is_killed_has_its_command_run(said: Path, number: signal.Signals) -> None:
    code = textwrap.dedent("""
        import os, sys, time
        from ctrkernel.engine.reaper import PID_WORD, START_WORD, Reaper
        reaper = Reaper(sys.argv[1:], unable=["false"], environ=os.environ)
        reaper.tell(7, 8)
        print("up", flush=True)
        time.sleep(60)
    """)
    package = str(Path(ctrkernel.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", code, *words_to(said, PID_WORD, START_WORD)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": package},
        start_new_session=True,
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"

        os.killpg(owner.pid, number)

        assert owner.wait(TIMEOUT) == -number
    assert wait_for(said) == "7\n8\n"


def wait_for(path: Path) -> str:
    """Return the content of a file that appears as a whole, as soon as it is there."""
    watcher = ["sh", "-c", 'until [ -e "$0" ]; do sleep 0.02; done', str(path)]
    subprocess.run(watcher, timeout=TIMEOUT, check=True)
    return path.read_text()
