"""The columns of both engines' ``top``."""

from __future__ import annotations

from ctrkernel.engine.processes import Process, parse_docker_top, parse_podman_top

DOCKER_TOP = """\
PID  PPID  PGID  TPGID  TT  STAT  WCHAN  COMMAND
11426  11407  11426  -1  ?  Ss  do_sigtimedwait  /sbin/docker-init -- sleep infinity
20000  11407  20000  20010  pts/0  Ss  -  bash
20010  20000  20010  20010  pts/0  S+  wait_woken  sh -c read  x
"""

PODMAN_TOP = """\
HPID  PID  PPID  PGID  TTY  STATE  COMMAND
4242  1  0  1  ?  S  sleep infinity
4300  7  1  7  pts/0  S  bash -i
"""


def test_docker_columns_are_read() -> None:
    init, shell, reader = parse_docker_top(DOCKER_TOP)

    assert (init.tty, init.tpgid, init.command) == (
        None,
        None,
        "/sbin/docker-init -- sleep infinity",
    )
    assert (shell.tty, shell.tpgid, shell.wchan) == ("pts/0", 20010, None)
    assert reader == Process(
        pid=20010,
        ppid=20000,
        pgid=20010,
        tpgid=20010,
        tty="pts/0",
        stat="S+",
        wchan="wait_woken",
        command="sh -c read  x",
    )


def test_podman_columns_are_read() -> None:
    main, shell = parse_podman_top(PODMAN_TOP)

    assert (main.pid, main.tty, main.command) == (4242, None, "sleep infinity")
    assert (shell.pid, shell.ppid, shell.tty, shell.wchan) == (4300, 1, "pts/0", None)


def test_lines_of_another_form_are_skipped() -> None:
    assert parse_docker_top("PID USER\nx y z\n\n1 2\n") == []
    assert parse_podman_top("error: what?\nno\n") == []
    assert parse_docker_top("") == []
