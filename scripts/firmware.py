"""Find UEFI firmware for QEMU's q35 machine, on any distribution.

The order: a file that the caller names (OVMF or U-Boot), or the environment variable OVMF; QEMU's firmware
descriptors (docs/interop/firmware.json in QEMU's source); the known folders of the distributions.
"""

import fnmatch
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import firmware_volume
import u_boot
from arguments import tilde_advice

# A descriptor in a later directory replaces one of the same file name in an earlier directory.
DESCRIPTOR_DIRECTORIES = [
    "/usr/share/qemu/firmware",
    "/usr/local/share/qemu/firmware",
    "/opt/homebrew/share/qemu/firmware",
    "/etc/qemu/firmware",
]

# (code, variables), for systems without descriptors.
KNOWN_PLACES = [
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),  # Debian, Ubuntu
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),  # older Debian, Ubuntu
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),  # Fedora
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),  # Arch
    ("/usr/share/edk2-ovmf/x64/OVMF_CODE.fd", "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd"),
    ("/usr/share/qemu/ovmf-x86_64-4m-code.bin", "/usr/share/qemu/ovmf-x86_64-4m-vars.bin"),  # SUSE
    ("/usr/share/qemu/ovmf-x86_64-code.bin", "/usr/share/qemu/ovmf-x86_64-vars.bin"),
    ("/usr/share/qemu/edk2-x86_64-code.fd", "/usr/share/qemu/edk2-i386-vars.fd"),  # QEMU's own
    ("/usr/local/share/qemu/edk2-x86_64-code.fd", "/usr/local/share/qemu/edk2-i386-vars.fd"),
    ("/opt/homebrew/share/qemu/edk2-x86_64-code.fd", "/opt/homebrew/share/qemu/edk2-i386-vars.fd"),
    ("/usr/share/ovmf/OVMF.fd", None),
    ("/usr/share/ovmf/x64/OVMF.fd", None),
]


# Code and variables of OVMF together.
FLASH_SIZES_BYTES = (2 * 1024**2, 4 * 1024**2)


class FirmwareNotFound(Exception):
    """There is no usable firmware. The text says how to get it."""


@dataclass(frozen=True)
class Firmware:
    """A flash image of code. The variable store is in a second file, or in the same one."""

    code: Path
    variables: Optional[Path]
    file_format: str = "raw"
    # Code and variables are in one file, which must be writable.
    combined: bool = False
    # It protects its variables with System Management Mode, and does not start without it.
    requires_smm: bool = False
    # U-Boot: QEMU maps the file below 4 GiB, and there is no variable store.
    is_u_boot: bool = False

    def arguments(self, scratch: Path):
        """Return QEMU's arguments. Writable parts are fresh copies in `scratch`, so that the boot order of an
        earlier boot has no effect."""
        arguments = []
        if self.is_u_boot:
            return ["-bios", str(self.code)]
        if self.requires_smm:
            arguments += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
            # Such a build of 2 MB hangs in SMM, without a message, if the chipset has S3 sleep.
            arguments += ["-global", "ICH9-LPC.disable_s3=1"]
        if self.combined:
            copy = scratch / "firmware.fd"
            shutil.copyfile(self.code, copy)
            return arguments + ["-drive", f"if=pflash,unit=0,format=raw,file={escape(copy)}"]
        arguments += [
            "-drive",
            f"if=pflash,unit=0,format={self.file_format},readonly=on,file={escape(self.code)}",
        ]
        if self.variables is not None:
            copy = scratch / "variables.fd"
            shutil.copyfile(self.variables, copy)
            arguments += [
                "-drive",
                f"if=pflash,unit=1,format={self.file_format},file={escape(copy)}",
            ]
        return arguments


def escape(path):
    """Return a file name for QEMU's options, in which a comma is a separator."""
    return str(path).replace(",", ",,")


def descriptors(directories=None):
    """Yield every valid descriptor, the best one first."""
    if directories is None:
        configured = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
        directories = DESCRIPTOR_DIRECTORIES + [os.path.join(configured, "qemu/firmware")]
    by_name = {}
    for directory in directories:
        try:
            by_name.update({path.name: path for path in Path(directory).glob("*.json")})
        except OSError:
            continue  # the home of another user
    for name in sorted(by_name):
        try:
            yield json.loads(by_name[name].read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # by convention, an empty file hides the file of the same name


def from_descriptor(descriptor) -> Optional[Firmware]:
    """Return the firmware of a descriptor, or None if it is not usable here."""
    mapping = descriptor.get("mapping", {})
    if mapping.get("device") != "flash" or "uefi" not in descriptor.get("interface-types", []):
        return None
    machines = [
        machine
        for target in descriptor.get("targets", [])
        if target.get("architecture") == "x86_64"
        for machine in target.get("machines", [])
    ]
    if not any(fnmatch.fnmatch("pc-q35-7.2", machine) for machine in machines):
        return None
    executable = mapping.get("executable", {})
    template = mapping.get("nvram-template", {})
    if mapping.get("mode", "split") != "split" or "filename" not in template:
        return None
    firmware = Firmware(
        code=Path(executable["filename"]),
        variables=Path(template["filename"]),
        file_format=executable.get("format", "raw"),
        requires_smm="requires-smm" in descriptor.get("features", []),
    )
    return firmware if firmware.code.is_file() and firmware.variables.is_file() else None


def from_descriptors(directories=None) -> Optional[Firmware]:
    """Return the best firmware without Secure Boot: raw before qcow2."""
    candidates = []
    for descriptor in descriptors(directories):
        firmware = from_descriptor(descriptor)
        features = descriptor.get("features", [])
        if firmware is None or firmware.requires_smm or "enrolled-keys" in features:
            continue
        candidates.append(firmware)
    candidates.sort(key=lambda firmware: firmware.file_format != "raw")
    return candidates[0] if candidates else None


def check_code(image, path: Path, named):
    """Raise FirmwareNotFound if the file has no code for an x86-64 PC. `named` is the user's name of the file."""
    machine = firmware_volume.code_machine(image) or u_boot.code_machine(image)
    if machine is None and firmware_volume.begins_with_variables(image):
        raise FirmwareNotFound(
            f"{named} is a variable store without code: name the file with the code"
            + code_beside_advice(path)
        )
    if machine is None:
        raise FirmwareNotFound(
            f"{named} has no code in a firmware volume, and is not U-Boot: name an OVMF image"
        )
    if machine != "x86-64":
        raise FirmwareNotFound(f"{named} is firmware for {machine}: name firmware for x86-64")


def code_beside_advice(store: Path):
    """Return the file of the code beside a variable store, as the end of a sentence. The names are those of the
    distributions."""
    name = store.name.replace("VARS", "CODE").replace("vars", "code")
    beside = store.with_name(name)
    return f", {beside}" if name != store.name and beside.is_file() else ""


# Words in the names of builds. Their stores may have the same word, or not. The last two have keys in their stores.
FLAVOURS = (".strictnx", ".secboot", ".secure", ".snakeoil", ".ms")


def store_names(code_name):
    """Yield the possible names of the variable store of a code image, the best first. The names are those of the
    distributions."""
    for old, new in (("CODE", "VARS"), ("code", "vars")):
        if old not in code_name:
            continue
        name = code_name.replace(old, new)
        yield name
        for flavour in FLAVOURS:
            name = name.replace(flavour, "")
            yield name
        yield "edk2-i386-vars.fd"


def variables_beside(code: Path) -> Optional[Path]:
    """Return the variable store beside a code image."""
    guesses = (code.parent / name for name in store_names(code.name))
    return next((guess for guess in guesses if guess.is_file()), None)


def variables_installed(code: Path) -> Optional[Path]:
    """Return an installed variable store without keys that fits to a code image from elsewhere: code and store fill a
    flash of 2 or 4 MiB."""
    for place, store in KNOWN_PLACES:
        if store is None or not (Path(store).is_file() and Path(place).is_file()):
            continue
        if code.stat().st_size + Path(store).stat().st_size in FLASH_SIZES_BYTES:
            return Path(store)
    return None


def described(code: Path) -> Optional[Firmware]:
    """Return the firmware of the descriptor that names a code image: without keys in the store if there are two."""
    found = []
    for descriptor in descriptors():
        firmware = from_descriptor(descriptor)
        if firmware is not None and firmware.code == code.absolute():
            found.append(("enrolled-keys" in descriptor.get("features", []), firmware))
    found.sort(key=lambda pair: pair[0])
    return found[0][1] if found else None


def from_code(code: Path, named, file_format, requires_smm) -> Firmware:
    """Return the firmware of a code image, with its variable store."""
    store = variables_beside(code) or variables_installed(code)
    if store is None and requires_smm:
        raise FirmwareNotFound(
            f"{named} needs a variable store: put its file, for example OVMF_VARS_4M.fd, into the same folder"
        )
    return Firmware(code, store, file_format, requires_smm=requires_smm)


def from_file(name, source="--firmware ") -> Firmware:
    """Return the firmware in a file that the user named: a code image, a combined one, or U-Boot. `source` comes
    before the name in an error."""
    code, named = Path(name), f"{source}{name or repr(name)}"
    if not code.is_file():
        raise FirmwareNotFound(f"{named} is not a file{tilde_advice(name)}")
    if not os.access(code, os.R_OK):
        raise FirmwareNotFound(f"{named} cannot be read: check its permissions")
    firmware = described(code)
    if firmware is not None:
        return firmware
    image = code.read_bytes()
    if image[:4] == b"QFI\xfb":  # qcow2: the content is not readable here, so the name decides
        secure = any(word in code.name for word in (*FLAVOURS, "smm"))
        return from_code(code, named, "qcow2", secure)
    check_code(image, code, named)
    if u_boot.code_machine(image) is not None:
        return Firmware(code, None, is_u_boot=True)
    secure = firmware_volume.has_system_management(image)
    if firmware_volume.begins_with_variables(image):
        return Firmware(code, None, combined=True, requires_smm=secure)
    return from_code(code, named, "raw", secure)


def find(name=None) -> Firmware:
    """Return the firmware to boot: the named file, $OVMF, or the best that is installed."""
    if name is not None:
        return from_file(name)
    if os.environ.get("OVMF"):
        return from_file(os.environ["OVMF"], "OVMF=")
    return installed()


def installed() -> Firmware:
    """Return the best firmware that a package has installed."""
    firmware = from_descriptors()
    if firmware is not None:
        return firmware
    for code, variables in KNOWN_PLACES:
        if not Path(code).is_file():
            continue
        if variables is None:
            return from_file(code, "")
        if Path(variables).is_file():
            return Firmware(Path(code), Path(variables))
    raise FirmwareNotFound(
        "no firmware (OVMF) is installed: install it (Debian, Ubuntu: ovmf; Fedora, Arch: edk2-ovmf; "
        "openSUSE: qemu-ovmf-x86_64), or name a file with OVMF=/path/to/OVMF_CODE.fd"
    )
