#include "bootloader/firmware/platform.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/boot_source.h"
#include "bootloader/firmware/clock.h"
#include "bootloader/firmware/screen.h"
#include "bootloader/firmware/seed.h"
#include "bootloader/firmware/system_tables.h"

static void platform_find_tables(const struct firmware *firmware, struct console *console,
                                 struct platform_facts *facts)
{
    facts->efi_system_table = phys_addr((uint64_t)firmware->system_table);
    system_tables_list(firmware, console, &facts->firmware_tables);
    facts->rsdp = phys_addr(firmware_tables_find(&facts->firmware_tables, FIRMWARE_TABLES_ACPI_20,
                                                 FIRMWARE_TABLES_ACPI_10));
    if (facts->rsdp.value == 0)
        console_warn(console, "the firmware has no ACPI tables");
    facts->smbios = phys_addr(firmware_tables_find(
        &facts->firmware_tables, FIRMWARE_TABLES_SMBIOS_3, FIRMWARE_TABLES_SMBIOS));
}

void platform_gather(const struct firmware *firmware, struct console *console,
                     struct platform_facts *ret_facts)
{
    *ret_facts = (struct platform_facts){.seed_source = HANDOFF_SEED_NONE};

    if (!screen_find(firmware, &ret_facts->framebuffer))
        console_log(console, "no linear framebuffer: the kernel has only the serial line");
    platform_find_tables(firmware, console, ret_facts);
    ret_facts->boot_source = boot_source_find(firmware, ret_facts->boot_partition);
    ret_facts->seed_source = seed_gather(firmware, ret_facts->seed);
    if (ret_facts->seed_source == HANDOFF_SEED_NONE)
        console_warn(console, "no source of random numbers: the seed is absent");
    struct clock clock = clock_find(firmware, &ret_facts->firmware_tables);
    ret_facts->clock_frequency_hz = clock.frequency_hz;
    if (clock.frequency_hz == 0)
        console_warn(console, "the frequency of the %s is unknown: the log shows no times",
                     arch_clock_name());
    console_log(console, "screen %ux%u, ACPI at %llx, SMBIOS at %llx, %s at %llu MHz (%s)",
                ret_facts->framebuffer.width_pixels, ret_facts->framebuffer.height_pixels,
                ret_facts->rsdp.value, ret_facts->smbios.value, arch_clock_name(),
                clock.frequency_hz / 1000000, clock.source);
}
