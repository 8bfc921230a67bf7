"""Describe a release as an SBOM: an SPDX 2.3 document in JSON.

It lists each file with its SHA-1 and SHA-256, the packages whose material is in the binaries, and the tools that built
them. Each entry comes from the files or from the installed packages. NOASSERTION stands for a fact that is unknown.
"""

import hashlib
import importlib
import os
import re
import shutil
import subprocess
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

UNKNOWN = "NOASSERTION"
@dataclass(frozen=True)
class Licence:
    """The licence that the package states, the one under which the release uses the material, and the reason."""

    declared: str
    concluded: str
    comment: str = ""


# The licences of the material, by the name of its package. The copyright files of Debian's packages have the texts.
GNU_EFI = Licence("BSD-2-Clause", "BSD-2-Clause",
                  "The headers of gnu-efi: types, constants and identifiers of UEFI. No code of its library.")  # fmt: skip
UNIFONT = Licence(
    "GPL-2.0-or-later", "OFL-1.1 OR GPL-2.0-or-later WITH Font-exception-2.0",
    "95 glyphs of a console font. Debian's copyright file names GPL-2+. The authors of Unifont also permit the use "
    "under OFL-1.1, and embedding, from version 13.0.04 on.",
)  # fmt: skip
NO_LICENCE = Licence(UNKNOWN, UNKNOWN)
LICENCES = {"gnu-efi": GNU_EFI, "gnu-efi-devel": GNU_EFI, "psf-unifont": UNIFONT}
TOOLS = ("clang", "lld-link", "ld.lld", "llvm-objcopy")


@dataclass(frozen=True)
class Package:
    """A package of the distribution. The version is UNKNOWN if no package manager knows the file."""

    name: str
    version: str


def output_of(*command):
    """Return the output of a program, or an empty text if it failed or is absent."""
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    return done.stdout.strip() if done.returncode == 0 else ""


def package_of(path: Path, name):
    """Return the package that has installed a file. If no package manager knows the file, it has the name `name`."""
    if found := output_of("dpkg-query", "-S", str(path)):
        package = found.split(":")[0].split(",")[0]
        return Package(package, output_of("dpkg-query", "-W", "-f=${Version}", package) or UNKNOWN)
    if found := output_of("rpm", "-qf", "--qf", "%{NAME} %{VERSION}-%{RELEASE}", str(path)):
        return Package(*found.split(" ", 1))
    if found := output_of("pacman", "-Qo", "--quiet", str(path)):
        return Package(found, output_of("pacman", "-Q", found).rpartition(" ")[2] or UNKNOWN)
    return Package(name, UNKNOWN)


def font_file():
    """Return the file from which the build takes the console font."""
    font = importlib.import_module("console-font")
    for path in font.candidates():
        try:
            font.ascii_glyphs(path.read_bytes())
        except (font.FontError, OSError, EOFError):
            continue
        return path
    return Path("no-font")


def materials(efi_include="/usr/include/efi"):
    """Return the packages whose material is in the binaries."""
    return [package_of(Path(efi_include).resolve() / "efi.h", "gnu-efi"), package_of(font_file(), "console-font")]


def copyright_file(package):
    """Return the file with the licences of a package, or None if this system has no such file."""
    path = Path("/usr/share/doc") / package.name / "copyright"
    return path if path.is_file() else None


def tool_version(name, command):
    """Return the first version number that a tool states."""
    found = re.search(r"\b(\d+(?:\.\d+)+\S*)", output_of(command, "--version"))
    return Package(name, found.group(1) if found else UNKNOWN)


def identifier(text):
    """Return an identifier of SPDX for a name."""
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", text)


def described_file(folder: Path, path: Path, licences):
    data, name = path.read_bytes(), path.relative_to(folder).as_posix()
    licence = licences.get(name, "MIT")
    return {
        "SPDXID": identifier(f"File-{name}"), "fileName": f"./{name}",
        "checksums": [{"algorithm": "SHA1", "checksumValue": hashlib.sha1(data).hexdigest()},
                      {"algorithm": "SHA256", "checksumValue": hashlib.sha256(data).hexdigest()}],
        "licenseConcluded": licence, "licenseInfoInFiles": [UNKNOWN], "copyrightText": UNKNOWN,
    }  # fmt: skip


def described_package(package, purpose):
    licence = LICENCES.get(package.name, NO_LICENCE)
    entry = {
        "SPDXID": identifier(f"Package-{package.name}"), "name": package.name, "versionInfo": package.version,
        "downloadLocation": UNKNOWN, "filesAnalyzed": False, "licenseConcluded": licence.concluded,
        "licenseDeclared": licence.declared, "copyrightText": UNKNOWN, "primaryPackagePurpose": purpose,
    }  # fmt: skip
    return {**entry, "licenseComments": licence.comment} if licence.comment else entry


def verification_code(files):
    """Return the code of SPDX 2.3, section 7.9: the SHA-1 of all SHA-1 sums in order."""
    sums = sorted(entry["checksums"][0]["checksumValue"] for entry in files)
    return hashlib.sha1("".join(sums).encode()).hexdigest()


def describe(folder: Path, version, epoch, used, tools, licences, left_out):
    """Return the document about all files of a folder. `licences` has the files with another licence than MIT, and
    `left_out` the files that do not exist yet: this document, and the checksums, which have that of this document."""
    files = [described_file(folder, path, licences) for path in sorted(folder.rglob("*")) if path.is_file()]
    code = verification_code(files)
    handoff = {
        "SPDXID": "SPDXRef-Package-handoff", "name": "handoff", "versionInfo": version, "downloadLocation": UNKNOWN,
        "filesAnalyzed": True, "packageVerificationCode": {
            "packageVerificationCodeValue": code, "packageVerificationCodeExcludedFiles": [f"./{name}" for name in left_out]},
        "licenseConcluded": UNKNOWN, "licenseDeclared": "MIT", "copyrightText": UNKNOWN,
        "licenseInfoFromFiles": [UNKNOWN], "primaryPackagePurpose": "OPERATING_SYSTEM",
    }  # fmt: skip
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", handoff["SPDXID"])]
    relations += [(handoff["SPDXID"], "CONTAINS", entry["SPDXID"]) for entry in files]
    relations += [(handoff["SPDXID"], "CONTAINS", identifier(f"Package-{package.name}")) for package in used]
    relations += [(identifier(f"Package-{tool.name}"), "BUILD_TOOL_OF", handoff["SPDXID"]) for tool in tools]
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"handoff-{version}",
        "documentNamespace": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'handoff {version} {code}')}",
        "creationInfo": {"created": datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                         "creators": [f"Tool: handoff-release-{version}"]},
        "packages": [handoff, *(described_package(package, "SOURCE") for package in used),
                     *(described_package(tool, "APPLICATION") for tool in tools)],
        "files": files,
        "relationships": [{"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
                          for one, kind, other in relations],
    }  # fmt: skip
