"""Who waits for the terminal of a shell, as ``/proc`` tells it: proc(5), by a script beside it.

A thread that reads the terminal sleeps in ``wait_woken``, which so does one that reads a socket;
the system call's arguments (``/proc/PID/syscall``) say which file. Where they cannot be read (the
program is another user's, or Yama forbids it), a process that holds nothing but the terminal and
files can sleep there for the terminal alone. Whoever waits by poll or select may do so for
anything; only where it is the one file that they wait for, or a line editor has the terminal, is it
the person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ctrkernel.protocol import prompt
from ctrkernel.session import inside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Prints what the terminal of shell $1 is doing; with $2 ``HUP`` or ``KILL`` it signals group $3
#: first, if that is the terminal's foreground one.
#: The first line is what :func:`~ctrkernel.session.inside.parse_look` reads. Then come, for the
#: foreground group, P: pid, state and name; for those of a session without a terminal that it has
#: begun, as ``su -c`` does, D: the same; T: wait channel and system call of each thread; F: the
#: files, each with its kind (t: the terminal, T: /dev/tty, p: pipe, s: socket, f: file, d: another
#: device, a: anonymous, or not to be told); M: the terminal's modes.
SCRIPT: Final = r"""
shell=$1 signal=$2 target=$3
stat() { read -r line 2>/dev/null <"/proc/$1/stat" || return 1; line=${line##*) }; }
files() {
  set -- "/proc/$1/fd"
  printf F
  for file in "$1"/*; do
    if [ "$file" -ef "$tty" ]; then k=t
    elif [ "$file" -ef /dev/tty ]; then k=T
    elif [ -p "$file" ]; then k=p
    elif [ -S "$file" ]; then k=s
    elif [ -f "$file" ] || [ -d "$file" ]; then k=f
    elif [ -c "$file" ]; then k=d
    else k=a
    fi
    printf ' %s' "${file##*/}$k"
  done
  printf '\n'
}
begun() {
  case $sessions in *" $1 "*) return 0 ;; esac
  case $strangers in *" $1 "*) return 1 ;; esac
  strangers="$strangers$1 "
  stat "$1" || return 1
  set -- "$1" $line
  [ "$3" -gt 1 ] && stat "$3" || return 1
  set -- "$1" $line
  [ "$4" = "$group" ] && [ "$6" = "$terminal" ] && sessions="$sessions$1 "
}
stat "$shell" || return 0
set -- $line
args=-
read -r args <"/proc/$shell/cmdline"
printf 'S %s %s %s %s %s\n' "$1" "$3" "$6" "${26:-0}" "${args:--}"
group=$6 terminal=$5 asked= sessions=' ' strangers=' '
tty=/dev/pts/$(( (terminal & 255) | ((terminal >> 12) & 1048320) ))
[ -c "$tty" ] || tty=/proc/$shell/fd/0
if [ -n "$signal" ] && [ "$target" = "$group" ]; then
  kill "-$signal" "-$group"
  kill -CONT "-$group"
fi
for dir in /proc/[0-9]*; do
  pid=${dir#/proc/}; stat "$pid" || continue
  set -- $line
  state=$1 kind=P
  if [ "$5" = 0 ] && begun "$4"; then
    kind=D
    [ -z "$signal" ] || [ "$target" != "$group" ] || kill "-$signal" "$pid"
  else
    [ "$3" = "$group" ] && [ "$5" = "$terminal" ] || continue
  fi
  name=; read -r name <"$dir/comm"
  printf '%s %s %s %s\n' "$kind" "$pid" "$state" "$name"
  open=
  for task in "$dir"/task/*; do
    where= call=
    read -r where <"$task/wchan"
    read -r call <"$task/syscall"
    printf 'T %s %s\n' "${where:-0}" "${call:--}"
    case $where in wait_woken|n_tty_read|*poll*|*select*|0|'') open=yes ;; esac
  done
  [ -z "$open" ] || { files "$pid"; asked=yes; }
done
[ -z "$asked" ] || { set -- $(stty -a <"$tty"); printf 'M %s\n' "$*"; }
"""

#: The wait channels of a read, and of a wait for several files.
_READ: Final = re.compile(r"wait_woken|n_tty_read")
_POLL: Final = re.compile(r"(?:poll_schedule_timeout|do_poll|do_sys_poll|do_select|ep_poll).*")
#: The system calls that write: write(2) and writev(2) of the machines that Linux knows. A full
#: terminal puts its writers to sleep where its readers sleep.
_WRITES: Final = frozenset({1, 4, 20, 64, 66, 146})
#: What can be read and is not the terminal, or cannot be told.
_OTHERS: Final = frozenset("psa")
#: A ``read -s`` of the shell's, its options in any order.
_SILENT_READ: Final = re.compile(r"\bread\s+(?:-\w+\s+(?:\d+\s+)?)*-[a-rt-zA-Z]*s")
#: The first argument of a call that waits for several files is a number below this, or an address.
_MOST_FILES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a thread sleeps.

    Attributes:
        where: The kernel's function; ``0`` where it runs or nobody may know.
        arguments: The system call's first two arguments; empty where they cannot be read.
        writes: Whether that call writes.
    """

    where: str
    arguments: tuple[int, ...] = ()
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the terminal's foreground group.

    Attributes:
        pid: In the container.
        state: As proc_pid_stat(5) has it; ``S`` sleeps.
        name: The program's.
        threads: All of them.
        files: The kind of each open file by its number, where that was looked at.
        detached: Whether it is in a session of its own, which has no terminal.
    """

    pid: int
    state: str
    name: str
    threads: tuple[Thread, ...] = ()
    files: tuple[tuple[int, str], ...] = ()
    detached: bool = False


@dataclass(frozen=True, slots=True)
class TerminalLook:
    """What the terminal of a shell is doing.

    Attributes:
        shell: The shell itself.
        processes: The foreground group.
        modes: The words of ``stty -a``; empty where that cannot be run.
    """

    shell: inside.ShellLook
    processes: tuple[Process, ...]
    modes: frozenset[str]

    @property
    def raw(self) -> bool:
        """Whether keys are read one by one."""
        return "-icanon" in self.modes

    @property
    def echoes(self) -> bool:
        """Whether the terminal shows what is typed."""
        return "echo" in self.modes


@dataclass(frozen=True, slots=True)
class Waiting:
    """A program that waits for the person.

    Attributes:
        pid: In the container.
        group: Its process group.
        name: The program's.
        prompt: What it asks; may be empty.
        hidden: What is entered should not show.
        raw: It takes keys, and shows by itself what it wants to show.
        edits: It takes keys until Enter, surely.
        draws: It shows the end of the line that was entered by itself.
        keys: It takes one key, or a few, and no line: an editor of lines sees Enter as it is typed.
        echoed: Whether the terminal shows what is typed.
        shell: Whether the session's shell itself waits.
        detached: Whether the terminal's keys do not signal it.
    """

    pid: int
    group: int
    name: str
    prompt: str
    hidden: bool
    raw: bool
    edits: bool
    draws: bool
    keys: bool
    echoed: bool
    shell: bool
    detached: bool = False


def parse_terminal(printed: str) -> TerminalLook | None:
    """Read what :data:`SCRIPT` prints; None where the shell is gone."""
    shell = None
    processes: list[Process] = []
    modes: frozenset[str] = frozenset()
    for line in printed.splitlines():
        kind, _, rest = line.partition(" ")
        words = rest.split()
        if kind == "S":
            shell = inside.parse_look(rest.encode("utf-8", "surrogateescape"))
        elif kind == "M":
            modes = frozenset(word.rstrip(";") for word in words)
        elif kind and kind in "PD" and len(words) > 1 and words[0].isdigit():
            name = " ".join(words[2:])
            processes.append(Process(int(words[0]), words[1], name, detached=kind == "D"))
        elif kind in "TF" and processes:
            last = processes[-1]
            threads, files = last.threads, last.files
            if kind == "T" and len(words) > 1:
                writes = words[1].isdigit() and int(words[1]) in _WRITES
                threads = (*threads, Thread(words[0], _arguments(words[1:]), writes))
            elif kind == "F":
                files = tuple((int(word[:-1]), word[-1]) for word in words if word[:-1].isdigit())
            processes[-1] = replace(last, threads=threads, files=files)
    return TerminalLook(shell, tuple(processes), modes) if shell is not None else None


def _arguments(words: Sequence[str]) -> tuple[int, ...]:
    """Read the number of a call and its arguments; ``running`` and ``-1 …`` say nothing."""
    if len(words) < 3 or not words[0].isdigit():  # noqa: PLR2004
        return ()
    try:
        return tuple(int(word, 16) for word in words[1:3])
    except ValueError:
        return ()


def who_waits(look: TerminalLook, said: str, *, pid: int, code: str) -> Waiting | None:
    """Return who waits for the person, if anybody surely does.

    Args:
        look: The terminal.
        said: The end of what the running command wrote.
        pid: The session's shell.
        code: The running command: it may have switched the terminal's echo off.
    """
    busy = any(each.state not in "SZ" for each in look.processes if not each.detached)
    if busy or prompt.is_pager(said):
        # One that works, or was stopped: it may have something to say yet.
        return None
    if look.raw and prompt.owns_screen(said):
        return None
    asked = prompt.prompt_of(said)
    for process in look.processes:
        if process.state != "S":
            continue
        number = next(_reads(process), None)
        if number is not None:
            return _waiting(look, process, said, number, pid=pid, code=code)
        if _edits(look, process, said, asked):
            waiting = _waiting(look, process, said, 0, pid=pid, code=code)
            return replace(waiting, edits=True)
    for process in reversed(look.processes):
        # Whoever began it waits for it.
        if process.state == "S" and _is_foreign(look, process, said, asked):
            waiting = _waiting(look, process, said, 0, pid=pid, code=code)
            return replace(waiting, edits=look.raw)
    return None


def _reads(process: Process) -> Iterator[int]:
    """Yield the file by which each of its threads waits for the terminal, and for nothing else."""
    kinds = dict(process.files)
    terminals = [number for number, kind in process.files if kind in "tT"]
    alone = not _OTHERS.intersection(kinds.values())
    for thread in process.threads:
        first, second = (*thread.arguments, -1, -1)[:2]
        if _READ.fullmatch(thread.where) and not thread.writes:
            if thread.arguments and kinds.get(first, "") in ("t", "T"):
                yield first
            elif not thread.arguments and alone and terminals:
                yield terminals[0]
        elif _POLL.fullmatch(thread.where) and thread.arguments and kinds.get(0) == "t":
            # select(2) below 1 is for file 0; poll(2) has an address and the number of files.
            select, poll = first == 1, first >= _MOST_FILES and second == 1
            if select or (poll and alone):
                yield 0


def _edits(look: TerminalLook, process: Process, said: str, asked: str) -> bool:
    """Whether a line editor waits for keys among other things, as IPython's does."""
    return (
        look.raw
        and dict(process.files).get(0) in ("t", "T")
        and any(_POLL.fullmatch(thread.where) for thread in process.threads)
        and _is_prompt(said, asked)
    )


def _is_foreign(look: TerminalLook, process: Process, said: str, asked: str) -> bool:
    """Whether another user's program, of which nothing can be seen, asks all the same.

    Root may count its files and not see what they are.
    """
    return (
        all(kind == "a" for _, kind in process.files)
        and all(thread.where == "0" and not thread.arguments for thread in process.threads)
        and (prompt.asks_for_secret(asked) or (look.raw and _is_prompt(said, asked)))
    )


def _is_prompt(said: str, asked: str) -> bool:
    return prompt.edits_lines(said) or prompt.looks_like_prompt(asked)


def _waiting(
    look: TerminalLook, process: Process, said: str, number: int, *, pid: int, code: str
) -> Waiting:
    asked = prompt.prompt_of(said)
    kind = dict(process.files).get(number, "")
    return Waiting(
        pid=process.pid,
        group=look.shell.group,
        name=process.name,
        prompt=asked,
        hidden=_is_hidden(look, process, kind, asked, code),
        raw=look.raw,
        edits=look.raw and prompt.edits_lines(said),
        draws=look.raw and prompt.edits_lines(said),
        keys=look.raw and look.modes >= {"icrnl", "iexten", "isig"},
        echoed=look.echoes,
        shell=process.pid == pid,
        detached=process.detached,
    )


def _is_hidden(look: TerminalLook, process: Process, kind: str, asked: str, code: str) -> bool:
    """Whether what is entered should not show.

    The session's terminal has no echo in any case, so a program that switches it off changes
    nothing; but most who do switch off more with it (``read -s`` echok, getpass(3) isig), or read
    ``/dev/tty`` in place of their input. zsh does neither, and there the code tells.
    """
    if prompt.is_secret(asked):
        return True
    if process.name.endswith("zsh") and _SILENT_READ.search(code) is not None:
        return True
    if look.raw:
        # A line editor, and who passes all keys on, may have switched off anything.
        return look.modes >= {"-echok", "icrnl", "iexten"}
    if look.echoes or prompt.is_open(asked):
        return False
    if "-echok" in look.modes or "-isig" in look.modes:
        return True
    return kind == "T" or re.search(r"\bstty\b[^\n;|&]*\s-echo\b", code) is not None
