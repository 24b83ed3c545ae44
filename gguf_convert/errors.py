"""What can go wrong in a conversion. str(error) is one sentence for the person at the terminal.

ConversionError
├── SourceError       the checkpoint: missing, cut off, unsound, changed in between, a wrong checksum
├── Unsupported       an architecture, a key or a storage type that is refused, by name, rather than converted wrongly
├── RecipeError       a recipe or a type that cannot be had for these tensors
│   └── WeightsTooLarge   seen only while they are converted; the same command would fail again
├── TargetError       the output: full disk, read-only folder, a journal of another conversion
└── WorkerDied        a worker process ended: ggml's own assertions end the process they run in
"""


class ConversionError(Exception):
    """The root of the tree above."""


class SourceError(ConversionError):
    """The checkpoint is missing, cut off, unsound, or has changed."""


class Unsupported(ConversionError):
    """Something that would be converted wrongly, and is therefore not converted at all."""


class RecipeError(ConversionError):
    """The wanted types cannot be had for these tensors."""


class WeightsTooLarge(RecipeError):
    """A type's scales cannot hold a tensor's weights."""


class TargetError(ConversionError):
    """The output cannot be written."""


class WorkerDied(ConversionError):
    """A worker process ended in the middle of its slot."""
