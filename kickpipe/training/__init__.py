"""Training: one loop, resumable states, and what one step of each model is."""
