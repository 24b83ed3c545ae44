"""The files that paths on the command line mean: named ones always, a folder's as ignore files and defaults say."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import ast_tools
from r1_lsp.cli.console import Failure
from r1_lsp.cli.ignore import CACHE_MARKS, GIT, Rules, rules_of

STDIN = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One file to look at, by the path it is shown with. `named`: on the command line, not found in a folder."""

    path: str
    language: str
    named: bool = False


@dataclass(slots=True, kw_only=True)
class Walk:
    """What was found. `unread` are sentences about folders that could not be listed."""

    files: list[Wanted] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def first_seen(self, found: os.stat_result) -> bool:
        """False for a file that is already among those found, under this name or another."""
        key = (found.st_dev, found.st_ino)
        new = key not in self._seen
        self._seen.add(key)
        return new


def files_of(paths: Sequence[str], *, language: str | None, ignore: bool) -> Walk:
    """Every file that is meant, each once, in order. `language`: that of named files, whatever their names say.

    Raises Failure (misuse) for a path that does not exist, and for a named file that is no source file we know.
    """
    walk = Walk()
    for path in paths:
        if path == STDIN:
            if language is None:
                raise Failure("standard input has no name that tells its language; say --language", code=2)
            walk.files.append(Wanted(path=STDIN, language=language, named=True))
            continue
        try:
            found = Path(path).stat()
        except OSError as error:
            raise Failure(_absent(path, error), code=2) from None
        if stat.S_ISDIR(found.st_mode):
            _walk(walk, Path(path), ignore=ignore)
        elif walk.first_seen(found):
            walk.files.append(Wanted(path=path, language=language or _language(path, found), named=True))
    return walk


def _absent(path: str, error: OSError) -> str:
    return f"there is no {path}" if isinstance(error, FileNotFoundError) else f"cannot read {path}: {error.strerror}"


def _language(path: str, found: os.stat_result) -> str:
    if not stat.S_ISREG(found.st_mode):
        raise Failure(f"{path} is not a regular file; `-` reads standard input", code=2)
    language = ast_tools.language_of(None, path)
    if language is None:
        raise Failure(f"{path}: no syntax is known for this kind of file; --language names one", code=2)
    return language.name


def _walk(walk: Walk, named: Path, *, ignore: bool) -> None:
    """Everything below a named folder. Links to folders are not followed, links to files are."""
    top = str(named.resolve())
    shown = "" if named == Path() else f"{named}{os.sep}"
    # Depth first, by a stack: folders can be deeper than Python's recursion.
    waiting = [(top, shown, rules_of(top) if ignore else Rules())]
    while waiting:
        folder, prefix, rules = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            walk.unread.append((prefix or os.curdir, f"cannot list {prefix or os.curdir}: {error.strerror}"))
            continue
        if ignore:
            names = {entry.name for entry in listed}
            if folder != top and not names.isdisjoint(CACHE_MARKS):
                continue
            rules = rules.within(folder, names)
        waiting += reversed(list(_enter(walk, listed, prefix, rules)))


def _enter(
    walk: Walk, listed: Sequence[os.DirEntry[str]], prefix: str, rules: Rules
) -> Iterator[tuple[str, str, Rules]]:
    """Takes the files of one folder and answers the folders in it."""
    for entry in listed:
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name == GIT or rules.leaves_out(entry.path, is_folder=is_folder):
            continue
        if is_folder:
            yield entry.path, f"{prefix}{entry.name}{os.sep}", rules
            continue
        language = ast_tools.language_of(None, entry.name)
        if language is not None and _is_new_file(walk, entry):
            walk.files.append(Wanted(path=prefix + entry.name, language=language.name))


def _is_new_file(walk: Walk, entry: os.DirEntry[str]) -> bool:
    """A regular file not found before; nothing is said of a pipe, a device, or a link that leads nowhere."""
    try:
        found = entry.stat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and walk.first_seen(found)
