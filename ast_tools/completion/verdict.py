"""Judges a completion in its final form: may it be put in at the caret?"""

from dataclasses import dataclass

import tree_sitter

from ast_tools.completion.closing import opens_for_good
from ast_tools.completion.indent import leaving_line
from ast_tools.completion.site import Site
from ast_tools.scopes import enclosing
from ast_tools.tree import SyntaxTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A form of a completion and what the tree says of it.

    `added`: how many errors it brings. `clean`: none touches its lines. `whole`: clean, and a second opinion (a
    compiler's parser) takes it as well. `buried`: an error from above reaches over it, so that the tree cannot tell.
    `leaves`: it ends the block that goes on below the caret. `stuck`: the line of it on which the first error begins; 0
    also where that is not known.
    """

    text: str
    added: int = 1
    clean: bool = False
    whole: bool = False
    buried: bool = False
    leaves: bool = False
    stuck: int = 0

    @property
    def fits(self) -> bool:
        """Whether it may be shown."""
        return self.added <= 0 and not self.leaves

    @property
    def order(self) -> tuple[bool, bool, bool, int]:
        """Smaller is better."""
        return (self.leaves, not self.whole, not self.clean, self.added)


def judged(text: str, here: Site) -> Fit:
    """What becomes of the file with a text at the caret."""
    # Inside a string without an end, all that follows is an error, and what is written does not make it more of one.
    if here.region.tree is None or (here.prose and here.floor):
        return Fit(text=text, added=0, clean=True, whole=True)
    if here.region.tree.language.loose:
        left_open = opens_for_good(text, here)
        return Fit(text=text, added=int(left_open), clean=not left_open, whole=not left_open)
    new = (text + "\n" + here.spot.before if here.spot.inserts_above else text).encode("utf-8", "replace")
    tree = here.region.with_text(new)
    # Among errors that were there before, the tree may not show one more; brackets do.
    if tree is None or (here.floor and opens_for_good(text, here)):
        return Fit(text=text)
    touching = _touching(tree, here, len(new))
    clean = tree.n_errors <= here.floor and not touching
    accepts = tree.language.accepts
    # Asked for its blind spot only where it says no.
    accepted = accepts is None or tree.n_errors > 0 or accepts(tree.text) or here.opinion is None
    return Fit(
        text=text,
        added=tree.n_errors - here.floor + (not accepted and here.accepted),
        clean=clean,
        whole=clean and accepted,
        buried=any(error.start_byte < len(here.region.before) - len(here.spot.before.encode()) for error in touching),
        leaves=_leaves_block(text, here, tree),
        stuck=_stuck(tree, len(here.region.before), len(new)),
    )


def _stuck(tree: SyntaxTree, start: int, length: int) -> int:
    first = next((error.start_byte for error in tree.errors if start <= error.start_byte < start + length), start)
    return tree.text.count(b"\n", start, first)


def _touching(tree: SyntaxTree, here: Site, length: int) -> list[tree_sitter.Node]:
    """The errors that touch the lines of a completion."""
    at = len(here.region.before)
    start, end = at - len(here.spot.before.encode()), at + length + len(here.spot.after.encode())
    return [error for error in tree.errors if error.start_byte <= end and error.end_byte >= start]


def _leaves_block(text: str, here: Site, tree: SyntaxTree) -> bool:
    """Whether the lines below the caret would become part of something else."""
    if leaving_line(text, here) is not None:
        return True
    before = here.region.tree
    if before is None or not here.opens(text) or here.columns.outer < 0:
        return False
    # They become the block of a last header; a function or a class must not take them from another.
    below = len(here.region.after) - len(here.region.after.lstrip())
    now = _owners(tree, len(tree.text) - len(here.region.after) + below)
    return not now <= _owners(before, len(here.region.before) + below)


def _owners(tree: SyntaxTree, offset: int) -> set[tuple[str, str]]:
    return {(scope.kind, scope.name) for scope in enclosing(tree, offset)}
