"""kickpipe turns a folder of kick-drum samples into a generator of new kicks.

Its version X.Y.Z says which released models it comes with, X.Y (release.json); Z counts the changes of the code since.
"""

__all__ = ["__version__"]

__version__ = "1.3.0"
