"""The server: the protocol's messages in, answers out (pygls). Started by `pipelang lsp`."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from functools import cache
from json import JSONDecodeError
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams, JsonRpcParseError
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter

from pipelang.interfaces.language_server.documents import parts_of
from pipelang.interfaces.language_server.explaining import explained
from pipelang.interfaces.language_server.features.code_actions import EXPLAIN, FIX_ALL
from pipelang.interfaces.language_server.features.lenses import REPORT
from pipelang.interfaces.language_server.features.renaming import NameRefused
from pipelang.interfaces.language_server.features.semantic_tokens import LEGEND
from pipelang.interfaces.language_server.findings import diagnostics_of, files_with_findings
from pipelang.interfaces.language_server.positions import UTF16
from pipelang.interfaces.language_server.protocol import CheckedProtocol, MessageInput
from pipelang.interfaces.language_server.requests import Requests
from pipelang.interfaces.language_server.session import EditorSession, Root
from pipelang.version import __version__

STATUS = "pipelang/status"
"""A notification of ours: `uri`, and `state` of its numbers: computing, current, stale, broken or
failed.
"""
WATCHED = ("**/*.pipe", "**/*.jsonl", "**/*.j2", "**/pyproject.toml", "**/*.py")

log = logging.getLogger(__name__)

_converter = cache(default_converter)
"""Makes messages of objects for all servers of a process. It writes code for every kind of message
that it meets, which takes longer than to answer it.
"""


class RenameRefused(JsonRpcException):
    """A name that cannot be given; editors show the message."""

    CODE = -32803  # RequestFailed
    MESSAGE = "the name cannot be given"


class PipelangServer(LanguageServer):
    """A server for one editor."""

    protocol: CheckedProtocol

    def __init__(self) -> None:
        super().__init__(
            "pipelang",
            __version__,
            text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental,
            max_workers=2,
            protocol_cls=CheckedProtocol,
            converter_factory=_converter,
        )
        self.session = EditorSession(self._publish, self._show)
        self.requests = Requests(self.session)
        self._published: dict[str, set[str]] = {}
        self._panels = False
        self.ended = False
        self._warming: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------------------ telling

    def _publish(self, root: Root) -> None:
        """Tell the findings of a root, in all files that they point into."""
        documents = self.session.documents
        files = files_with_findings(root, documents) | {root.path}
        before = self._published.get(root.path, set())
        self._published[root.path] = files
        for path in sorted(files | before):
            self._tell_findings(path)

    def _tell_findings(self, path: str) -> None:
        documents = self.session.documents
        found = diagnostics_of(path, self.session.roots, documents)
        root, document = self.session.roots.get(path), documents.open.get(path)
        version = None if document is None else document.version
        if root is not None and root.survey is not None:
            version = root.version  # a key may have come while the survey was made
        self.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(documents.uri_of(path), found, version)
        )

    def _show(self, root: Root) -> None:
        """Have an editor ask for lenses and hints again."""
        uri = self.session.documents.uri_of(root.path)
        self.protocol.notify(STATUS, {"uri": uri, "state": root.state})
        workspace = self.client_capabilities.workspace
        if workspace is None:
            return
        if workspace.code_lens is not None and workspace.code_lens.refresh_support:
            self.workspace_code_lens_refresh(None)
        if workspace.inlay_hint is not None and workspace.inlay_hint.refresh_support:
            self.workspace_inlay_hint_refresh(None)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Keep a mistake of ours in the log; nobody who writes can do anything about it."""
        if isinstance(error, RenameRefused):
            return
        if isinstance(error, (JSONDecodeError, UnicodeDecodeError, RecursionError)):
            self.protocol.refuse(JsonRpcParseError("it is no JSON that can be read"))
            return
        log.error("%s: %s", getattr(source, "__name__", source), error)

    # ------------------------------------------------------------------------------ life

    def begin(self, params: lsp.InitializeParams) -> None:
        """Settle where the workspace is, and in which units columns are counted."""
        documents = self.session.documents
        # A member of the protocol's enum where the client offered none, else the client's own word.
        agreed = self.workspace.position_encoding
        documents.encoding = str(getattr(agreed, "value", agreed or UTF16))
        uris = [folder.uri for folder in params.workspace_folders or ()]
        if not uris and params.root_uri:
            uris = [params.root_uri]
        parts = [parts_of(uri) for uri in uris]
        folders = [unquote(one.path) for one in parts if one.scheme == "file"]
        documents.folders = tuple(os.path.normpath(one) for one in folders if os.path.isdir(one))
        documents.enter()
        given = params.initialization_options
        options = given if isinstance(given, dict) else getattr(given, "__dict__", {})
        self._panels = bool(options.get("panels"))

    def begun(self, params: lsp.InitializedParams) -> None:
        """Ask to be told of files that change on the disk, where the client offers that."""
        self._warming = asyncio.ensure_future(self.session.background.warm_up())
        workspace = self.client_capabilities.workspace
        watching = None if workspace is None else workspace.did_change_watched_files
        if watching is None or not watching.dynamic_registration:
            return
        watchers = [lsp.FileSystemWatcher(glob_pattern=glob) for glob in WATCHED]
        options = lsp.DidChangeWatchedFilesRegistrationOptions(watchers)
        method = lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES
        asked = lsp.RegistrationParams([lsp.Registration("pipelang-files", method, options)])
        self.client_register_capability(asked)

    async def end(self, params: None) -> None:
        """End all work."""
        self.ended = True
        await self.session.close()

    # ------------------------------------------------------------------------------ files

    def opened(self, params: lsp.DidOpenTextDocumentParams) -> None:
        """Take in a file that was opened."""
        document = self.session.documents.opened(params.text_document)
        self.session.touched([document.path], appeared=True)

    def changed(self, params: lsp.DidChangeTextDocumentParams) -> None:
        """Take in a change."""
        document = self.session.documents.changed(params)
        if document is not None:
            self.session.touched([document.path])

    def saved(self, params: lsp.DidSaveTextDocumentParams) -> None:
        """A file is on the disk now: others may import it."""
        path = self.session.documents.path_of(params.text_document.uri)
        self.session.touched([path], appeared=path not in self.session.roots)

    def closed(self, params: lsp.DidCloseTextDocumentParams) -> None:
        """Forget a file that was closed, and its findings."""
        path = self.session.documents.closed(params.text_document.uri)
        self.session.forget(path)
        for other in self._published.pop(path, {path}) | {path}:
            self._tell_findings(other)
        self.session.touched([path])

    def changed_on_disk(self, params: lsp.DidChangeWatchedFilesParams) -> None:
        """Look again at what is made of files that came, changed or went."""
        paths = [self.session.documents.path_of(change.uri) for change in params.changes]
        closed = [path for path in paths if path not in self.session.documents.open]
        if closed:
            self.session.touched(closed, appeared=True)

    # ------------------------------------------------------------------------------ commands

    def report(self, uri: str, pipeline: str) -> str | None:
        """The report on a pipeline; shown as a message where the client has no panel for it."""
        root = self.session.roots.get(self.session.documents.path_of(uri))
        told = ((root.numbers or {}) if root else {}).get("pipelines", {}).get(pipeline)
        if told is None:
            return None
        if not self._panels:
            text = f"{told['sentence']} ({told['lens']})"
            self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, text))
        return "\n".join(told["report"])

    def explain(self, code: str) -> str | None:
        """The page of a code."""
        text = explained(code)
        if text is not None and not self._panels:
            self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, text))
        return text


def make_server() -> PipelangServer:
    """A server with everything registered."""
    server = PipelangServer()
    ask = server.requests

    def on(method: str, handler: Callable[[Any], Any], options: Any = None) -> None:
        server.feature(method, options)(_named(handler, method))

    on(lsp.INITIALIZE, server.begin)
    on(lsp.INITIALIZED, server.begun)
    on(lsp.SHUTDOWN, server.end)
    on(lsp.TEXT_DOCUMENT_DID_OPEN, server.opened)
    on(lsp.TEXT_DOCUMENT_DID_CHANGE, server.changed)
    on(lsp.TEXT_DOCUMENT_DID_SAVE, server.saved)
    on(lsp.TEXT_DOCUMENT_DID_CLOSE, server.closed)
    on(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, server.changed_on_disk)
    on(lsp.TEXT_DOCUMENT_CODE_LENS, ask.lenses, lsp.CodeLensOptions())
    on(lsp.TEXT_DOCUMENT_INLAY_HINT, ask.hints)
    on(lsp.TEXT_DOCUMENT_HOVER, ask.hover)
    triggers = lsp.CompletionOptions(trigger_characters=[".", ":", "(", ",", '"', "/"])
    on(lsp.TEXT_DOCUMENT_COMPLETION, ask.completion, triggers)
    calls = lsp.SignatureHelpOptions(trigger_characters=["(", ","])
    on(lsp.TEXT_DOCUMENT_SIGNATURE_HELP, ask.signature_help, calls)
    on(lsp.TEXT_DOCUMENT_FORMATTING, ask.formatting)
    kinds = [
        lsp.CodeActionKind.QuickFix,
        lsp.CodeActionKind.RefactorRewrite,
        FIX_ALL,
    ]
    actions = lsp.CodeActionOptions(code_action_kinds=kinds)
    on(lsp.TEXT_DOCUMENT_CODE_ACTION, ask.code_actions, actions)
    on(lsp.TEXT_DOCUMENT_DEFINITION, ask.definition)
    on(lsp.TEXT_DOCUMENT_REFERENCES, ask.references)
    on(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, ask.highlights)
    renames = lsp.RenameOptions(prepare_provider=True)
    on(lsp.TEXT_DOCUMENT_PREPARE_RENAME, _refusing(ask.prepare_rename))
    on(lsp.TEXT_DOCUMENT_RENAME, _refusing(ask.rename), renames)
    on(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL, ask.symbols)
    on(lsp.WORKSPACE_SYMBOL, ask.workspace_symbols)
    on(lsp.TEXT_DOCUMENT_FOLDING_RANGE, ask.folds)
    on(lsp.TEXT_DOCUMENT_SELECTION_RANGE, ask.selections)
    on(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, ask.tokens, LEGEND)

    @server.command(REPORT)
    def report(uri: str = "", pipeline: str = "") -> str | None:
        if not (isinstance(uri, str) and isinstance(pipeline, str) and uri and pipeline):
            raise JsonRpcInvalidParams(f"`{REPORT}` takes a file's URI and a pipeline's name")
        return server.report(uri, pipeline)

    @server.command(EXPLAIN)
    def explain(code: str = "") -> str | None:
        if not (isinstance(code, str) and code):
            raise JsonRpcInvalidParams(f"`{EXPLAIN}` takes a code, such as P201")
        return server.explain(code)

    return server


def _named(handler: Callable[[Any], Any], name: str) -> Callable[[Any], Any]:
    """A function of its own, which pygls may mark: a method of an object cannot be marked."""
    if inspect.iscoroutinefunction(handler):

        async def later(params: Any) -> Any:
            return await handler(params)

        return later

    def now(params: Any) -> Any:
        return handler(params)

    return now


def _refusing(answer: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
    """A handler whose refusals reach whoever asked."""

    async def handle(params: Any) -> Any:
        try:
            return await answer(params)
        except NameRefused as refused:
            raise RenameRefused(message=str(refused)) from refused

    return handle


def serve(port: int | None = None) -> int:
    """Serve one editor, on standard input and output or on a port of this machine; the exit code,
    which is 1 where the editor left without a word. Raises OSError for a port that is taken.
    """
    if os.getcwd() in sys.path:
        sys.path.remove(os.getcwd())  # a module that lies in the workspace is none of ours
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="pipelang: %(message)s")
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # `report_server_error` tells
    server = make_server()
    if port is not None:
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it calls `exit` an exception
        server.start_tcp("127.0.0.1", port)
    else:
        # What anything prints must not come between the messages.
        answers = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        server.start_io(cast("BinaryIO", MessageInput(sys.stdin.buffer)), answers)
    server.session.background.kill()
    return 0 if server.ended else 1
