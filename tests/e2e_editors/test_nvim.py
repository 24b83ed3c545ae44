"""The Neovim plugin in real Neovims, against the real server with a scripted model."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.models.resolve import resolve
from engine.types import EngineOptions
from tests.e2e_editors.nvim import PLUGIN, Nvim, binaries, nvim
from tests.e2e_editors.workplace import workplace

pytestmark = pytest.mark.editor

each_neovim = pytest.mark.parametrize(
    "binary", binaries(), ids=lambda binary: "system" if binary.startswith("/usr") else "fetched"
)


@pytest.fixture(params=binaries(), ids=lambda binary: "system" if binary.startswith("/usr") else "fetched")
def editor(request: pytest.FixtureRequest) -> Iterator[Nvim]:
    with workplace() as place, nvim(request.param, place) as running:
        running.wait_for_model()
        yield running
        running.quit()
        assert place.attempts_to_leave() == {"ipv4": 0, "ipv6": 0}


def saved(editor: Nvim, ending: str) -> None:
    editor.command("write")
    editor.until(lambda: editor.place.file.read_text("utf-8").endswith(ending), f"a file that ends in {ending!r}")


def test_ghost_text_is_shown_and_accepted(editor: Nvim) -> None:
    editor.type("Goreturn ro")
    editor.wait_for("    return round(sum(prices), 2)")
    editor.take_picture("ghost")
    assert editor.line() == "    return ro", "ghost text is not in the buffer"
    editor.keys("M-l")
    editor.wait_for_line("    return round(sum(prices), 2)")
    assert not editor.ghost()
    saved(editor, 'é😀"""\n    return round(sum(prices), 2)\n')


def test_several_lines(editor: Nvim) -> None:
    editor.type("Go\x15\rdef mean(values):\r")
    editor.wait_for("return sum(values) / count")
    editor.take_picture("several-lines")
    editor.keys("M-l")
    saved(editor, "def mean(values):\n    count = len(values)\n    return sum(values) / count\n")


def test_parts_are_accepted_after_wide_characters_and_undone_at_once(editor: Nvim) -> None:
    editor.type('Go\x15greeting = "é😀" + na')
    editor.wait_for('greeting = "é😀" + name.title() + suffix')
    editor.keys("M-Right")
    editor.wait_for_line('greeting = "é😀" + name')
    editor.keys("M-Right")
    editor.wait_for_line('greeting = "é😀" + name.')
    editor.wait_for('greeting = "é😀" + name.title() + suffix')
    editor.keys("M-C-Right")
    editor.wait_for_line('greeting = "é😀" + name.title() + suffix')
    editor.keys("Escape", "u")
    editor.wait_for_line('greeting = "é😀" + name.')


def test_typing_along_keeps_the_suggestion_and_other_text_ends_it(editor: Nvim) -> None:
    editor.type("Goreturn ro")
    editor.wait_for("    return round(sum(prices), 2)")
    editor.type("und(")
    editor.wait_for_line("    return round(")
    editor.wait_for("    return round(sum(prices), 2)")
    editor.type("x")
    editor.until(lambda: not editor.ghost(), "the end of the suggestion")


def test_a_dismissed_suggestion_stays_away_and_says_why(editor: Nvim) -> None:
    editor.type("Goreturn ro")
    editor.wait_for("    return round(sum(prices), 2)")
    editor.keys("C-]")
    editor.until(lambda: not editor.ghost(), "no suggestion")
    editor.keys("BSpace")
    editor.type("o")
    editor.command("R1Why")
    editor.wait_for("shop.py:10:14  The same suggestion was dismissed here before.")
    editor.take_picture("why")
    editor.type("q")


def test_quick_fix_inserts_a_colon(editor: Nvim) -> None:
    editor.type("Go\x15if total\r    print(1)")
    editor.keys("Escape", "Up")
    editor.until(lambda: editor.lua("#vim.diagnostic.get(0)"), "a diagnostic")
    editor.take_picture("diagnostic")
    editor.command("R1Fix")

    def answered() -> str:
        screen = editor.screen()
        return "menu" if "1: Insert `:`" in screen else "applied" if "if total:" in screen else ""

    # Neovim 0.7 asks which fix is meant; later ones apply the only one there is.
    if editor.until(answered, "a menu of fixes, or the one fix applied") == "menu":
        editor.type("1")
        editor.keys("Enter")
    editor.wait_for_line("if total:")
    editor.take_picture("quick-fix")


def test_hover_says_what_a_function_lacks(editor: Nvim) -> None:
    editor.type("4Gw")
    editor.command("lua vim.lsp.buf.hover()")
    editor.wait_for("No docstring.")
    editor.take_picture("hover")


def test_health(editor: Nvim) -> None:
    editor.command("checkhealth r1")
    editor.wait_for("the engine is ready")


@each_neovim
def test_a_missing_server_is_one_sentence(binary: str) -> None:
    with workplace() as place, nvim(binary, place, cmd=["no-such-program", "serve"]) as editor:
        editor.wait_for('r1: the program "no-such-program" was not found')
        editor.quit()


@each_neovim
@pytest.mark.parametrize("name", ["suggestion_cases", "builtin_cases"])
def test_lua_cases(binary: str, name: str, tmp_path: Path) -> None:
    report = tmp_path / "report"
    cases = Path(__file__).with_name(f"{name}.lua")
    command = (binary, "--clean", "--headless", "--cmd", f"set rtp^={PLUGIN}", "-c", f"luafile {cases}", "-c", "qa!")
    done = subprocess.run(command, env={"R1_REPORT": str(report)}, capture_output=True, timeout=20, check=False)
    assert report.exists(), done.stderr.decode()
    assert report.read_text("utf-8") == "ok\n"


@pytest.mark.model
@pytest.mark.timeout(300)
def test_the_default_model_suggests_something() -> None:
    model = resolve(EngineOptions()).path
    with workplace({"model": str(model)}) as place, nvim(binaries()[0], place) as editor:
        editor.wait_for_model(120)
        editor.type("Go\x15\rdef add(a, b):\rreturn a")
        editor.until(editor.ghost, "a suggestion of the default model", 60)
        editor.take_picture("default-model")
        editor.keys("M-l")
        editor.until(lambda: len(editor.line()) > len("    return a"), "the accepted text")
        editor.quit()
        assert place.attempts_to_leave() == {"ipv4": 0, "ipv6": 0}
