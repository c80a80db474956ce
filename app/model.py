"""The nouns: what a line becomes on its way to a panel.

Entry (what Loki holds) → Event (what it means) → Session (which belong together) →
Frame (what a panel gets). Instants are UTC epoch milliseconds, ranges half-open.
The hot ones are ``msgspec`` structs: frozen, slotted, and as quick to make as a tuple.
"""

import msgspec

Labels = dict[str, str]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One log line as Loki keeps it."""

    ts: int  # when Loki received it, UTC epoch NANOseconds
    line: str
    labels: Labels  # of its stream; shared between the entries of a page
    metadata: Labels  # structured metadata; empty when there is none
