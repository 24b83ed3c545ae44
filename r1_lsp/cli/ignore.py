"""What ignore files leave out: `.gitignore` and `.ignore` at every level, a repository's `info/exclude`, our defaults.

The pattern that decides is the last that matches in the strongest file that has one. Strongest are `.ignore` files,
then `.gitignore`, then `info/exclude`, then the defaults, so any file can take a default back (`!build/`); of the same
name a file deeper in the tree is stronger.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from r1_lsp.cli.gitignore import Patterns

DEFAULTS = (
    *(".svn/", ".hg/", ".jj/", "CVS/"),
    *("node_modules/", "bower_components/", ".yarn/", ".pnpm-store/"),
    *(".venv/", "venv/", "site-packages/", "__pycache__/", "*.egg-info/", ".eggs/", ".tox/", ".nox/"),
    *(".mypy_cache/", ".ruff_cache/", ".pytest_cache/", ".hypothesis/", ".ipynb_checkpoints/"),
    *("build/", "dist/", ".next/", ".nuxt/", ".svelte-kit/", ".parcel-cache/", ".turbo/"),
    *(".gradle/", ".cargo/", ".zig-cache/", "zig-out/", ".build/", "DerivedData/", "Pods/", ".terraform/"),
    *("*.min.js", "*.min.css", "*.min.mjs"),
)
"""What nobody means who checks their own code: others' packages, caches, what a build makes."""
CACHE_MARKS = ("CACHEDIR.TAG", "pyvenv.cfg")
"""A folder that holds one of these is a cache (such as Cargo's `target`) or a virtual environment."""
GIT = ".git"
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class _File:
    """One ignore file: what it says holds below `folder`, which is absolute and ends with a separator."""

    folder: str
    patterns: Patterns

    def says(self, path: str, *, is_folder: bool) -> bool | None:
        """Whether a path is left out; None where no pattern matches."""
        return self.patterns.says(path[len(self.folder) :].replace(os.sep, "/"), is_folder=is_folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of one folder. Paths are absolute."""

    defaults: tuple[_File, ...] = ()
    exclude: tuple[_File, ...] = ()
    gitignore: tuple[_File, ...] = ()
    ignore: tuple[_File, ...] = ()

    def leaves_out(self, path: str, *, is_folder: bool) -> bool:
        """Whether an entry of the folder is passed over."""
        for kind in (self.ignore, self.gitignore, self.exclude, self.defaults):
            for file in reversed(kind):
                if (said := file.says(path, is_folder=is_folder)) is not None:
                    return said
        return False

    def within(self, folder: str, names: Collection[str]) -> "Rules":
        """The rules of a folder below, whose entries are `names`. A repository of its own forgets the outer one's."""
        rules = self
        if GIT in names:
            rules = replace(rules, gitignore=(), exclude=_read(folder, _exclude_of(Path(folder))))
        if ".gitignore" in names:
            rules = replace(rules, gitignore=rules.gitignore + _read(folder, Path(folder, ".gitignore")))
        if ".ignore" in names:
            rules = replace(rules, ignore=rules.ignore + _read(folder, Path(folder, ".ignore")))
        return rules


def rules_of(folder: str) -> Rules:
    """The rules above a folder (absolute) that was named; call `within` for its own.

    Ignore files above it count up to the repository's root. If they leave the folder itself out, they do not count: it
    was named all the same.
    """
    defaults = Rules(defaults=(_File(_ended(folder), _defaults()),))
    rules = defaults
    above = _above(Path(folder))
    for outer, inner in zip(above, [*above[1:], Path(folder)], strict=False):
        rules = rules.within(str(outer), _files_in(outer))
        if rules.leaves_out(str(inner), is_folder=True):
            return defaults
    return rules


def _above(folder: Path) -> list[Path]:
    """The folders from the repository's root to the one that holds `folder`; none outside a repository."""
    if _holds_git(folder):
        return []
    parents = list(reversed(folder.parents))
    roots = [number for number, parent in enumerate(parents) if _holds_git(parent)]
    return parents[roots[-1] :] if roots else []


def _holds_git(folder: Path) -> bool:
    return GIT in _files_in(folder)


def _files_in(folder: Path) -> Collection[str]:
    """Which of the files we read a folder holds; to list all of it can take long."""
    try:
        return {name for name in (GIT, ".gitignore", ".ignore") if (folder / name).exists()}
    except OSError:  # a folder above that we may not enter
        return ()


@cache
def _defaults() -> Patterns:
    return Patterns("\n".join(DEFAULTS))


def _exclude_of(folder: Path) -> Path:
    """Where a repository keeps what its user alone leaves out; a linked work tree keeps it with the main one."""
    git = folder / GIT
    if git.is_file():
        git = folder / _first_line(git).removeprefix("gitdir:").strip()
        git /= _first_line(git / "commondir") or "."
    return git / "info" / "exclude"


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            return file.readline(4096).strip()
    except OSError:
        return ""


def _read(folder: str, path: Path) -> tuple[_File, ...]:
    """The patterns of a file; none of what is no file or cannot be read."""
    try:
        if not path.is_file():
            return ()
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
            patterns = Patterns(file.read(_MOST_BYTES))
    except OSError:
        return ()
    return (_File(_ended(folder), patterns),) if patterns else ()


def _ended(folder: str) -> str:
    return folder.rstrip(os.sep) + os.sep
