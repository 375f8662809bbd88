"""dash, busybox ash and other shells that know no more than POSIX.

Facts this rests on, seen on dash 0.5.12 and busybox 1.35: special builtins (``eval``, ``set``,
``unset``) come before functions, other builtins do not, hence ``command``; an error in ``eval``
returns to the prompt, past whatever stands behind it, but one in ``command eval`` does not; dash
counts lines from the evaluated text's
first, so the begin mark shares it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ctrkernel.protocol.dialects.base import PREFIX, SILENT, STAGED, EvaluatingDialect, ShellState
from ctrkernel.protocol.encoding import has_control, printf_b_pieces, single_pieces
from ctrkernel.protocol.marks import BEL, ESC, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

#: In a subshell, rids it of functions named like what comes next.
_CLEAR = r"\unset -f command printf"
_COMMAND = re.compile(rb"(?<![\w-])command\s*\(\s*\)")


class Posix(EvaluatingDialect):
    """A shell of which nothing beyond POSIX is expected."""

    name = "sh"
    edits_lines = True
    stays_plain = True
    set_word = "set"
    echo_word = r"\command echo"
    printf_word = r"\command printf"

    @property
    def noise(self) -> tuple[bytes, ...]:
        """What busybox says when it took a signal for the end of its input, and asks a terminal."""
        return (
            b"\x1b[6n",
            b"You have stopped jobs.\n",
            b"You have stopped jobs.\r\n",
            b'\nUse "exit" to leave shell.\n',
            b'\r\nUse "exit" to leave shell.\r\n',
        )

    @property
    def trailer(self) -> str:
        """Saves the status."""
        return f"{{ {PREFIX}_s=$?; }} {SILENT}"

    def setup(self) -> list[bytes]:
        """Define our functions."""
        newline = f"{PREFIX}_n=$(command printf '\\n.'); {PREFIX}_n=${{{PREFIX}_n%.}}"
        opening = f"]133;{Kind.PROMPT.value.decode()};{self.nonce};"
        escape, bell = (rf"\0{byte[0]:03o}" for byte in (ESC, BEL))
        return [
            # busybox reads a silent terminal by fgets, and takes its EINTR, which every job's end
            # causes, for the end of input. `help` is what it has and dash has not.
            b" unset CTRKERNEL_NONCE __ctrk_q __ctrk_s; help >/dev/null 2>&1 && set -o ignoreeof",
            *(b" " + line for line in self._functions(self.printf_word)),
            f" {PREFIX}_g=0 {PREFIX}_k=0 {PREFIX}_p=; {newline}".encode(),
            f" {PREFIX}_w=$(command printf '%b%s' '{escape}' '{opening}') "
            f"{PREFIX}_y=$(command printf '%s%b' ';{self.nonce}' '{bell}')".encode(),
        ]

    def repair(self, state: ShellState) -> Sequence[bytes]:
        """Where `command` is a function, marks are written by a subshell that forgets it."""
        return self._functions(rf"{_CLEAR}; \printf") if state.plain else ()

    def takes_words(self, data: bytes) -> bool:
        """Whether code may define a function `command`; a file that it reads may do so, too."""
        return _COMMAND.search(data) is not None

    def _functions(self, printf: str) -> list[bytes]:
        number = f'"${PREFIX}_g"'
        hide = (
            f'case $- in *a*) set +a; set -- "$1" ${PREFIX}_g; unset {PREFIX}_g {PREFIX}_k; '
            f"{PREFIX}_g=$2 {PREFIX}_k=$2; set -a;; esac"
        )
        again = f'(PS1=; PS2=) && {{ PS1="${PREFIX}_p"; PS2=; }}'
        intact = f'"${{PS1-}}${{PS2-}}" in "${PREFIX}_p")'
        restore = (
            f"case {intact} ;; *) {again};; esac; "
            f'case {intact} set -- "$1" "$2" 1;; *) set -- "$1" "$2" 0;; esac; '
            # What has no such builtin does not say that it is none.
            'if [ -t 0 ]; then set -- "$@" 1; '
            'else case $? in 1) set -- "$@" 0;; *) set -- "$@" 1;; esac; fi'
        )
        own = f'"${{{PREFIX}_s-}}" "${{{PREFIX}_s-}}"'
        places = '"${PWD-}" "${HOME-}"'
        begin, gate, end = (
            f"({mark})" if ";" in printf else mark
            for mark in (
                self.mark(Kind.BEGIN, number, word=printf),
                self.mark(Kind.GATE, number, word=printf),
                self.mark(
                    Kind.END,
                    f'"$1" "${{{PREFIX}_k-}}" "$2" {own} "$-" "$3" "$4" {places}',
                    word=printf,
                ),
            )
        )
        return [
            f"{PREFIX}_b() {{ unset {PREFIX}_c {PREFIX}_d; {hide}; "
            f'{begin}; return "$1"; }}'.encode(),
            # Should the mark be lost, the prompt tells the status; with -e it would be the end.
            f'{PREFIX}_e() {{ {restore}; {end}; set -- "${{{PREFIX}_s:-$2}}"; unset {PREFIX}_s; '
            f'case $- in *e*) ;; *) return "$1";; esac; }}'.encode(),
            f"{PREFIX}_t() {{ {gate}; }}".encode(),
        ]

    def prompts(self) -> list[bytes]:
        """PS1 carries the prompt's mark, but not in so many words.

        dash cannot take back that it was exported: then what a child sees of it is worth nothing.
        """
        fields = f"${{{PREFIX}_g-}};${{{PREFIX}_k-}};$?;$-;${{PWD-}}"
        value = f"'${{{PREFIX}_w:+${PREFIX}_w{fields}${PREFIX}_y}}'"
        statements = ["PS2=", f"PS1={value}", f"{PREFIX}_p={value}", "export -n PS1"]
        return [self.typed(statement.encode()) for statement in statements]

    def stage(self, data: bytes) -> list[bytes]:
        """Stage between single quotes; decode with ``printf %b`` only where it must be."""
        quote = (b"'", b"'")
        if not has_control(data):
            return self.joined(single_pieces(data), quote)
        decode = (
            f"{PREFIX}_c=$({_CLEAR}; \\printf '%b.' \"${PREFIX}_c\"); {PREFIX}_c=${{{PREFIX}_c%.}}"
        )
        return [*self.joined(printf_b_pieces(data), quote), decode.encode()]

    def evaluate(self, state: ShellState, trailer: str) -> str:
        """Begin mark and code share the first line, so that line numbers are the cell's."""
        status = 0 if "e" in state.flags else state.status
        begin = f"{{ {PREFIX}_k=${PREFIX}_g; {PREFIX}_b {status}; }} {SILENT}; "
        word = r"\eval" if state.plain else r"\command eval"
        return f"""{word} '{begin}'{STAGED}"${PREFIX}_n"'{trailer}'"""

    def check(self, closers: tuple[str, ...] = ()) -> str:
        """Parse the code as the body of a branch that is not taken.

        In a subshell, because an error returns to the prompt.
        """
        end = "".join(f'"${PREFIX}_n"{line}' for line in (*closers, "fi"))
        return f"""(\\eval 'if false; then :;'"${PREFIX}_n${PREFIX}_c"{end}) {SILENT}"""
