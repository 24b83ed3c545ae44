"""Where a docstring and the signature below it say different things."""

from dataclasses import dataclass

from r1_lsp.features.docstring.existing import Outline
from r1_lsp.features.docstring.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Where a docstring and the signature disagree: bare names, in the order of the signature or of the docstring."""

    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    raises: tuple[str, ...] = ()
    returns: bool = False
    yields: bool = False

    def __bool__(self) -> bool:
        return bool(self.missing or self.unknown or self.raises or self.returns or self.yields)


def differences(facts: Facts, shape: Outline) -> Differences:
    """What the docstring lacks or makes up. An exception it names may come from deeper: that is not made up."""
    named, thrown = shape.names("param"), {name.rpartition(".")[2] for name in shape.thrown()}
    missing, unknown = _unmatched(facts, named)
    return Differences(
        missing=missing,
        unknown=unknown,
        raises=tuple(name for name in facts.raises if name.rpartition(".")[2] not in thrown),
        returns=facts.returns and not shape.of("returns"),
        yields=facts.yields and not shape.of("yields"),
    )


def disagreements(facts: Facts, shape: Outline) -> Differences:
    """The part of the differences a reader would call wrong: only kinds the docstring sets out to document."""
    found = differences(facts, shape)
    return Differences(
        missing=found.missing if shape.of("param") else (),
        unknown=found.unknown,
        raises=found.raises if shape.of("raises") else (),
    )


def _unmatched(facts: Facts, named: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(missing, unknown). A parameter without a name of its own takes the next unknown name as its.

    The parts of a parameter are missing where it is missing itself: one that is described may say them in its text.
    """
    known = {param.name for param in facts.params}
    unknown = [name for name in dict.fromkeys(named) if name not in known]
    missing: list[str] = []
    for param in facts.params:
        if param.name in named or (param.part_of and param.part_of not in missing):
            continue
        if param.pattern and unknown:
            unknown.pop(0)
        else:
            missing.append(param.name)
    return tuple(missing), tuple(unknown)
