"""A software bill of materials (CycloneDX) for each built package: `python tests/support/sbom.py FOLDER`.

It lists a package with the hashes of its wheel and sdist, and everything that it always needs, in the
versions that are installed where it is made, which are those that the tests ran with. The same wheels and
versions give the same file: its time is SOURCE_DATE_EPOCH or the fixed one of the wheels, its number is made
from its contents.
"""

import hashlib
import os
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.metadata import Metadata

from support.dependencies import Needed, described, tree

EPOCH = 1580601600  # 2020-02-02, the time of the files in hatchling's archives
VERSION = SchemaVersion.V1_6


def bom(name: str, ours: dict[str, Metadata], archives: list[Path]) -> Bom:
    """The bill of the package *name*, one of *ours*, whose wheel and sdist are *archives*."""
    found = tree(name, ours)
    components = {one: component(needed) for one, needed in found.items()}
    root = components[name]
    sums = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in archives)
    root.hashes.update(HashType(alg=HashAlgorithm.SHA_256, content=value) for value in sums)
    facts = [(n.name, n.version, n.licence, sorted(n.needs)) for _, n in sorted(found.items())]
    told = repr((sums, facts))
    made = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, told))
    made.metadata.component = root
    made.metadata.timestamp = datetime.fromtimestamp(
        int(os.environ.get("SOURCE_DATE_EPOCH", EPOCH)), UTC
    )
    made.components.update(one for key, one in components.items() if key != name)
    for one, needed in found.items():
        made.register_dependency(components[one], [components[n] for n in needed.needs])
    return made


def component(needed: Needed) -> Component:
    """*needed* as CycloneDX has it."""
    url = PackageURL("pypi", None, needed.name, needed.version)
    return Component(
        name=needed.name,
        version=needed.version,
        type=ComponentType.LIBRARY,
        purl=url,
        bom_ref=url.to_string(),
        licenses=[LicenseExpression(needed.licence)] if needed.licence else [],
    )


def rendered(made: Bom) -> str:
    """*made* as JSON."""
    return make_outputter(made, OutputFormat.JSON, VERSION).output_as_string(indent=2) + "\n"


def bills(folder: Path) -> dict[str, str]:
    """The bill of each package whose wheel is in *folder*, by the name of its file."""
    wheels = {wheel: described(wheel) for wheel in sorted(folder.glob("*.whl"))}
    ours = {facts.name: facts for facts in wheels.values()}
    found = {}
    for wheel, facts in wheels.items():
        stem = wheel.name.partition("-py3-")[0]
        archives = [wheel, *folder.glob(f"{stem}.tar.gz")]
        found[f"{stem}.cdx.json"] = rendered(bom(facts.name, ours, archives))
    return found


def main(arguments: list[str]) -> int:
    """Write the bills of the wheels in the folder that *arguments* name beside them; return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write(__doc__ or "")
        return 2
    found = bills(Path(arguments[0]))
    for name, text in found.items():
        (Path(arguments[0]) / name).write_text(text, "utf-8")
    sys.stdout.write("\n".join(found) + "\n")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
