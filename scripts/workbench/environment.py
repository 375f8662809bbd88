"""The virtual environment ``.venv``: the built wheel of this checkout and what it needs."""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from workbench import packages
from workbench.names import ROOT
from workbench.process import SetupFailed, only_one, query, say, work

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

#: JupyterLab, a browser's driver and the rest, over a slow line.
INSTALL_SECONDS = 1800.0

#: For one wheel of a few hundred kilobytes, and for an empty environment.
SHORT_SECONDS = 180.0

VENV = ROOT / ".venv"
_PYTHON = str(VENV / "bin" / "python")
_STAMP = VENV / "ctrkernel.json"

#: What the wheel is made from.
_SOURCES = ("ctrkernel", "kernelspec", "pyproject.toml", "README.md", "LICENSE")

#: The first release with ``--group``.
_PIP = "pip>=25.1"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an environment was made from.

    Attributes:
        needs: A hash of Python's version and all that pyproject.toml requires.
        sources: A hash of what the wheel is made from.
        groups: The dependency groups, sorted.
    """

    needs: str
    sources: str
    groups: tuple[str, ...]


def ensure(groups: Iterable[str]) -> None:
    """See to it that ``.venv`` holds this checkout's wheel and the named dependency groups.

    Groups that are there already stay, so asking for few after many changes nothing.

    Raises:
        SetupFailed: A group is unknown, or a virtual environment or the wheel cannot be made.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    known = set(project["dependency-groups"])
    if unknown := set(groups) - known:
        raise SetupFailed(f"pyproject.toml has no group {', '.join(unknown)}; it has {known}")
    with only_one(ROOT / "var" / "venv.lock"):
        have = _read_stamp()
        kept = set(have.groups) & known if have else set()
        want = Stamp(_needs(project), _sources(), tuple(sorted({*groups, *kept})))
        if have == want:
            return
        _STAMP.unlink(missing_ok=True)  # From here until the end it is neither the old nor the new.
        if have and (have.needs, have.groups) == (want.needs, want.groups):
            _install_wheel()
        else:
            # A requirement that was dropped must not linger and hide that something imports it;
            # another group only adds.
            if have is None or have.needs != want.needs:
                _create()
            _install_all(project, want.groups)
        _STAMP.write_text(json.dumps(asdict(want)))


def _read_stamp() -> Stamp | None:
    try:
        document = json.loads(_STAMP.read_text())
        return Stamp(document["needs"], document["sources"], tuple(document["groups"]))
    except (OSError, ValueError, KeyError):
        return None


def _needs(project: dict[str, dict[str, object]]) -> str:
    parts = [
        sys.version_info[:3],
        project["build-system"]["requires"],
        project["project"]["requires-python"],
        project["project"]["dependencies"],
        project["dependency-groups"],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _sources() -> str:
    digest = hashlib.sha256()
    for path in _files():
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    for name in _SOURCES:
        top = ROOT / name
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _create() -> None:
    say(f"creating {VENV}")
    argv = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    if query([sys.executable, "-c", "import ensurepip"], seconds=SHORT_SECONDS).returncode:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        if not packages.can_install():
            raise SetupFailed(
                f"Python has no ensurepip; install it: sudo apt-get install {version}"
            )
        packages.install(version)
    work(argv, log="venv", seconds=SHORT_SECONDS)
    _pip("install", "--upgrade", _PIP, log="pip-self")


def _install_all(project: dict[str, dict[str, object]], groups: tuple[str, ...]) -> None:
    say(f"installing ctrkernel with {', '.join(groups) or 'no'} dependency groups")
    requires = project["build-system"]["requires"]
    assert isinstance(requires, list)
    options = [f"--group={group}" for group in groups]
    # Named together, so that a group that includes ctrkernel means this one. The build backend
    # is kept, so that the next wheel needs no environment of its own.
    _pip("install", *requires, *options, str(ROOT), log="pip-install")


def _install_wheel() -> None:
    say("installing ctrkernel anew")
    options = ["--no-deps", "--force-reinstall", "--no-build-isolation"]
    _pip("install", *options, str(ROOT), log="pip-wheel")


def _pip(*words: str, log: str) -> None:
    argv = [_PYTHON, "-P", "-m", "pip", "--disable-pip-version-check", "--no-input", *words]
    work(argv, log=log, seconds=INSTALL_SECONDS)
