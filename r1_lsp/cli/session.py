"""An editor without a screen: starts the real server as a child and speaks LSP to it over stdio.

`complete`, `fix`, `doc` and `demo` ask through it, so they show exactly what an editor would show.
"""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

import ast_tools
from ast_tools.lines import Lines
from r1_lsp import __version__, ext
from r1_lsp.cli.console import Failure

Status = Callable[[str, float | None], None]


class Editor:
    """One LSP session. Positions are bytes: the session asks for utf-8."""

    def __init__(self, client: LanguageClient) -> None:
        self._client = client
        self._ready: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._diagnostics: dict[str, list[types.Diagnostic]] = {}
        self._news = asyncio.Event()
        self._listen()
        self.on_status: Status = lambda _sentence, _fraction: None
        self.initialize_s = 0.0

    async def ready(self) -> dict[str, Any]:
        """Waits for the model; returns what `r1/status` said of it. Raises Failure when it will not come."""
        return await self._ready

    def open(self, path: Path, text: bytes, language: ast_tools.Language | None = None) -> "OpenFile":
        """Tells the server that a file is open with this text (which need not be what the disk holds).

        `language`: where the file's name does not tell.
        """
        file = OpenFile(self, path.resolve().as_uri(), text)
        item = types.TextDocumentItem(
            uri=file.uri,
            language_id=language_id(path, language),
            version=file.version,
            text=text.decode("utf-8"),
        )
        self._client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
        return file

    async def request(self, method: str, params: object) -> Any:
        """One request; an error answer becomes a Failure with the server's sentence."""
        try:
            return await self._client.protocol.send_request_async(method, params)
        except JsonRpcException as error:
            raise Failure(str(error.message)) from None
        except RuntimeError as error:  # pygls: the server process is gone
            raise Failure(f"the server ended: {error}") from None

    def notify(self, method: str, params: object) -> None:
        self._client.protocol.notify(method, params)

    async def last_reason(self) -> str:
        """Why the last suggestion was not shown, in the server's words."""
        records = await self.request(
            types.WORKSPACE_EXECUTE_COMMAND, types.ExecuteCommandParams(command=ext.WHY, arguments=[])
        )
        return str(_plain(records[0])["sentence"]) if records else "the server does not say why"

    async def diagnostics(self, uri: str, *, timeout_s: float = 5.0) -> list[types.Diagnostic]:
        """The next diagnostics published for a file."""
        try:
            async with asyncio.timeout(timeout_s):
                while uri not in self._diagnostics:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return []
        return self._diagnostics.pop(uri)

    def _listen(self) -> None:
        client = self._client

        def status(params: Any) -> None:
            self._status(params)

        def published(params: types.PublishDiagnosticsParams) -> None:
            self._diagnostics[params.uri] = list(params.diagnostics)
            self._news.set()

        def progress(_params: types.WorkDoneProgressCreateParams) -> None:
            return None

        client.feature(ext.STATUS)(status)
        client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(published)
        client.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)(progress)

    def _status(self, params: Any) -> None:
        status = _plain(params)
        phase, detail = status.get("phase", ""), status.get("detail") or ""
        if phase == "ready" and not self._ready.done():
            self._ready.set_result(status)
        elif phase == "failed" and not self._ready.done():
            self._ready.set_exception(Failure(detail or "the model did not start"))
        self.on_status(detail or phase, status.get("fraction"))


def language_id(path: Path, language: ast_tools.Language | None = None) -> str:
    """The identifier an editor would give a language, or that of the file."""
    language = language or ast_tools.language_of(None, str(path))
    if language is None:
        return "plaintext"
    return language.name if language.name in language.lsp_ids else min(language.lsp_ids)


class OpenFile:
    """One open document; keeps the text in step with the server's."""

    def __init__(self, editor: Editor, uri: str, text: bytes) -> None:
        self._editor = editor
        self.uri, self.text, self.version = uri, text, 1

    def position(self, offset: int) -> types.Position:
        line, column = Lines(self.text).position(offset)
        return types.Position(line=line, character=column)

    def replace(self, edits: list[tuple[int, int, bytes]]) -> None:
        """Changes the text, last edit first, and tells the server."""
        for start, end, new in sorted(edits, reverse=True):
            span = types.Range(start=self.position(start), end=self.position(end))
            self.text = self.text[:start] + new + self.text[end:]
            self.version += 1
            change = types.TextDocumentContentChangePartial(range=span, text=new.decode("utf-8"))
            document = types.VersionedTextDocumentIdentifier(uri=self.uri, version=self.version)
            self._editor.notify(
                types.TEXT_DOCUMENT_DID_CHANGE,
                types.DidChangeTextDocumentParams(text_document=document, content_changes=[change]),
            )

    async def complete(self, offset: int) -> list[types.InlineCompletionItem]:
        """Ghost text at an offset, asked for as with the editor's shortcut."""
        answer = await self._editor.request(
            types.TEXT_DOCUMENT_INLINE_COMPLETION,
            types.InlineCompletionParams(
                text_document=types.TextDocumentIdentifier(uri=self.uri),
                position=self.position(offset),
                context=types.InlineCompletionContext(trigger_kind=types.InlineCompletionTriggerKind.Invoked),
            ),
        )
        return list(answer.items if isinstance(answer, types.InlineCompletionList) else answer or [])

    async def actions(
        self, start: int, end: int, diagnostics: list[types.Diagnostic], only: list[str] | None = None
    ) -> list[types.CodeAction]:
        """The code actions at a range; commands without an action are left out."""
        answer = await self._editor.request(
            types.TEXT_DOCUMENT_CODE_ACTION,
            types.CodeActionParams(
                text_document=types.TextDocumentIdentifier(uri=self.uri),
                range=types.Range(start=self.position(start), end=self.position(end)),
                context=types.CodeActionContext(diagnostics=diagnostics, only=only),
            ),
        )
        return [action for action in answer or [] if isinstance(action, types.CodeAction)]

    async def apply(self, action: types.CodeAction) -> None:
        """Resolves an action if need be and applies its edit to this file."""
        if action.edit is None:
            action = await self._editor.request(types.CODE_ACTION_RESOLVE, action)
        if action.edit is None:
            reason = action.disabled.reason if action.disabled else "the action brought no edit"
            raise Failure(reason)
        self.replace(self._edits(action.edit))

    def _edits(self, edit: types.WorkspaceEdit) -> list[tuple[int, int, bytes]]:
        found: list[Any] = list((edit.changes or {}).get(self.uri, ()))
        for change in edit.document_changes or ():
            if isinstance(change, types.TextDocumentEdit) and change.text_document.uri == self.uri:
                found += change.edits
        lines = Lines(self.text)
        return [
            (
                lines.offset(item.range.start.line, item.range.start.character),
                lines.offset(item.range.end.line, item.range.end.character),
                item.new_text.encode("utf-8"),
            )
            for item in found
        ]


@asynccontextmanager
async def session(
    folder: Path,
    *,
    settings: dict[str, Any] | None = None,
    arguments: tuple[str, ...] = (),
    on_status: Status | None = None,
) -> AsyncIterator[Editor]:
    """A server started as an editor would start it, initialized, and ended properly."""
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    client = LanguageClient("r1-lsp-cli", __version__)
    uri = folder.absolute().as_uri()  # noqa: ASYNC240  before the session starts
    editor = Editor(client)
    editor.on_status = on_status or editor.on_status
    started = time.perf_counter()
    await client.start_io(
        sys.executable, "-I", "-m", "r1_lsp", "serve", "--stdio", "--log-level", "error", *arguments, cwd=str(folder)
    )
    draining = asyncio.create_task(_drain(client))
    try:
        await _initialize(client, uri, settings or {})
        editor.initialize_s = time.perf_counter() - started
        yield editor
        await asyncio.wait_for(client.shutdown_async(None), 10)
    finally:
        if not client.stopped:
            client.exit(None)
        await _stop(client)
        draining.cancel()


async def _initialize(client: LanguageClient, uri: str, settings: dict[str, Any]) -> None:
    try:
        await client.initialize_async(
            types.InitializeParams(
                capabilities=_CAPABILITIES,
                process_id=None,
                root_uri=uri,
                workspace_folders=[types.WorkspaceFolder(uri=uri, name=uri.rpartition("/")[2])],
                initialization_options=settings,
            )
        )
    except RuntimeError as error:
        raise Failure(f"the server did not start: {error}") from None
    client.initialized(types.InitializedParams())


async def _drain(client: LanguageClient) -> None:
    """The server's log goes to our stderr, so that its pipe never fills up."""
    server = client._server  # pygls has no public name for it
    assert server is not None
    assert server.stderr is not None
    async for line in server.stderr:
        sys.stderr.write(line.decode("utf-8", "replace"))


async def _stop(client: LanguageClient) -> None:
    server = client._server
    if server is not None and server.returncode is None:
        try:
            await asyncio.wait_for(server.wait(), 5)
        except TimeoutError:
            server.kill()
    await client.stop()  # type: ignore[no-untyped-call]


def _plain(value: Any) -> dict[str, Any]:
    """pygls turns unknown notifications into named tuples."""
    if isinstance(value, dict):
        return value
    return dict(value._asdict()) if hasattr(value, "_asdict") else dict(vars(value))


_CAPABILITIES = types.ClientCapabilities(
    general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind.Utf8]),
    text_document=types.TextDocumentClientCapabilities(
        synchronization=types.TextDocumentSyncClientCapabilities(),
        inline_completion=types.InlineCompletionClientCapabilities(),
        hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown]),
        publish_diagnostics=types.PublishDiagnosticsClientCapabilities(version_support=True),
        code_action=types.CodeActionClientCapabilities(
            is_preferred_support=True,
            disabled_support=True,
            data_support=True,
            code_action_literal_support=types.ClientCodeActionLiteralOptions(
                code_action_kind=types.ClientCodeActionKindOptions(value_set=[types.CodeActionKind.QuickFix])
            ),
            resolve_support=types.ClientCodeActionResolveOptions(properties=["edit"]),
        ),
    ),
    workspace=types.WorkspaceClientCapabilities(
        apply_edit=True, workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=True)
    ),
    window=types.WindowClientCapabilities(work_done_progress=True),
)
