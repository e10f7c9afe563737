"""kickpipe turns a folder of kick-drum samples into a generator of new kicks."""

__all__ = ["__version__"]

__version__ = "0.1.0"
