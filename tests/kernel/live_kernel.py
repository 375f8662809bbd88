"""A kernel under test: started from its installed specification, spoken to as a front end does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import IO, TYPE_CHECKING, Any, Self

from jupyter_client.manager import KernelManager
from jupyter_kernel_test import validate_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jupyter_client.blocking.client import BlockingKernelClient

#: A message as jupyter_client hands it out.
Message = dict[str, Any]

#: Seconds for a kernel to start and answer on a busy machine.
START_TIMEOUT = 30.0
#: Seconds for a cell that has nothing to wait for.
CELL_TIMEOUT = 20.0
#: Seconds in which a kernel that is at rest answers.
REST_TIMEOUT = 5.0
#: Seconds in which nothing of a kernel that is gone may be left.
GONE_TIMEOUT = 5.0
#: Seconds between two looks at what no message tells.
LOOK_INTERVAL = 0.05
#: Seconds for a question to the engine.
ENGINE_TIMEOUT = 30.0
#: Runs a program as root to whom permissions of files apply: capabilities(7).
_WITHOUT_OVERRIDE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--")


@dataclass(frozen=True)
class Cell:
    """A cell that has run: its reply, and the messages that it caused, in order."""

    reply: Message
    messages: tuple[Message, ...]

    @property
    def status(self) -> str:
        return str(self.reply["content"]["status"])

    @property
    def error(self) -> tuple[str, str]:
        """The reply's ename and evalue; the same must have been published, once."""
        content = self.reply["content"]
        published = [
            (each["content"]["ename"], each["content"]["evalue"])
            for each in self.messages
            if each["msg_type"] == "error"
        ]
        said = (content["ename"], content["evalue"])
        assert published == [said]
        return said

    @property
    def streams(self) -> list[str]:
        return [each["content"]["text"] for each in self.messages if each["msg_type"] == "stream"]

    @property
    def stored(self) -> list[Message]:
        """The outputs that a notebook stores at the end, as the protocol has it."""
        outputs: list[Message] = []
        clearing = False
        for each in self.messages:
            kind, content = each["msg_type"], each["content"]
            if kind == "clear_output":
                clearing = True
            elif kind == "update_display_data":
                for output in outputs:
                    identifier = output.get("transient", {}).get("display_id")
                    if identifier == content["transient"]["display_id"]:
                        output.update(content)
            elif kind in ("stream", "display_data", "error"):
                outputs = [] if clearing else outputs
                clearing = False
                outputs.append({"kind": kind, **content})
        return outputs

    @property
    def text(self) -> str:
        """What is stored as a stream, notices of the kernel's own left out."""
        return self._named("stdout")

    @property
    def notices(self) -> str:
        """What the kernel itself says: a terminal has one stream, so nothing else is stderr."""
        return self._named("stderr")

    def _named(self, name: str) -> str:
        return "".join(each["text"] for each in self.stored if each.get("name") == name)


class LiveKernel:
    """One kernel process and a client of it; every message that comes is validated.

    Args:
        folder: Where the kernel runs; its log is kept beside the notebook's files.
        environ: Variables added to the present environment; one that is None is removed.
        unprivileged: Make permissions count, where root's run of the tests would pass them by.
        name: The kernel's; ``python3`` is this interpreter's IPython.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str | None],
        *,
        unprivileged: bool = False,
        name: str = "ctrkernel",
    ) -> None:
        self._log = folder / "kernel.log"
        self.folder = folder
        merged: dict[str, str | None] = {**os.environ, **environ}
        self._environ = {name: value for name, value in merged.items() if value is not None}
        self.manager = KernelManager(kernel_name=name)
        if unprivileged and os.geteuid() == 0:
            spec = self.manager.kernel_spec
            assert spec is not None
            spec.argv = [*_WITHOUT_OVERRIDE, *spec.argv]
        self.client: BlockingKernelClient = self.manager.client()
        self._log_file: IO[bytes] | None = None
        self._seen: list[Message] = []
        self._replies: dict[str, Message] = {}

    def start(self, *, wait: bool = True) -> Self:
        """Start the kernel and, with `wait`, see that it answers."""
        # Kept open: a restart starts the next process with the same options.
        if self._log_file is None:
            self._log_file = self._log.open("ab")
        self.manager.start_kernel(env=self._environ, cwd=str(self.folder), stderr=self._log_file)
        self._connect(wait=wait)
        return self

    def _connect(self, *, wait: bool) -> None:
        self.client = self.manager.client()
        self.client.start_channels()
        if wait:
            self.client.wait_for_ready(timeout=START_TIMEOUT)

    def end(self) -> None:
        """Shut the kernel down, if it still runs."""
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel()
        if self._log_file is not None:
            self._log_file.close()

    def heal(self, code: str = "cd /") -> None:
        """Replace a kernel that does not answer: one test's failure must not be the next one's."""
        try:
            self.run(code, timeout=REST_TIMEOUT)
        except TimeoutError:
            self.client.stop_channels()
            self.manager.restart_kernel(now=True)
            self._seen.clear()
            self._replies.clear()
            self._connect(wait=True)

    @property
    def pid(self) -> int:
        """The kernel's process."""
        assert self.manager.provisioner is not None
        pid: int = self.manager.provisioner.pid  # type: ignore[attr-defined]
        return pid

    @property
    def log(self) -> str:
        """What the kernel's process wrote on stderr."""
        return self._log.read_text(errors="replace")

    # Cells

    def run(self, code: str, *, timeout: float = CELL_TIMEOUT, **options: Any) -> Cell:
        """Run a cell to its end."""
        return self.finish(self.submit(code, **options), timeout=timeout)

    def submit(self, code: str, *, subshell: str | None = None, **options: Any) -> str:
        """Send a cell and return its message's id."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
            **options,
        }
        return self.request("shell", "execute_request", content, subshell=subshell)

    def request(
        self, channel: str, kind: str, content: Mapping[str, Any], *, subshell: str | None = None
    ) -> str:
        """Send any request and return its message's id."""
        message = self.client.session.msg(kind, dict(content))
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        getattr(self.client, f"{channel}_channel").send(message)
        identifier: str = message["header"]["msg_id"]
        return identifier

    def ask(self, channel: str, kind: str, content: Mapping[str, Any]) -> Message:
        """Send a request and return its reply's content."""
        identifier = self.request(channel, kind, content)
        return dict(self.reply(identifier, channel=channel)["content"])

    def reply(
        self, identifier: str, *, timeout: float = CELL_TIMEOUT, channel: str = "shell"
    ) -> Message:
        """Wait for the reply to a request."""
        deadline = time.monotonic() + timeout
        while identifier not in self._replies:
            message = self._receive(channel, deadline, f"no reply to {identifier}")
            self._replies[message["parent_header"]["msg_id"]] = message
        return self._replies[identifier]

    def finish(self, identifier: str, *, timeout: float = CELL_TIMEOUT) -> Cell:
        """Wait for a cell's reply and for its last message."""
        deadline = time.monotonic() + timeout
        reply = self.reply(identifier, timeout=timeout)
        while not any(map(_is_idle, self.caused_by(identifier))):
            self._publication(deadline)
        return Cell(reply, tuple(self.caused_by(identifier)))

    def ended(self, identifier: str, *, within: float) -> bool:
        """Whether a cell's reply comes in time."""
        try:
            self.reply(identifier, timeout=within)
        except TimeoutError:
            return False
        return True

    def printed(self, identifier: str) -> str:
        """Return what a cell has printed until now, pictures of what redraws included."""
        return "".join(
            each["content"].get("text") or each["content"]["data"]["text/plain"]
            for each in self.caused_by(identifier)
            if each["msg_type"] in ("stream", "display_data", "update_display_data")
        )

    def wait_for_output(
        self, identifier: str, expected: str, *, timeout: float = CELL_TIMEOUT
    ) -> None:
        """Wait until a cell, running or not, has printed `expected`."""
        deadline = time.monotonic() + timeout
        while expected not in self.printed(identifier):
            self._publication(deadline)

    def caused_by(self, identifier: str) -> list[Message]:
        """Return the messages published for a request until now."""
        return [each for each in self._seen if each["parent_header"].get("msg_id") == identifier]

    def look(self) -> None:
        """Take one more message that is published, whatever it is."""
        self._publication(time.monotonic() + CELL_TIMEOUT)

    def interrupt(self, *, message: bool = False) -> None:
        """Interrupt: by SIGINT as the specification says, or by a message."""
        if message:
            assert self.ask("control", "interrupt_request", {})["status"] == "ok"
        else:
            self.manager.interrupt_kernel()

    def forget(self) -> None:
        """Connect anew, after a restart; what was published before is forgotten."""
        self.client.stop_channels()
        self._seen.clear()
        self._replies.clear()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=START_TIMEOUT)

    def _publication(self, deadline: float) -> None:
        said = [(each["msg_type"], each["content"].get("text", "")) for each in self._seen[-5:]]
        self._seen.append(self._receive("iopub", deadline, f"silence after {said}"))

    def _receive(self, channel: str, deadline: float, what: str) -> Message:
        wait = max(0.0, deadline - time.monotonic())
        get = getattr(self.client, f"get_{channel}_msg")
        try:
            message: Message = get(timeout=wait)
        except Empty:
            raise TimeoutError(f"{what}; the kernel's log ends: {self.log[-600:]}") from None
        # Replies that a message's schema does not know yet have no validator.
        if message["msg_type"] in _KNOWN and message["content"].get("status") != "aborted":
            validate_message(message, message["msg_type"])
        return message


#: The messages that jupyter_kernel_test has a schema for.
_KNOWN = frozenset(
    {
        "clear_output",
        "complete_reply",
        "display_data",
        "error",
        "execute_input",
        "execute_reply",
        "history_reply",
        "is_complete_reply",
        "kernel_info_reply",
        "status",
        "stream",
    }
)


def _is_idle(message: Message) -> bool:
    return message["msg_type"] == "status" and bool(message["content"]["execution_state"] == "idle")


@contextlib.contextmanager
def live_kernel(
    folder: Path,
    *,
    wait: bool = True,
    unprivileged: bool = False,
    name: str = "ctrkernel",
    **environ: str | None,
) -> Iterator[LiveKernel]:
    """Start a kernel; at the end it goes, and its log must hold no traceback of ours.

    ipykernel's own control thread may find its sockets closed while the kernel ends, and says so.
    """
    kernel = LiveKernel(folder, environ, unprivileged=unprivileged, name=name)
    try:
        yield kernel.start(wait=wait)
    finally:
        kernel.end()
    assert "/ctrkernel/" not in kernel.log, kernel.log


def eventually(condition: Callable[[], bool], *, timeout: float = GONE_TIMEOUT) -> bool:
    """Look again and again at what no message tells; whether it came about in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_INTERVAL)
    return True


def docker(*words: str) -> str:
    """Run the engine's command line and return what it printed."""
    argv = [os.environ.get("CTRKERNEL_ENGINE") or "docker", *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=ENGINE_TIMEOUT)
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout.strip()


def inside(container: str) -> list[str]:
    """Return the command lines in a container, less its main processes and this question."""
    lines = docker("top", container, "-eo", "pid,args").splitlines()[1:]
    commands = [line.split(None, 1)[1] for line in lines]
    return [each for each in commands if not each.endswith("sleep infinity")]


def clients(container: str) -> list[str]:
    """Return the command lines of this machine's processes that have to do with a container."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if f" {container} " in line and "exec" in line:
                found.append(line)
    return found


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Signal a process."""
    os.kill(pid, number)
