"""The built-in kick synthesiser: kicks with words that mean something, from a seed and an index alone.

`synthesise` makes one kick, `write_library` a folder of them that looks like a producer's: nested, named like a sample
pack's, with some files among them that are not single kicks. Kick i depends on (seed, i) only, not on how many are made.
"""

__all__ = ["FAMILIES", "INTENTS", "Kick", "draw_kick", "synthesise", "write_library"]

from kickpipe.audio.synth.families import FAMILIES
from kickpipe.audio.synth.intents import INTENTS
from kickpipe.audio.synth.kick import Kick, draw_kick, synthesise
from kickpipe.audio.synth.pack import write_library
