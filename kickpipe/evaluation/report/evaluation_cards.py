"""The generated kicks of an evaluation as cards, each above the training kick that is nearest to it."""

__all__ = ["NUM_TRIPS", "choose_rows", "listen_text", "make_cards", "time_axis"]

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kickpipe.evaluation.measures import decibels
from kickpipe.evaluation.report.axes import TimeAxis
from kickpipe.evaluation.report.cards import ORDERS, card_id, card_values, defect_labels, facts, filters
from kickpipe.evaluation.report.commands import MORE, generate_command
from kickpipe.evaluation.report.page import Card, Cards, Command, Nearest
from kickpipe.evaluation.report.sounds import SoundBank, audible_seconds

if TYPE_CHECKING:
    from kickpipe.evaluation.evaluate import Evaluation

NUM_CARDS, NUM_TRIPS = 24, 4
HASH = re.compile("^[0-9a-f]{6}_")  # that aggregate puts before the name of a file


def choose_rows(evaluation: "Evaluation") -> list[int]:
    """The first kicks, none picked, and up to as many more that have a defect or repeat a training kick."""
    generated, copies = evaluation.generated, copied(evaluation)
    first = list(range(min(NUM_CARDS, len(generated))))
    flagged = [i for i in range(len(generated)) if any(generated.defects[i].values()) or generated.names[i] in copies]
    return first + [row for row in flagged if row >= len(first)][:NUM_CARDS]


def copied(evaluation: "Evaluation") -> dict[str, str]:
    """The training kick that each near-copy repeats, by the name of the copy."""
    return {pair["kick"]: pair["training"] for pair in evaluation.details["copies"]["generated"]["pairs"]}


def listen_text(evaluation: "Evaluation", rows: Sequence[int]) -> str:
    """What is shown."""
    first = min(NUM_CARDS, len(evaluation.generated))
    more = len(rows) - first
    also = f", and {more} more that have a defect or repeat a training kick" if more else ""
    near = ", each above the nearest training kick" if evaluation.nearest_training else ""
    return f"The first {first} generated kicks, none picked{also}{near}. All pictures share one time axis."


def time_axis(evaluation: "Evaluation", rows: Sequence[int]) -> TimeAxis:
    """The axis that all pictures share."""
    library, rate = evaluation.library, evaluation.library.settings.sample_rate
    shown = [evaluation.generated.waveforms[row] for row in rows]
    shown += [library.load(evaluation.nearest_training[row][0]) for row in rows if evaluation.nearest_training]
    if evaluation.round_trips is not None:
        shown += list(evaluation.round_trips.waveforms["original"][:NUM_TRIPS])
    return TimeAxis.over([audible_seconds(waveform, rate) for waveform in shown])


def make_cards(evaluation: "Evaluation", rows: Sequence[int], bank: SoundBank) -> Cards:
    """Cards of these kicks, in this order."""
    copies = copied(evaluation)
    cards = [make_card(evaluation, row, copies, bank) for row in rows]
    labels = {**ORDERS, "own": "As generated"}
    orders = {key: label for key, label in labels.items() if key != "distance" or evaluation.nearest_training}
    return Cards(cards, orders, filters(cards))


def make_card(evaluation: "Evaluation", row: int, copies: Mapping[str, str], bank: SoundBank) -> Card:
    """The card of one generated kick."""
    generated, name = evaluation.generated, evaluation.generated.names[row]
    asked = evaluation.requests[name]
    title = asked.prompt or "No prompt"
    descriptors = {key: float(values[row]) for key, values in generated.descriptors.items()}
    seconds = audible_seconds(generated.waveforms[row], bank.sample_rate)
    defects = defect_labels(generated.defects[row])
    neighbour, distance = None, None
    if evaluation.nearest_training:
        real, distance = evaluation.nearest_training[row]
        sound = bank.add(evaluation.library.load(real), f"Nearest to {name}: {real}", small=True)
        neighbour = Nearest(HASH.sub("", real), real, decibels(distance), sound)
    return Card(
        id=card_id(row),
        title=title,
        subtitle=f"seed {asked.seed}, kick {asked.index}",
        path=name,
        sound=bank.add(generated.waveforms[row], title, "generated"),
        facts=facts(descriptors, seconds),
        values=card_values(row, descriptors, seconds, len(defects), distance),
        prompt=title,
        defects=defects,
        copy_of=copies.get(name, ""),
        nearest=neighbour,
        commands=[
            Command("This kick", generate_command(asked.prompt, asked.seed, asked.index, asked.guidance)),
            Command(
                "Others of its prompt",
                generate_command(asked.prompt, asked.seed, asked.index + 1, asked.guidance, MORE),
            ),
        ],
    )
