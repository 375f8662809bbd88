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


@pytest.fixture
def argv_of(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Return the argv of the shell whose name the test is parametrised with (indirectly)."""
    name: str = request.param
    argv = SHELLS[name]
    if shutil.which(argv[0]) is None:
        pytest.fail(f"{argv[0]} is not installed; type: make shells", pytrace=False)
    return argv
