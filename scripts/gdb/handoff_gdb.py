"""Handoff's printers and commands for gdb. scripts/debug.sh loads this file; elsewhere: source scripts/gdb/handoff_gdb.py"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True  # a checkout may belong to another user

import handoff_commands  # noqa: E402
import handoff_printers  # noqa: E402

handoff_printers.register()
handoff_commands.register()
