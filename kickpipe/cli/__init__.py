"""The ``kickpipe`` command.

Only typer is imported to read the command line; what a command needs, it imports itself, so that ``--help`` and mistakes
answer at once. Errors that are for people are printed in one line and end the command with status 2.
"""

__all__ = ["app", "main"]

import sys
from collections.abc import Callable, Sequence
from typing import Any

from kickpipe.cli.app import app, warn
from kickpipe.cli.make import again, generate, inpaint, interpolate, vary
from kickpipe.cli.report import report
from kickpipe.cli.tools import keywords, play, synth
from kickpipe.cli.verify import verify


def register() -> None:
    examples: dict[Callable[..., None], str] = {
        generate: 'kickpipe generate "deep 808" --count 4 --seed 1 --out kicks/',
        vary: 'kickpipe vary mykick.wav "clicky" --strength 0.4 --count 8',
        interpolate: "kickpipe interpolate first.wav second.wav --count 7",
        inpaint: 'kickpipe inpaint mykick.wav "long" --from 60 --count 4',
        again: "kickpipe again kicks/kick_deep-808_s1_Cs1.wav",
        keywords: "kickpipe keywords",
        play: "kickpipe play kicks/kick_deep-808_s1_Cs1.wav",
        report: "kickpipe report mypack/ --library data/source --out mypack.html",
        synth: "kickpipe synth data/source --count 500 --seed 1",
        verify: "kickpipe verify",
    }
    for command, example in examples.items():
        app.command(
            epilog=f"Example: {example}",
            no_args_is_help=command in (vary, interpolate, inpaint, again, play, report, synth),
        )(command)


register()


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits."""
    from kickpipe.common.errors import KickpipeError, describe_disk_error, is_of_the_disk

    try:
        status = app(args=None if arguments is None else list(arguments), prog_name="kickpipe", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except KickpipeError as error:
        warn(str(error))
    except OSError as error:
        if not is_of_the_disk(error):
            raise
        warn(f"{describe_disk_error(error)}; free space, or choose a folder that can be written to")
    except Exception as error:
        if not hasattr(error, "format_message"):  # typer's own errors, whose class it keeps to itself
            raise
        say_usage(error)
    sys.exit(2)


def say_usage(error: Any) -> None:
    """Prints what is wrong with a command line in one line, or the help where nothing was said at all."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return
    command = error.ctx.command_path if getattr(error, "ctx", None) else "kickpipe"
    warn(f"{error.format_message().rstrip('.')}; '{command} --help' says what there is")
