"""The diffusion process: noise schedule, samplers and guidance."""
