/*
 * power_acpi.h - switch the machine off by the registers that its ACPI tables name.
 */
#ifndef KERNEL_CORE_POWER_ACPI_H
#define KERNEL_CORE_POWER_ACPI_H

#include "kernel/handoff/handoff_view.h"
#include "kernel/mm/region_list.h"
#include "shared/address.h"
#include "shared/range.h"

/* The two tables that are needed. A range is empty if the loader did not find or accept the
 * table. */
struct power_tables {
    struct phys_range fadt;
    struct phys_range dsdt;
};

/* Copy the places of the tables out of the handoff's list. Precondition: the loader's data block is
 * readable below `direct_map_base`. */
struct power_tables power_acpi_find_tables(const struct handoff_view *view,
                                           struct virt_addr direct_map_base);

/* Return NULL if the tables name registers that switch the machine off, else the reason, a clause
 * for the log. Nothing is switched off. Tables outside of the RAM of `regions` are not read. */
const char *power_acpi_obstacle(const struct power_tables *tables, struct virt_addr direct_map_base,
                                const struct region_list *regions);

/* Switch the machine off. If it returns, the machine could not be switched off in this way, and
 * the result is the reason, a clause for the log. Tables outside of the RAM of `regions` are not
 * read. */
const char *power_acpi_off(const struct power_tables *tables, struct virt_addr direct_map_base,
                           const struct region_list *regions);

#endif
