import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kickpipe.evaluation.analysis import Analyser
from kickpipe.evaluation.report.cards import (
    ORDERS,
    card_values,
    choose_shown,
    defect_labels,
    defect_links,
    facts,
    filters,
)
from kickpipe.evaluation.report.commands import generate_command, variation_commands
from kickpipe.evaluation.report.page import Card
from kickpipe.generate.recipe import Recipe
from kickpipe.synth import synthesise

NOWHERE = {"f0_end_hz": float("nan"), "decay_40_ms": float("nan"), "high_share": 0.0, "attack_ms": 3.0}


def card(defects=(), copy_of=""):
    return Card("kick-1", "", "", "", None, (), {}, defects=defects, copy_of=copy_of)


def test_facts_are_note_length_decay_and_highs():
    found = facts({"f0_end_hz": 46.25, "decay_40_ms": 312.4, "high_share": 0.001, "attack_ms": 1}, 0.4123)
    assert [(fact.value, fact.detail) for fact in found] == [
        ("F#1", "46.2\u202fHz"), ("412\u202fms", ""), ("312\u202fms", "to −40 dB"), ("−30\u202fdB", "above 2 kHz"),
    ]  # fmt: skip


def test_the_root_that_a_file_states_counts_before_the_measured_pitch():
    assert facts({**NOWHERE, "f0_end_hz": 60.0}, 1.0, root_hz=55.0)[0].value == "A1"
    assert facts(NOWHERE, 1.0)[0].value == "–"


def test_what_a_kick_does_not_have_it_is_not_sorted_by():
    values = card_values(3, NOWHERE, 0.4, 2, None)
    assert set(values) == set(ORDERS)
    assert values["pitch"] is values["decay"] is values["distance"] is None
    assert (values["own"], values["defects"], values["attack"]) == (3, 2, 3.0)


def test_filters_count_what_there_is_to_tell_apart():
    assert filters([card(), card()]) == []
    late, flat = ("late", "Late start"), ("clipped", "Clipped")
    found = filters([card([late, flat]), card([flat]), card(copy_of="x.wav")])
    assert found == [
        ("", "All", 3), ("defect", "Any defect", 2), ("defect-clipped", "Clipped", 2), ("defect-late", "Late start", 1),
        ("copy", "Copies", 1),
    ]  # fmt: skip


def test_shown_kicks_are_spread_and_those_with_a_defect_come_along():
    assert choose_shown(5, 60, [2]) == [0, 1, 2, 3, 4]
    assert choose_shown(101, 3, []) == [0, 50, 100]
    assert choose_shown(101, 3, [7, 50, 8, 9, 10]) == [0, 7, 8, 9, 50, 100]
    assert choose_shown(1, 1, [0]) == [0]


def test_a_defect_leads_to_the_kicks_that_have_it():
    kicks = np.stack([synthesise(0, i) for i in range(3)] + [np.zeros(88200, np.float32)])
    found = Analyser(44100, 512).measure(kicks, ["a.wav", "b.wav", "c.wav", "sub/silent.wav"])
    found = replace(found, defects=tuple({**defects, "late": i > 0} for i, defects in enumerate(found.defects)))
    links = defect_links(found, [0, 2], {0: "a", 1: "b", 2: "c"})
    shown, more = links["late"]
    assert [(link.text, link.href) for link in shown] == [("c", "#kick-3")]
    assert more == "1 more without a card"
    assert links["silent"] == ([], "silent.wav")
    assert ("late", "Late start") in defect_labels(found.defects[1])


def test_commands_make_the_kick_again_and_more_like_it():
    recipe = Recipe(prompt="deep 808", seed=7, index=3, guidance=2.0)
    texts = {command.label: command.text for command in variation_commands(Path("my kicks/a.wav"), recipe)}
    assert shlex.split(texts["More like this"]) == ["kickpipe", "vary", "--count", "8", "my kicks/a.wav", "deep 808"]
    assert texts["The same again"] == "kickpipe again 'my kicks/a.wav'"
    others = shlex.split(texts["Others of its prompt"])
    assert others[others.index("--first") + 1] == "4" and others[others.index("--guidance") + 1] == "2"
    assert [command.label for command in variation_commands(Path("bought.wav"), None)] == ["More like this"]


@pytest.mark.parametrize("prompt", ["", "deep 808", "-long", "it's"])
def test_the_command_line_takes_the_commands_as_they_are(prompt):
    from typer.main import get_command

    from kickpipe.cli import app

    name, *words = shlex.split(generate_command(prompt, 5, 2, 2.0, negative="-soft"))[1:]
    found = get_command(app).commands[name].make_context(name, words).params
    assert (found["seed"], found["first"], found["count"], found["guidance"]) == (5, 2, 1, 2.0)
    assert found["negative"] == "-soft"
    assert prompt == " ".join(found["words"] or ())
