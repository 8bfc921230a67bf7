#!/usr/bin/env python3
"""Run the malloc() tests of others, under their own licences, on the preload library: make test-foreign.

Fetches the sources of Debian's glibc and mimalloc with apt-get (which needs a deb-src line), compiles the tests
of the standard functions with the system's compiler, and runs each with the system's own malloc() and with every
policy. Nothing of them becomes part of this project. docs/TESTING.md says which tests fail, and why.
"""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import folders  # noqa: E402 (the path is set just above)

LIBRARY = folders.build_folder() / "host/libheap_preload.so"
PACKAGES = ["glibc", "mimalloc"]
TIMEOUT_SECONDS = 120

# Tests of what glibc alone promises (its tunables, its arenas, its fast bins) are left out.
GLIBC_TESTS = """tst-calloc tst-mallinfo2 tst-malloc tst-malloc-backtrace tst-malloc-check tst-malloc-fork-deadlock
    tst-malloc-stats-cancellation tst-malloc-tcache-leak tst-malloc-thread-exit tst-malloc-thread-fail
    tst-malloc-too-large tst-malloc-usable tst-mallocfork tst-memalign tst-posix_memalign tst-pvalloc tst-realloc
    tst-reallocarray tst-tcfree1 tst-tcfree2 tst-tcfree3 tst-trim1 tst-valloc""".split()

# What glibc's support library includes of glibc's own build, as far as these tests need it.
GLIBC_PRELUDE = """
#define libc_hidden_proto(name)
#define libc_hidden_def(name)
#define weak_alias(name, alias)
#define attribute_hidden
#define __glibc_likely(condition) (condition)
#define __glibc_unlikely(condition) (condition)
"""
GLIBC_PATHS = ["support_objdir_root", "support_srcdir_root", "support_install_prefix", "support_slibdir_prefix",
               "support_objdir_elf_ldso", "support_libdir_prefix", "support_bindir_prefix", "support_sbindir_prefix",
               "support_install_rootsbindir", "support_complocaledir_prefix", "support_sysconfdir_prefix"]  # fmt: skip
POLICIES = {
    "system": None,
    "fast": {"HANDOFF_HEAP": "fast"},
    "best-fit": {"HANDOFF_HEAP": "best-fit"},
    "first-fit": {"HANDOFF_HEAP": "first-fit"},
    "fast, debug": {"HANDOFF_HEAP": "fast", "HANDOFF_HEAP_DEBUG": "1"},
}


def fetch(directory, package):
    """The unpacked source, fetched once."""
    if not list(directory.glob(f"{package}-*/")):
        if subprocess.run(["apt-get", "source", "--download-only", package], cwd=directory, check=False).returncode:
            sys.exit(f"test-foreign: no source of {package}: apt-get needs a deb-src line for it in /etc/apt, then an update")
        (description,) = directory.glob(f"{package}_*.dsc")
        subprocess.run(["dpkg-source", "--no-check", "-x", description.name], cwd=directory, check=True)
    (source,) = directory.glob(f"{package}-*/")
    return source


def compiles(*words):
    process = subprocess.run(["cc", "-std=gnu11", "-O2", "-w", "-fno-builtin", "-D_GNU_SOURCE", *map(str, words)],
                             stderr=subprocess.PIPE, text=True, check=False)  # fmt: skip
    if process.returncode != 0:
        sys.stderr.write(process.stderr[-500:])
    return process.returncode == 0


def build_glibc(source, output):
    """The tests include "../test-skeleton.c" and <support/…>; a tree of only these does not hide the system's headers."""
    tree = output / "tree"
    tree.mkdir(exist_ok=True)
    (tree / "prelude.h").write_text(GLIBC_PRELUDE)
    (tree / "paths.c").write_text("".join(f'const char {name}[] = "/tmp";\n' for name in GLIBC_PATHS))
    for name in ["include/libc-diag.h", "include/array_length.h", "include/intprops.h", "test-skeleton.c", "support"]:
        link = tree / Path(name).name
        if not link.exists():
            link.symlink_to(source / name)
    flags = ["-include", tree / "prelude.h", f"-I{tree}", f"-I{source / 'support'}", "-DTIMEOUTFACTOR=8", "-DNAME_MAX=255"]
    objects = []
    for path in [tree / "paths.c", *sorted((source / "support").glob("*.c"))]:
        result = output / f"{path.stem}.o"
        # Most of the library is for other tests; what these need of it, the linker will ask for.
        quiet = subprocess.run(["cc", "-std=gnu11", "-O2", "-w", "-D_GNU_SOURCE", *map(str, flags), "-c", path, "-o", result],
                               stderr=subprocess.DEVNULL, check=False)  # fmt: skip
        if quiet.returncode == 0 and not path.stem.startswith(("tst-", "README", "echo-", "shell-", "true-", "links-")):
            objects.append(result)
    archive = output / "support.a"
    archive.unlink(missing_ok=True)
    subprocess.run(["ar", "rcs", archive, *objects], check=True)
    for name in GLIBC_TESTS:
        if compiles(*flags, source / "malloc" / f"{name}.c", archive, "-lpthread", "-o", output / name):
            yield name, [output / name]


def build_mimalloc(source, output):
    program = output / "mimalloc-stress"
    if compiles("-DUSE_STD_MALLOC", source / "test/test-stress.c", "-lpthread", "-o", program):
        yield "mimalloc: test-stress", [program, "4", "5", "5"]  # threads, percent, rounds


def outcome(command, variables):
    environment = dict(os.environ)
    if variables is not None:
        environment.update(variables, LD_PRELOAD=str(LIBRARY))
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        process.wait(TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # glibc's driver ends the test then, which is a process of its own
        process.wait(TIMEOUT_SECONDS)
        return "no end"
    return "passed" if process.returncode == 0 else f"failed ({process.returncode})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, help="where sources and programs go")
    output = parser.parse_args().directory.resolve()
    output.mkdir(parents=True, exist_ok=True)
    glibc, mimalloc = (fetch(output, package) for package in PACKAGES)
    print(f"{'':32}" + "".join(f"{name:14}" for name in POLICIES))
    failures = 0
    for name, command in [*build_glibc(glibc, output), *build_mimalloc(mimalloc, output)]:
        outcomes = [outcome(command, variables) for variables in POLICIES.values()]
        failures += sum(word != "passed" for word in outcomes[1:])
        print(f"{name:32}" + "".join(f"{word:14}" for word in outcomes), flush=True)
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
