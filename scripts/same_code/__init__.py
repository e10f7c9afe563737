"""Whether two versions of a program are the same code: ``compare(old, new, entry)``."""

__all__ = ["Difference", "Program", "compare"]

from scripts.same_code.compare import Difference, compare
from scripts.same_code.program import Program
