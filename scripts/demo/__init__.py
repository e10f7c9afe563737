"""The demo: kicks to hear at once, then the whole pipeline on a small library, in a copy of the project."""
