#include "kernel/diagnostics/monitor/command_boot.h"

#include "kernel/core/log.h"
#include "kernel/core/timeline_summary.h"
#include "kernel/diagnostics/monitor/plural.h"
#include "kernel/diagnostics/monitor/size_text.h"
#include "kernel/diagnostics/print_regions.h"

static void say_range(const char *what, uint64_t base, uint64_t size_bytes)
{
    monitor_say("  %-16s 0x%llx, %s", what, (unsigned long long)base, size_text(size_bytes).text);
}

static void say_counts(const struct handoff *handoff)
{
    monitor_say("  %u region%s, %u firmware table%s, %u framebuffer%s, %u temporary heap%s",
                handoff->regions.count, plural(handoff->regions.count),
                handoff->firmware_tables.count, plural(handoff->firmware_tables.count),
                handoff->framebuffers.count, plural(handoff->framebuffers.count),
                handoff->temp_heaps.count, plural(handoff->temp_heaps.count));
}

void command_handoff(struct monitor_state *monitor, const struct arguments *arguments)
{
    const struct handoff *handoff = &monitor->kernel->handoff;
    const struct handoff_framebuffer *screen = &monitor->kernel->view.framebuffer;
    (void)arguments;
    monitor_say("Handoff %u.%u of \"%s\", %u bytes, checksum 0x%08x, all addresses at entry:",
                handoff->version_major, handoff->version_minor, handoff->loader_name,
                handoff->size_bytes, handoff->checksum);
    say_range("temporary heap", handoff->temp_heap_base, handoff->temp_heap_size);
    say_range("kernel", handoff->kernel_physical_base, handoff->kernel_size_bytes);
    say_range("  at", handoff->kernel_virtual_base, handoff->kernel_size_bytes);
    say_range("direct map at", handoff->direct_map_base, handoff->direct_map_size_bytes);
    say_range("page tables", handoff->page_tables_base, handoff->page_tables_size_bytes);
    say_range("stack", handoff->stack_physical_base, handoff->stack_size_bytes);
    say_range("handoff data", handoff->data_base, handoff->data_size_bytes);
    say_range("loader", handoff->loader_physical_base, handoff->loader_size_bytes);
    say_range("boot record", handoff->previous_boot.base, handoff->previous_boot.size_bytes);
    say_range("framebuffer", screen->base, screen->size_bytes);
    monitor_say("  %-16s %u x %u pixels, %u bits", "", screen->width_pixels, screen->height_pixels,
                screen->bits_per_pixel);
    monitor_say("  %-16s 0x%llx, SMBIOS 0x%llx, EFI system table 0x%llx", "ACPI RSDP",
                (unsigned long long)handoff->rsdp, (unsigned long long)handoff->smbios,
                (unsigned long long)handoff->efi_system_table);
    say_counts(handoff);
    monitor_say("  command line: %s", monitor->kernel->view.command_line);
}

static void say_phase(const struct timeline *timeline, unsigned index, uint64_t total_us)
{
    static const char bar[] = "########################################";
    const struct handoff_moment *moment = &timeline->moments[index];
    unsigned next = index + 1 < timeline->count ? index + 1 : index;
    uint64_t at_us = timeline_microseconds_at(timeline, moment->ticks);
    uint64_t end_us = timeline_microseconds_at(timeline, timeline->moments[next].ticks);
    uint64_t took_us = end_us > at_us ? end_us - at_us : 0;
    monitor_say("  %8llu us %8llu us  %-23s %.*s", (unsigned long long)at_us,
                (unsigned long long)took_us, moment->name,
                (int)(total_us == 0 ? 0 : took_us * (sizeof bar - 1) / total_us), bar);
}

void command_timeline(struct monitor_state *monitor, const struct arguments *arguments)
{
    const struct timeline *timeline = &monitor->kernel->timeline;
    if (arguments->is_kv) {
        timeline_print_phases(timeline);
        timeline_print(timeline);
        return;
    }
    uint64_t total_us =
        timeline_microseconds_at(timeline, timeline->moments[timeline->count - 1].ticks);
    monitor_say("The phases of the boot: begin, duration, name");
    for (unsigned i = 0; i < timeline->count; i++)
        say_phase(timeline, i, total_us);
}

void command_log(struct monitor_state *monitor, const struct arguments *arguments)
{
    (void)monitor;
    (void)arguments;
    log_replay();
}

void command_dump(struct monitor_state *monitor, const struct arguments *arguments)
{
    (void)arguments;
    log_plain(true);
    monitor_say("# Handoff dump: memory map and log. Save it to a file for ./scripts/simulate.sh "
                "FILE.");
    print_regions(&monitor->kernel->view.regions);
    log_replay();
    monitor_say("# End of the dump.");
    log_plain(false);
}
