"""A kick with its measures as a card of the page, and what cards can be sorted and filtered by."""

__all__ = ["ORDERS", "card_id", "card_values", "choose_shown", "defect_labels", "defect_links", "facts", "filters"]

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from kickpipe.audio.defects import DEFECTS
from kickpipe.audio.finish import note_name
from kickpipe.evaluation.analysis import KickSet
from kickpipe.evaluation.measures import NOTHING, defect_label, quantity
from kickpipe.evaluation.report.page import Card, Fact, Link

ORDERS = {
    "own": "Own order",
    "length": "Length",
    "decay": "Decay",
    "pitch": "Pitch",
    "brightness": "Brightness",
    "attack": "Attack",
    "defects": "Number of defects",
    "distance": "Distance to nearest",
}
DEFECT, ANY_DEFECT, COPY = "defect-", "defect", "copy"  # keys of filters


def card_id(number: int) -> str:
    """The id of the element of kick ``number`` (from 0)."""
    return f"kick-{number + 1}"


def facts(descriptors: Mapping[str, float], length_seconds: float, root_hz: float | None = None) -> list[Fact]:
    """Note, length, decay and brightness.

    Arguments:
        descriptors: Of the kick, by the names of ``DESCRIPTORS``.
        length_seconds: Of its file.
        root_hz: The pitch (Hz) that the file states; else the measured one counts.
    """
    hz = descriptors["f0_end_hz"] if root_hz is None else root_hz
    pitch = Fact("Note", NOTHING, "no pitch found")
    if math.isfinite(hz):
        pitch = Fact("Note", note_name(hz), quantity(hz, "Hz"))
    decay, highs = descriptors["decay_40_ms"], descriptors["high_share"]
    return [
        pitch,
        Fact("Length", quantity(round(1000 * length_seconds), "ms")),
        Fact("Decay", quantity(round(decay), "ms") if math.isfinite(decay) else NOTHING, "to −40 dB"),
        Fact("Highs", quantity(round(10 * math.log10(max(highs, 1e-9))), "dB"), "above 2 kHz"),
    ]


def card_values(
    number: int, descriptors: Mapping[str, float], length_seconds: float, num_defects: int, distance: float | None
) -> dict[str, float | None]:
    """What a card is sorted by, with the keys of ``ORDERS``; None where the kick has no such value."""
    values = {
        "own": number,
        "length": length_seconds,
        "decay": descriptors["decay_40_ms"],
        "pitch": descriptors["f0_end_hz"],
        "brightness": descriptors["high_share"],
        "attack": descriptors["attack_ms"],
        "defects": num_defects,
        "distance": distance,
    }
    return {key: value if value is not None and math.isfinite(value) else None for key, value in values.items()}


def defect_labels(defects: Mapping[str, bool]) -> list[tuple[str, str]]:
    """Names and labels of the defects that a kick has."""
    return [(name, defect_label(name)) for name, found in defects.items() if found]


def filters(cards: Sequence[Card]) -> list[tuple[str, str, int]]:
    """Keys, labels and numbers of the filters that these cards call for; none where there is nothing to tell apart."""
    found = Counter(name for card in cards for name, _ in card.defects)
    labels = {name: label for card in cards for name, label in card.defects}
    with_defects = sum(bool(card.defects) for card in cards)
    copies = sum(bool(card.copy_of) for card in cards)
    chosen = [("", "All", len(cards))]
    if with_defects:
        chosen.append((ANY_DEFECT, "Any defect", with_defects))
        chosen += [(DEFECT + name, labels[name], count) for name, count in found.most_common()]
    if copies:
        chosen.append((COPY, "Copies", copies))
    return chosen if len(chosen) > 1 else []


def choose_shown(total: int, limit: int, flagged: Sequence[int]) -> list[int]:
    """Kicks that get a card, in order: up to ``limit``, spread evenly, and up to as many of the ``flagged`` ones."""
    spread = {round(i * (total - 1) / max(min(limit, total) - 1, 1)) for i in range(min(limit, total))}
    more = [row for row in dict.fromkeys(flagged) if row not in spread][:limit]
    return sorted(spread | set(more))


def defect_links(kicks: KickSet, rows: Sequence[int], names: Mapping[int, str]) -> dict[str, tuple[list[Link], str]]:
    """For each defect, and for ``any``: links to the cards of the kicks that have it, and how many have no card.

    Arguments:
        kicks: All of them.
        rows: Those that have a card.
        names: Of all kicks, short.
    """
    with_card = set(rows)
    links = {}
    for name in ("any", *DEFECTS):
        has = [any(defects.values()) if name == "any" else defects[name] for defects in kicks.defects]
        found = [row for row in range(len(kicks)) if has[row]]
        shown = [Link(names[row], f"#{card_id(row)}") for row in found if row in with_card]
        silent = [Path(path).name for path in kicks.silent] if name in ("any", "silent") else []
        unseen = len(found) - len(shown)
        more = ", ".join([*silent, *([f"{unseen} more without a card"] if unseen else [])])
        links[name] = (shown, more)
    return links
