"""``python -m kickpipe`` is the ``kickpipe`` command."""

from kickpipe.cli import main

if __name__ == "__main__":
    main()
