"""How long from the start of the process until `initialize` is answered, against a bare import of pygls.

Both are whole processes started in turn in one run; the medians are compared. `python -m bench.startup [rounds]`.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench.report import Report
from tests.support.lsp import preset

COMMAND = Path(sys.executable).with_name("r1-lsp")
ROUNDS = 15


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    bare, answered, isolated = [], [], []
    for _ in range(rounds):
        bare.append(_bare_import())
        answered.append(_until_initialized([str(COMMAND)]))
        isolated.append(_until_initialized([sys.executable, "-I", str(COMMAND)]))
    report = Report("startup")
    report.row("bare import of pygls.lsp.server", f"{1000 * median(bare):.0f} ms", value=median(bare))
    report.row("start to `initialize` answered", f"{1000 * median(answered):.0f} ms", value=median(answered))
    report.row("the same, isolated from the start", f"{1000 * median(isolated):.0f} ms", value=median(isolated))
    report.at_most("start to `initialize` answered / bare import", median(answered) / median(bare), 1.6)
    report.notes.append(f"medians of {rounds} interleaved rounds; capabilities as VS Code sends them")
    return report.finish()


def _bare_import() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-I", "-c", "import pygls.lsp.server"], check=True)
    return time.perf_counter() - started


def _until_initialized(command: list[str]) -> float:
    """Seconds until the answer is read; the process is killed afterwards."""
    params = {"processId": None, "rootUri": None, "capabilities": preset("vscode")}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).encode()
    started = time.perf_counter()
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        server.stdin.flush()
        assert server.stdout.readline().startswith(b"Content-Length:")
        seconds = time.perf_counter() - started
        server.kill()
    return seconds


if __name__ == "__main__":
    sys.exit(main())
