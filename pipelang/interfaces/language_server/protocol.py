"""The protocol's messages as they may come: every request is answered, also one that is none.

pygls keeps what it cannot read to itself, so that whoever asked would wait for ever. Here a message
is looked at before pygls takes it, and what is wrong with it is told under its own number. pygls'
own documents are left out: the session keeps its own (`docs/decisions/0208-own-documents.md`), and
pygls' copy would be split into lines and put together anew with every key, and remember every key.
"""

from __future__ import annotations

import logging
import re
from typing import Any, BinaryIO

from cattrs import ClassValidationError, transform_error
from lsprotocol import types as lsp
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInternalError,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import LanguageServerProtocol, lsp_method

log = logging.getLogger(__name__)

_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*([0-9]+)\s*", re.IGNORECASE)
_SNAKE = re.compile(r"(?<=[a-z])_([a-z])")
"""A place in a name where the protocol has a capital letter and lsprotocol does not."""
MOST_SAID = 3
"""Things that are told of one message's arguments."""


class MessageInput:
    """Standard input, with the headers of messages as pygls expects them. It knows one way of
    writing a length; headers are those of HTTP, where case and blanks mean nothing, and a length
    that is not read makes that message and the next one be lost.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw

    def readline(self) -> bytes:
        """A line of the headers; empty at the end of the input."""
        line = self._raw.readline()
        length = _LENGTH.fullmatch(line)
        if length:
            return b"Content-Length: %s\r\n" % length[1]
        return line

    def read(self, size: int) -> bytes:
        """The bytes of a message."""
        return self._raw.read(size)


class CheckedProtocol(LanguageServerProtocol):
    """pygls' protocol, with messages that are read as a whole and refused under their number."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Leave an object as it is: this is called for every one inside a message, too, and one
        that looks like a message may be an argument.
        """
        return data

    def handle_message(self, message: Any) -> None:
        """Take a message in, or tell what is wrong with it."""
        refused = self._refused(message)
        if refused is None:
            try:
                structured = super().structure_message(message)
            except JsonRpcException as broken:
                refused = _told(broken)
            else:
                super().handle_message(structured)
                return
        asked = message if isinstance(message, dict) else {}
        is_notification = isinstance(asked.get("method"), str) and "id" not in asked
        if is_notification or _is_answer(asked):
            log.warning("left aside: %s", refused.message)
            return
        number = asked.get("id")
        self.refuse(refused, number if _is_number(number) else None)

    def refuse(self, error: JsonRpcException, number: Any = None) -> None:
        """Answer a request with an error; of one whose number cannot be read the number is null,
        and said to be.
        """
        said = {"code": error.code, "message": error.message}
        self._send_data({"jsonrpc": self.VERSION, "id": number, "error": said})

    def _refused(self, message: Any) -> JsonRpcException | None:
        """The reason why something is no message, or comes when it may not."""
        if not isinstance(message, dict):
            return JsonRpcInvalidRequest("a message is one object; batches are not taken")
        if message.get("jsonrpc") != self.VERSION:
            return JsonRpcInvalidRequest(f'"jsonrpc" is not "{self.VERSION}"')
        if "method" not in message:
            odd = "id" not in message or not _is_answer(message)
            return JsonRpcInvalidRequest("neither a request nor an answer") if odd else None
        method = message["method"]
        if not isinstance(method, str):
            return JsonRpcInvalidRequest('"method" is not text')
        if "id" in message and not _is_number(message["id"]):
            return JsonRpcInvalidRequest('"id" is neither a number nor text')
        if self._shutdown:
            return None if method == lsp.EXIT else JsonRpcInvalidRequest("it was shut down")
        begun = self._workspace is not None
        if method == lsp.INITIALIZE:
            return JsonRpcInvalidRequest("it is initialized already") if begun else None
        if not begun and method != lsp.EXIT:
            return JsonRpcServerNotInitialized(f"`{lsp.INITIALIZE}` comes first")
        return None

    # ------------------------------------------------------------------------------ documents

    @lsp_method(lsp.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: Any) -> None:
        """Have the session take in a file that was opened."""
        self.fm.features[lsp.TEXT_DOCUMENT_DID_OPEN](params)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: Any) -> None:
        """Have the session take in a change."""
        self.fm.features[lsp.TEXT_DOCUMENT_DID_CHANGE](params)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: Any) -> None:
        """Have the session forget a file."""
        self.fm.features[lsp.TEXT_DOCUMENT_DID_CLOSE](params)


def _is_number(number: Any) -> bool:
    """Whether something may be the number of a request: text too, and null by JSON-RPC."""
    return number is None or (
        isinstance(number, (int, float, str)) and not isinstance(number, bool)
    )


def _is_answer(message: dict[str, Any]) -> bool:
    """Whether a message answers one of ours, well or badly: no answer is answered."""
    return "method" not in message and ("result" in message or "error" in message)


def _told(broken: JsonRpcException) -> JsonRpcException:
    """An error about arguments, with what is wrong with which."""
    cause = broken.__cause__
    if isinstance(cause, ClassValidationError):
        said = "; ".join(transform_error(cause, path="message")[:MOST_SAID])
        return JsonRpcInvalidParams(_SNAKE.sub(lambda hit: hit[1].upper(), said))
    return JsonRpcInvalidParams() if cause is None else JsonRpcInternalError(str(cause))
