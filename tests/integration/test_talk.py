"""Programs that talk, in real containers: prompts, passwords, keys, ends."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from ctrkernel.container import Container
from ctrkernel.engine.engine import find_engine
from ctrkernel.errors import (
    ExpectEnded,
    ExpectTimedOut,
    ShellBusy,
    ShellIdle,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctrkernel.session.shell import ShellSession

SCRIPT = r"""
cat > /tmp/ask <<'END'
printf 'Name: '; read -r name
printf 'Password: '; stty -echo; read -r secret; stty echo
printf '\nhello %s, %s characters\n' "$name" "${#secret}"
printf 'Proceed [y/n]? '; read -r answer
exit 7
END
"""


@pytest.fixture(params=["debian", "busybox"])
def session(request: pytest.FixtureRequest) -> Iterator[ShellSession]:
    name = request.getfixturevalue(request.param)
    with Container(find_engine({"PATH": "/usr/bin:/bin:/usr/local/bin"}), name) as container:
        shell = container.session()
        shell.run(SCRIPT, check=True)
        yield shell


@pytest.fixture
def bash(debian: str) -> Iterator[ShellSession]:
    with Container(find_engine({"PATH": "/usr/bin:/bin:/usr/local/bin"}), debian) as container:
        yield container.session()


def test_a_dialogue_goes_from_prompt_to_prompt(session: ShellSession) -> None:
    session.send("sh /tmp/ask")
    assert session.expect("Name: ") == "Name: "
    session.send("Zoë")
    assert "Password: " in session.expect("Password: ")
    session.send("s3krit")
    text = session.expect(r"Proceed \[y/n\]\? ")
    session.send("y")

    assert "hello Zoë, " in text
    assert "s3krit" not in text
    session.expect(None)
    assert session.run("echo $?").output == "7\n"


def test_a_password_read_by_the_shell_itself_does_not_show(bash: ShellSession) -> None:
    bash.send("read -rs -p 'Password: ' word; echo; echo ${#word}")
    bash.expect("Password: ")
    bash.send("geheim")

    assert bash.expect(None) == "\n6\n"


def test_several_programs_in_a_row(session: ShellSession) -> None:
    for number in range(3):
        session.send("sh")
        session.send(f"echo it-is-$(({number}+1))")
        session.expect(f"it-is-{number + 1}\r?\n")
        session.send("exit 4")
        session.expect(None)
    assert session.run("echo $?").output == "4\n"


def test_keys_end_and_interrupt(session: ShellSession) -> None:
    session.send("cat")
    session.send("half", enter=False)
    session.send_keys("C-d")
    session.expect("half")
    session.send_keys("C-d")
    session.expect(None)
    session.send("echo on; sleep 300")
    session.expect("on")
    session.send_keys("C-c")
    session.expect(None)

    assert session.run("echo $?").output == "130\n"


def test_a_key_that_stops_hands_the_shell_back(bash: ShellSession) -> None:
    # The program itself says when it is in the foreground: the shell would ignore the key.
    bash.send("sh -c 'echo on; exec sleep 300'")
    bash.expect("on")
    bash.send_keys("C-z")
    bash.expect(None)

    assert "sleep 300" in bash.run("jobs; kill %1").output


def test_a_trap_of_the_program_s_own_answers_the_key(session: ShellSession) -> None:
    session.run(
        'echo \'trap "n=x\\$n; echo caught; test \\$n = xxxx && exit 9" INT; echo on\n'
        "while :; do sleep 1; done' >/tmp/loop"
    )
    session.send("sh /tmp/loop")
    session.expect("on")
    for _ in range(4):
        session.send_keys("C-c")
        session.expect("caught")
    session.expect(None)

    assert session.run("echo $?").output == "9\n"


def test_time_that_is_up_keeps_what_came_and_the_program(session: ShellSession) -> None:
    session.send("sh /tmp/ask")
    with pytest.raises(ExpectTimedOut) as caught:
        session.expect("nothing like it", timeout=0.5)

    assert caught.value.output == "Name: "
    assert session.busy
    session.send("Ann")
    assert session.expect("Password: ").startswith("Name: ")
    session.send_keys("C-c")
    session.expect(None)


def test_a_program_that_ends_first_says_so(session: ShellSession) -> None:
    session.send("echo so long; exit_() { return 3; }; exit_")
    with pytest.raises(ExpectEnded, match="exit status 3 before 'prompt' came") as caught:
        session.expect("prompt")

    assert caught.value.output == "so long\n"


def test_a_shell_that_ends_first_says_so(session: ShellSession) -> None:
    session.send("echo bye; exit 5")
    with pytest.raises(ExpectEnded, match="ended with the shell, exit status 5") as caught:
        session.expect("prompt")

    assert caught.value.output.startswith("bye\n")


def test_an_idle_session_takes_no_keys_and_no_half_line(session: ShellSession) -> None:
    with pytest.raises(ShellIdle, match="start a program first"):
        session.send_keys("C-d")
    with pytest.raises(ShellIdle, match="start a program first"):
        session.send("rm -rf /", enter=False)
    with pytest.raises(UsageError, match="is no key"):
        session.send_keys("Esape")

    assert session.run("echo alive").output == "alive\n"


def test_what_is_meant_for_a_program_that_has_ended_is_no_command(session: ShellSession) -> None:
    session.send("true")
    ended(session)
    with pytest.raises(ExpectEnded, match="which was not typed"):
        session.send("touch /tmp/typed")

    assert not session.run("test -e /tmp/typed").ok
    session.send("touch /tmp/typed")
    session.expect(None)
    assert session.run("rm /tmp/typed").ok


def ended(session: ShellSession) -> None:
    """Wait for the end without telling the session that somebody knows."""
    execution = session.execution
    if execution is not None:
        execution.future.result(20)


def test_a_line_that_was_left_half_typed_is_no_part_of_the_next_command(
    session: ShellSession,
) -> None:
    session.send("echo on; sleep 0.5")
    session.expect("on")
    session.send("echo never", enter=False)
    session.expect(None)

    assert session.run("echo clean").output == "clean\n"


def test_a_busy_session_takes_no_command(session: ShellSession) -> None:
    session.send("sh /tmp/ask")
    with pytest.raises(ShellBusy):
        session.run("echo never")
    session.expect("Name: ")
    session.send_keys("C-c")
    session.expect(None)


def test_what_runs_in_the_foreground_is_talked_to_from_another_thread(
    session: ShellSession,
) -> None:
    def answer() -> None:
        begun.wait(20)
        session.expect("Name: ")
        session.send("Bo")
        session.expect("Password: ")
        session.send("x")
        session.expect(r"\? ")
        session.send("n")

    begun = threading.Event()
    thread = threading.Thread(target=answer)
    thread.start()
    result = session.run("sh /tmp/ask", on_output=lambda _: begun.set())
    thread.join(20)

    assert result.exit_code == 7
    assert "hello Bo, 1 characters" in result.output


def test_on_output_itself_may_answer(session: ShellSession) -> None:
    answers = iter(["Cy", "x", "y"])

    def answer(text: str) -> None:
        if text.endswith((": ", "? ")):
            session.send(next(answers))

    assert "hello Cy" in session.run("sh /tmp/ask", on_output=answer).output


def test_on_output_cannot_wait_for_output(session: ShellSession) -> None:
    refused: list[str] = []

    def wait(_: str) -> None:
        try:
            session.expect("x")
        except UsageError as error:
            refused.append(str(error))

    session.run("echo a", on_output=wait)

    assert "use a thread" in refused[0]


def test_a_flood_is_searched_as_it_comes(bash: ShellSession) -> None:
    bash.send("seq 1 1500000; echo the-end")

    assert bash.expect("the-end\n", timeout=60).endswith("1500000\nthe-end\n")


def test_more_than_the_program_reads_does_not_reach_the_shell(bash: ShellSession) -> None:
    bash.send("echo on; stty -icanon; sleep 1; stty icanon")
    bash.expect("on")
    bash.send("x" * 3_000_000, enter=False)
    bash.expect(None, timeout=30)

    assert bash.run("echo clean", timeout=20).output.endswith("clean\n")
