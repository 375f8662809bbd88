"""Real containers for the tests, made once for the run and removed at its end."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.integration.notebook import Notebook
from workbench import containers, engine, images
from workbench.names import ENGINE
from workbench.process import SetupFailed

#: Makes a container from an image's short name and options of the engine's ``run``.
MakeContainer = Callable[..., str]

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def engine_program() -> str:
    """Return the engine's command line; the test fails where no engine answers."""
    with _told():
        engine.require()
        containers.remove_orphans()
    return ENGINE


@pytest.fixture(scope="session")
def debian(engine_program: str) -> Iterator[str]:
    """A container with bash, dash, zsh and everyday tools."""
    yield from _container("debian")


@pytest.fixture(scope="session")
def busybox(engine_program: str) -> Iterator[str]:
    """A container with nothing but busybox, whose ash is its sh."""
    yield from _container("busybox")


@pytest.fixture(scope="session")
def no_stty(engine_program: str) -> Iterator[str]:
    """The Debian container without the program stty."""
    yield from _container("no_stty")


@pytest.fixture(scope="session")
def no_shell(engine_program: str) -> Iterator[str]:
    """A container whose only program is sleep."""
    yield from _container("no_shell")


@pytest.fixture(scope="session")
def read_only(engine_program: str) -> Iterator[str]:
    """The Debian container with a root file system that cannot be written."""
    yield from _container("debian", "--read-only")


@pytest.fixture(scope="session")
def non_root(engine_program: str) -> Iterator[str]:
    """The Debian container with user 1000, who has a home, for its user."""
    yield from _container("debian", "--user=1000:1000")


@pytest.fixture
def make_container(engine_program: str) -> Iterator[MakeContainer]:
    """Return a function that starts a container which is removed at the test's end.

    It takes the image's short name (``debian``, ``busybox``, ``no_stty``, ``no_shell``) and
    options of the engine's ``run``, and returns the container's name.
    """
    names: list[str] = []

    def make(image: str = "debian", *options: str) -> str:
        names.append(_name(image))
        with _told():
            return containers.for_test(names[-1], images.BY_NAME[image], *options)

    try:
        yield make
    finally:
        containers.remove(names)


def _container(image: str, *options: str) -> Iterator[str]:
    name = _name(image)
    try:
        with _told():
            containers.for_test(name, images.BY_NAME[image], *options)
        yield name
    finally:
        containers.remove([name])


def _name(image: str) -> str:
    return f"ctrkernel-test-{os.getpid()}-{next(_numbers)}-{image.replace('_', '-')}"


@contextmanager
def _told() -> Iterator[None]:
    """Turn a failed step into a failed test with that one line."""
    try:
        yield
    except SetupFailed as e:
        raise pytest.fail.Exception(str(e), pytrace=False) from None


@pytest.fixture
def notebook(engine_program: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    """A notebook whose end removes what it made; what it leaves fails the test."""
    monkeypatch.setenv("CTRKERNEL_ENGINE", engine_program)
    notebook = Notebook()
    yield notebook
    notebook.close()


@pytest.fixture(scope="session")
def debian_image(engine_program: str) -> str:
    """The image with bash, dash, zsh and everyday tools."""
    with _told():
        return images.ensure(images.BY_NAME["debian"])


@pytest.fixture(scope="session")
def no_shell_image(engine_program: str) -> str:
    """The image whose only program is sleep."""
    with _told():
        return images.ensure(images.BY_NAME["no_shell"])


@pytest.fixture
def fresh_name() -> Iterator[str]:
    """A name that no container has; one that has it at the end is removed."""
    name = _name("made")
    yield name
    containers.remove([name])
