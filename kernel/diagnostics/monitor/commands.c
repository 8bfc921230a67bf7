#include "kernel/diagnostics/monitor/commands.h"

#include "kernel/diagnostics/monitor/command_control.h"
#include "kernel/diagnostics/monitor/command_heap.h"
#include "kernel/diagnostics/monitor/command_help.h"
#include "kernel/diagnostics/monitor/command_memory.h"

/* clang-format off */
const struct command monitor_commands[] = {
    {"help", "[COMMAND]", "list the commands, or explain one", "help heap",
     NULL, 0, 1, false, command_help},
    {"map", "[format=kv]", "the memory map and its holders", "map",
     NULL, 0, 0, true, command_map},
    {"frames", "[format=kv]", "the frames of physical memory", "frames",
     NULL, 0, 0, true, command_frames},
    {"early", "[format=kv]", "the first heap, and what it was used for", "early",
     NULL, 0, 0, true, command_early},
    {"heap", "[stats|histogram|picture|walk|check|leaks] [format=kv]", "the permanent heap", "heap check",
     command_heap_choices, 0, 1, true, command_heap},
    {"reboot", "", "restart the machine", "reboot",
     NULL, 0, 0, false, command_reboot},
    {"poweroff", "", "switch the machine off", "poweroff",
     NULL, 0, 0, false, command_power_off},
    {NULL, NULL, NULL, NULL, NULL, 0, 0, false, NULL},
};
/* clang-format on */
