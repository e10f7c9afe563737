"""The built-in kick synthesiser: kicks with words that mean something, from a seed and an index alone.

`synthesise` makes one kick, `write_library` a folder of them that looks like a producer's: nested, named like a sample
pack's, with some files among them that are not single kicks. Kick i depends on (seed, i) only, not on how many are made.
"""

__all__ = ["FAMILIES", "INTENTS", "DrawnKick", "draw_kick", "synthesise", "write_library"]

from kickpipe.synth.draw import DrawnKick, draw_kick, synthesise
from kickpipe.synth.families import FAMILIES
from kickpipe.synth.intents import INTENTS
from kickpipe.synth.pack import write_library
