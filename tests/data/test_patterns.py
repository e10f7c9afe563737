"""Tests of the patterns on file names."""

import pytest

from kickpipe.data.patterns import PatternError, Patterns


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        (
            "bd",
            ["BD0000.WAV", "bd_808.flac", "PowR_BD_1.flac", "909BD.mp3", "10_bd_switch.wav", "bd.wav", "Hard BD.wav"],
        ),
        ("bdrum", ["BDrumNew_hit.wav", "bdrum1.wav", "BDRUM.wav"]),
        ("kdrum", ["1-KdrumL-KdrumL.flac"]),
        ("bass drum", ["Orch Bass Drum.wav", "bass-drum__025.mp3", "Bass_Drum.wav", "Bassdrum01.wav", "BassDrum.wav"]),
        ("*kick*", ["KICK3.WAV", "wookick1.wav", "PearlKick-Hard.wav", "kickkk3.wav", "sidekicks.wav"]),
        ("bd*", ["Bdhip2hard.wav", "BDrumNew.wav", "bd.wav"]),
        ("*loop", ["drumloop_1.wav", "LoopKick.wav", "kick loop.wav", "KICK_LOOP_120.wav"]),
        ("bpm", ["kick 120bpm.wav", "kick_120_BPM.wav", "bpm128 kick.wav", "120BPMKick 2.wav"]),
        ("größe", ["GRÖSSE größe.wav", "GRÖßE.wav"]),
        ("808", ["kick 808.wav", "kick808x.wav"]),
        ("k*k", ["KICK.wav", "my kak.wav"]),
    ],
)
def test_a_pattern_finds(pattern, names):
    found = {name: Patterns([pattern]).find(f"pack/{name}") for name in names}
    assert set(found.values()) == {pattern}, found


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("bd", ["subdued.wav", "sdbkit.wav", "abd.wav", "Bdhip.wav", "kick.bd"]),
        ("kdrum", ["RockdrumHat.wav", "BlackDrum.wav"]),
        ("bass drum", ["TamBassDrumown.wav", "bass and drum.wav", "bass.wav"]),
        ("*kick*", ["snare.wav", "kic k.wav", "ki.ck"]),
        ("*loop", ["Loopmasters kick.wav", "loopy.wav"]),
        ("bpm", ["bpmx.wav"]),
        ("808", ["kick 1808.wav", "kick8080.wav"]),
    ],
)
def test_a_pattern_does_not_find(pattern, names):
    found = {name: Patterns([pattern]).find(f"kick/bd/bass drum/loop/{name}") for name in names}
    assert set(found.values()) == {None}, found


def test_a_slash_makes_a_pattern_look_at_the_folders():
    patterns = Patterns(["*kick*/", "loops/"])
    assert patterns.find("Pack/Kicks/01.wav") == "*kick*/"
    assert patterns.find("Drum Loops/a/01.wav") == "loops/"
    assert patterns.find("Loopmasters/snares/kick.wav") is None


def test_the_first_pattern_that_matches_is_named():
    assert Patterns(["bd", "*kick*"]).find("BD kick.wav") == "bd"
    assert Patterns([]).find("kick.wav") is None


def test_special_characters_stand_for_themselves():
    assert Patterns(["kick (wet)"]).find("kick (wet).wav") == "kick (wet)"
    assert Patterns(["kick."]).find("kicks.wav") is None


@pytest.mark.parametrize("pattern", ["", " ", "*", "**", "/", "_"])
def test_a_pattern_without_letters_is_refused(pattern):
    with pytest.raises(PatternError, match="no letters or digits"):
        Patterns([pattern])
