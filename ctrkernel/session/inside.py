"""The few lines that run in the container beside the shell, by an exec of their own.

The engine cannot signal what an exec started, so these find the shell's processes in ``/proc``.
They use builtins of a POSIX shell alone, because an image may hold nothing else, and split the
line of proc_pid_stat(5) behind the last parenthesis, because a program's name may hold anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Sets $1 … to the fields of /proc/$p/stat from the state on: state ppid pgrp session tty tpgid …
_STAT = r"""
[ -z "${ZSH_VERSION-}" ] || emulate sh
stat() { read -r line 2>/dev/null <"/proc/$1/stat" || return 1; line=${line##*) }; }
"""

#: Ends all processes of a session: $1 pid, $2 start, $3 nonce; $4, or HUP, first, KILL after.
#: Where the pid is 0 it is the session of the oldest process that has the nonce in its environment:
#: what an exec started leads one, and a daemon that it left behind is younger.
_HANG_UP = (
    _STAT
    + r"""
pid=$1 start=$2 nonce=$3 signal=${4:-HUP}
if [ "$pid" = 0 ]; then
  for dir in /proc/[0-9]*; do
    if grep -qs "CTRKERNEL_NONCE=$nonce" "$dir/environ" 2>/dev/null; then
      stat "${dir#/proc/}" || continue
      set -- $line
      if [ "$1" != Z ] && { [ "$pid" = 0 ] || [ "${20}" -lt "$start" ]; }; then
        pid=$4 start=${20}
      fi
    fi
  done
  [ "$pid" != 0 ] || exit 0
elif stat "$pid"; then
  set -- $line
  [ "${20}" = "$start" ] || exit 0
fi
members() {
  found=
  for dir in /proc/[0-9]*; do
    p=${dir#/proc/}; stat "$p" || continue
    set -- $line
    if [ "$4" = "$pid" ] && [ "$1" != Z ] && [ "${20}" -ge "$start" ]; then found="$found $p"; fi
  done
  [ -n "$found" ]
}
living() {
  for p in $found; do
    stat "$p" || continue
    set -- $line
    if [ "$4" = "$pid" ] && [ "$1" != Z ]; then return 0; fi
  done
  return 1
}
members || exit 0
kill "-$signal" $found 2>/dev/null
kill -CONT $found 2>/dev/null
turn=0
while [ $turn -lt 20 ] && living; do
  turn=$((turn+1)); sleep 0.1 2>/dev/null || sleep 1 2>/dev/null || break
done
while members && [ $turn -lt 25 ]; do
  turn=$((turn+1)); kill -KILL $found 2>/dev/null
done
exit 0
"""
)

#: Kills the foreground group of the terminal that shell $1 leads, and interrupts the shell, which
#: may be in a loop of short commands; with $2 yes the shell itself is killed too. Where it sleeps
#: in the foreground itself, its children are killed: it may wait for them, deaf to all else.
_KILL_FOREGROUND = (
    _STAT
    + r"""
pid=$1 even_shell=$2
stat "$pid" || exit 1
set -- $line
state=$1
if [ "$6" != "$3" ]; then
  # A full-screen program, or a line editor, could not take back what it made of the terminal. Now,
  # because the next line may be typed as soon as the shell is back.
  stty sane -echo -onlcr <"/proc/$pid/fd/0" >/dev/null 2>&1
  kill -KILL "-$6"
fi
kill -INT "$pid"
if [ "$6" = "$3" ] && [ "$state" = S ]; then
  for dir in /proc/[0-9]*; do
    p=${dir#/proc/}; stat "$p" || continue
    set -- $line
    [ "$2" != "$pid" ] || kill -KILL "$p"
  done
fi
[ "$even_shell" != yes ] || kill -KILL "$pid"
"""
)

#: Prints the shell's state, its group, the terminal's foreground group, where its stack begins, and
#: its arguments in one word.
_LOOK = (
    _STAT
    + r"""
pid=$1
stat "$pid" || exit 1
set -- $line
args=
read -r args 2>/dev/null <"/proc/$pid/cmdline"
printf '%s %s %s %s %s\n' "$1" "$3" "$6" "${26:-0}" "${args:--}"
"""
)

#: The arguments of an interactive shell, without what stands between them.
_INTERACTIVE = re.compile(
    rb"(?:\S*/)?-?(?:busybox)?(?:ba|z|da|a|k|mk)?sh"
    rb"(?:-[filv]+|--login|--norc|--noprofile|--posix|--noediting|--verbose)*"
)

#: Interrupts shell $1 itself.
_INTERRUPT = r"""kill -INT "$1" """

#: Interrupts the foreground group $2 of the terminal that shell $1 leads, if its leader neither
#: catches nor ignores nor blocks SIGINT: then it would have ended by an earlier one, had it got it.
_INTERRUPT_MISSED = (
    _STAT
    + r"""
pid=$1 group=$2
while read -r name value; do
  case $name in SigBlk:|SigIgn:|SigCgt:) case $value in *[2367abef]) exit 0;; esac;; esac
done <"/proc/$group/status" || exit 0
stat "$pid" || exit 0
set -- $line
[ "$6" != "$group" ] || kill -INT "-$group"
"""
)

#: Hangs process $1 up.
_END_READER = 'kill -HUP "$1"; kill -CONT "$1"'
#: Continues shell $1 if it was stopped.
_CONTINUE = r"""kill -CONT "$1" """


@dataclass(frozen=True, slots=True)
class ShellLook:
    """What ``/proc`` says of a shell.

    Attributes:
        stopped: It was stopped by a signal.
        sleeping: It waits for something.
        foreground: It is itself in the terminal's foreground, so no program of its is.
        group: The process group in the foreground.
        image: Where its stack begins: another address each time that a process becomes another
            program; 0 where the kernel does not tell.
        interactive: Whether its arguments are those of an interactive shell.
    """

    stopped: bool
    sleeping: bool
    foreground: bool
    group: int = 0
    image: int = 0
    interactive: bool = False


def hang_up_argv(shell: str, pid: str, started: str, nonce: str) -> list[str]:
    """Return the argv that ends every process of a shell's session."""
    return _argv(shell, _HANG_UP, pid, started, nonce)


def end_program_argv(shell: str, nonce: str, signal: str = "HUP") -> list[str]:
    """Return the argv that ends what an exec started, found by the nonce in its environment.

    Args:
        shell: A shell in the container.
        nonce: The exec's.
        signal: What it gets first, such as ``INT``; two seconds later it is KILL.
    """
    return _argv(shell, _HANG_UP, "0", "0", nonce, signal)


def kill_foreground_argv(shell: str, pid: int, *, even_shell: bool) -> list[str]:
    """Return the argv that kills the foreground group of a shell's terminal."""
    return _argv(shell, _KILL_FOREGROUND, str(pid), "yes" if even_shell else "no")


def interrupt_argv(shell: str, pid: int) -> list[str]:
    """Return the argv that interrupts a shell, whatever is in its terminal's foreground."""
    return _argv(shell, _INTERRUPT, str(pid))


def interrupt_missed_argv(shell: str, pid: int, group: int) -> list[str]:
    """Return the argv that interrupts the foreground group if an interrupt passed it by."""
    return _argv(shell, _INTERRUPT_MISSED, str(pid), str(group))


def continue_argv(shell: str, pid: int) -> list[str]:
    """Return the argv that continues a stopped shell."""
    return _argv(shell, _CONTINUE, str(pid))


def end_reader_argv(shell: str, pid: int) -> list[str]:
    """Return the argv that hangs up one process, whatever it is."""
    return _argv(shell, _END_READER, str(pid))


def look_argv(shell: str, pid: int) -> list[str]:
    """Return the argv that prints what :func:`parse_look` reads."""
    return _argv(shell, _LOOK, str(pid))


def parse_look(printed: bytes) -> ShellLook | None:
    """Read what the script of :func:`look_argv` printed; None where the shell is gone."""
    words: Sequence[bytes] = printed.split(maxsplit=4)
    if len(words) != 5:  # noqa: PLR2004
        return None
    state, group, foreground, image, arguments = words
    if not (group.isdigit() and image.isdigit()):
        return None
    return ShellLook(
        stopped=state in (b"T", b"t"),
        sleeping=state == b"S",
        foreground=group == foreground,
        group=int(foreground) if foreground.isdigit() else 0,
        image=int(image),
        # zsh reads the zero bytes between them, too.
        interactive=_INTERACTIVE.fullmatch(arguments.strip().replace(b"\0", b"")) is not None,
    )


def _argv(shell: str, script: str, *arguments: str) -> list[str]:
    return [shell, "-c", script, "ctrkernel", *arguments]
