"""The noise schedule, the samplers and guidance: mathematics on tensors, without a network and without files."""
