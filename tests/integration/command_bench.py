"""Commands in a real container, as a front end gives them."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from ctrkernel.commands import registry
from ctrkernel.commands.context import Context, Interrupts, Output
from ctrkernel.commands.workspace import Workspace
from tests.commands.recording import RecordingFrontend

if TYPE_CHECKING:
    from collections.abc import MutableMapping


class Bench:
    """A workspace that is attached to a container.

    Args:
        container: The container's name.
        variables: What a command sees as the person's Python variables.
    """

    def __init__(
        self, container: str, *, variables: MutableMapping[str, object] | None = None
    ) -> None:
        self.name = container
        self.frontend = RecordingFrontend(variables=variables)
        self.interrupts = Interrupts()
        self.workspace = Workspace({**os.environ, "CTRKERNEL_TARGET": container})

    def run(self, line: str, body: str | None = None) -> Output:
        """Run a command, without its percent sign."""
        name, _, words = line.partition(" ")
        context = Context(self.workspace, self.frontend, self.interrupts, body)
        return registry.find(name).run(words, context)

    def shell(self, code: str) -> str:
        """Run code in the session's shell."""
        return self.workspace.container().run(code, check=True).output

    def sh(self, script: str, *, container: str = "", user: str = "0") -> str:
        """Run a script beside the shell."""
        argv = ["docker", "exec", "--user", user, container or self.name, "sh", "-c", script]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    def fill(self, path: str, content: bytes) -> None:
        """Make a file."""
        argv = ["docker", "exec", "-i", self.name, "sh", "-c", 'cat > "$1"', "sh", path]
        subprocess.run(argv, check=True, input=content)
