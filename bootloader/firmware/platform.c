#include "bootloader/firmware/platform.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/boot_source.h"
#include "bootloader/firmware/clock.h"
#include "bootloader/firmware/seed.h"
#include "bootloader/firmware/system_tables.h"

static void platform_find_tables(struct platform_facts *facts)
{
    facts->efi_system_table = phys_addr((uint64_t)firmware.system_table);
    system_tables_list(&facts->firmware_tables);
    facts->rsdp = phys_addr(firmware_tables_find(&facts->firmware_tables, FIRMWARE_TABLES_ACPI_20,
                                                 FIRMWARE_TABLES_ACPI_10));
    if (facts->rsdp.value == 0)
        console_warn("the firmware has no ACPI tables");
    facts->smbios = phys_addr(firmware_tables_find(
        &facts->firmware_tables, FIRMWARE_TABLES_SMBIOS_3, FIRMWARE_TABLES_SMBIOS));
}

void platform_gather(struct platform_facts *ret_facts)
{
    *ret_facts = (struct platform_facts){.seed_source = HANDOFF_SEED_NONE};

    platform_find_tables(ret_facts);
    ret_facts->boot_source = boot_source_find(ret_facts->boot_partition);
    ret_facts->seed_source = seed_gather(ret_facts->seed);
    if (ret_facts->seed_source == HANDOFF_SEED_NONE)
        console_warn("no source of random numbers: the seed is absent");
    struct clock clock = clock_find(&ret_facts->firmware_tables);
    ret_facts->clock_frequency_hz = clock.frequency_hz;
    ret_facts->clock_source = clock.source;
    if (clock.frequency_hz == 0)
        console_warn("the frequency of the %s is unknown: the log shows no times",
                     arch_clock_name());
}

void platform_log(const struct platform_facts *facts)
{
    const struct handoff_framebuffer *screen = &facts->framebuffers.list[0];
    console_log("screen %ux%u, ACPI at %llx, SMBIOS at %llx, %s at %llu MHz (%s)",
                screen->width_pixels, screen->height_pixels, facts->rsdp.value, facts->smbios.value,
                arch_clock_name(), facts->clock_frequency_hz / 1000000, facts->clock_source);
}
