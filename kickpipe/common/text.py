"""Text on its way to a terminal: names and words come from strangers, and some signs in them are commands."""

__all__ = ["visible"]

import re

# Controls (among them the escape that begins a terminal's commands) but not the ends of lines, what turns the direction of
# the writing, other ends of lines, and bytes that are not text
COMMANDS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with escapes such as ``\\u001b`` for what a terminal would obey; JSON stays the same JSON."""
    return COMMANDS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
