"""Write compile_commands.json, for clangd and clang-tidy. Standard input has the commands that make would run
(`make -n -B`). `make compile_commands.json` calls this program."""

import json
import os
import shlex
import sys

import arguments


def main():
    parser = arguments.Parser(prog="compile_commands.py", description=__doc__)
    parser.add_argument("compiler", metavar="COMPILER", help="the first word of the compiler's lines")
    parser.add_argument("out", type=arguments.writable_file, metavar="OUT", help="the file to write")
    options = parser.parse_args()
    compiler, out = options.compiler, options.out
    entries = {}
    for line in sys.stdin:
        if not line.startswith(compiler + " "):
            continue
        words = shlex.split(line)
        sources = [word for word in words if word.endswith(".c")]
        # The first command for a file is the one of the real build. The commands of tests come later.
        if "-c" in words and len(sources) == 1 and sources[0] not in entries:
            entries[sources[0]] = {
                "directory": os.getcwd(),
                "file": sources[0],
                "arguments": words,
            }
    out.write_text(json.dumps(list(entries.values()), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
