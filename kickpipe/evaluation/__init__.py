"""How good are these kicks, where do they fail, did they copy the training set.

Every metric is a small function on plain arrays, with its definition, unit and source in the docstring:

- ``embedding``: waveforms -> vectors, without any learned weight
- ``distances``: two sets of vectors -> kernel distance, Frechet distance, precision, recall, density, coverage
- ``roundtrip``: a kick and its reconstruction -> spectral distances, onset and decay errors, low-band correlation
- ``defects``: what is audibly wrong with one kick
- ``memory``: which generated kicks copy a training kick
- ``prompts``: whether a keyword does what it says
- ``compare`` and ``evaluate``: repeated draws, floors, baselines, and the whole evaluation of a model
"""
