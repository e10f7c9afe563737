"""What the old name of a real kick says, in the vocabulary of the released model.

Real libraries name kicks by machine, by instrument, by number, by mood. Machines, instruments and styles are kept with
one spelling each; numbers, words for "kick" and what only orders files go; so do words with an acoustic meaning
(deep, short, hard ...), which are measured instead (`kickpipe.synth.words`).
"""

__all__ = ["RULES", "STOP_WORDS", "name_words"]

import re

from kickpipe.synth.words import WORDS

# Pattern on the lowercased path -> the words it stands for. All that match count, in this order.
RULES: tuple[tuple[str, str], ...] = (
    (r"tr-?808|fischer|[/_ ]808|808[-_k ]|808-mini", "808"),
    (r"909", "909"),
    (r"tr-?505", "505"),
    (
        r"cr-?78|kpr-?77|cr-?8000|mr-?10|sr-?88|cr 7030|mfb-?512|mrk-2|rhythm|specdrum|elgam|technics|lel-dr8|casio",
        "machine",
    ),
    (r"lm-?2|/linn/|drumtraks|/r8/|dt_kick|rz1", "machine sampled"),
    (
        r"muldjord|bd_acou|acoustic|std kick|room kick|power (kick|bass)|pearl|yamaha|billiedrum|wooden|cheeba",
        "acoustic",
    ),
    (r"orch bass|marching|bdrumnew|membranophones", "orchestral acoustic"),
    (r"polmuz|szpaderski", "acoustic"),
    (r"breakbeat|cheeba", "break"),
    (r"room|ambient", "room"),
    (r"power", "power"),
    (r"electro|elec[ _]|elec kick|/elec", "electro"),
    (r"4op-fm", "fm electro"),
    (r"house|haus", "house"),
    (r"techno|bd_tek|acid", "techno"),
    (r"hardstyle|rawstyle", "hardstyle"),
    (r"klub|club|dub", "club"),
    (r"dist|buzz|muff|fuzz", "distorted"),
    (r"klone|polivoks|synth", "analog"),
    (r"asr-x|el nacho", "hiphop"),
    (r"vintage|_old", "vintage"),
    (r"sub[-_.]", "sub"),
    (r"dampened|dry", "dry"),
    (r"tight", "tight"),
    (r"fat|phat", "fat"),
    (r"boom", "boom"),
)

STOP_WORDS = frozenset(WORDS) | {"kick", "bd", "bass", "drum"}


def name_words(path: str) -> list[str]:
    """Words of a library path, each once: "smpldsnds__drum-machines/TR-808/kick/bd0050.ogg" gives ["808"]."""
    lowered = path.lower()
    words = (word for pattern, found in RULES if re.search(pattern, lowered) for word in found.split())
    return list(dict.fromkeys(word for word in words if word not in STOP_WORDS))
