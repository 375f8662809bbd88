r"""zsh, 5.3 and later, without its line editor.

The cell is not evaluated by the line that is typed: that line only schedules it, and the shell
runs it before its next prompt, outside any pipeline. So the code stands alone, nothing of ours
surrounds it, its first job is job 1, and an error that ends it does not end what is scheduled
after it.

Facts this rests on, seen on 5.9: ``sched`` takes a time in the past, counted from the epoch, and
runs what is due in the order of the times (zshmodules(1), zsh/sched); ``$?``, ``$_`` and
``pipestatus`` pass from one scheduled text to the next; an error by ``${x?}``, and an interrupt,
drop the rest, and ``return`` the line that is typed next; ``emulate -L zsh`` in a function undoes
whatever options are set until it returns; a redirected group empties ``$_``, a function's last
argument sets it; ``$LINENO`` starts from 1 only within ``eval``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ctrkernel.protocol.dialects.base import (
    PIPE_STATUS_LIMIT,
    PREFIX,
    SILENT,
    STAGED,
    Dialect,
    ShellState,
    has_command,
    may_be_unfinished,
    open_ends,
)
from ctrkernel.protocol.encoding import ansi_c_pieces
from ctrkernel.protocol.marks import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Options that our prompt needs, and without which zsh would edit what we type.
_OPTIONS = "prompt_subst prompt_percent no_zle no_prompt_cr no_prompt_sp"
#: Builtins that our functions call.
_BUILTINS = (
    "builtin eval sched printf print set unset setopt trap emulate typeset local return exit"
)
#: Code that may turn on the shell's trace, or a trap before each command.
_MAY_TRACE = re.compile(rb"set\s+-\w*[xv]|(?i:x_?trace|verbose)|DEBUG")
#: Code that may take our prompt away, which would otherwise tell the end after every error.
_MAY_HIDE = re.compile(rb"\bPS1\b|PROMPT|\bprompt\b|\bexec\b[^\n;]*[>-]")
#: A loop that may lack its body, and its condition even: zsh would run it for ever.
_LOOP = re.compile(rb"(?<![\w-])(?:while|until)(?![\w-])(?!.*(?:{|\bdo\b))", re.DOTALL)
_BODY = (":", "do :", "done")


class Zsh(Dialect):
    """The Z shell."""

    name = "zsh"
    begins_first = True
    traps_groups = True
    echo_word = r"\builtin echo"
    set_word = r"\builtin set"
    printf_word = r"\builtin printf"

    @property
    def repeated(self) -> tuple[bytes, ...]:
        """What is scheduled last in a shell that is verbose, or may become so."""
        return (self._silently(f'"${PREFIX}_g"').encode(),)

    def repair(self, state: ShellState) -> Sequence[bytes]:  # noqa: ARG002
        """Enable our builtins, and forget what was scheduled and not run."""
        ours = '[[ "${zsh_scheduled_events[1]-}" == [123]:* ]]'
        return (
            rf"\builtin enable {_BUILTINS}".encode(),
            rf"\enable {_BUILTINS}".encode(),
            rf"while {ours}; do \builtin sched -1; done".encode(),
        )

    def setup(self) -> list[bytes]:
        """Define our functions; the line editor and everything that decorates prompts go off."""
        hidden = f"{PREFIX}_g {PREFIX}_k {PREFIX}_u {PREFIX}_p"
        hide = f"builtin typeset -g +x {hidden}"
        number, local = f'"${PREFIX}_g"', "builtin emulate -L zsh"
        # For as long as the function runs, no trap is sprung by it.
        local = f"{local}; builtin trap - DEBUG ZERR"
        there = " && ".join(f'-n "${{builtins[{name}]-}}"' for name in _BUILTINS.split())
        enable = f"[[ {there} ]] || enable {_BUILTINS}"
        intact = (
            f'[[ "$PS1" == "${PREFIX}_p" ]] || [[ ${{(t)PS1}} == *readonly* ]] '
            f'|| {{ PS1="${PREFIX}_p"; builtin typeset -g +x PS1; }}; '
            # It is shown on stderr, where our own words have none if they must be silent.
            f'{PREFIX}_i=0; [[ "$PS1" != "${PREFIX}_p" ]] || [[ ! -t 2 && $3 != *[xv]* ]] '
            f"|| {PREFIX}_i=1; "
            f"{PREFIX}_i+=0; [[ ! -t 0 ]] || {PREFIX}_i[2]=1"
        )
        end = self.mark(
            Kind.END,
            f'"$1" "${PREFIX}_k" "$2" "$2" "${{(j: :)@[5,-1]}}" "$3" "${PREFIX}_i[1]" '
            f'"${PREFIX}_i[2]" "$PWD" "${{HOME[1,1024]}}"',
        )
        return [
            b" unset CTRKERNEL_NONCE __ctrk_q __ctrk_s; setopt hist_ignore_space",
            # A new list, read again from the file: the present one holds our first lines.
            b' [[ -n $HISTFILE ]] && fc -p "$HISTFILE" "$HISTSIZE" "$SAVEHIST" || fc -p',
            b" setopt interactive_comments; unsetopt zle prompt_cr prompt_sp bang_hist 2>/dev/null",
            f" {PREFIX}_b() {{ {local}; "
            f'builtin print -s -r -- "${PREFIX}_c"; builtin unset {PREFIX}_c {PREFIX}_d; {hide}; '
            f'{self.mark(Kind.BEGIN, number)}; builtin return "$1"; }}'.encode(),
            f" {PREFIX}_e() {{ {enable}; {local}; {PREFIX}_u=$4; builtin local {PREFIX}_i; "
            f'{intact}; {end} || builtin return "$2"; {hide}; }}'.encode(),
            f" {PREFIX}_t() {{ {self.mark(Kind.GATE, number)}; }}".encode(),
            f" {PREFIX}_g=0 {PREFIX}_k=0 {PREFIX}_p= {PREFIX}_u=".encode(),
        ]

    def prompts(self) -> list[bytes]:
        """PS1 carries the prompt's mark."""
        fields = f"${{{PREFIX}_g-}};${{{PREFIX}_k-}};%?;$-;%d"
        kind = Kind.PROMPT.value.decode()
        prompt = rf"\033]133;{kind};{self.nonce};{fields};{self.nonce}\007"
        statements = [
            f"setopt {_OPTIONS} hist_ignore_space",
            "PS2=",
            f"PS1=$'{prompt}'",
            f"{PREFIX}_p=$'{prompt}'",
            r"\builtin typeset +x PS1",
        ]
        return [self.typed(statement.encode()) for statement in statements]

    def stage(self, data: bytes) -> list[bytes]:
        """Stage as ``$'…'``, which the shell's parser decodes without a command."""
        return self.joined(ansi_c_pieces(data), (b"$'", b"'"))

    def run(self, seq: int, data: bytes, state: ShellState) -> str:
        """Schedule begin mark, code and end mark, each by itself."""
        quiet = state.traced or _MAY_TRACE.search(data) is not None
        hides = not state.prompts_intact or _MAY_HIDE.search(data) is not None
        begin = self._begin(state)
        if quiet or state.plain:
            begin = f"{{ {begin}; }} {SILENT}"
        if state.plain:
            return rf"\eval {_quoted(begin + '; ')}{STAGED}"
        end = self._silently(f'"${PREFIX}_g"') if quiet else self._end(seq)
        entries = [rf"\builtin sched 2 {STAGED}", rf"\builtin sched 1 {_quoted(begin)}"]
        if not has_command(data):
            # It would leave 0 behind for a status.
            entries[0] = ":"
        elif hides or b"LINENO" in data:
            # Only `eval` counts lines from 1, and only an always block is not passed by.
            code = rf'\builtin eval {_quoted(begin + "; ")}"${PREFIX}_c"'
            code = f"{{ {code} }} always {{ {end} }}" if hides else code
            entries = [rf"\builtin sched 2 {_quoted(code)}"]
        if not (hides or state.debug_trap or b"DEBUG" in data):
            # The trap would be sprung by it; then the prompt alone tells the end.
            entries.append(rf"\builtin sched 3 {_quoted(end)}")
        words = "; ".join(entries)
        if state.traced:
            words = f"{{ {words}; }} {SILENT}"
        unfinished = []
        if _LOOP.search(data):
            unfinished.append(self.check(_BODY))
        if may_be_unfinished(data) and (closers := open_ends(data)):
            unfinished.append(f"{self.check()}; [[ $? -ne 0 ]] && {self.check(closers)}")
        if not unfinished:
            return words
        say = f"{self.refuse()}; {self.end_words(seq)}"
        return f"if {' || '.join(unfinished)}; then {say}; else {words}; fi"

    def _begin(self, state: ShellState) -> str:
        status = 0 if "e" in state.flags else state.status
        begin = f'{PREFIX}_b {status} "${PREFIX}_u"'
        if status:
            # A status that is not 0 would fire the user's ZERR trap, or end the evaluation.
            fires = r"[[ -o err_return || $(\builtin trap) == *ZERR* ]]"
            begin = f'if {fires}; then {PREFIX}_b 0 "${PREFIX}_u"; else {begin}; fi'
        begin = rf"{PREFIX}_k=${PREFIX}_g; \builtin trap >/dev/tty; {begin}"
        if 1 < len(state.pipe_status) <= PIPE_STATUS_LIMIT and "e" not in state.flags:
            # The one of the two that can be given back; the other would be emptied by it.
            begin += "; " + " | ".join(rf"(\builtin exit {code})" for code in state.pipe_status)
        return begin

    def _end(self, seq: int | str) -> str:
        """Return what is scheduled last.

        The options that decide how a prompt looks are set here, because a function's do not last.
        """
        own = rf'{PREFIX}_e {seq} "$?" "$-" "$_" "${{pipestatus[@]}}"'
        return rf"{own}; \builtin setopt {_OPTIONS}"

    def _silently(self, seq: int | str) -> str:
        return f"{{ {self._end(seq)}; }} {SILENT}"

    def end_words(self, seq: int) -> str:
        """As elsewhere, with what only the shell's own level can see."""
        return self._silently(seq)

    def check(self, closers: tuple[str, ...] = ()) -> str:
        """Parse the code as the body of a branch that is not taken."""
        end = r"\n".join(("", *closers, "fi"))
        return rf"""{{ \builtin eval $'if false; then :\n'"${PREFIX}_c"$'{end}'; }} {SILENT}"""


def _quoted(words: str) -> str:
    r"""Quote as ``$'…'``."""
    escaped = words.replace("\\", "\\\\").replace("'", r"\'")
    return f"$'{escaped}'"
