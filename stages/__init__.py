"""One script a stage: ``python -m stages.NAME`` reads params, loads inputs, calls kickpipe and writes outputs."""

import signal
import sys

# A stage is being started (else this is an import, which changes nothing): Ctrl-C ends it without a traceback while torch is
# imported, which takes seconds; then stages.entry takes over
if sys.argv[0] == "-m" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
