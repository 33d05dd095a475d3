"""Text from elsewhere on a terminal: one line, no control characters, not endless."""

from __future__ import annotations

import re

LONGEST = 1000
"""Characters of a message; a longer one loses its middle."""
_BETWEEN = 50
"""Characters of the words that stand for the middle, at most."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves a terminal's cursor, colours it, or turns the direction of what follows."""


def one_line(text: str, longest: int = LONGEST) -> str:
    r"""The text with white space runs as one blank, what cannot be printed escaped, and the middle of a long one cut.

    Args:
        longest: number of characters of the result, at most; 100 or more.

    >>> one_line("node \x1b[2J is\n  unknown")
    'node \\x1b[2J is unknown'
    """
    line = " ".join(text.split(None))
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)
    if len(line) <= longest:
        return line
    head = (longest - _BETWEEN) * 3 // 4
    tail = longest - _BETWEEN - head
    return f"{line[:head]} ... ({len(line) - head - tail:,} characters left out) ... {line[-tail:]}"
