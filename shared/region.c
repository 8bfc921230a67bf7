#include "shared/region.h"

#include "shared/handoff.h"

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
