"""Quiet logs while something else is shown."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def only_warnings(*loggers: str) -> Iterator[None]:
    """Keep a line for every job off the terminal that shows something else; what is wrong is still told."""
    before = {name: logging.getLogger(name).level for name in loggers}
    for name, level in before.items():
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
