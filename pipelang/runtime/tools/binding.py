"""The Python functions of tools and `fn`: found and imported, and what is told if that goes wrong.

The child process of `check --import-tools` starts with this module, so nothing heavy is imported.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from pipelang.diagnostics import Span
from pipelang.diagnostics.spelling import closest
from pipelang.runtime.providers.fitting import shorten

LONGEST_MESSAGE = 400
"""Letters of an exception's message that are told."""


class ToolMissing(Exception):
    """A tool whose function or MCP server cannot be found.

    `span` is the place of its binding in the file (None: unknown), `help` what to do about it.
    """

    def __init__(self, message: str, span: Span | None, help: str | None = None) -> None:
        super().__init__(message)
        self.span = span
        self.help = help


def bind(name: str, target: str, span: Span | None) -> Callable[..., Any]:
    """The Python function of a binding. Raises `ToolMissing`."""
    module_name, _, function_name = target.partition(":")
    folder = Path(span.file).resolve().parent if span is not None and span.file else Path.cwd()
    try:
        module = _module(folder, module_name)
    except ToolMissing:
        raise
    except (Exception, SystemExit) as error:
        why = describe(error)
        raise ToolMissing(f"`{name}`: importing `{module_name}` failed: {why}", span) from error
    found: Any = module
    for part in function_name.split("."):
        found = getattr(found, part, None)
        if found is None:
            close = closest(function_name, dir(module))
            help = f'did you mean "{module_name}:{close}"?' if close else None
            message = f"`{name}`: `{module_name}` has no function `{function_name}`"
            raise ToolMissing(message, span, help)
    if not callable(found):
        raise ToolMissing(f"`{name}`: `{target}` cannot be called", span)
    function: Callable[..., Any] = found
    return function


def _module(folder: Path, name: str) -> ModuleType:
    relative = Path(*name.split("."))
    for candidate in (folder / relative.with_suffix(".py"), folder / relative / "__init__.py"):
        if candidate.is_file():
            return _from_folder(folder, name)
    if name not in sys.modules and importlib.util.find_spec(name.split(".")[0]) is None:
        tried = folder / relative.with_suffix(".py")
        help = f"looked for {tried} and on the Python path"
        raise ToolMissing(f"there is no module `{name}`", None, help)
    return importlib.import_module(name)


def _from_folder(folder: Path, name: str) -> ModuleType:
    """Import a module below a package that stands for the folder. The folder itself is on the path
    while that happens, for what the module imports by its bare name.
    """
    package = f"_pipelang_{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    if package not in sys.modules:
        root = ModuleType(package)
        root.__path__ = [str(folder)]
        sys.modules[package] = root
    sys.path.insert(0, str(folder))
    try:
        with _interruptible():
            return importlib.import_module(f"{package}.{name}")
    finally:
        sys.path.remove(str(folder))


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends what is done inside at once, also in `asyncio.run`, which would only take note of
    it until the event loop goes on.
    """
    before: Any = None
    if threading.current_thread() is threading.main_thread():
        before = signal.getsignal(signal.SIGINT)
    if not isinstance(before, partial) or getattr(before.func, "__name__", "") != "_on_sigint":
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def describe(error: BaseException) -> str:
    """The type and message of an exception of foreign code, shortened."""
    try:
        said = str(error)
    except Exception:
        said = ""
    name = type(error).__name__
    return shorten(f"{name}: {said}" if said else name, LONGEST_MESSAGE)
