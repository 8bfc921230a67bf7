#include "kernel/diagnostics/monitor/commands.h"

#include "kernel/diagnostics/monitor/command_blocks.h"
#include "kernel/diagnostics/monitor/command_boot.h"
#include "kernel/diagnostics/monitor/command_bytes.h"
#include "kernel/diagnostics/monitor/command_control.h"
#include "kernel/diagnostics/monitor/command_heap.h"
#include "kernel/diagnostics/monitor/command_help.h"
#include "kernel/diagnostics/monitor/command_memory.h"
#include "kernel/diagnostics/monitor/command_overview.h"
#include "kernel/diagnostics/monitor/command_pages.h"
#include "kernel/diagnostics/monitor/command_trial.h"

/* clang-format off */
const struct command monitor_commands[] = {
    {"help", "[COMMAND|words]", "list the commands, or explain one", "help heap",
     NULL, 0, 1, false, command_help},
    {"overview", "", "draw the figures on the screen", "overview",
     NULL, 0, 0, false, command_overview},
    {"map", "[format=kv]", "the memory map and its holders", "map",
     NULL, 0, 0, true, command_map},
    {"frames", "[format=kv]", "the frames of physical memory", "frames",
     NULL, 0, 0, true, command_frames},
    {"early", "[format=kv]", "the first heap and its use", "early",
     NULL, 0, 0, true, command_early},
    {"heap", "[stats|histogram|picture|walk|check|leaks] [format=kv]", "the permanent heap", "heap check",
     command_heap_choices, 0, 1, true, command_heap},
    {"alloc", "SIZE [ALIGNMENT]", "allocate a block of the heap", "alloc 4K 64",
     NULL, 1, 2, false, command_alloc},
    {"free", "ADDRESS", "free a block that alloc has made", "free 0xffffd00000400010",
     NULL, 1, 1, false, command_free},
    {"realloc", "ADDRESS SIZE", "change the size of a block", "realloc 0xffffd00000400010 8K",
     NULL, 2, 2, false, command_realloc},
    {"pages", "ADDRESS", "the page-table entries of an address", "pages 0xffffffff80000000",
     NULL, 1, 1, false, command_pages},
    {"space", "[format=kv]", "all mappings of the address space", "space",
     NULL, 0, 0, true, command_space},
    {"peek", "ADDRESS [COUNT] [force]", "show up to 256 bytes of memory", "peek 0xffffffff80000000 64",
     NULL, 1, 3, false, command_peek},
    {"poke", "ADDRESS BYTE [force]", "change a byte of memory", "poke 0xffffd00000400010 0x41",
     NULL, 2, 3, false, command_poke},
    {"handoff", "", "what the loader handed over", "handoff",
     NULL, 0, 0, false, command_handoff},
    {"timeline", "[format=kv]", "the time of each phase of the boot", "timeline",
     NULL, 0, 0, true, command_timeline},
    {"log", "", "the newest 16 KiB of the log", "log",
     NULL, 0, 0, false, command_log},
    {"dump", "", "memory map and log for the simulator", "dump",
     NULL, 0, 0, false, command_dump},
    {"bench", "", "measure the memory stack", "bench",
     NULL, 0, 0, false, command_bench},
    {"lesson", "NUMBER", "run a lesson of docs/learn", "lesson 4",
     NULL, 1, 1, false, command_lesson},
    {"panic", "[NAME]", "fail on purpose, like provoke=NAME", "panic stack-overflow",
     NULL, 0, 1, false, command_panic},
    {"reboot", "", "restart the machine", "reboot",
     NULL, 0, 0, false, command_reboot},
    {"poweroff", "", "switch the machine off", "poweroff",
     NULL, 0, 0, false, command_power_off},
    {NULL, NULL, NULL, NULL, NULL, 0, 0, false, NULL},
};
/* clang-format on */
