"""One word for several spellings: what people write for a keyword, and which keyword of the models at hand it means.

A spelling is compared without hyphens, spaces and the ending of a plural: "Hip-Hop", "hip hop" and "hiphop" are one, and
so are "kicks" and "kick". It means the first of its keywords that the models know; if they know none, it stays unknown.
"""

__all__ = ["MAX_PHRASE", "SYNONYMS", "fold", "meaning", "synonyms_of"]

import unicodedata
from collections.abc import Container

MAX_PHRASE = 3  # words of the longest spelling: roland tr 808

# keywords, the best first, and what people write for them
SYNONYMS = {
    "kick": "kik, bass drum, kick drum, bd",
    "808": "tr 808, roland 808, roland tr 808",
    "909": "tr 909, roland 909, roland tr 909",
    "707": "tr 707, roland 707, roland tr 707",
    "606": "tr 606, roland 606, roland tr 606",
    "hiphop hip": "hip hop, rap, boom bap",
    "lofi": "lo fi, low fi, low fidelity",
    "hardstyle": "hard style, rawstyle",
    "hardcore hardstyle": "hardcore, gabber, gabba",
    "techno": "tekno, tekkno",
    "electro electronic": "electro, electronic, electronica",
    "acoustic": "natural, recorded, unplugged",
    "orchestral": "orchestra, symphonic",
    "analog synth": "analog, analogue, synth, synthetic, synthesizer, synthesiser",
    "machine": "drum machine, rhythm machine, drum computer",
    "punchy": "punch, punching, thump, thumpy, thumping, knock, knocking",
    "clicky": "click, clicking, snap, snappy",
    "distorted": "distortion, distort, dist, overdrive, overdriven, drive, saturated, saturation, crunch, "
    "crunchy, fuzz, fuzzy, clipped, gritty",
    "boomy": "boom, booming, rumble, rumbling",
    "fat boomy deep": "fat, phat, thick, huge, massive",
    "sub deep": "sub, subby, sub bass, sub kick",
    "deep": "deeper, low end",
    "hard": "harder, aggressive, harsh",
    "soft": "softer, gentle, mellow, smooth, muffled",
    "thin": "thinner, weak",
    "short": "shorter, brief, staccato",
    "tight short": "tight, tighter",
    "long": "longer, sustained, ringing",
    "dusty lofi": "dusty, dust, vinyl, grainy, dirty",
    "vintage": "retro, old school",
    "dry": "drier",
    "trap": "drill",
}


def fold(text: str) -> str:
    """A spelling in lower case without hyphens, spaces and other signs: "Lo-Fi" -> "lofi"."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


MEANINGS = {
    fold(spelling): tuple(keywords.split())
    for keywords, spellings in SYNONYMS.items()
    for spelling in spellings.split(", ")
}


def meaning(text: str, vocabulary: Container[str]) -> str | None:
    """The keyword that a spelling means; None where the models know none.

    Arguments:
        text: One word, or a few that belong together ("hip hop").
        vocabulary: The keywords that the models know.
    """
    folded = fold(text)
    forms = [folded]
    if len(folded) > 3 and folded.endswith("s"):
        forms.append(folded.removesuffix("s"))
    for form in forms:
        for keyword in (form, *MEANINGS.get(form, ())):
            if keyword in vocabulary:
                return keyword
    return None


def synonyms_of(vocabulary: Container[str]) -> dict[str, list[str]]:
    """The spellings that mean each keyword of a vocabulary, as people write them."""
    found: dict[str, list[str]] = {}
    for spellings in SYNONYMS.values():
        for spelling in spellings.split(", "):
            keyword = meaning(spelling, vocabulary)
            if keyword is not None and keyword != spelling and spelling not in found.setdefault(keyword, []):
                found[keyword].append(spelling)
    return {keyword: spellings for keyword, spellings in found.items() if spellings}
