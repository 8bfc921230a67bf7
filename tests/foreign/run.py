#!/usr/bin/env python3
"""Run malloc() tests of other projects, under their own licences, on the preload library: make test-foreign.

This program gets the sources of Debian's glibc and mimalloc with apt-get (it needs a deb-src line). It compiles the
tests of the standard functions with the system's compiler. It runs each test with the system's malloc() and with
every policy. No part of these sources becomes part of this project. docs/TESTING.md lists the tests that fail, and
the reasons.
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

# Tests of glibc's own extensions (tunables, arenas, fast bins) are left out.
GLIBC_TESTS = """tst-calloc tst-mallinfo2 tst-malloc tst-malloc-backtrace tst-malloc-check tst-malloc-fork-deadlock
    tst-malloc-stats-cancellation tst-malloc-tcache-leak tst-malloc-thread-exit tst-malloc-thread-fail
    tst-malloc-too-large tst-malloc-usable tst-mallocfork tst-memalign tst-posix_memalign tst-pvalloc tst-realloc
    tst-reallocarray tst-tcfree1 tst-tcfree2 tst-tcfree3 tst-trim1 tst-valloc""".split()

# The definitions of glibc's build that its support library needs for these tests.
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
    """Return the folder of the unpacked source. Download it only once."""
    if not list(directory.glob(f"{package}-*/")):
        if subprocess.run(["apt-get", "source", "--download-only", package], cwd=directory, check=False).returncode:
            sys.exit(f"test-foreign: no source of {package}: add a deb-src line to /etc/apt, then run apt-get update")
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
    """The tests include "../test-skeleton.c" and <support/…>. A tree of only these files hides no system header."""
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
        # Most files of the library are for other tests. Files that do not compile are left out: the linker finds
        # each function that these tests need, or fails.
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
        process.send_signal(signal.SIGINT)  # glibc's driver then ends the test, which is a separate process
        process.wait(TIMEOUT_SECONDS)
        return "timeout"
    return "passed" if process.returncode == 0 else f"failed ({process.returncode})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, help="the folder for sources and programs")
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
