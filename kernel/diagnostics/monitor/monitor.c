#include "kernel/diagnostics/monitor/monitor.h"

#include "kernel/core/log.h"
#include "kernel/diagnostics/monitor/command_run.h"
#include "kernel/diagnostics/monitor/commands.h"
#include "kernel/diagnostics/monitor/completion.h"
#include "kernel/diagnostics/screen_pages.h"

static void show(void *context, const char *text, size_t length_bytes)
{
    (void)context;
    log_raw("%.*s", (int)length_bytes, text);
}

static volatile uint8_t *reach(const struct monitor_state *monitor, struct virt_addr address)
{
    (void)monitor;
    return (volatile uint8_t *)(uintptr_t)address.value;
}

/* Serial port and screen show the same, so the line has to fit on both. */
static size_t columns_of(const struct kernel *kernel)
{
    if (kernel->has_screen && kernel->screen.columns < LINE_EDITOR_TERMINAL_COLUMNS)
        return kernel->screen.columns;
    return LINE_EDITOR_TERMINAL_COLUMNS;
}

void monitor_initialise(struct monitor *monitor, struct kernel *kernel)
{
    monitor->state =
        (struct monitor_state){.kernel = kernel, .commands = monitor_commands, .reach = reach};
    monitor->history = (struct line_history){.count = 0};
    line_editor_initialise(&monitor->editor, &monitor->history, columns_of(kernel), show, NULL);
}

enum monitor_action monitor_run(struct monitor *monitor, struct piece list)
{
    struct piece command;
    log_note("monitor", "run=\"%.*s\"", (int)list.length, list.text);
    log_keep(false);
    monitor->state.action = MONITOR_STAY;
    while (monitor->state.action == MONITOR_STAY && arguments_next_command(&list, &command))
        command_run(&monitor->state, command);
    log_keep(true);
    return monitor->state.action;
}

void monitor_begin(struct monitor *monitor)
{
    monitor_say(
        "Type help for the commands, and poweroff to switch off. In the terminal of run.sh, "
        "Ctrl-A X leaves QEMU.");
    log_keep(false);
    line_editor_begin(&monitor->editor);
    log_keep(true);
}

static void run_line(struct monitor *monitor)
{
    struct piece line = {monitor->editor.text, monitor->editor.length};
    line_history_add(&monitor->history, monitor->editor.text);
    if (line.length > 0)
        (void)monitor_run(monitor, line);
}

static void end_line(struct monitor *monitor, enum line_editor_event event)
{
    monitor->state.action = MONITOR_STAY;
    if (event == LINE_EDITOR_COMPLETE)
        run_line(monitor);
    if (event == LINE_EDITOR_TOO_LONG)
        monitor_say("A line has at most %u characters, and this one had %zu: nothing was run.",
                    LINE_LIMIT, LINE_LIMIT + monitor->editor.excess_count);
    log_keep(false);
    if (monitor->state.action == MONITOR_STAY)
        line_editor_begin(&monitor->editor);
}

/* Complete the word before the cursor, or list its possible ends. */
static void complete(struct monitor *monitor)
{
    struct line_editor *editor = &monitor->editor;
    struct piece before = {editor->text, editor->cursor};
    struct completion completion = completion_find(monitor->state.commands, before);
    line_editor_insert(editor, (struct piece){completion.text, completion.length});
    if (completion.length > 0 || completion.count < 2)
        return;
    show(NULL, "\n", 1);
    completion_list(monitor->state.commands, before);
    line_editor_show(editor);
}

static void clear(struct monitor *monitor)
{
    show(NULL, "\f", 1);
    line_editor_show(&monitor->editor);
}

enum monitor_action monitor_take(struct monitor *monitor, key_code key)
{
    monitor->state.action = MONITOR_STAY;
    if (key == KEY_F1 || key == KEY_CONTROL('o')) {
        screen_pages_switch(monitor->state.kernel);
        return MONITOR_STAY;
    }
    screen_pages_show_log(monitor->state.kernel);
    log_keep(false);
    enum line_editor_event event = line_editor_take(&monitor->editor, key);
    if (event == LINE_EDITOR_TAB)
        complete(monitor);
    else if (event == LINE_EDITOR_CLEAR)
        clear(monitor);
    else if (event != LINE_EDITOR_GOES_ON)
        end_line(monitor, event);
    log_keep(true);
    return monitor->state.action;
}
