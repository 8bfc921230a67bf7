#include "kernel/diagnostics/monitor/command_overview.h"

#include "kernel/diagnostics/screen_pages.h"

void command_overview(struct monitor_state *monitor, const struct arguments *arguments)
{
    const char *problem = screen_pages_show_overview(monitor->kernel);
    (void)arguments;
    monitor_say("%s", problem == NULL
                          ? "The overview is on the screen. The next key brings the log."
                          : problem);
}
