"""What can go wrong on the model side.

    EngineError                    one sentence for the user in str(error)
      x ModelNotFound              no model of that name or file
      x ModelUnusable              the file is there and cannot be run; says why
      x EngineUnavailable          the host is down and will not come back by itself
      x EngineBusy                 the queue is full; try again after `retry_after_s`
      x ContextOverflow            the prompt is longer than the model's context
      x BadRequest                 the host did not accept the request
      x Unsupported                this model cannot do that (e.g. infill without having learnt it)
      x DownloadError              a model could not be fetched or did not verify

Cancellation is not an error: it is `asyncio.CancelledError` on the event loop, and a flag on the model's thread.
"""

REPLACED = "a newer request has taken the place of this one"
"""What EngineUnavailable says where only a whole answer is of use."""
ONLY_TEXT = "only what follows a plain text can be scored"
"""What Unsupported says of choices in a chat or in the middle of a text."""


class EngineError(Exception):
    """Base of everything the engine raises on purpose."""


class ModelNotFound(EngineError):
    pass


class ModelUnusable(EngineError):
    pass


class EngineUnavailable(EngineError):
    pass


class EngineBusy(EngineError):
    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ContextOverflow(EngineError):
    def __init__(self, n_prompt: int, n_ctx: int) -> None:
        super().__init__(f"the prompt has {n_prompt} tokens and the model's context holds {n_ctx}")
        self.n_prompt, self.n_ctx = n_prompt, n_ctx


class BadRequest(EngineError):
    pass


class Unsupported(EngineError):
    pass


class DownloadError(EngineError):
    pass
