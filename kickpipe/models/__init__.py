"""The networks, as plain modules with plain arguments."""
