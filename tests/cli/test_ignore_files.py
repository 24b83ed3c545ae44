"""Which files a folder means: nested ignore files, what git says of the same tree, our defaults, odd files."""

import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from r1_lsp.cli.gitignore import Patterns
from r1_lsp.cli.walk import files_of


def grow(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def found(*paths: Path | str, ignore: bool = True) -> list[str]:
    return [file.path for file in files_of([str(path) for path in paths], language=None, ignore=ignore).files]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


TREE = {
    ".gitignore": "*.gen.py\n/out/\n!keep.gen.py\n# a comment\nlogs\n",
    "a.py": "",
    "a.gen.py": "",
    "keep.gen.py": "",
    "out/x.py": "",
    "sub/out/y.py": "",
    "sub/.gitignore": "!a.gen.py\nsecret.py\n",
    "sub/a.gen.py": "",
    "sub/b.gen.py": "",
    "sub/secret.py": "",
    "sub/deep/secret.py": "",
    "sub/deep/.ignore": "!secret.py\n",
    "logs/z.py": "",
    "notes.txt": "",
    "é😀.ts": "",
}
TAKEN = ["a.py", "keep.gen.py", "é😀.ts", "sub/a.gen.py", "sub/deep/secret.py", "sub/out/y.py"]


def test_nested_ignore_files_with_negation(here: Path) -> None:
    grow(here, TREE)
    assert found(".") == TAKEN


def test_a_named_file_is_taken_whatever_ignore_files_say(here: Path) -> None:
    grow(here, TREE)
    assert found("a.gen.py", "sub/secret.py") == ["a.gen.py", "sub/secret.py"]


def test_a_named_folder_is_taken_though_it_is_ignored(here: Path) -> None:
    grow(here, {**TREE, ".git/HEAD": "", "node_modules/m/i.js": "", "node_modules/m/node_modules/n/j.js": ""})
    assert found("out") == ["out/x.py"]
    assert found("node_modules/m") == ["node_modules/m/i.js"]


def test_files_above_a_named_folder_count_up_to_the_repository(here: Path) -> None:
    grow(here, {".gitignore": "a.py\n", "repo/.git/HEAD": "", "repo/.gitignore": "b.py\n"})
    grow(here / "repo" / "sub", {"a.py": "", "b.py": "", "c.py": ""})
    assert found("repo/sub") == ["repo/sub/a.py", "repo/sub/c.py"]


def test_a_repository_within_forgets_the_outer_one_s_rules(here: Path) -> None:
    grow(here, {".git/HEAD": "", ".gitignore": "a.py\n", "inner/.git/HEAD": "", "inner/a.py": "", "a.py": ""})
    assert found(".") == ["inner/a.py"]


def test_the_user_s_own_excludes_count_also_in_a_linked_work_tree(here: Path) -> None:
    grow(here, {"main/.git/info/exclude": "mine.py\n", "main/mine.py": "", "main/a.py": ""})
    grow(here, {"main/.git/worktrees/w/commondir": "../..\n", "linked/.git": f"gitdir: {here}/main/.git/worktrees/w\n"})
    grow(here, {"linked/mine.py": "", "linked/a.py": ""})
    assert found("main", "linked") == ["main/a.py", "linked/a.py"]


def test_defaults_leave_out_what_is_nobody_s_own_and_can_be_taken_back(here: Path) -> None:
    own = {"a.py": "", "x.min.js": "", "build/b.py": "", "dist/c.js": "", ".venv/d.py": "", "node_modules/e.js": ""}
    grow(here, {**own, "env/pyvenv.cfg": "", "env/f.py": "", "target/CACHEDIR.TAG": "", "target/g.py": ""})
    grow(here, {".git/hooks/h.py": ""})
    assert found(".") == ["a.py"]
    grow(here, {".ignore": "!build/\n"})
    assert found(".") == ["a.py", "build/b.py"]
    assert len(found(".", ignore=False)) == 8


def test_each_file_once_by_whatever_name(here: Path) -> None:
    grow(here, {"src/a.py": "", "src/b.py": ""})
    (here / "link.py").symlink_to("src/a.py")
    (here / "loop").symlink_to(".")
    (here / "nowhere.py").symlink_to("gone.py")
    assert found("src/b.py", ".", "src") == ["src/b.py", "link.py"]


def test_a_pipe_and_a_socket_in_a_folder_are_passed_over(here: Path) -> None:
    os.mkfifo(here / "pipe.py")
    grow(here, {"a.py": ""})
    assert found(".") == ["a.py"]


def test_a_folder_deeper_than_recursion(here: Path) -> None:
    folder = os.open(here, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=folder)
        below = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)
    try:
        grow(here, {"a.py": "", "d/" * 1500 + "b.py": ""})
        assert found(".") == ["a.py", "d/" * 1500 + "b.py"]
    finally:
        subprocess.run(["rm", "-r", "d"], check=True)  # pytest's own way of cleaning up is recursive


def test_an_ignore_file_that_is_none(here: Path) -> None:
    grow(here, {"a.py": "", ".gitignore/x": "", "sub/b.py": ""})
    (here / "sub" / ".gitignore").write_bytes(b"\xff\xfe[\n\\\n[z-a]\n!\n/\n" + bytes(range(256)))
    assert found(".") == ["a.py", "sub/b.py"]


ATOMS = (
    *("a", "b", "src", "*.py", "foo*", "logs", "**", "*", "b?r.py", "[ab]", "doc.txt", "x y", "\\!a", "ba[!r].py"),
    *("foo.py", "bar.py", "**a", "f*o.*", "[!a-c]*", "[[:alpha:]]*", "[]-]", "a[", "x\\ y", "[a\\]]", "*o*.p*", "#a"),
)
NAMES = ("a", "b", "src", "foo.py", "bar.py", "x y", "logs", "doc.txt", "]", "-z.py", "#a", "!a")


def random_pattern(chance: random.Random) -> str:
    pattern = "/".join(chance.choice(ATOMS) for _ in range(chance.randint(1, 3)))
    for wanted, around in ((0.2, "/{}"), (0.3, "{}/"), (0.3, "!{}"), (0.05, "{}  "), (0.05, "{}\r")):
        if chance.random() < wanted:
            pattern = around.format(pattern)
    return pattern


def random_tree(chance: random.Random, folder: Path, depth: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in chance.sample(NAMES, chance.randint(2, 6)):
        if depth < 3 and chance.random() < 0.5:
            random_tree(chance, folder / name, depth + 1)
        else:
            (folder / name).write_bytes(b"")
    if chance.random() < 0.5:
        patterns = "".join(random_pattern(chance) + "\n" for _ in range(chance.randint(1, 4)))
        (folder / ".gitignore").write_text(patterns, "utf-8")


@pytest.mark.parametrize("seed", range(40))
def test_as_git_says(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    random_tree(chance, tmp_path)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / ".git" / "info").mkdir(exist_ok=True)
    (tmp_path / ".git" / "info" / "exclude").write_text(random_pattern(chance) + "\n", "utf-8")
    command = ["git", "-C", tmp_path, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / ".git")}
    listed = subprocess.run(command, capture_output=True, check=True, env=environment).stdout.decode().split("\0")
    wanted = sorted(name for name in listed if name.endswith(".py"))
    assert sorted(Path(name).relative_to(tmp_path).as_posix() for name in found(tmp_path)) == wanted


LONG = (
    ("*a*a*a*a*a*a*a*a*a*a*a*b", "a" * 250),
    ("**/a/**/a/**/a/**/a/**/a/**/b", "/".join("a" * 800)),
    ("[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*[0-9]", "a" * 250),
)


@pytest.mark.parametrize(("pattern", "name"), LONG)
def test_no_pattern_takes_long(pattern: str, name: str) -> None:
    patterns = Patterns(pattern)
    started = time.process_time()
    assert patterns.says(name, is_folder=False) is None
    assert time.process_time() - started < 0.5
