"""zsh, 5.3 and later, without its line editor.

Facts this rests on, seen on 5.9: ``emulate -L zsh`` in a function undoes whatever options are set
until it returns; a redirected group empties ``$_``, a function's last argument sets it; ``eval``
parses its whole text before it runs any of it, so a syntax error comes before the begin mark; line
numbers within ``eval`` count from its first line.
"""

from __future__ import annotations

import re

from ctrkernel.protocol.dialects.base import (
    PIPE_STATUS_LIMIT,
    PREFIX,
    SILENT,
    STAGED,
    TAKES_BODY,
    Dialect,
    ShellState,
)
from ctrkernel.protocol.encoding import ansi_c_pieces
from ctrkernel.protocol.marks import Kind

#: Options that our prompt needs, and without which zsh would edit what we type.
_OPTIONS = "prompt_subst prompt_percent no_zle no_prompt_cr no_prompt_sp"
#: Code that may turn on the shell's trace, or a trap before each command.
_MAY_TRACE = re.compile(rb"set\s+-\w*[xv]|(?i:x_?trace|verbose)|DEBUG")


class Zsh(Dialect):
    """The Z shell."""

    name = "zsh"
    echo_word = r"\builtin echo"
    set_word = r"\builtin set"
    printf_word = r"\builtin printf"

    repair = (
        rb"\builtin enable builtin eval printf print set unset trap emulate typeset return exit",
        rb"\enable builtin eval printf print set unset trap emulate typeset return exit",
    )
    _save = f"{PREFIX}_u=$_ {PREFIX}_s=$? {PREFIX}_q=${{(j: :)pipestatus}}"

    @property
    def trailer(self) -> str:
        """Saves what only the evaluated text itself can see."""
        return self._save

    def trailer_for(self, data: bytes, state: ShellState) -> str:
        """A redirected group would empty ``$_``, but is silent in a trace."""
        if TAKES_BODY.search(data):
            # zsh would take it for the rest of a loop's condition.
            return ""
        quiet = state.traced or _MAY_TRACE.search(data)
        return f"{{ {self._save}; }} {SILENT}" if quiet else self._save

    @property
    def repeated(self) -> tuple[bytes, ...]:
        """Both trailers."""
        return (f"{{ {self._save}; }} {SILENT}".encode(), self._save.encode())

    def setup(self) -> list[bytes]:
        """Define our functions; the line editor and everything that decorates prompts go off."""
        hidden = f"{PREFIX}_g {PREFIX}_k {PREFIX}_s {PREFIX}_u {PREFIX}_q {PREFIX}_p"
        hide = f"builtin typeset -g +x {hidden}"
        number, cwd, local = f'"${PREFIX}_g"', '"$PWD"', "builtin emulate -L zsh"
        intact = (
            f'[[ "$PS1" == "${PREFIX}_p" ]] || [[ ${{(t)PS1}} == *readonly* ]] '
            f'|| {{ PS1="${PREFIX}_p"; builtin typeset -g +x PS1; }}; [[ "$PS1" == "${PREFIX}_p" ]]'
            ' && builtin set -- "$1" "$2" "$3" 1 || builtin set -- "$1" "$2" "$3" 0'
        )
        own = f'"${PREFIX}_s" "${PREFIX}_q"'
        end = self.mark(
            Kind.END, f'"$1" "${PREFIX}_k" "$2" {own} "$3" "$4" {cwd} "${{HOME[1,1024]}}"'
        )
        return [
            b" unset CTRKERNEL_NONCE; setopt hist_ignore_space interactive_comments",
            # A new list, read again from the file: the present one holds our first lines.
            b' [[ -n $HISTFILE ]] && fc -p "$HISTFILE" "$HISTSIZE" "$SAVEHIST" || fc -p',
            b" unsetopt zle prompt_cr prompt_sp bang_hist 2>/dev/null",
            f" {PREFIX}_b() {{ {local}; "
            f'builtin print -s -r -- "${PREFIX}_c"; builtin unset {PREFIX}_c {PREFIX}_d; {hide}; '
            f'{self.mark(Kind.BEGIN, number)}; builtin return "$1"; }}'.encode(),
            f" {PREFIX}_e() {{ {local}; {intact}; "
            f'{end} || builtin return "${{{PREFIX}_s:-$2}}"; '
            f"{PREFIX}_s= {PREFIX}_q=; {hide}; }}".encode(),
            f" {PREFIX}_t() {{ {self.mark(Kind.GATE, number)}; }}".encode(),
            f" {PREFIX}_g=0 {PREFIX}_k=0 {PREFIX}_p= {PREFIX}_u= {PREFIX}_s= {PREFIX}_q=".encode(),
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
        ]
        return [self.typed(statement.encode()) for statement in statements]

    def stage(self, data: bytes) -> list[bytes]:
        """Stage as ``$'…'``, which the shell's parser decodes without a command."""
        return self.joined(ansi_c_pieces(data), (b"$'", b"'"))

    def evaluate(self, state: ShellState, trailer: str) -> str:
        """Begin mark and code share the first line, so that line numbers are the cell's."""
        status = 0 if "e" in state.flags else state.status
        begin = f'{PREFIX}_b {status} "${PREFIX}_u"'
        if status:
            # A status that is not 0 would fire the user's ZERR trap, or end the evaluation.
            fires = r"[[ -o err_return || $(\\builtin trap) == *ZERR* ]]"
            begin = f'if {fires}; then {PREFIX}_b 0 "${PREFIX}_u"; else {begin}; fi'
        begin = rf"{PREFIX}_k=${PREFIX}_g; \\builtin trap >/dev/tty; {begin}"
        if state.traced:
            begin = f"{{ {begin}; }} {SILENT}"
        if 1 < len(state.pipe_status) <= PIPE_STATUS_LIMIT and "e" not in state.flags:
            # The one of the two that can be given back; the other would be emptied by it.
            begin += "; " + " | ".join(rf"(\\builtin exit {code})" for code in state.pipe_status)
        word = r"\eval" if state.plain else r"\builtin eval"
        return rf"""{word} $'{begin}; '{STAGED}$'\n{trailer}'"""

    def check(self, closers: tuple[str, ...] = ()) -> str:
        """Parse the code as the body of a branch that is not taken."""
        end = r"\n".join(("", *closers, "fi"))
        return rf"""{{ \builtin eval $'if false; then :\n'"${PREFIX}_c"$'{end}'; }} {SILENT}"""

    def closed(self, run: str, end: str) -> str:
        """An error that ends the line does not pass an always block by."""
        return f"{{ {run} }} always {{ {end} }}"

    def end_words(self, seq: int) -> str:
        """As elsewhere; the flags are taken before our function changes the options.

        Those that decide how a prompt looks are set here, because a function's do not last.
        """
        return f'{{ {PREFIX}_e {seq} "$?" "$-"; \\builtin setopt {_OPTIONS}; }} {SILENT}'
