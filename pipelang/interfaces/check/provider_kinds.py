"""Finding about providers whose kind nothing that is installed here knows."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.runtime.providers.kinds import BUILT_IN, ENTRY_POINTS, installed_kinds
from pipelang.semantics import program as p


def unknown_kinds(program: p.Program) -> Iterator[Diagnostic]:
    """Report each provider of a kind that neither comes with pipelang nor with a package.

    Whether its key is set is not asked: where programs are checked, there often is none.
    """
    for provider in program.providers.values():
        if provider.kind not in BUILT_IN:
            yield from _unless_installed(provider)


def _unless_installed(provider: p.Provider) -> Iterator[Diagnostic]:
    from difflib import get_close_matches

    known = installed_kinds()
    if provider.kind in known:
        return
    close = get_close_matches(provider.kind, known, n=1)
    listed = ", ".join(f"`{kind}`" for kind in known)
    help = (
        f"did you mean `{close[0]}`?"
        if close
        else f"there are {listed}; a package offers more by entry points of `{ENTRY_POINTS}`"
    )
    yield report(
        codes.UNKNOWN_KIND, provider.span, kind=provider.kind, name=provider.name, help=help
    )
