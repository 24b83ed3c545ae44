"""Hosts that hang, crash in a loop, lose their files or meet strangers."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from engine import place, platform
from engine.errors import EngineError, EngineUnavailable, ModelUnusable
from engine.supervisor import Watch, session_for
from engine.types import EngineOptions, EnginePhase
from tests.engine.link.hosts import Stage, stage, wait_until
from tests.robustness.test_host_kills import first_piece, served_again

pytestmark = pytest.mark.process
IMPATIENT = Watch(stall_s=1.5, silent_s=2.0, load_stall_s=2.0)


@pytest.fixture(name="theatre")
def _theatre() -> Iterator[Stage]:
    with stage() as made:
        yield made


def test_a_stopped_host_is_found_and_replaced(theatre: Stage) -> None:
    """SIGSTOP: no lines on the lease any more, though every connection stays open."""

    async def work() -> float:
        async with theatre.client(theatre.options(), watch=IMPATIENT) as client:
            await first_piece(client)
            pid = theatre.pid()
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            began = time.monotonic()
            with pytest.raises(EngineError):
                await asyncio.wait_for(first_piece(client), 10)
            found = time.monotonic() - began
            assert await served_again(client) == "one"
            assert not platform.is_alive(pid)
            return found

    assert asyncio.run(work()) < 4


def test_a_host_is_not_killed_for_our_own_pause(theatre: Stage) -> None:
    """Ctrl-Z, a debugger, a paused container: we were deaf, and the host spoke all the while."""

    async def work() -> None:
        async with theatre.client(theatre.options(), watch=IMPATIENT) as client:
            await first_piece(client)
            pid = theatre.pid()
            phases: list[EnginePhase] = []
            client.watch(lambda status: phases.append(status.phase))
            time.sleep(3 * IMPATIENT.silent_s)  # nothing runs here meanwhile, which is the point
            await asyncio.sleep(1.0)
            assert phases == []
            assert theatre.pid() == pid

    asyncio.run(work())


def test_a_host_busy_without_progress_is_found_and_replaced(theatre: Stage) -> None:
    """The lease goes on telling, but the model's thread hangs (here: in a prefill of an hour)."""
    options = theatre.options({"default": {"reply": "a"}, "prefill_s": 3600})

    async def work() -> None:
        async with theatre.client(options, watch=IMPATIENT) as client:
            await client.info()
            pid = theatre.pid()
            phases: list[EnginePhase] = []
            client.watch(lambda status: phases.append(status.phase))
            with pytest.raises(EngineError, match="broke off"):
                await asyncio.wait_for(first_piece(client), 10)
            await client.info()
            assert EnginePhase.RESTARTING in phases
            assert theatre.pid() != pid

    asyncio.run(work())


def dying(last_line: str, seconds: float = 0.0) -> tuple[str, ...]:
    """A host that says something on stderr and dies without serving."""
    code = f"import sys, time, os; time.sleep({seconds}); sys.stderr.write('noise\\n{last_line}\\n'); os._exit(134)"
    return (sys.executable, "-c", code)


def test_a_crash_loop_ends_in_a_sentence(theatre: Stage) -> None:
    """Three deaths without a served request: failed, with the last stderr line, and no more processes."""

    async def work() -> None:
        options = theatre.options()
        async with theatre.client(options, command=dying("GGML_ASSERT(x) failed")) as client:
            with pytest.raises(ModelUnusable, match=r"^model unusable: GGML_ASSERT\(x\) failed$"):
                await asyncio.wait_for(client.info(), 20)
            assert client.status.phase is EnginePhase.FAILED
            began = time.monotonic()
            with pytest.raises(ModelUnusable):
                await client.info()
            assert time.monotonic() - began < 0.1
        assert theatre.remains() == []

    asyncio.run(work())


def test_restart_after_a_failure_tries_again(theatre: Stage, tmp_path: Path) -> None:
    """What failed three times is tried again when the user says so."""
    flag = tmp_path / "mended"
    code = (
        "import os, sys\n"
        f"if not os.path.exists({str(flag)!r}): sys.exit('broken')\n"
        "os.execv(sys.executable, [sys.executable, '-I', '-m', 'engine.host', '--after-last-s', '0.5', *sys.argv[1:]])"
    )

    async def work() -> None:
        async with theatre.client(theatre.options(), command=(sys.executable, "-c", code)) as client:
            with pytest.raises(ModelUnusable, match="broken"):
                await asyncio.wait_for(client.info(), 20)
            flag.touch()
            await client.restart()
            assert await served_again(client) == "one"

    asyncio.run(work())


def test_a_model_that_cannot_load_fails_once_with_its_sentence(theatre: Stage) -> None:
    options = theatre.options()
    assert options.script is not None
    Path(options.script).write_text("{nonsense")

    async def work() -> None:
        async with theatre.client(options) as client:
            began = time.monotonic()
            with pytest.raises(ModelUnusable, match="is not JSON"):
                await asyncio.wait_for(client.info(), 20)
            assert time.monotonic() - began < 10

    asyncio.run(work())
    wait_until(lambda: not theatre.remains(), 5)


def test_private_files_and_strangers(theatre: Stage) -> None:
    """Directory 0700, socket, lock and log 0600; a request with an Origin is refused."""

    async def work() -> None:
        async with theatre.client(theatre.options()) as client:
            await client.info()
            assert stat.S_IMODE(theatre.directory.stat().st_mode) == 0o700
            files = theatre.files[0]
            modes = {stat.S_IMODE(path.lstat().st_mode) for path in (files.socket, files.lock, files.log)}
            assert modes == {0o600}
            address = place.address_at(files.socket)
            assert address is not None
            async with session_for(address) as http:
                headers = {"Origin": "https://example.org"}
                async with http.get(f"{address.url}/health", headers=headers) as response:
                    assert response.status == 403

    asyncio.run(work())


def test_over_tcp_only_the_token_opens(theatre: Stage) -> None:
    async def status(http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> int:
        async with http.get(f"{url}/health", headers=headers) as response:
            return response.status

    async def work() -> None:
        async with theatre.client(theatre.options(), on_tcp=True) as client:
            assert await first_piece(client) == "one"
            address = place.address_at(theatre.files[0].socket)
            assert address is not None
            assert address.token is not None
            good = {"Authorization": f"Bearer {address.token}"}
            async with aiohttp.ClientSession() as http:
                assert await status(http, address.url, good) == 200
                assert await status(http, address.url, {}) == 401
                assert await status(http, address.url, {"Authorization": "Bearer x"}) == 401
                assert await status(http, address.url, {**good, "Host": "evil.example"}) == 403
                assert await status(http, address.url, {**good, "Origin": "null"}) == 403

    asyncio.run(work())
    wait_until(lambda: not theatre.remains(), 5)


def test_a_directory_open_to_others_is_refused(theatre: Stage) -> None:
    theatre.directory.chmod(0o755)

    async def work() -> None:
        async with theatre.client(EngineOptions()) as client:
            with pytest.raises(EngineUnavailable, match="open to other users"):
                await asyncio.wait_for(client.info(), 5)

    asyncio.run(work())


def test_a_host_whose_socket_was_removed_ends_and_is_replaced(theatre: Stage) -> None:
    async def work() -> None:
        async with theatre.client(theatre.options()) as client:
            await first_piece(client)
            pid = theatre.pid()
            theatre.files[0].socket.unlink()
            await asyncio.to_thread(wait_until, lambda: not platform.is_alive(pid or 0), 5)
            assert await served_again(client) == "one"

    asyncio.run(work())


def test_a_host_told_to_stop_stays_away_until_there_is_work(theatre: Stage) -> None:
    async def work() -> None:
        async with theatre.client(theatre.options()) as client:
            await first_piece(client)
            platform.ask_to_end(theatre.pid() or 0)
            await asyncio.to_thread(wait_until, lambda: not theatre.remains(), 5)
            await asyncio.sleep(0.5)
            assert client.status.phase is EnginePhase.OFF
            assert theatre.remains() == []
            assert await served_again(client) == "one"

    asyncio.run(work())


def test_a_host_without_any_lease_ends_by_itself(theatre: Stage) -> None:
    options = theatre.options()
    files = theatre.files[0]
    command = (sys.executable, "-I", "-m", "engine.host", "--for-first-s", "0.5", "--socket", str(files.socket))
    lock = platform.try_lock(files.lock)
    assert lock is not None
    child = platform.start_detached(
        [*command, "--options-json", place.options_to_json(options), "--lock-fd", str(lock.descriptor)],
        log=files.log,
        inherit=lock,
    )
    assert child.ended.wait(20)
    assert theatre.remains() == []


def test_many_clients_starting_at_once_share_one_host(theatre: Stage) -> None:
    async def work() -> None:
        options = theatre.options()
        async with contextlib.AsyncExitStack() as together:
            clients = [await together.enter_async_context(theatre.client(options)) for _ in range(8)]
            await asyncio.gather(*(client.info() for client in clients))
            address = place.address_at(theatre.files[0].socket)
            assert address is not None
            async with session_for(address) as http, http.get(f"{address.url}/lease") as lease:
                assert json.loads(await lease.content.readline())["leases"] == 9

    asyncio.run(work())


def test_something_else_at_the_sockets_place_is_replaced(theatre: Stage) -> None:
    """A foreign listener at our name (no lock held) is not talked to for long: it gives no lease."""
    options = theatre.options()
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.bind(str(theatre.files[0].socket))

        async def work() -> None:
            async with theatre.client(options) as client:
                assert await served_again(client) == "one"

        asyncio.run(work())


def test_asking_waits_for_loading(theatre: Stage) -> None:
    """A request made while the model loads is answered once it is there; the fraction is told on the way."""

    async def work() -> list[float | None]:
        options = theatre.options({"default": {"reply": "a"}, "load_s": 0.6})
        fractions: list[float | None] = []
        async with theatre.client(options) as client:
            client.watch(lambda status: fractions.append(status.fraction))
            assert await first_piece(client) == "a"
        return fractions

    assert len({fraction for fraction in asyncio.run(work()) if fraction is not None}) >= 2
