"""Makes the installable extension: python make_vsix.py OUT.vsix [--npm NPM]

Only the standard library and npm are needed (no vsce). The same sources give the same bytes: files are sorted, and
carry one fixed date and mode.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

HERE = Path(__file__).resolve().parent
SOURCES = ("package.json", "extension.js", "src", "README.md")
LOCK = "package-lock.json"
LICENSE = HERE.parents[1] / "LICENSE"

# What the dependencies bring that never runs in VS Code's Node.
UNUSED_SUFFIXES = (".d.ts", ".d.cts", ".d.mts", ".map", ".tsbuildinfo")
UNUSED_NAMES = (".package-lock.json", LOCK, "CHANGELOG.md", "eslint.config.js", "metaModel.schema.json")

LONG_AGO = (1980, 1, 1, 0, 0, 0)
CONTENT_TYPES = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
{defaults}
</Types>
"""
MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
<Metadata>
<Identity Language="en-US" Id={name} Version={version} Publisher={publisher}/>
<DisplayName>{title}</DisplayName>
<Description xml:space="preserve">{description}</Description>
<Tags>{tags}</Tags>
<Categories>{categories}</Categories>
<License>extension/LICENSE</License>
<Properties>
<Property Id="Microsoft.VisualStudio.Code.Engine" Value={engine}/>
<Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value={kind}/>
</Properties>
</Metadata>
<Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
<Dependencies/>
<Assets>
<Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
<Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true"/>
<Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE" Addressable="true"/>
</Assets>
</PackageManifest>
"""


def main() -> int:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="r1-vsix-") as temporary:
        folder = Path(temporary)
        stage(folder)
        if not install_dependencies(folder, arguments.npm):
            return 1
        size = write_vsix(folder, arguments.out)
    print(f"{arguments.out}: {size / 1024:.0f} kB")
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Makes the installable VS Code extension.")
    parser.add_argument("out", type=Path, help="the .vsix file to write")
    parser.add_argument("--npm", default="npm", help="npm's program (default: %(default)s)")
    return parser.parse_args()


def stage(folder: Path) -> None:
    """Copies what ships, and the lock file that the dependencies are installed from."""
    for name in (*SOURCES, LOCK):
        source = HERE / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copyfile(source, folder / name)
    shutil.copyfile(LICENSE, folder / "LICENSE")


def install_dependencies(folder: Path, npm: str) -> bool:
    """Exactly what the lock file names, with hashes checked and no install script run."""
    program = shutil.which(npm)
    if program is None:
        print(f"make_vsix: {npm} was not found; install Node.js with npm.", file=sys.stderr)
        return False
    command = [program, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    return subprocess.run(command, cwd=folder, check=False, stdout=subprocess.DEVNULL).returncode == 0


def write_vsix(folder: Path, out: Path) -> int:
    """Returns the size in bytes."""
    files = {f"extension/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in shipped(folder)}
    files["extension.vsixmanifest"] = manifest(json.loads((folder / "package.json").read_bytes())).encode()
    files["[Content_Types].xml"] = content_types(files).encode()
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return out.stat().st_size


def shipped(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        unused = path.name.endswith(UNUSED_SUFFIXES) or path.name in UNUSED_NAMES or ".bin" in path.parts
        if path.is_file() and not unused:
            yield path


def manifest(package: dict[str, object]) -> str:
    def listed(key: str) -> str:
        return escape(",".join(package[key]))  # type: ignore[arg-type]

    engines = package["engines"]
    kind = package["extensionKind"]
    assert isinstance(engines, dict)
    assert isinstance(kind, list)
    return MANIFEST.format(
        name=quoteattr(str(package["name"])),
        version=quoteattr(str(package["version"])),
        publisher=quoteattr(str(package["publisher"])),
        title=escape(str(package["displayName"])),
        description=escape(str(package["description"])),
        tags=listed("keywords"),
        categories=listed("categories"),
        engine=quoteattr(engines["vscode"]),
        kind=quoteattr(",".join(kind)),
    )


def content_types(names: dict[str, bytes]) -> str:
    suffixes = {Path(name).suffix for name in names} | {".vsixmanifest"}
    kinds = {".json": "application/json", ".js": "application/javascript", ".vsixmanifest": "text/xml"}
    defaults = (
        f'<Default Extension={quoteattr(suffix)} ContentType="{kinds.get(suffix, "text/plain")}"/>'
        for suffix in sorted(suffixes - {""})
    )
    overrides = (
        f'<Override PartName={quoteattr("/" + name)} ContentType="text/plain"/>'
        for name in sorted(names)
        if not Path(name).suffix
    )
    return CONTENT_TYPES.format(defaults="\n".join((*defaults, *overrides)))


if __name__ == "__main__":
    sys.exit(main())
