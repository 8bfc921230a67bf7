/*
 * region_types.h - every region type of shared/handoff.h, in the order of precedence that
 * docs/HANDOFF.md ("Types") gives. Written by hand from the document, so that it does not depend on
 * the table of shared/region.c. tests/unit/test_region.c checks that it has a row for each type.
 */
#ifndef TESTS_UNIT_SUPPORT_REGION_TYPES_H
#define TESTS_UNIT_SUPPORT_REGION_TYPES_H

#include "shared/handoff.h"

static const uint32_t REGION_TYPES[] = {
    HANDOFF_REGION_USABLE,       HANDOFF_REGION_BOOT_SERVICES,   HANDOFF_REGION_LOADER,
    HANDOFF_REGION_ACPI_RECLAIM, HANDOFF_REGION_LOW_MEMORY,      HANDOFF_REGION_TEMP_HEAP,
    HANDOFF_REGION_STACK,        HANDOFF_REGION_PAGE_TABLES,     HANDOFF_REGION_HANDOFF_DATA,
    HANDOFF_REGION_KERNEL_IMAGE, HANDOFF_REGION_PROCESSOR_START, HANDOFF_REGION_BOOT_RECORD,
    HANDOFF_REGION_ACPI_NVS,     HANDOFF_REGION_RUNTIME_DATA,    HANDOFF_REGION_RUNTIME_CODE,
    HANDOFF_REGION_PERSISTENT,   HANDOFF_REGION_UNACCEPTED,      HANDOFF_REGION_MMIO,
    HANDOFF_REGION_BAD,          HANDOFF_REGION_RESERVED,        HANDOFF_REGION_FIRMWARE_TABLES,
    HANDOFF_REGION_FRAMEBUFFER,
};

#define REGION_TYPE_COUNT (sizeof(REGION_TYPES) / sizeof(REGION_TYPES[0]))

#endif
