"""Import this module first. As long as there is nothing to clean up, Ctrl-C ends the process without a traceback."""

import signal


class Ended(BaseException):
    """Another process has asked this process to end."""


def end(*_):
    raise Ended


def raise_them():
    """From now on Ctrl-C raises KeyboardInterrupt, and SIGTERM raises Ended, so that the process can clean up."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, end)


signal.signal(signal.SIGINT, signal.SIG_DFL)
