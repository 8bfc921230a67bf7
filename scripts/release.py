"""Make a release: handoff-VERSION.tar.gz for authors of kernels, and handoff-VERSION-live.img for a stick.

Both are built from the last commit, in a folder of their own. The same commit gives the same bytes in every folder, at
every time and for every user, if the compiler and the packages are the same. All times are the commit's, or
SOURCE_DATE_EPOCH. docs/RELEASE.md describes the content.
"""

import interrupts  # first of all

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import arguments
import folders
import image
import sbom
from progress import Progress, duration

# What a kernel's author needs, at the paths of the repository. A pattern may match nothing.
CONTENT = (
    "LICENSE", "VERSION", "CHANGELOG.md", "shared/handoff.h", "shared/handoff_note.h", "docs/RELEASE.md",
    "docs/HANDOFF.md", "docs/CONFIG.md", "docs/ERRORS.md", "docs/LOG.md", "docs/CAVEATS.md", "docs/MONITOR.md",
    "docs/GLOSSARY.md", "docs/YOUR-KERNEL.md", "docs/CONFORMANCE.md", "docs/versions/*.md", "docs/examples/**/*",
    "scripts/kernel-checksum.py", "scripts/usb.py", "scripts/image.py", "scripts/progress.py", "scripts/arguments.py",
    "esp/handoff.conf",
)  # fmt: skip
BUILT = ("esp/EFI/BOOT/BOOTX64.EFI", "esp/kernel.elf")
SBOM = "SBOM.spdx.json"
SUMS = "SHA256SUMS"
# Settings of a build that must not change a release.
LEFT_OUT = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "BUILD", "UBSAN", "KASAN", "PIE", "WERROR", "V")
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
README = """# Handoff {version}

A UEFI loader and an x86-64 kernel. The files are at the paths of the repository.

- `make -C docs/examples/kernel-c run` builds a first kernel in C, and boots it in QEMU. `docs/examples/kernel-rust` has
  the same in Rust. Their README.md names the packages. [docs/YOUR-KERNEL.md](docs/YOUR-KERNEL.md) explains all steps.
- `shared/handoff.h` and [docs/HANDOFF.md](docs/HANDOFF.md) are the contract for a kernel of your own.
- `esp/` has the files of a boot volume. Copy its content to a stick with a FAT file system, or run
  `qemu-system-x86_64 -m 256M -bios /usr/share/ovmf/OVMF.fd -drive format=raw,file=fat:rw:esp -serial stdio`.
  Replace `esp/kernel.elf` with your kernel.
- `sha256sum -c {sums}` checks the files. `{sbom}` is the SBOM (SPDX 2.3).
- `docs/RELEASE.md` describes how to build the same bytes.
"""


class ReleaseError(Exception):
    """The release cannot be made. The text has the reason."""


# --- The sources --------------------------------------------------------------------------------------


def git(root, *words):
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=False)
    if done.returncode != 0:
        raise ReleaseError(f"git {words[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def check_clean(root):
    """Refuse a work tree with changes: the same release could not be built again."""
    changed = git(root, "status", "--porcelain").decode(errors="replace").splitlines()
    if changed:
        raise ReleaseError(f"{len(changed)} files are not committed, the first is {changed[0][3:]}: commit them, "
                           "or use make release DIRTY=1")  # fmt: skip


def commit_time(root):
    """Return the time of the release in seconds since 1970."""
    named = os.environ.get("SOURCE_DATE_EPOCH")
    if named and not re.fullmatch(r"[0-9]{1,11}", named):
        raise ReleaseError(f"SOURCE_DATE_EPOCH={named!r} is not a number of seconds")
    return int(named or git(root, "log", "-1", "--format=%ct"))


def export(root: Path, tree: Path, dirty):
    """Copy the files of the last commit, or with `dirty` those of the work tree."""
    tree.mkdir()
    if not dirty:
        subprocess.run(["tar", "-x", "-C", str(tree)], input=git(root, "archive", "HEAD"), check=True)
        return
    for name in git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").decode().split("\0"):
        if name and (root / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, tree / name)


def build(tree: Path, words, progress=None):
    """Build loader and kernel. `words` are settings such as CLANG=clang-16."""
    environment = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    command = ["make", "-C", str(tree), "--no-print-directory", *words]
    planned = subprocess.run([*command, "-n", "build"], env=environment, capture_output=True, text=True, check=False)
    progress = progress or Progress("release.py: building")
    progress.total = planned.stdout.count("printf '  %-7s")
    output = []
    with subprocess.Popen([*command, f"-j{os.cpu_count()}", "build"], env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as child:  # fmt: skip
        try:
            for line in child.stdout:
                output.append(line)
                progress.advance()
        except BaseException:
            child.terminate()
            raise
        finally:
            progress.clear()
    if child.returncode != 0:
        raise ReleaseError("the build failed:\n" + "".join(output[-20:]))


# --- The archive --------------------------------------------------------------------------------------


def without_missing_links(text, name, present):
    """Return a document whose links lead to files of the archive. Of other links the text stays."""

    def replace(match):
        target = match.group(2).partition("#")[0]
        if "://" in target or not target or os.path.normpath(Path(name).parent / target) in present:
            return match.group(0)
        return match.group(1)

    return LINK.sub(replace, text)


def collect(tree: Path, folder: Path, version, used):
    """Fill the folder of the archive. Return {file: licence} of the files that are not MIT."""
    names = sorted({path.relative_to(tree).as_posix() for pattern in CONTENT for path in tree.glob(pattern)
                    if path.is_file()})  # fmt: skip
    for name in [*names, *BUILT]:
        source, target = tree / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".md"):
            text = without_missing_links(source.read_text(encoding="utf-8"), name, {*names, *BUILT})
            target.write_text(text, encoding="utf-8")
        else:
            shutil.copyfile(source, target)
        target.chmod(0o755 if os.access(source, os.X_OK) and source.suffix in (".py", ".sh") else 0o644)
    (folder / "README.md").write_text(README.format(version=version, sums=SUMS, sbom=SBOM), encoding="utf-8")
    headers, font = (sbom.LICENCES.get(package.name, sbom.NO_LICENCE).concluded for package in used)
    licences = dict(zip(BUILT, (f"MIT AND {headers} AND ({font})", f"MIT AND ({font})")))
    licences = {name: sbom.UNKNOWN if sbom.UNKNOWN in text else text for name, text in licences.items()}
    for package in used:
        if (path := sbom.copyright_file(package)) is not None:
            target = folder / "licences" / f"{package.name}.txt"
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, target)
            licences[target.relative_to(folder).as_posix()] = sbom.UNKNOWN
    return licences


def write_sums(folder: Path, names, target: Path):
    """Write the checksums as sha256sum does."""
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in sorted(names)]
    target.write_text("".join(lines), encoding="utf-8")


def pack(folder: Path, target: Path, epoch):
    """Pack a folder. Names are in order, and owner, times and modes are the same everywhere."""
    def plain(entry):
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = epoch
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    with image.fresh_file(target) as fresh, fresh.open("wb") as file:
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=9) as packed:
            with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
                for path in [folder, *sorted(folder.rglob("*"))]:
                    archive.add(path, path.relative_to(folder.parent).as_posix(), recursive=False, filter=plain)


def make_live_image(tree: Path, scratch: Path, target: Path, epoch):
    """Make a disk image for a stick: the boot volume and the licence."""
    volume = scratch / "volume"
    for name in (*BUILT, "esp/handoff.conf"):
        place = volume / Path(name).relative_to("esp")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tree / name, place)
    shutil.copyfile(tree / "LICENSE", volume / "LICENSE.TXT")
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = str(epoch)
    try:
        image.make_disk(volume, target)
    finally:
        os.environ.pop("SOURCE_DATE_EPOCH")
        if before is not None:
            os.environ["SOURCE_DATE_EPOCH"] = before


def assemble(tree: Path, out: Path, epoch, suffix="", settings=()):
    """Make the files of the release from a tree that is built. Return them."""
    version = (tree / "VERSION").read_text(encoding="ascii").strip() + suffix
    settings = dict(word.split("=", 1) for word in settings)
    out.mkdir(parents=True, exist_ok=True)
    products = [out / f"handoff-{version}.tar.gz", out / f"handoff-{version}-live.img"]
    with tempfile.TemporaryDirectory(prefix="handoff-release-") as scratch:
        folder = Path(scratch) / f"handoff-{version}"
        folder.mkdir()
        used = sbom.materials(settings.get("EFI_INCLUDE", "/usr/include/efi"))
        licences = collect(tree, folder, version, used)
        names = {"clang": "CLANG", "lld-link": "LLD_LINK", "ld.lld": "LD_LLD", "llvm-objcopy": "LLVM_OBJCOPY"}
        tools = [sbom.tool_version(name, settings.get(names[name], name)) for name in sbom.TOOLS]
        document = sbom.describe(folder, version, epoch, used, tools, licences, (SBOM, SUMS))
        (folder / SBOM).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        listed = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        write_sums(folder, listed, folder / SUMS)
        pack(folder, products[0], epoch)
        make_live_image(tree, Path(scratch), products[1], epoch)
    sums = out / f"handoff-{version}.{SUMS}"
    write_sums(out, [path.name for path in products], sums)
    return [*products, sums]


# --- The command --------------------------------------------------------------------------------------


def setting(text):
    """A type for add_argument(): NAME=VALUE for make."""
    if not re.fullmatch(r"[A-Z][A-Z_]*=.*", text):
        raise arguments.argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return text


def parse_arguments():
    parser = arguments.Parser(
        prog="release.py", description="Make a release of the last commit: an archive for authors of kernels, and an "
        "image for a stick.", epilog="make release calls it; make release DIRTY=1 takes the work tree.",
    )  # fmt: skip
    add = parser.add_argument
    add("settings", nargs="*", type=setting, metavar="NAME=VALUE", help="settings for make: CLANG=clang-16")
    add("--out", type=Path, metavar="DIR", help="the folder for the files (default: release in the build folder)")
    add("--dirty", action="store_true", help="take the work tree, with changes that are not committed")
    return parser.parse_args()


def release(root: Path, out: Path, dirty=False, settings=()):
    """Build a release of a checkout. Return its files."""
    if not dirty:
        check_clean(root)
    epoch = commit_time(root)
    with tempfile.TemporaryDirectory(prefix="handoff-release-") as scratch:
        tree = Path(scratch) / "tree"
        export(root, tree, dirty)
        build(tree, settings)
        return assemble(tree, out, epoch, "-dirty" if dirty else "", settings)


def main():
    arguments.print_anything()
    options = parse_arguments()
    interrupts.raise_them()
    progress = Progress("release.py")
    try:
        products = release(folders.ROOT, options.out or folders.build_folder() / "release", options.dirty, options.settings)
    except (ReleaseError, image.ImageError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"release.py: {error}")
    except (KeyboardInterrupt, interrupts.Ended):
        sys.exit("release.py: interrupted")
    for path in products:
        print(f"{path} ({-(-path.stat().st_size // 1024)} KiB)")
    print(f"release.py: made in {duration(progress.seconds())}; usb.py writes the image to a stick")


if __name__ == "__main__":
    main()
