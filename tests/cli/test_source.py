"""Files are read in the coding they are in and written back whole, to the byte, or not at all."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ast_tools import LANGUAGES
from r1_lsp.cli import main
from r1_lsp.cli.console import Failure
from r1_lsp.cli.examine import Task, examine
from r1_lsp.cli.source import Binary, decoded, read, replace_file

BROKEN = "# é\r\ndef area(a, b):\r\n\treturn sorted(a, key=b\r\n\r\n\r\nx = 1"
MENDED = BROKEN.replace("key=b", "key=b)")

CODINGS = {
    "utf-8": BROKEN.encode(),
    "with a mark": b"\xef\xbb\xbf" + BROKEN.encode(),
    "utf-16": b"\xff\xfe" + BROKEN.encode("utf-16-le"),
    "utf-16, big end first": b"\xfe\xff" + BROKEN.encode("utf-16-be"),
    "utf-32": b"\xff\xfe\x00\x00" + BROKEN.encode("utf-32-le"),
    "declared latin-1": ("# coding: latin-1\r\n" + BROKEN).encode("latin-1"),
    "declared for emacs": ("# -*- coding: cp1252 -*-\r\n" + BROKEN.replace("é", "€")).encode("cp1252"),
    "declared for vim": ("#!\r\n# vim: fileencoding=koi8-r\r\n" + BROKEN.replace("é", "ж")).encode("koi8-r"),
    "shift_jis": ("# coding: shift_jis\r\n" + BROKEN.replace("é", "表")).encode("shift_jis"),
}  # fmt: skip


@pytest.mark.parametrize("name", CODINGS)
def test_fix_changes_nothing_but_the_repair(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(CODINGS[name])
    source = read(path)
    wanted = source.encoded(source.text.replace(b"key=b", b"key=b)"))
    assert main(["fix", "--write", str(path)]) == 0
    assert path.read_bytes() == wanted
    assert len(wanted) - len(CODINGS[name]) == len(source.encoded(b"x)")) - len(source.encoded(b"x"))


def test_bytes_of_no_declared_coding_come_back_as_they_were(tmp_path: Path) -> None:
    """Compilers of C and JavaScript take such comments, so they are no problem either."""
    path = tmp_path / "a.js"
    path.write_bytes(b"// M\xfcller \x80\x9f\nlet y = f(1, 2;\n")
    assert main(["fix", "--write", "--guess", str(path)]) == 0
    assert path.read_bytes() == b"// M\xfcller \x80\x9f\nlet y = f(1, 2);\n"
    path.write_bytes(b"// M\xfcller\nlet y = 1;\n")
    assert main(["check", str(path)]) == 0


HEADS = st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"# coding: %s\n"])
CODECS = st.sampled_from(
    ["latin-1", "utf-7", "shift_jis", "gb18030", "iso2022_jp", "punycode", "idna", "hex", "x\u00e9"]
)


@given(head=HEADS, codec=CODECS, body=st.binary(max_size=40), text=st.text(max_size=20))
def test_what_is_decoded_comes_back_to_the_byte(head: bytes, codec: str, body: bytes, text: str) -> None:
    for rest in (body, text.encode("utf-8", "surrogatepass"), text.encode("utf-16-le", "surrogatepass")):
        data = head.replace(b"%s", codec.encode()) + rest
        try:
            source = decoded(data, "a.py")
        except Failure:
            continue
        assert source.encoded(source.text) == data
        source.text.decode("utf-8")


@given(body=st.binary(max_size=60), language=st.sampled_from(sorted(LANGUAGES)))
@settings(deadline=None, max_examples=60)
def test_any_bytes_are_looked_at(body: bytes, language: str) -> None:
    found = examine(Task(path="-", language=language, named=True, text=body))
    assert found.unread or all(finding.place.line >= 1 for finding in found.findings)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xfex", "begins with the mark of UTF-16-LE and is not in it"),
        (b"\xef\xbb\xbf\xff", "begins with the mark of UTF-8 and is not in it"),
        (b"# coding: nonsense\n\xe9\n", ""),
        (b"# coding: rot13\n\xe9\n", ""),
        (b"# coding: undefined\n\xe9\n", ""),
    ],
)
def test_what_is_not_as_it_says(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(data)
    if words:
        with pytest.raises(Failure, match=words):
            read(path)
    else:
        assert read(path).undeclared


def test_a_file_with_nul_bytes_is_binary(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(b"G\0\x11")  # a video, by the same ending
    with pytest.raises(Binary):
        read(tmp_path / "a.ts")


def test_a_character_that_the_coding_lacks_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"# coding: latin-1\nx = '\xe9'\n")
    source = read(path)
    with pytest.raises(Failure, match="cannot be written in latin-1"):
        source.encoded("😀".encode())


def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "deep" / "a.py", tmp_path / "b.py"
    target.parent.mkdir()
    target.write_bytes(b"old")
    link.symlink_to("deep/a.py")
    replace_file(link, b"old", b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert [path.name for path in target.parent.iterdir()] == ["a.py"]


def test_mode_and_owner_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")
    path.chmod(0o4751)
    if os.getuid() == 0:
        os.chown(path, 12345, 54321)
        path.chmod(0o4751)
    before = path.stat()
    replace_file(path, b"old", b"new")
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino


def only(folder: Path, name: str, data: bytes) -> bool:
    """Whether a folder holds this file and nothing else."""
    return [path.name for path in folder.iterdir()] == [name] and (folder / name).read_bytes() == data


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"new words of the user")
    with pytest.raises(Failure, match="has changed meanwhile and was left alone"):
        replace_file(path, b"old", b"mended")
    assert only(tmp_path, "a.py", b"new words of the user")


def test_a_write_protected_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(Failure, match="write-protected"):
        replace_file(path, b"old", b"new")
    assert only(tmp_path, "a.py", b"old")


def test_a_file_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"cannot write .*No such file"):
        replace_file(tmp_path / "a.py", b"old", b"new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_nothing_is_left_behind_when_writing_fails(step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")

    def fails(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path if step == "replace" else os, step, fails)
        with pytest.raises(Failure, match="No space left on device"):
            replace_file(path, b"old", b"new")
    assert only(tmp_path, "a.py", b"old")


def test_no_permission_to_write_in_the_folder() -> None:
    """As somebody who may read all and write nothing: root becomes nobody for it."""
    code = "import os, sys; sys.path[:] = sys.argv[2:]\nfrom r1_lsp.cli.source import replace_file\n"
    code += "if os.getuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    code += "try: replace_file(sys.argv[1], b'old', b'new')\nexcept Exception as error: print(error)\n"
    with tempfile.TemporaryDirectory() as name:
        folder, path = Path(name), Path(name, "a.py")
        path.write_bytes(b"old")
        path.chmod(0o666)
        folder.chmod(0o555)
        done = subprocess.run([sys.executable, "-c", code, path, *sys.path], capture_output=True, text=True, check=True)
        assert done.stdout.startswith(f"cannot write {path}: Permission denied")
        assert only(folder, "a.py", b"old")
        folder.chmod(0o755)
