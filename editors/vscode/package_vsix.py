"""Packs the extension into a `.vsix`, without a network: `python editors/vscode/package_vsix.py`.

A .vsix is a zip with a manifest. Times in it are fixed, so that the same files make the same bytes.
`npm run build` comes first; it bundles the client.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

HERE = Path(__file__).parent
FILES = (
    "package.json",
    "README.md",
    "LICENSE.txt",
    "icon.png",
    "language-configuration.json",
    "syntaxes/pipelang.tmLanguage.json",
    "snippets/pipelang.json",
    "dist/extension.js",
)
CODE = "Microsoft.VisualStudio.Code"
SCHEMA = "http://schemas.microsoft.com/developer/vsx-schema/2011"
ASSETS = {
    f"{CODE}.Manifest": "package.json",
    "Microsoft.VisualStudio.Services.Content.Details": "README.md",
    "Microsoft.VisualStudio.Services.Content.License": "LICENSE.txt",
    "Microsoft.VisualStudio.Services.Icons.Default": "icon.png",
}
TYPES = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\
<Default Extension=".json" ContentType="application/json"/>\
<Default Extension=".vsixmanifest" ContentType="text/xml"/>\
<Default Extension=".md" ContentType="text/markdown"/>\
<Default Extension=".txt" ContentType="text/plain"/>\
<Default Extension=".png" ContentType="image/png"/>\
<Default Extension=".js" ContentType="application/javascript"/></Types>
"""


def manifest(about: dict[str, object]) -> str:
    """The manifest that editors read before they look into the package."""
    tags = ",".join(map(str, about["keywords"]))  # type: ignore[arg-type]
    identity = " ".join(
        f"{name}={quoteattr(str(value))}"
        for name, value in (
            ("Language", "en-US"),
            ("Id", about["name"]),
            ("Version", about["version"]),
            ("Publisher", about["publisher"]),
        )
    )
    engine = quoteattr(about["engines"]["vscode"])  # type: ignore[index]
    parts = [
        f"<Identity {identity}/>",
        f"<DisplayName>{escape(str(about['displayName']))}</DisplayName>",
        f'<Description xml:space="preserve">{escape(str(about["description"]))}</Description>',
        f"<Tags>{escape(tags)}</Tags>",
        f"<Categories>{escape(','.join(map(str, about['categories'])))}</Categories>",
        "<License>extension/LICENSE.txt</License><Icon>extension/icon.png</Icon>",
        f'<Properties><Property Id="{CODE}.Engine" Value={engine}/></Properties>',
    ]
    assets = [
        f'<Asset Type="{type}" Path="extension/{path}" Addressable="true"/>'
        for type, path in ASSETS.items()
    ]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="utf-8"?>',
            f'<PackageManifest Version="2.0.0" xmlns="{SCHEMA}">',
            *("<Metadata>", *parts, "</Metadata>"),
            f'<Installation><InstallationTarget Id="{CODE}"/></Installation><Dependencies/>',
            *("<Assets>", *assets, "</Assets></PackageManifest>\n"),
        ]
    )


def package(out: Path, here: Path = HERE) -> Path:
    """Write the package. Raises FileNotFoundError where a file of it is not there."""
    about = json.loads((here / "package.json").read_text(encoding="utf-8"))
    parts = {
        "extension.vsixmanifest": manifest(about).encode(),
        "[Content_Types].xml": TYPES.encode(),
        **{f"extension/{name}": (here / name).read_bytes() for name in FILES},
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in parts.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            zipped.writestr(info, data, zipfile.ZIP_DEFLATED)
    return out


if __name__ == "__main__":
    try:
        made = package(Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "pipelang.vsix"))
    except FileNotFoundError as missing:
        sys.exit(f"{missing.filename} is not there: `npm install && npm run build` makes it")
    print(f"{made}: {made.stat().st_size // 1024} KB")
