"""How a handler may end other than with a result.

Silent                 the request's empty result is the answer
  x Superseded           a newer request of the same key took over
  x Outdated             the document changed meanwhile
  x Stopped              the user pressed "cancel" on the progress bar
Failed                 the answer is an error with this one sentence
  x Modified             ... because the document is no longer the one the request was about (-32801)
"""


class Silent(Exception):
    """Base of the reasons to answer with nothing."""


class Superseded(Silent):
    pass


class Outdated(Silent):
    pass


class Stopped(Silent):
    pass


class Failed(Exception):
    """str(error) is one sentence for the user; `code` is the protocol's RequestFailed."""

    code = -32803


class Modified(Failed):
    """`code` is the protocol's ContentModified."""

    code = -32801
