#include "kernel/boot/boot_services_memory.h"

#include "kernel/core/log.h"
#include "kernel/core/power_acpi.h"
#include "shared/region.h"
#include "shared/text/command_line.h"
#include "shared/text/text.h"

static bool is_reusable(const struct handoff_region *region)
{
    return region->type == HANDOFF_REGION_BOOT_SERVICES &&
           region_reuse(region) != HANDOFF_REUSE_NEVER;
}

static uint64_t reusable_bytes(const struct region_list *regions)
{
    uint64_t size_bytes = 0;
    for (uint32_t i = 0; i < regions->count; i++) {
        const struct handoff_region *region = region_list_at(regions, i);
        size_bytes += is_reusable(region) ? region->size_bytes : 0;
    }
    return size_bytes;
}

/* Return the reason to keep the memory, or NULL. */
static const char *reason_to_keep(const struct kernel *kernel)
{
    char value[8];
    if (command_line_value(kernel->view.command_line, "boot_services", value, sizeof value)) {
        if (text_equal(value, "keep"))
            return "boot_services=keep";
        if (text_equal(value, "reuse"))
            return NULL;
    }
    return power_acpi_obstacle(&kernel->power_tables, kernel->direct_map_base,
                               &kernel->view.regions);
}

/* A region that is never reused stays reserved in every later stage. The regions are the kernel's
 * own copy. */
static void keep(struct region_list *regions)
{
    for (uint32_t i = 0; i < regions->count; i++) {
        struct handoff_region *region = (struct handoff_region *)region_list_at(regions, i);
        if (is_reusable(region))
            region->reuse = HANDOFF_REUSE_NEVER;
    }
}

void boot_services_memory_choose(struct kernel *kernel)
{
    uint64_t size_bytes = reusable_bytes(&kernel->view.regions);
    const char *reason = reason_to_keep(kernel);
    if (reason == NULL || size_bytes == 0)
        return;
    if (size_bytes > frame_allocator_available_bytes(&kernel->view.regions) / 2) {
        log_warning("boot-services",
                    "%llu MiB are reused, since they are more than half of the RAM: a late "
                    "ResetSystem of the firmware may need them",
                    (unsigned long long)(size_bytes / MIB));
        return;
    }
    keep(&kernel->view.regions);
    log_line("boot-services", "kept=yes frames=%llu mib=%llu reason=\"%s\"",
             (unsigned long long)(size_bytes / FRAME_SIZE_BYTES),
             (unsigned long long)(size_bytes / MIB), reason);
}
