"""``python3 -m workbench STEP …``: the steps that the Makefile is made of."""

from __future__ import annotations

import argparse
import shutil
import sys
from typing import TYPE_CHECKING

from workbench import containers, engine, environment, images, packages
from workbench.names import CACHE, ROOT
from workbench.process import SetupFailed, say

if TYPE_CHECKING:
    from collections.abc import Callable

#: What a browser is called on the path.
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: The shells that the protocol's lines are tried on, outside any container, and their packages.
_SHELLS = {"bash": "bash", "dash": "dash", "zsh": "zsh", "busybox": "busybox-static"}


def main() -> int:
    """Run one step; a failure is one line on standard error and status 1."""
    parser = argparse.ArgumentParser(prog="workbench", description=__doc__)
    parser.add_argument("step", choices=sorted(_STEPS))
    parser.add_argument("words", nargs="*", help="venv: dependency groups")
    options = parser.parse_args()
    try:
        _STEPS[options.step](options.words)
    except SetupFailed as e:
        say(str(e))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _browser() -> None:
    if not any(shutil.which(name) for name in _BROWSERS):
        packages.need("chromium", "chromium")


def _shells() -> None:
    for program, package in _SHELLS.items():
        packages.need(program, package)


def _demo_container() -> None:
    engine.require()
    containers.demo()


def _test_images() -> None:
    engine.require()
    for image in images.BY_NAME.values():
        images.ensure(image)


def _clean() -> None:
    if engine.answers():
        containers.remove_all()
        images.remove_all()
    else:
        say("no engine answers, so containers and images stay; type: make engine clean")
    for folder in (environment.VENV, CACHE, ROOT / "var"):
        shutil.rmtree(folder, ignore_errors=True)


_STEPS: dict[str, Callable[[list[str]], object]] = {
    "browser": lambda _: _browser(),
    "clean": lambda _: _clean(),
    "demo-container": lambda _: _demo_container(),
    "engine": lambda _: engine.up(),
    "engine-stop": lambda _: engine.down(),
    "images": lambda _: _test_images(),
    "shells": lambda _: _shells(),
    "venv": environment.ensure,
}

if __name__ == "__main__":
    sys.exit(main())
