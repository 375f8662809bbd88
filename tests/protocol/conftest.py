"""The shells of this machine, to try our words on."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import settings

# A slow machine is no failure, and a checkout is no place for a database of examples.
settings.register_profile("ctrkernel", deadline=None, database=None)
settings.load_profile("ctrkernel")

#: How each shell is started without its start files.
SHELLS = {
    "bash": ("bash", "--norc", "--noprofile"),
    "dash": ("dash",),
    "ash": ("busybox", "ash"),
    "zsh": ("zsh", "-f"),
}
#: What any machine that runs the tests has; the others are in the tests' images in any case.
REQUIRED = {"bash", "dash"}


@pytest.fixture
def argv_of(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Return the argv of the shell whose name the test is parametrised with (indirectly)."""
    name: str = request.param
    argv = SHELLS[name]
    if name not in REQUIRED and shutil.which(argv[0]) is None:
        pytest.skip(f"no {argv[0]} on this machine; the golden sessions hold what it does")
    return argv
