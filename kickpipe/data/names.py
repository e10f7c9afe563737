"""Names in the library: ``a3f2e1_KICK3.WAV``, six digits of the content's SHA-256 and the original name.

The prefix keeps files of one name from different packs apart, and never changes while the content does not.
"""

__all__ = ["name_files", "portable_name", "clean_name"]

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

HASH_DIGITS = 6
MAX_NAME_BYTES = 120  # with hash and .pt below 143, the least that common file systems allow
UNPORTABLE = re.compile(r'[<>:"/\\|?*]')  # what Windows forbids
UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")  # Unicode categories: controls, undecodable bytes, line and paragraph separators


def name_files(digests: Sequence[str], names: Sequence[str]) -> list[str]:
    """Names in the library for files of given content.

    Where two would be the same on a file system that ignores case, both get more digits. A name therefore depends on
    the files it clashes with only, not on their order or number.

    Arguments:
        digests: Hexadecimal hashes, all different.
        names: The original names.
    """
    safe = [portable_name(name) for name in names]
    digits = [HASH_DIGITS] * len(digests)
    while True:
        filenames = [f"{digest[:n]}_{name}" for digest, n, name in zip(digests, digits, safe, strict=True)]
        counts = Counter(filename.casefold() for filename in filenames)
        clashing = [i for i, filename in enumerate(filenames) if counts[filename.casefold()] > 1]
        if not clashing:
            return filenames
        for i in clashing:
            digits[i] += 2


def portable_name(name: str) -> str:
    """``name`` as it can stand in ``data/raw`` on Linux, macOS and Windows: unchanged, unless it must change.

    After ``clean_name``, a long name loses the end of its stem.
    """
    stem, dot, extension = clean_name(name).rpartition(".")
    room = MAX_NAME_BYTES - len((dot + extension).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + extension


def clean_name(name: str) -> str:
    """``name`` with ``_`` for control characters, double quotes, bytes that are not UTF-8 and what Windows forbids.

    Letters are composed (NFC), as macOS may decompose them.
    """
    printable = (c if unicodedata.category(c) not in UNPRINTABLE else "_" for c in name)
    return unicodedata.normalize("NFC", UNPORTABLE.sub("_", "".join(printable)))
