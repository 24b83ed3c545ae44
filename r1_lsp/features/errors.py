"""What a feature can answer instead of a result.

    Refused              one sentence for the user in str(error)
      x Unfit            the model answered, and nothing of it may be used

Errors of the model side are `engine.errors.EngineError` and pass through.
"""


class Refused(Exception):
    """There is no result, for a reason the user should read."""


class Unfit(Refused):
    """The model's answer was looked at and turned down."""
