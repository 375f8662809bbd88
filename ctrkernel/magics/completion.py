"""TAB in IPython: what commands/completion.py finds, as IPython's completer takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.completer import SimpleCompletion

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult

    from ctrkernel.magics.bridge import Bridge


def match(context: CompletionContext, bridge: Bridge) -> SimpleMatcherResult:
    """Return the completions at the cursor; called at each TAB.

    Where the place is ours, Python's names and this machine's files do not mix in.
    """
    lines = context.full_text.split("\n")[: context.cursor_line]
    cursor = sum(len(line) + 1 for line in lines) + context.cursor_position
    found = bridge.completer.complete(context.full_text, cursor, variables=bridge.own_variables)
    # IPython completes the names of magics itself.
    if found is None or any(each.kind == "magic" for each in found.candidates):
        return {"completions": []}
    fragment = context.full_text[found.start : found.end]
    completions = [SimpleCompletion(each.text, type=each.kind) for each in found.candidates]
    if not completions and fragment:
        # What was typed itself: IPython would ask its other sources where there is nothing.
        completions = [SimpleCompletion(fragment)]
    return {"completions": completions, "matched_fragment": fragment, "suppress": True}
