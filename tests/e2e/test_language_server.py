"""`pipelang lsp` as an editor meets it: another process, the protocol, every request (pytest-lsp).

One server serves all tests of this file but those that are about its life.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types as lsp
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client

REPO = Path(__file__).parents[2]
SUPPORT = REPO / "examples/support/support.pipe"
ENV = {**os.environ, "PYTHONPATH": str(REPO), "PIPELANG_TODAY": "2026-11-29"}
PATIENCE = 30
served = pytest.mark.asyncio(loop_scope="module")


class Client:
    """An editor: files by name, and what the server told of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.raw: LanguageClient = make_test_lsp_client()
        self.versions: dict[str, int] = {}
        self.states: dict[str, list[str]] = {}
        self.changed = asyncio.Event()

    async def start(self, editor: str = "visual-studio-code") -> None:
        await self.raw.start_io(sys.executable, "-m", "pipelang", "lsp", env=ENV)

        @self.raw.feature("pipelang/status")
        def status(params):
            self.states.setdefault(params.uri, []).append(params.state)
            self.changed.set()

        for method in ("workspace/codeLens/refresh", "workspace/inlayHint/refresh"):
            self.raw.feature(method)(lambda params: None)
        self.raw.feature("client/registerCapability")(lambda params: None)
        folder = lsp.WorkspaceFolder(self.folder.as_uri(), "w")
        await self.raw.initialize_session(
            lsp.InitializeParams(
                capabilities=client_capabilities(editor), workspace_folders=[folder]
            )
        )

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def document(self, name: str) -> lsp.TextDocumentIdentifier:
        return lsp.TextDocumentIdentifier(self.uri(name))

    def open(self, name: str, text: str) -> None:
        self.versions[name] = 1
        item = lsp.TextDocumentItem(self.uri(name), "pipelang", 1, text)
        self.raw.text_document_did_open(lsp.DidOpenTextDocumentParams(item))

    def edit(self, name: str, text: str, start: tuple[int, int], end: tuple[int, int]) -> None:
        self.versions[name] += 1
        change = lsp.TextDocumentContentChangePartial(
            lsp.Range(lsp.Position(*start), lsp.Position(*end)), text
        )
        whose = lsp.VersionedTextDocumentIdentifier(self.versions[name], self.uri(name))
        self.raw.text_document_did_change(lsp.DidChangeTextDocumentParams(whose, [change]))

    def close(self, name: str) -> None:
        self.raw.text_document_did_close(lsp.DidCloseTextDocumentParams(self.document(name)))

    async def state(self, name: str, *wanted: str) -> None:
        """Wait until the numbers of a file are in one of these states."""
        async with asyncio.timeout(PATIENCE):
            while (self.states.get(self.uri(name)) or [""])[-1] not in wanted:
                self.changed.clear()
                await self.changed.wait()

    async def findings(self, name: str, *codes: str) -> list[lsp.Diagnostic]:
        """Wait until the findings of a file have exactly these codes."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = self.raw.diagnostics.get(self.uri(name))
                if found is not None and sorted(str(one.code) for one in found) == sorted(codes):
                    return list(found)
                await self.raw.wait_for_notification(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)

    async def lenses(self, name: str) -> list[str]:
        params = lsp.CodeLensParams(self.document(name))
        found = await self.raw.text_document_code_lens_async(params) or []
        return [lens.command.title for lens in found if lens.command]


def place(text: str, word: str, nth: int = 0) -> lsp.Position:
    at = -1
    for _ in range(nth + 1):
        at = text.index(word, at + 1)
    return lsp.Position(text.count("\n", 0, at), at - text.rfind("\n", 0, at) - 1)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace").resolve()
    made = Client(folder)
    await made.start()
    yield made
    await made.raw.shutdown_session()


SMALL = """\
use std.tiers

role staff { people 1 }
prompt q(question: text max 50 tokens) \"\"\"{{ question }}\"\"\"

pipeline answer(question: text max 50 tokens) -> text {
  step reply: text = ask q(question) by haiku {
    accuracy 90 of 100
    timeout  9s
    output   9 tokens mean, 20 tokens max
  } else escalate to staff
  gate said: reply != "" else reject
  return reply

  traffic { said: 99% if right, 90% if wrong }
}
"""


@served
async def test_numbers_come_and_say_when_they_are_old(client):
    client.open("numbers.pipe", SMALL)
    await client.state("numbers.pipe", "current")
    (lens,) = await client.lenses("numbers.pipe")
    assert re.match(r"answered right \d\d\.\d% \(.*\) · wrong unnoticed .* · \$.* p95", lens)
    whole = lsp.Range(lsp.Position(0, 0), lsp.Position(99, 0))
    params = lsp.InlayHintParams(client.document("numbers.pipe"), whole)
    hints = await client.raw.text_document_inlay_hint_async(params)
    assert hints[0].label.startswith("alone 89.")
    assert hints[0].position == lsp.Position(6, 12)
    # A word that cannot be: the old numbers stay, and say so.
    client.edit("numbers.pipe", "stp ", (11, 2), (11, 2))
    (lens,) = await client.lenses("numbers.pipe")
    assert lens.startswith("before the errors: answered right")
    hints = await client.raw.text_document_inlay_hint_async(params)
    assert hints[0].label.startswith("(alone 89.")
    # And a change that makes sense: they are from before, until new ones come.
    client.edit("numbers.pipe", "", (11, 2), (11, 6))
    client.edit("numbers.pipe", "50", (7, 13), (7, 15))
    (lens,) = await client.lenses("numbers.pipe")
    assert lens.startswith(("before your last change: answered right", "answered right 49."))
    await client.state("numbers.pipe", "current")
    (lens,) = await client.lenses("numbers.pipe")
    assert lens.startswith("answered right 49.")
    report = await client.raw.workspace_execute_command_async(
        lsp.ExecuteCommandParams("pipelang.report", [client.uri("numbers.pipe"), "answer"])
    )
    assert report.startswith("answer ")
    client.close("numbers.pipe")
    assert await client.findings("numbers.pipe") == []


@served
async def test_findings_fixes_and_explanations(client):
    text = SMALL.replace("return reply", "return repyl")
    client.open("fix.pipe", text)
    (found,) = await client.findings("fix.pipe", "P201")
    assert found.range == lsp.Range(lsp.Position(12, 9), lsp.Position(12, 14))
    assert found.source == "pipelang"
    assert "did you mean `reply`?" in found.message
    context = lsp.CodeActionContext([found])
    params = lsp.CodeActionParams(client.document("fix.pipe"), found.range, context)
    actions = await client.raw.text_document_code_action_async(params)
    fix = next(one for one in actions if one.title.startswith("P201: "))
    (edits,) = fix.edit.changes.values()
    assert list(edits) == [lsp.TextEdit(found.range, "reply")]
    explain = next(one for one in actions if one.title.startswith("Explain P201"))
    page = await client.raw.workspace_execute_command_async(
        lsp.ExecuteCommandParams(explain.command, explain.arguments)
    )
    assert page.startswith("# P201 ")
    client.edit("fix.pipe", "reply", (12, 9), (12, 14))
    await client.state("fix.pipe", "current")
    client.close("fix.pipe")


@served
async def test_advice_is_an_edit(client):
    client.open("advice.pipe", SMALL)
    params = lsp.CodeActionParams(
        client.document("advice.pipe"),
        lsp.Range(lsp.Position(6, 4), lsp.Position(6, 4)),
        lsp.CodeActionContext([], only=[lsp.CodeActionKind.RefactorRewrite]),
    )
    async with asyncio.timeout(PATIENCE):
        while True:
            client.changed.clear()  # before it asks: what changes meanwhile is not waited for
            if actions := await client.raw.text_document_code_action_async(params):
                break
            await client.changed.wait()
    assert all(one.title.startswith("Advice: ") and one.edit for one in actions)
    client.close("advice.pipe")


@served
async def test_every_other_request(client):
    client.open("all.pipe", SMALL)
    raw, document = client.raw, client.document("all.pipe")

    def at(word: str, nth: int = 0) -> dict[str, object]:
        return {"text_document": document, "position": place(SMALL, word, nth)}

    hover = await raw.text_document_hover_async(lsp.HoverParams(**at("haiku")))
    assert "tier haiku" in hover.contents.value
    hover = await raw.text_document_hover_async(lsp.HoverParams(**at("timeout")))
    assert "`timeout 10s`" in hover.contents.value
    (there,) = await raw.text_document_definition_async(lsp.DefinitionParams(**at("staff", 1)))
    assert there.range.start == lsp.Position(2, 5)
    (there,) = await raw.text_document_definition_async(lsp.DefinitionParams(**at("haiku")))
    assert there.uri.endswith("stdlib/tiers.pipe")
    context = lsp.ReferenceContext(include_declaration=True)
    params = lsp.ReferenceParams(context=context, **at("reply"))
    assert len(await raw.text_document_references_async(params)) == 3
    params = lsp.DocumentHighlightParams(**at("reply"))
    assert len(await raw.text_document_document_highlight_async(params)) == 3
    ready = await raw.text_document_prepare_rename_async(lsp.PrepareRenameParams(**at("reply")))
    assert ready.placeholder == "reply"
    made = await raw.text_document_rename_async(lsp.RenameParams(new_name="word", **at("reply")))
    (change,) = made.document_changes
    assert change.text_document.version == 1
    assert [edit.new_text for edit in change.edits] == ["word"] * 3
    with pytest.raises(Exception, match="declared twice"):
        await raw.text_document_rename_async(lsp.RenameParams(new_name="question", **at("reply")))
    completion = await raw.text_document_completion_async(lsp.CompletionParams(**at("haiku")))
    assert {"haiku", "staff"} <= {item.label for item in completion.items}
    help = await raw.text_document_signature_help_async(
        lsp.SignatureHelpParams(**at("question) by"))
    )
    assert help.signatures[0].label == "q(question: text max 50 tokens)"
    params = lsp.DocumentSymbolParams(document)
    symbols = await raw.text_document_document_symbol_async(params)
    assert [one.name for one in symbols] == ["staff", "q", "answer"]
    assert [one.name for one in symbols[2].children] == ["reply", "said"]
    found = await raw.workspace_symbol_async(lsp.WorkspaceSymbolParams("rpl"))
    assert [one.name for one in found if one.location.uri == document.uri] == ["reply"]
    folds = await raw.text_document_folding_range_async(lsp.FoldingRangeParams(document))
    assert (5, 14) in [(one.start_line, one.end_line) for one in folds]
    params = lsp.SelectionRangeParams(document, [place(SMALL, "reply")])
    (selection,) = await raw.text_document_selection_range_async(params)
    assert selection.parent is not None
    tokens = await raw.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(document))
    assert len(tokens.data) % 5 == 0
    options = lsp.FormattingOptions(2, True)
    params = lsp.DocumentFormattingParams(document, options)
    (edit,) = await raw.text_document_formatting_async(params)
    assert edit == lsp.TextEdit(lsp.Range(lsp.Position(3, 0), lsp.Position(3, 0)), "\n")
    client.edit("all.pipe", "\n", (3, 0), (3, 0))
    assert not await raw.text_document_formatting_async(params)
    client.edit("all.pipe", "    ", (2, 4), (2, 5))
    (edit,) = await raw.text_document_formatting_async(params)
    assert edit.new_text == "role staff { people 1 }\n"
    with pytest.raises(Exception, match="not defined"):
        await raw.workspace_execute_command_async(lsp.ExecuteCommandParams("pipelang.nothing"))
    client.close("all.pipe")


@served
async def test_columns_are_counted_as_the_client_counts(client):
    text = 'fn f(a: text) -> text = "😀😀" + a + nowhere\n'
    client.open("units.pipe", text)
    found = await client.findings("units.pipe", "P201", "P301")
    wrong = next(one for one in found if one.code == "P201")
    # UTF-16: each of these letters is two.
    assert wrong.range.start.character == text.index("nowhere") + 2
    client.close("units.pipe")


@served
async def test_an_import_that_goes_and_comes_back(client):
    (client.folder / "world.pipe").write_text("role desk { people 1 }\n", encoding="utf-8")
    items = "  when a { escalate to desk }\n  return a\n"
    text = f'use "world.pipe"\n\npipeline p(a: bool) -> bool {{\n{items}}}\n'
    client.open("main.pipe", text)
    await client.state("main.pipe", "current")
    before = await client.findings("main.pipe")
    (client.folder / "world.pipe").unlink()

    def on_disk(kind: lsp.FileChangeType) -> None:
        event = lsp.FileEvent(client.uri("world.pipe"), kind)
        client.raw.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([event]))

    on_disk(lsp.FileChangeType.Deleted)
    (gone,) = await client.findings("main.pipe", "P205")
    assert "world.pipe" in gone.message
    # It comes back in the editor alone, unsaved: that counts, too.
    client.open("world.pipe", "role desk { people 2 }\n")
    assert len(await client.findings("main.pipe")) == len(before)
    client.close("world.pipe")
    await client.findings("main.pipe", "P205")
    client.close("main.pipe")


@served
async def test_two_editors_on_one_file(client):
    """Each server answers by the text of its own editor, and never by the other's."""
    other = Client(client.folder)
    await other.start("neovim")
    for one, name in ((client, "mine"), (other, "yours")):
        one.open("shared.pipe", f"role {name} {{ people 1 }}\n")
    for one, name in ((client, "mine"), (other, "yours")):
        symbols = await one.raw.text_document_document_symbol_async(
            lsp.DocumentSymbolParams(one.document("shared.pipe"))
        )
        assert [symbol.name for symbol in symbols] == [name]
    await other.raw.shutdown_session()
    client.close("shared.pipe")


@served
async def test_a_workspace_of_five_hundred_files(client):
    folder = client.folder / "many"
    folder.mkdir()
    (folder / "base.pipe").write_text("enum Level { low high }\n", encoding="utf-8")
    for number in range(500):
        uses = 'use "base.pipe"\n' if number % 50 == 0 else ""
        wanted = "Level" if uses else "bool"
        text = f"{uses}pipeline p{number}(a: {wanted}) -> {wanted} {{\n  return a\n}}\n"
        (folder / f"f{number}.pipe").write_text(text, encoding="utf-8")
    client.open("many/base.pipe", "enum Level { low high }\n")
    context = lsp.ReferenceContext(include_declaration=True)
    at = {"text_document": client.document("many/base.pipe"), "position": lsp.Position(0, 6)}
    found = await client.raw.text_document_references_async(
        lsp.ReferenceParams(context=context, **at)
    )
    assert len(found) == 1 + 2 * 10
    made = await client.raw.text_document_rename_async(lsp.RenameParams(new_name="Grade", **at))
    assert len(made.document_changes) == 11
    symbols = await client.raw.workspace_symbol_async(lsp.WorkspaceSymbolParams("p49"))
    assert "p499" in [one.name for one in symbols]
    client.close("many/base.pipe")


def test_it_ends_with_its_editor():
    """Standard input that ends without a word is exit code 1, and nothing is left running."""
    run = subprocess.run(
        [sys.executable, "-m", "pipelang", "lsp"],
        input=b"",
        env=ENV,
        capture_output=True,
        timeout=PATIENCE,
    )
    assert run.returncode == 1
    assert run.stdout == b""


def test_what_is_no_json_is_told_and_the_next_message_read():
    """Also where the client writes its headers in another way."""
    asked = [
        b'{"jsonrpc":"2.0","id":1,"method":"initialize",'
        b'"params":{"processId":null,"rootUri":null,"capabilities":{}}}',
        b"{nope",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"jsonrpc":"2.0","id":2,"method":"textDocument/hover"}',
        b'{"jsonrpc":"2.0","id":3,"method":"shutdown","params":null}',
        b'{"jsonrpc":"2.0","method":"exit"}',
    ]
    run = subprocess.run(
        [sys.executable, "-m", "pipelang", "lsp"],
        input=b"".join(b"content-length:%d\r\n\r\n%s" % (len(one), one) for one in asked),
        env=ENV,
        capture_output=True,
        timeout=PATIENCE,
    )
    assert run.returncode == 0
    bodies = re.split(rb"Content-Length: \d+\r\n.*?\r\n\r\n", run.stdout, flags=re.DOTALL)[1:]
    told = {}
    for answer in map(json.loads, bodies):
        told.setdefault(answer["id"], []).append(answer.get("error", {}).get("code"))
    assert told == {1: [None], None: [-32700] * 3, 2: [-32602], 3: [None]}


def test_a_missing_extra_is_named(tmp_path):
    (tmp_path / "pygls").mkdir()
    (tmp_path / "pygls" / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'pygls'\", name='pygls')\n", encoding="utf-8"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pipelang", "lsp"],
        env={**ENV, "PYTHONPATH": f"{tmp_path}{os.pathsep}{REPO}"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert run.returncode == 2
    assert "pip install 'pipelang-dsl[lsp]'" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        run = subprocess.run(
            [sys.executable, "-m", "pipelang", "lsp", "--port", port],
            env=ENV,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    assert run.returncode == 2
    assert f"port {port} cannot be served" in run.stderr
    assert "Traceback" not in run.stderr


def test_ways_that_exclude_each_other():
    run = subprocess.run(
        [sys.executable, "-m", "pipelang", "lsp", "--stdio", "--port", "4000"],
        env=ENV,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert run.returncode == 2
