"""Audio on plain arrays: decoding, mels, synthesis, descriptors and files for a sampler."""
