"""The command line of embedding everything: what `manage.py embed_businesses` delegates to.

options    what can be asked for, and what goes together
checks     whether a run could do its work, and what to do where it could not
actions    start, resume, stop, show, try dry
watching   from the start of a run to its end, or to Ctrl-C
follow     look at a run again and again
signals    Ctrl-C as something to look for, not something that strikes anywhere
people     lines and a bar for a terminal
programs   one JSON object per line
words      sentences and commands that both say
"""

from embeddings.cli.actions import run

__all__ = ["run"]
