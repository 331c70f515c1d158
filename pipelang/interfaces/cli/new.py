"""`pipelang new`: a folder with a pipeline that checks, whose tests pass, and that runs offline."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from pipelang.interfaces.cli.exit_codes import USAGE
from pipelang.interfaces.cli.terminal import warn, write

STARTERS = Path(__file__).parent.parent / "starters"

# Every starter with its line in `--help` and the inputs that it is tried on.
TEMPLATES = {
    "support": ("answers tickets, and hands over what it is not sure of", "tickets.jsonl"),
    "extract": ("reads invoices, checks the sums, books them", "invoices.jsonl"),
    "classify": ("puts messages into queues, with rules as a fallback", "messages.jsonl"),
}

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

# Windows opens a device where a file has one of these names, whatever its ending.
DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)

LISTED = "\n".join(f"  {name:<9} {what}" for name, (what, _) in TEMPLATES.items())


@click.command(
    name="new",
    short_help="Write a starter: a pipeline to change.",
    epilog=f"\b\nTemplates:\n{LISTED}",
)
@click.argument("target", required=False, metavar="[DIR]")
@click.option(
    "--template",
    type=click.Choice(list(TEMPLATES)),
    default="support",
    show_default=True,
    help="What the starter does.",
)
@click.pass_context
def command(ctx: click.Context, target: str | None, template: str) -> None:
    """Write a starter into the folder DIR, which is made if it isn't there.

    The last part of DIR names the pipeline's file; left out, it is the template's name. Nothing is
    ever overwritten: if one of the files is there, nothing is written and the exit code is 2.
    """
    folder = Path(template if target is None else target)
    # `.` and `..` have no name of their own; an empty text is a variable that nobody set.
    whole = Path(os.path.realpath(folder))
    name = whole.name if target and folder.name in ("", "..") else folder.name
    problem = unfit(name)
    if problem:
        raise click.BadParameter(problem, ctx, param_hint="DIR")
    files = {folder / path: data for path, data in contents(template, name)}
    taken = in_the_way(files)
    if taken is not None:
        warn(f"pipelang: {taken} is there already; nothing was written")
        ctx.exit(USAGE)
    try:
        write_all(files)
    except OSError as error:
        where = error.filename or folder
        warn(f"pipelang: {where} cannot be written: {error.strerror or error}; nothing was written")
        ctx.exit(USAGE)
    _tell(folder, name, template, list(files))


def unfit(name: str) -> str | None:
    """Reason why a name can't be the one of a starter, None if it can."""
    rule = "a name is lower case: a letter, then letters, digits and `_`, 40 at most"
    if DEVICE.fullmatch(name):
        return f"`{name}` is the name of a device on Windows; choose another one"
    if NAME.fullmatch(name):
        return None
    mended = re.sub(r"[^a-z0-9]+", "_", name.removesuffix(".pipe").lower()).strip("_")[:40]
    hint = f"; how about `{mended}`?" if NAME.fullmatch(mended) and not unfit(mended) else ""
    return f"`{name}` cannot be the name of a pipeline's file: {rule}{hint}"


def contents(template: str, name: str) -> Iterator[tuple[Path, bytes]]:
    """The files of a starter by their paths in its folder, for a pipeline called `name`.

    What is called like the template gets the new name, in the README's words as well.
    """
    root = STARTERS / template
    for path in sorted(root.rglob("*")):
        # Installers leave compiled files beside a `tools.py`.
        if not path.is_file() or "__pycache__" in path.parts:
            continue
        inside = path.relative_to(root)
        if inside.stem == template:
            inside = inside.with_stem(name)
        data = path.read_bytes()
        if inside.name == "README.md":
            text = data.decode("utf-8").replace(f"# {template}\n", f"# {name}\n", 1)
            text = re.sub(rf"\b{template}\.(pipe|jsonl)\b", rf"{name}.\1", text)
            data = text.encode("utf-8")
        yield inside, data


def in_the_way(files: Iterable[Path]) -> Path | None:
    """Existing paths where one of the files, or a folder for it, has to be; links count."""
    for file in files:
        for above in reversed(file.parents):
            if os.path.lexists(above) and not above.is_dir():
                return above
        if os.path.lexists(file):
            return file
    return None


def write_all(files: dict[Path, bytes]) -> None:
    """Write every file or none: what was made before an OSError is taken away again."""
    made: list[Path] = []
    try:
        for file, data in files.items():
            missing = [above for above in file.parents if not above.exists()]
            for above in reversed(missing):
                above.mkdir()
                made.append(above)
            # `x`: somebody else may have made it since we looked.
            with open(file, "xb") as opened:
                made.append(file)
                opened.write(data)
    except BaseException:
        for path in reversed(made):
            try:
                if path.is_dir():
                    path.rmdir()
                else:
                    path.unlink()
            except OSError:  # somebody put something into our folder: that stays
                continue
        raise


def _tell(folder: Path, name: str, template: str, files: list[Path]) -> None:
    from shlex import quote

    shown = [str(file.relative_to(folder)) for file in files]
    pipe = quote(str(folder / f"{name}.pipe"))
    inputs = quote(f"@{folder / TEMPLATES[template][1]}")
    lines = [
        f"wrote {folder}: a pipeline that {TEMPLATES[template][0]}",
        *(f"  {path}" for path in sorted(shown, key=lambda path: (path.count(os.sep), path))),
        "",
        "next:",
        f"  pipelang check {pipe}",
        f"  pipelang test {pipe}",
        f"  pipelang run {pipe} --provider replay --input {inputs}",
    ]
    write("\n".join(lines) + "\n")
