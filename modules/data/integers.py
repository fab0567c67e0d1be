"""Integers in text, however long."""

import re

INT64_END = 2**63
_INTEGER = re.compile(r"[+-]?[0-9]+")
# Python refuses to convert thousands of digits; an int64 has at most so many, with its sign.
_INT64_LENGTH = 20


def integer_of(text: str) -> int | None:
    """The integer that `text` is, None if it is none; what has more digits than an int64 becomes `INT64_END`."""
    if not _INTEGER.fullmatch(text):
        return None
    return int(text) if len(text) <= _INT64_LENGTH else INT64_END
