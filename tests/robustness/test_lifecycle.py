"""Real processes: how the server begins and ends. 20 of each deadly case at full size, one here."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.fuzz import scaled
from tests.support.process import COMMAND, ServerProcess, gone

pytestmark = pytest.mark.process

SLOW = {"default": {"reply": "a b c d e f g h", "delay_s": 5.0}, "info": {"id": "slow", "can_infill": True}}

EDITOR = """
import os, subprocess, sys, json
server = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
params = {"processId": os.getpid(), "rootUri": None, "capabilities": {}}
body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).encode()
server.stdin.write(b"Content-Length: %d\\r\\n\\r\\n%b" % (len(body), body))
server.stdin.flush()
server.stdout.readline()
none, pipe = subprocess.DEVNULL, server.stdin.fileno()
keeper = subprocess.Popen(["sleep", "30"], stdin=none, stdout=none, pass_fds=[pipe])
print(server.pid, keeper.pid, flush=True)
sys.stdin.read()
"""
"""An editor; a child of it keeps the pipe to the server open, so that only the parent watch can notice its death."""


@pytest.fixture
def script(tmp_path: Path) -> dict[str, object]:
    """Options of a server whose scripted model answers a piece every 5 s."""
    path = tmp_path / "script.json"
    path.write_text(json.dumps(SLOW), "utf-8")
    return {"engine": {"script": str(path)}}


def test_exit_codes() -> None:
    with ServerProcess("--stdio") as server:
        server.initialize()
        assert server.request("shutdown")["result"] is None
        server.write("exit")
        assert server.wait() == 0
    with ServerProcess() as server:
        server.initialize()
        server.write("exit")
        assert server.wait() == 1
    with ServerProcess() as server:
        server.initialize()
        assert server.process.stdin is not None
        server.process.stdin.close()
        assert server.wait() == 1


def test_everything_in_one_write_is_answered_before_the_end() -> None:
    with ServerProcess() as server:
        server.write("initialize", {"capabilities": {}}, id_=1)
        server.write("initialized", {})
        server.write("shutdown", id_=2)
        server.write("exit")
        assert server.process.stdin is not None
        server.process.stdin.close()
        assert server.read()["id"] == 1
        assert server.read()["id"] == 2
        assert server.wait() == 0


@pytest.mark.parametrize("how", ["SIGTERM", "end of stream", "broken pipe"])
def test_the_end_with_busy_handlers(how: str, script: dict[str, object]) -> None:
    for _ in range(scaled(1)):
        with ServerProcess() as server:
            server.initialize(options=script)
            server.write("initialized", {})
            for number in range(8):
                uri = f"file:///{number}.py"
                document = {"uri": uri, "languageId": "python", "version": 1, "text": "def f(a):\n    return "}
                server.write("textDocument/didOpen", {"textDocument": document})
                place = {"textDocument": {"uri": uri}, "position": {"line": 1, "character": 11}}
                server.write(
                    "textDocument/inlineCompletion", {**place, "context": {"triggerKind": 1}}, id_=100 + number
                )
            server.request("r1/none")
            started = time.monotonic()
            assert server.process.stdin is not None
            assert server.process.stdout is not None
            if how == "SIGTERM":
                server.process.send_signal(signal.SIGTERM)
            elif how == "end of stream":
                server.process.stdin.close()
            else:
                server.process.stdout.close()
                server.write("r1/none", id_=1000)
            assert server.wait() == 1
            assert time.monotonic() - started < 20  # wanted: 2 s on a machine at rest


def test_the_death_of_the_editor_is_noticed() -> None:
    for _ in range(scaled(1)):
        editor = subprocess.Popen(
            [sys.executable, "-c", EDITOR, str(COMMAND)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with editor:
            assert editor.stdout is not None
            server, keeper = map(int, editor.stdout.readline().split())
            try:
                editor.kill()
                editor.wait()
                assert gone(server, 10), "the server outlives its editor"
            finally:
                os.kill(keeper, signal.SIGKILL)


def test_kill_9_of_the_server_leaves_nothing(tmp_path: Path) -> None:
    for _ in range(scaled(1)):
        with ServerProcess(cwd=tmp_path) as server:
            server.initialize()
            server.process.kill()
            assert server.wait() == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_with_folders_named_like_our_packages(tmp_path: Path) -> None:
    """Neither the working directory nor PYTHONPATH decides whose code runs."""
    witness = tmp_path / "witness"
    for name in ("engine", "ast_tools", "r1_lsp", "pygls", "lsprotocol", "json", "asyncio", "pydantic", "aiohttp"):
        (tmp_path / name).mkdir()
        code = f"open({str(witness)!r}, 'a').write({name!r} + ' ')\nraise SystemExit(99)\n"
        (tmp_path / name / "__init__.py").write_text(code, "utf-8")
        (tmp_path / f"{name}.py").write_text(code, "utf-8")
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"default": {"reply": "x"}}), "utf-8")
    with ServerProcess(cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}) as server:
        server.initialize(options={"engine": {"script": str(script)}})
        server.write("initialized", {})
        while server.read().get("params", {}).get("phase") != "ready":
            continue
        assert server.request("shutdown")["result"] is None
        server.write("exit")
        assert server.wait() == 0
        ran = witness.read_text("utf-8") if witness.exists() else ""
        assert not ran, f"the workspace's code ran: {ran}\n{server.stderr()}"


def test_prints_do_not_reach_the_wire(tmp_path: Path) -> None:
    """A C library and a child write to descriptor 1, Python prints: the frames stay whole."""
    code = (
        "import os, subprocess, sys\n"
        "import r1_lsp.handlers.lifecycle as lifecycle\n"
        "from r1_lsp.server import serve\n"
        "real = lifecycle.initialize\n"
        "def loud(session, params):\n"
        "    print('printed', flush=True)\n"
        "    os.write(1, b'written')\n"
        "    subprocess.run(['echo', 'echoed'])\n"
        "    assert sys.stdin.read() == ''\n"
        "    return real(session, params)\n"
        "lifecycle.initialize = loud\n"
        "sys.exit(serve())\n"
    )
    path = tmp_path / "loud.py"
    path.write_text(code, "utf-8")
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}).encode()
    done = subprocess.run(
        [sys.executable, "-I", path],
        input=b"Content-Length: %d\r\n\r\n%b" % (len(body), body),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith(b"Content-Length: "), done
    header, _, answer = done.stdout.partition(b"\r\n\r\n")
    assert int(header.split(b":")[1]) == len(answer)
    for word in (b"printed", b"written", b"echoed"):
        assert word in done.stderr


def test_tcp() -> None:
    with ServerProcess("--tcp", "127.0.0.1:0") as server:
        assert server.process.stderr is not None
        said = server.process.stderr.readline().decode()
        assert said.startswith("listening on 127.0.0.1:"), said
        with socket.create_connection(("127.0.0.1", int(said.rpartition(":")[2]))) as editor:
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}})
            editor.sendall(f"content-length: {len(body)}\r\n\r\n{body}".encode())
            assert editor.recv(16) == b"Content-Length: "
            with pytest.raises(ConnectionRefusedError):  # one editor only
                socket.create_connection(editor.getpeername(), timeout=1)
        assert server.wait() == 1


def test_a_web_page_is_no_editor() -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}})
    with ServerProcess("--tcp", "127.0.0.1:0") as server:
        assert server.process.stderr is not None
        port = int(server.process.stderr.readline().decode().rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as page:
            page.sendall(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            with contextlib.suppress(ConnectionResetError):
                assert page.recv(16) == b""
        with socket.create_connection(("127.0.0.1", port)) as editor:  # whose turn has not been taken
            editor.sendall(f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
            assert editor.recv(16) == b"Content-Length: "
        assert server.wait() == 1


@pytest.mark.parametrize("address", ["0.0.0.0:0", "example.org:80", "127.0.0.1", "127.0.0.1:99999", "[::]:1"])
def test_an_address_that_will_not_do(address: str) -> None:
    with ServerProcess("--tcp", address) as server:
        assert server.wait() == 2
        said = server.stderr()
        assert said.startswith("r1-lsp serve: ")
        assert said.count("\n") == 1
