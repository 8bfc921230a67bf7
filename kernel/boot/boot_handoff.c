#include "kernel/arch.h"
#include "kernel/boot/boot.h"
#include "kernel/boot/boot_modules.h"
#include "kernel/boot/boot_refuse.h"
#include "kernel/boot/boot_screen.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/core/boot_record.h"
#include "kernel/core/command_words.h"
#include "kernel/core/image.h"
#include "kernel/core/log.h"
#include "kernel/core/log_serial.h"
#include "kernel/core/panic_report.h"
#include "kernel/diagnostics/print_integrity.h"
#include "kernel/core/symbols.h"
#include "kernel/diagnostics/print_regions.h"
#include "kernel/handoff/entry_state.h"
#include "kernel/handoff/handoff_check.h"
#include "shared/text/command_line.h"

static struct virt_range between(const char *start, const char *end)
{
    return virt_range((uint64_t)start, (uint64_t)end);
}

static void describe_segments(struct kernel *kernel)
{
    kernel->segments[0] =
        (struct kernel_segment){"text", between(kernel_text_start, kernel_text_end), false, true};
    kernel->segments[1] = (struct kernel_segment){
        "rodata", between(kernel_rodata_start, kernel_rodata_end), false, false};
    kernel->segments[2] =
        (struct kernel_segment){"data", between(kernel_data_start, kernel_data_end), true, false};
    kernel->segments[3] = (struct kernel_segment){
        "symbols", between(kernel_symbols_start, kernel_symbols_end), false, false};
}

/* Collect the facts with which the handoff is compared. They do not come from the loader. */
static struct entry_state entry_state(struct kernel *kernel)
{
    describe_segments(kernel);
    struct entry_state state = {
        .image = virt_range((uint64_t)kernel_image_start, (uint64_t)kernel_image_end),
        .slide = symbols_slide(),
        .entry = virt_addr((uint64_t)kernel_image_entry),
        .segments = kernel->segments,
        .segment_count = KERNEL_SEGMENT_COUNT,
    };
    arch_entry_state(&state);
    return state;
}

static void check(struct kernel *kernel, struct virt_addr handoff)
{
    struct handoff_view view;
    struct entry_state state = entry_state(kernel);
    kernel->direct_map_base = state.direct_map_base;
    enum handoff_check_status status = handoff_check(handoff, &state, &view);
    if (status != HANDOFF_CHECK_OK)
        boot_refuse(kernel, handoff, &state, status);
    kernel->handoff = *view.handoff;
    kernel->view = view;
    kernel->view.handoff = &kernel->handoff;
}

/* From here on, the next boot hears of a panic. */
static void open_boot_record(const struct kernel *kernel)
{
    struct handoff_range place = kernel->handoff.previous_boot;
    if (place.size_bytes == 0)
        return;
    boot_record_open(boot_stage_access(kernel, phys_addr(place.base)));
    boot_record_set_stage(POST_MORTEM_KERNEL);
}

/* This comes before any code that can panic, so that a test sees the panic. */
static void choose_debug_exit(const char *command_line)
{
    uint64_t port;
    if (!command_line_mentions(command_line, "debug-exit"))
        return;
    if (command_line_number(command_line, "debug-exit", &port) && port <= UINT16_MAX)
        panic_set_debug_exit_port((uint16_t)port);
    else
        log_warning("command-line",
                    "debug-exit= is ignored: the value must be a port from 0 to 0xffff");
}

static void warn_of_word(void *context, const char *sentence)
{
    (void)context;
    log_warning("command-line", "%s", sentence);
}

static void print_handoff(const struct kernel *kernel)
{
    /* The loader's own log, so that a PC without a serial port shows it too. */
    log_text("loader", kernel->view.log);
    log_line("handoff", "version=%u.%u size=%u loader=\"%s\" regions=%u checksum=0x%08x",
             kernel->handoff.version_major, kernel->handoff.version_minor,
             kernel->handoff.size_bytes, kernel->handoff.loader_name, kernel->handoff.regions.count,
             kernel->handoff.checksum);
    if (kernel->handoff.kernel_slide != 0 || kernel->handoff.kernel_symbols.count != 0)
        log_line("kernel", "base=0x%llx slide=0x%llx symbols=%u",
                 (unsigned long long)kernel->handoff.kernel_virtual_base,
                 (unsigned long long)kernel->handoff.kernel_slide,
                 kernel->handoff.kernel_symbols.count);
    print_integrity(kernel->handoff.integrity_flags);
    boot_modules_print(kernel);
    command_words_check(kernel->view.command_line, warn_of_word, NULL);
    if (command_line_has(kernel->view.command_line, "print-regions"))
        print_regions(&kernel->view.regions);
}

void boot_handoff(struct kernel *kernel, const void *handoff)
{
    uint64_t entered = arch_timestamp();
    log_count_ticks(arch_timestamp);
    check(kernel, virt_addr((uint64_t)handoff));
    log_serial_open(arch_handoff_serial_port(&kernel->handoff), kernel->view.command_line);
    choose_debug_exit(kernel->view.command_line);
    open_boot_record(kernel);
    timeline_begin(&kernel->timeline, &kernel->view,
                   arch_handoff_timestamp_frequency_hz(&kernel->handoff));
    timeline_mark(&kernel->timeline, "kernel: handoff", entered);
    boot_screen(kernel);
    print_handoff(kernel);
}
