"""Rows of evidence out of verdicts: which file each belongs to, and what of it is new there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipelang.analysis.findings.evidence_uses import EvidenceUse, asked_today, evidence_uses
from pipelang.interfaces.labels.verdicts import Judged
from pipelang.records import dataclass, field
from pipelang.runtime.files import strict_json
from pipelang.semantics import program as p
from pipelang.semantics.evidence_file import SOURCES, Flaw, read_evidence
from pipelang.semantics.evidence_origin import ALL, prompt_hash
from pipelang.semantics.evidence_rows import EvidenceRow

OTHER_PROMPT = "answer another prompt than the one that is asked today"
OTHER_MODEL = "are of another model than the one that answers today"
NO_FILE = "are of answers whose `accuracy` is from no file"
NOT_ALONE = "are of no single answer of a model (a cascade's, a vote's, a cached one, a fallback's)"
SIMULATED = "are of simulated answers"
THINNED = "are left out so that every run had the same chance to be sampled"
NO_FIRST = "are of a redo whose first answer nobody judged"


@dataclass(slots=True)
class FileRows:
    """The rows that are new in a file, as JSON objects; `known` were there, and `differ` say by
    case where the file says otherwise. `share` of the runs it is a uniform sample of.
    """

    file: str
    new: list[dict[str, Any]] = field(default_factory=list)
    known: int = 0
    differ: list[str] = field(default_factory=list)
    share: float | None = None
    right: int = 0
    total: int = 0


@dataclass(slots=True)
class Pulled:
    """All files with what is new in them, and how many verdicts are of no use for which reason."""

    files: dict[str, FileRows] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


def rows_of(
    program: p.Program,
    judged: Iterable[Judged],
    texts: Mapping[str, str],
    more: Mapping[str, str],
) -> Pulled:
    """The rows for each file. `texts` are what the files hold today, `more` files by steps whose
    accuracy is from none so far.
    """
    pulled = Pulled()
    by_file: dict[str, list[tuple[Judged, dict[str, Any]]]] = {}
    uses = [use for one in program.pipelines.values() for use in evidence_uses(program, one)]
    for one in judged:
        found = _file_of(program, uses, one, more)
        if isinstance(found, str):
            pulled.left_out[found] += 1
            continue
        file, sampled = found
        by_file.setdefault(file, []).append((one, _row(one, sampled)))
    for file, rows in sorted(by_file.items()):
        made = _of_file(file, rows, texts.get(file, ""), pulled.left_out)
        pulled.files[file] = made
    return pulled


def _file_of(
    program: p.Program, uses: Sequence[EvidenceUse], one: Judged, more: Mapping[str, str]
) -> tuple[str, str] | str:
    """The file of an answer, with the gate behind which it was given; or why there is none."""
    asked, tier, model = one.about.get("prompt"), one.about.get("tier"), one.about.get("model")
    if is_simulated(program, one):
        return SIMULATED
    if asked is None or tier is None:
        return NOT_ALONE
    known = program.tiers.get(tier)
    mine = [use for use in uses if (use.pipeline, use.step) == (one.pipeline, one.step)]
    wanted = more.get(f"{one.pipeline}.{one.step}") or more.get(one.step)
    fitting = [use for use in mine if tier in use.tiers and asked in use.hashes(program)]
    if not fitting and wanted is None:
        if any(asked in use.hashes(program) for use in mine):
            return OTHER_MODEL
        return OTHER_PROMPT if mine else NO_FILE
    if known is None or known.model != model:
        return OTHER_MODEL
    if not fitting:
        assert wanted is not None
        return _not_of_today(program, one, asked, tier) or (wanted, ALL)
    use = fitting[0]
    return use.file, use.gates[-1][1] if use.gates else ALL


def _not_of_today(program: p.Program, one: Judged, asked: str, tier: str) -> str | None:
    """The reason for which an answer says nothing of what its step asks today, though no evidence
    tells it.
    """
    calls = list(asked_today(program.pipelines[one.pipeline], one.step))
    alike = [tiers for prompt, tiers in calls if prompt_hash(program, *prompt) == asked]
    if not alike:
        return OTHER_PROMPT
    return None if any(tier in tiers for tiers in alike) else OTHER_MODEL


def is_simulated(program: p.Program, one: Judged) -> bool:
    """Whether no model gave an answer: it was drawn, or played back."""
    tier = program.tiers.get(str(one.about.get("tier")))
    kind = None if tier is None else program.providers[tier.provider].kind
    return bool(one.about.get("simulated")) or kind in ("simulated", "replay")


def _row(one: Judged, sampled: str) -> dict[str, Any]:
    row: dict[str, Any] = {"case": one.case}
    if one.visit:
        row["attempt"] = one.visit + 1
    sure = one.about.get("confidence")
    # A field of that name may be something else (a mark of 1..10), which no file of evidence takes.
    if sure is not None and 0 <= sure <= 1:
        row["confidence"] = sure
        if one.about.get("confidence_from") in SOURCES:
            row["confidence_from"] = one.about["confidence_from"]
    return {
        **row,
        "correct": one.right,
        "prompt": one.about["prompt"],
        "model": one.about["model"],
        "as_of": one.as_of,
        "sampled": sampled,
        "by": ", ".join(one.by),
        **({} if one.sure is None else {"sure": one.sure}),
    }


def _of_file(
    file: str,
    rows: Sequence[tuple[Judged, dict[str, Any]]],
    text: str,
    left_out: Counter[str],
) -> FileRows:
    made = FileRows(file)
    # Shares of different sizes are made alike: a run below the smallest is in all of them.
    made.share = min(one.share for one, _ in rows)
    there: dict[tuple[str, int], bool] = {}
    for known in _there(file, text):
        made.total += 1
        made.right += known.correct
        if known.case is not None:
            there[known.case, known.attempt] = known.correct
    for one, row in sorted(rows, key=lambda pair: (pair[1]["case"], pair[0].visit)):
        case, attempt = row["case"], row.get("attempt", 1)
        if one.draw >= made.share:
            left_out[THINNED] += 1
        elif (case, attempt) in there:
            if there[case, attempt] is one.right:
                made.known += 1
            else:
                file_says = "right" if there[case, attempt] else "wrong"
                says = "right" if one.right else "wrong"
                made.differ.append(f"{case}: the file says {file_says}, {row['by']} says {says}")
        elif attempt > 1 and (case, attempt - 1) not in there:
            left_out[NO_FIRST] += 1
        else:
            there[case, attempt] = one.right
            made.total += 1
            made.right += one.right
            made.new.append(row)
    return made


def _there(file: str, text: str) -> Sequence[EvidenceRow]:
    """The rows that a file has so far, as `check` reads them."""
    found = read_evidence(file, text)
    return () if isinstance(found, Flaw) else found.rows


def with_rows(text: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """The text of a file with more rows at its end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    body = text if not text or text.endswith("\n") else text + newline
    return body + "".join(strict_json.line(row) + newline for row in rows)
