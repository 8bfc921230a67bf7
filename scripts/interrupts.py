"""Import it first: until there is something to clean up, Ctrl-C ends the process without a traceback."""

import signal


class Ended(BaseException):
    """This process was told to end."""


def end(*_):
    raise Ended


def raise_them():
    """From here on Ctrl-C is a KeyboardInterrupt, and SIGTERM an Ended, so that everything is cleaned
    up."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, end)


signal.signal(signal.SIGINT, signal.SIG_DFL)
