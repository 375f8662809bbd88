"""The shell beside a session's answers whatever it is asked, in time, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

import ctrkernel
from tests.kernel.live_kernel import CELL_TIMEOUT, docker, eventually, inside, kill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctrkernel.session.shell import ShellSession

#: Seconds for a question on a busy machine.
PATIENT = 20.0
#: What would be run if any of it were ever a command.
HOSTILE = '\'; touch /tmp/ran; "$(touch /tmp/ran)" `touch /tmp/ran`\n$0 \\ é\n'

_LIVES = """
import sys, time
import ctrkernel

session = ctrkernel.attach(sys.argv[1]).session()
session.run("true")
session.side.request("sleep 1000 & :", lasting=True, timeout=20)
print(session.side.request("echo there", timeout=20).decode(), flush=True)
time.sleep(1000)
"""


@pytest.fixture(params=["debian", "busybox"])
def session(request: pytest.FixtureRequest) -> Iterator[ShellSession]:
    container = ctrkernel.attach(request.getfixturevalue(request.param))
    with container, container.session() as opened:
        yield opened


def test_arguments_are_data_and_answers_are_bytes(session: ShellSession) -> None:
    script = r"""printf '%s' "$2"; printf '\000\377\n\n'; echo "$#"; cat; echo heard >&2"""

    answer = session.side.request(script, "", HOSTILE, timeout=PATIENT)

    assert answer == HOSTILE.encode() + b"\0\xff\n\n2\n"
    assert session.run("ls /tmp/ran").exit_code != 0


def test_a_question_whose_time_is_up_before_it_is_asked_has_no_answer(
    session: ShellSession,
) -> None:
    assert session.side.request("echo late", timeout=-0.5) == b""

    assert session.side.request("echo there", timeout=PATIENT) == b"there\n"


def test_one_question_leaves_no_trace_for_the_next_unless_it_is_to(session: ShellSession) -> None:
    side = session.side
    side.request("cd /tmp; word=changed; exit 3", timeout=PATIENT)
    side.request("kept=yes; f() { echo again; }", timeout=PATIENT, lasting=True)

    answer = side.request('echo "$PWD ${word-unset} $kept"; f', timeout=PATIENT)

    assert answer == b"/ unset yes\nagain\n"


def test_a_question_that_takes_too_long_is_ended_with_all_it_started(
    session: ShellSession,
) -> None:
    side = session.side
    assert side.request("echo ready", timeout=PATIENT) == b"ready\n"

    assert side.request("echo begun; sleep 1234 | cat", timeout=0.3) == b""

    assert side.request("echo again", timeout=PATIENT) == b"again\n"
    container = session.container
    assert eventually(
        lambda: not any("1234" in each for each in inside(container)), timeout=PATIENT
    )


def test_a_question_that_ends_the_shell_has_no_answer_and_the_next_one_has(
    session: ShellSession,
) -> None:
    assert session.side.request("exit 1", timeout=PATIENT, lasting=True) == b""

    assert session.side.request("echo again", timeout=PATIENT) == b"again\n"


def test_it_answers_while_the_session_works_and_many_who_ask_at_once(
    session: ShellSession,
) -> None:
    running = session.submit("read -r line; echo $line", keep=True)
    answers: dict[int, bytes] = {}

    def ask(number: int) -> None:
        answers[number] = session.side.request('echo "$1"', str(number), timeout=PATIENT)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {number: b"%d\n" % number for number in range(20)}
    session.send("done")
    assert session.wait(running, CELL_TIMEOUT).output == "done\n"


def test_it_is_not_there_before_the_first_question_and_gone_with_the_session(
    debian: str,
) -> None:
    container = ctrkernel.attach(debian)
    session = container.session("asked")
    session.run("true")
    before = len(inside(debian))

    session.side.request("sleep 1000 & :", timeout=PATIENT, lasting=True)
    assert len(inside(debian)) == before + 2
    container.close()

    assert inside(debian) == []


def test_it_goes_with_a_process_that_is_killed(debian: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _LIVES, debian], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        assert any("sleep 1000" in each for each in inside(debian))

        kill(process.pid)

    assert eventually(lambda: inside(debian) == [], timeout=PATIENT), docker("top", debian)


def test_start_files_are_not_read(make_container: object) -> None:
    assert callable(make_container)
    name = make_container("debian", "--env=BASH_ENV=/tmp/start", "--env=ENV=/tmp/start")
    docker("exec", name, "sh", "-c", "echo 'echo started; word=set' >/tmp/start")
    with ctrkernel.attach(name) as container:
        answer = container.session().side.request('echo "${word-unset}"', timeout=PATIENT)

    assert answer == b"unset\n"
