"""Programs that are quiet and do not wait for the person, in real shells: nobody is asked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ctrkernel.engine.engine import Engine, find_engine
from ctrkernel.session.attendant import Attendant
from ctrkernel.session.shell import ShellSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.session.execution import Execution
    from ctrkernel.session.readers import Waiting

#: Seconds until a program has been looked at often enough.
LOOKED_TIMEOUT = 60.0
#: Looks that find nobody who waits; a box needs two.
LOOKS = 3
#: Sessions at once.
AT_ONCE = 4

EVERYWHERE = [
    "sleep 100",
    "sleep 100 & wait",
    "mkfifo /tmp/quiet-$$; cat /tmp/quiet-$$",
    "mkfifo /tmp/silent-$$; sleep 100 >/tmp/silent-$$ & cat /tmp/silent-$$",
    "mkfifo /tmp/still-$$; sleep 100 >/tmp/still-$$ & read x </tmp/still-$$",
    "mkfifo /tmp/mute-$$; exec 3<>/tmp/mute-$$; read x <&3",
    "sleep 100 | cat",
    "sleep 100 | while read line; do echo $line; done",
    "while :; do :; done",
    "yes >/dev/null",
    "echo line >/tmp/tail-$$; tail -f /tmp/tail-$$",
    "cat & sleep 100",
    "(read x) & sleep 100",
    "set +m; sleep 100 & wait",
    "printf 'Installing: '; sleep 100",
    "printf 'Password: '; sleep 100",
    "sleep 100 & kill -STOP $!; sleep 100",
    "vi /etc/passwd",
    "less /etc/passwd",
    "top",
    "watch date",
    "seq 1000 >/tmp/seq-$$; more /tmp/seq-$$",
]
#: A read of a TCP socket sleeps in the same function of the kernel as one of a terminal.
TCP = (
    "python3 -c \"import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); "
    'c = socket.create_connection(s.getsockname()); c.recv(1)"'
)
IN_BASH = [
    *EVERYWHERE,
    "mkfifo /tmp/dumb-$$; exec 3<>/tmp/dumb-$$; read -u 3 x",
    "python3 -c 'import socket; a, b = socket.socketpair(); a.recv(1)'",
    TCP,
    "perl -e 'select(undef, undef, undef, 100)'",
    "script -qc 'sleep 100' /dev/null",
    "for i in 1 2 3 4 5 6 7 8 9; do sleep 9; done",
]
IN_ASH = [*EVERYWHERE, "nc -l -p 7777", "sleep 100 | nc 127.0.0.1 7778 || sleep 100"]


class Counting(Attendant):
    """An attendant that tells when it has looked a few times."""

    def __init__(
        self, session: ShellSession, execution: Execution, asked: Callable[[str], None]
    ) -> None:
        def ask(prompt: str, *, hidden: bool, cancelled: Callable[[], bool]) -> str:
            asked(prompt)
            return ""

        super().__init__(session, execution, ask, asked)
        self._looks = 0
        self.looked = threading.Event()

    def _look(self) -> Waiting | None:
        seen = super()._look()
        self._looks += 1
        if self._looks >= LOOKS:
            self.looked.set()
        return seen


def questions(container: str, code: str) -> list[str]:
    """Run a program that is quiet until it has been looked at, and return what was asked."""
    engine: Engine = find_engine({})
    asked: list[str] = []
    with ShellSession(engine, container) as session:
        execution = session.submit(code)
        attendant = Counting(session, execution, asked.append)
        execution.future.add_done_callback(lambda _: attendant.looked.set())
        attendant.start()
        assert attendant.looked.wait(LOOKED_TIMEOUT), code
        assert session.runs(execution), f"{code} ended by itself"
    return asked


def check(container: str, programs: list[str]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = list(pool.map(lambda code: questions(container, code), programs))
    assert {code: each for code, each in zip(programs, asked, strict=True) if each} == {}


@pytest.mark.timeout(300)
def test_nobody_is_asked_for_a_quiet_program_in_bash(debian: str) -> None:
    check(debian, IN_BASH)


@pytest.mark.timeout(300)
def test_nobody_is_asked_for_a_quiet_program_in_ash(busybox: str) -> None:
    check(busybox, IN_ASH)
