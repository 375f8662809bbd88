"""A secret in the kernel: asked for in a box, and in no message afterwards."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from ctrkernel.session.mask import DOTS
from tests.kernel.live_kernel import CELL_TIMEOUT, LiveKernel, live_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VALUE = 'hunter22 "q" ünï'


@contextmanager
def kernel_of(target: str, folder: Path) -> Iterator[LiveKernel]:
    with live_kernel(folder, CTRKERNEL_TARGET=target, CI_TOKEN=VALUE) as started:
        yield started


@pytest.fixture
def kernel(debian: str, tmp_path: Path) -> Iterator[LiveKernel]:
    with kernel_of(debian, tmp_path) as started:
        yield started


def question(kernel: LiveKernel) -> dict[str, Any]:
    """Wait for the box and return what it says."""
    message = kernel.client.get_stdin_msg(timeout=CELL_TIMEOUT)
    assert message["msg_type"] == "input_request"
    content: dict[str, Any] = message["content"]
    return content


def test_a_secret_is_asked_for_and_shown_nowhere(kernel: LiveKernel) -> None:
    cell = kernel.submit(
        '%ctr_secret TOKEN OTHER\nprintf \'%s|\' "$TOKEN" "$OTHER"', allow_stdin=True
    )
    assert question(kernel) == {"prompt": "TOKEN: ", "password": True}
    kernel.client.input(VALUE)
    assert question(kernel) == {"prompt": "OTHER: ", "password": True}
    kernel.client.input("opensesame")

    done = kernel.finish(cell)
    later = [
        kernel.run('echo "$TOKEN"; set -x; echo "$TOKEN"; set +x; history; export -p'),
        kernel.run("%ctr_exec --session-env sh -c 'echo \"$TOKEN\" >&2; exit 3'"),
        kernel.run("%ctr_env"),
        kernel.run("(sleep 0.3; echo $OTHER) & sleep 0.6"),
        # Encoded on its way, and text again in the notebook.
        kernel.run('echo "$OTHER,1" | ctr_display --type csv -'),
        kernel.run("%ctr_put '/no/opensesame' ."),
    ]

    assert done.status == "ok"
    assert done.text == f"TOKEN, OTHER set; the values are hidden in output\n{DOTS}|{DOTS}|"
    messages = [each.reply["content"] for each in (done, *later)] + [
        message["content"]
        for each in (done, *later)
        for message in each.messages
        if message["msg_type"] != "execute_input"
    ]
    told = json.dumps(messages, ensure_ascii=False)
    assert "hunter22" not in told
    assert "opensesame" not in told
    assert "hunter22" not in kernel.log
    assert later[1].error == ("CommandFailed", "exit status 3")
    assert later[1].notices == f"{DOTS}\n"


def test_a_front_end_that_cannot_ask_says_what_to_type(kernel: LiveKernel) -> None:
    ename, evalue = kernel.run("%ctr_secret TOKEN").error

    assert ename == "UsageError"
    assert "type %ctr_secret TOKEN --from-env VAR" in evalue
    assert kernel.run('%ctr_secret TOKEN --from-env CI_TOKEN\necho "$TOKEN"').text.endswith(
        f"{DOTS}\n"
    )


@pytest.mark.parametrize("message", [True, False])
def test_an_interrupt_at_the_box_ends_the_command(kernel: LiveKernel, message: bool) -> None:
    cell = kernel.submit("%ctr_secret TOKEN", allow_stdin=True)
    question(kernel)

    kernel.interrupt(message=message)

    assert kernel.finish(cell).error == ("KeyboardInterrupt", "nothing was entered")
    # An answer that comes too late is nobody's.
    kernel.client.input("too late")
    again = kernel.submit("%ctr_secret TOKEN\nprintf '%s' \"${#TOKEN}\"", allow_stdin=True)
    question(kernel)
    kernel.client.input("opensesame")
    assert kernel.finish(again).text.endswith("output\n10")


def test_a_new_shell_has_the_secret_too(kernel: LiveKernel) -> None:
    kernel.run("%ctr_secret TOKEN --from-env CI_TOKEN\n%ctr_env STAGE=test")
    kernel.run("exit 3")

    assert (
        kernel.run('echo "$STAGE ${#TOKEN} $TOKEN"').text == f"test {len(VALUE.encode())} {DOTS}\n"
    )


def test_two_outputs_of_a_program_are_two_streams(kernel: LiveKernel) -> None:
    cell = kernel.run("%%ctr_exec -- sh -c 'cat; echo err >&2'\n%ctr ls\n")

    assert (cell.status, cell.text, cell.notices) == ("ok", "%ctr ls\n", "err\n")


def test_an_interrupt_ends_a_program(kernel: LiveKernel) -> None:
    cell = kernel.submit("%ctr_exec -- sh -c 'echo go; exec sleep 7777'")
    kernel.wait_for_output(cell, "go")

    kernel.interrupt()

    assert kernel.finish(cell).error[0] == "KeyboardInterrupt"
    assert (
        kernel.run("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep 777[7]'").text == "0\n"
    )
