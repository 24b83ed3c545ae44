"""Golden cases: one text file per case; `-- name --` starts a section, the text above the first says what it shows.

`UPDATE_EXPECT=1` rewrites what a case expects; CI never sets it, so a changed prompt or answer is seen in review.
"""

import os
import re
from pathlib import Path

_SECTION = re.compile(r"^-- (\w[\w.\-/]*) --\n", re.MULTILINE)
_CASES = Path(__file__).parent.parent / "cases"


class Case(dict[str, str]):
    """The sections of one file, by name and in order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.prose, *rest = _SECTION.split(path.read_bytes().decode("utf-8"))
        super().__init__(zip(rest[::2], rest[1::2], strict=True))

    def input(self) -> tuple[str, str]:
        """(file name, text) of the one section whose name looks like a file."""
        [name] = [name for name in self if "." in name]
        return name, self[name].removesuffix("\n")

    def check(self, section: str, actual: str) -> None:
        """Compares with the section, or rewrites it under UPDATE_EXPECT=1."""
        actual = actual.rstrip("\n") + "\n"
        if os.environ.get("UPDATE_EXPECT") and self.get(section) != actual:
            self[section] = actual
            body = "".join(f"-- {name} --\n{text}" for name, text in self.items())
            self.path.write_bytes((self.prose + body).encode("utf-8"))
        assert actual == self.get(section), f"{self.path}: -- {section} -- differs (UPDATE_EXPECT=1 rewrites it)"


def cases(folder: str) -> list[Case]:
    """All cases of a folder under tests/cases, sorted by name."""
    found = [Case(path) for path in sorted((_CASES / folder).glob("*.txt"))]
    assert found, f"no cases in tests/cases/{folder}"
    return found


def case_id(case: Case) -> str:
    """For `pytest.mark.parametrize(..., ids=case_id)`."""
    return case.path.stem
