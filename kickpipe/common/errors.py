"""The one base of the errors that are for people: the command line and the stages print their message, not a traceback."""

__all__ = ["KickpipeError"]


class KickpipeError(ValueError):
    """Something a user can mend; the message says where, what was expected, what was found and what to do."""
