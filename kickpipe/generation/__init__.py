"""The parts of the generator: recipes, prompts, noise, latents, vocoding, choosing and files."""
