"""Children end, whatever they and we do; every buffer and wait is bounded."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ctrkernel.engine import process
from ctrkernel.engine.process import Cancelled, Child, OutputTooLong, Stalled, run_process


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_output_and_status_come_back() -> None:
    done = run_process(["sh", "-c", "echo out; echo err >&2; exit 4"], timeout=10)

    assert (done.exit_code, done.stdout, done.stderr) == (4, b"out\n", b"err\n")
    assert done.message == "err"


def test_a_signal_is_a_negative_status() -> None:
    assert run_process(["sh", "-c", "kill -9 $$"], timeout=10).exit_code == -9


def test_large_input_and_output_do_not_deadlock() -> None:
    data = os.urandom(1_000_000)

    done = run_process(["sh", "-c", "cat; echo x >&2"], timeout=20, input=data)

    assert done.stdout == data


def test_a_child_that_does_not_read_its_input_is_no_error() -> None:
    done = run_process(["true"], timeout=10, input=b"x" * 1_000_000)

    assert done.exit_code == 0


def test_only_the_end_of_a_long_stderr_is_kept() -> None:
    done = run_process(["sh", "-c", "head -c 1000000 /dev/zero >&2; echo why >&2"], timeout=20)

    assert len(done.stderr) == process.STDERR_LIMIT
    assert done.stderr.endswith(b"why\n")


def test_too_much_output_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STDOUT_LIMIT", 1000)

    with pytest.raises(OutputTooLong):
        run_process(["head", "-c", "100000", "/dev/zero"], timeout=10)


def test_time_out_kills_a_child_that_ignores_sigterm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "TERMINATE_GRACE", 0.2)

    with Child(["sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"]) as child:
        child.read(timeout=10)
        with pytest.raises(Stalled):
            child.read(timeout=0.1)

    assert not alive(child.pid)


def test_cancel_ends_the_child() -> None:
    started = time.monotonic()

    with pytest.raises(Cancelled):
        run_process(["sleep", "60"], timeout=50, cancelled=lambda: True)

    assert time.monotonic() - started < 30


def test_an_exception_in_the_block_ends_the_child() -> None:
    with pytest.raises(KeyboardInterrupt), Child(["sleep", "60"]) as child:
        raise KeyboardInterrupt

    assert not alive(child.pid)


def test_no_descriptor_stays_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    run_process(["true"], timeout=10)

    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_write_and_read_go_piece_by_piece() -> None:
    with Child(["cat"]) as child:
        assert child.write(b"one", timeout=10)
        assert child.read(timeout=10) == b"one"
        child.close_stdin()
        assert child.read(timeout=10) == b""
        assert child.wait(timeout=10) == 0


def test_write_to_a_child_that_left_says_so() -> None:
    with Child(["sh", "-c", "exec <&-; echo gone; echo why >&2; exit 5"]) as child:
        child.read(timeout=10)

        assert child.write(b"x" * 1_000_000, timeout=10) is False
        assert child.wait(timeout=10) == 5
        assert child.complaint == "why"


def test_write_to_a_child_that_does_not_read_stalls() -> None:
    with Child(["sleep", "60"]) as child, pytest.raises(Stalled):
        child.write(b"x" * 1_000_000, timeout=0.2)


def test_the_child_is_out_of_reach_of_our_process_group() -> None:
    done = run_process(["sh", "-c", "ps -o pgid= -p $$"], timeout=10)

    assert int(done.stdout) != os.getpgid(0)


def test_a_variable_is_added_to_the_environment() -> None:
    done = run_process(["sh", "-c", 'echo "$A:$HOME"'], timeout=10, environ={"A": "b"})

    assert done.stdout.decode() == f"b:{os.environ.get('HOME', '')}\n"
