"""How good are these kicks, where do they fail, did they copy the training set.

Every measure is a small function on plain arrays, with its definition, unit and source in the docstring:

- ``registry``: the embeddings, waveforms -> vectors, by name: ``embedding`` hears levels, ``texture`` what is left of them
- ``distances``: two sets of vectors -> kernel distance, Frechet distance, precision, recall, density, coverage
- ``roundtrip``: a kick and its reconstruction -> spectral distances, onset and decay errors, low-band correlation
- ``copies``: which generated kicks repeat a training kick
- ``keyword_scores``: whether a keyword does what it says

and these put them together:

- ``analysis``: a set of kicks with its vectors, descriptors and defects, measured once
- ``library``: the real kicks on both sides of the split
- ``compare``: sets against held-out kicks, by repeated draws, with a floor
- ``keywords``, ``reconstruction``: the test of the words, the round trips through the networks
- ``evaluate``: the whole evaluation of a model; ``summary`` five numbers of it
- ``measures``: what every measure is called, in which unit, which way is better, and how numbers are written
- ``report``: the page that shows it all
"""
