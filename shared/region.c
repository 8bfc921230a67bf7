#include "shared/region.h"

const char *region_type_name(uint32_t type)
{
    switch (type) {
    case HANDOFF_REGION_USABLE:
        return "usable";
    case HANDOFF_REGION_BOOT_SERVICES:
        return "boot-services";
    case HANDOFF_REGION_LOADER:
        return "loader";
    case HANDOFF_REGION_ACPI_RECLAIM:
        return "acpi-reclaim";
    case HANDOFF_REGION_TEMP_HEAP:
        return "temp-heap";
    case HANDOFF_REGION_STACK:
        return "stack";
    case HANDOFF_REGION_PAGE_TABLES:
        return "page-tables";
    case HANDOFF_REGION_HANDOFF_DATA:
        return "handoff-data";
    case HANDOFF_REGION_KERNEL_IMAGE:
        return "kernel-image";
    case HANDOFF_REGION_ACPI_NVS:
        return "acpi-nvs";
    case HANDOFF_REGION_RUNTIME_DATA:
        return "runtime-data";
    case HANDOFF_REGION_RUNTIME_CODE:
        return "runtime-code";
    case HANDOFF_REGION_PERSISTENT:
        return "persistent";
    case HANDOFF_REGION_UNACCEPTED:
        return "unaccepted";
    case HANDOFF_REGION_MMIO:
        return "mmio";
    case HANDOFF_REGION_BAD:
        return "bad";
    case HANDOFF_REGION_RESERVED:
        return "reserved";
    case HANDOFF_REGION_FRAMEBUFFER:
        return "framebuffer";
    default:
        return "unknown";
    }
}

bool region_type_is_ram(uint32_t type)
{
    return type >= HANDOFF_REGION_USABLE && type <= HANDOFF_REGION_RUNTIME_CODE;
}

bool region_next_ram_run(const struct handoff_region *regions, size_t region_count,
                         uint64_t limit_bytes, size_t *index, struct range *ret_run)
{
    size_t next = *index;
    while (next < region_count && !region_type_is_ram(regions[next].type))
        next++;
    if (next == region_count || regions[next].base >= limit_bytes)
        return false;

    struct range run = {regions[next].base, regions[next].base};
    while (next < region_count && region_type_is_ram(regions[next].type) &&
           regions[next].base == run.end)
        run.end += regions[next++].size_bytes;
    if (run.end > limit_bytes)
        run.end = limit_bytes;
    *ret_run = run;
    *index = next;
    return true;
}
