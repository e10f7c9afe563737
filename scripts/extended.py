"""Model files that say more than they did: the same weights, everything that was said, and something new.

A stage whose model file only got such an entry trains what it did; the released file lacks it, which whatever reads model
files has to allow for.
"""

__all__ = ["is_extended"]

import json
from typing import Any

HEADER_SIZE = 8  # bytes of the length before the header, little-endian; see github.com/huggingface/safetensors


def is_extended(old: bytes, new: bytes) -> bool:
    """Whether a model file has the weights of another, byte for byte, and all of its metadata."""
    try:
        (former_tensors, former_said, former_data), (tensors, said, data) = (split(content) for content in (old, new))
    except (ValueError, KeyError, TypeError):
        return False
    return former_tensors == tensors and former_data == data and holds(said, former_said)


def split(content: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Layout of the tensors, metadata and data of a model file.

    Raises:
        ValueError, KeyError, TypeError: If it is none.
    """
    size = int.from_bytes(content[:HEADER_SIZE], "little")
    header = json.loads(content[HEADER_SIZE : HEADER_SIZE + size])
    return header, json.loads(header.pop("__metadata__")["kickpipe"]), content[HEADER_SIZE + size :]


def holds(values: Any, former: Any) -> bool:
    """Whether every entry of ``former`` is in ``values``, those of inner objects too."""
    if isinstance(values, dict) and isinstance(former, dict):
        return all(name in values and holds(values[name], inner) for name, inner in former.items())
    return bool(values == former)
