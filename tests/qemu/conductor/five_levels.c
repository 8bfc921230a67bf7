/*
 * five_levels.c - firmware that runs with five levels of page tables.
 *
 * Plan: `five-levels`. OVMF runs with four. Its root becomes the only entry of a new root, so every
 * address below 128 TiB stays mapped as it was.
 */
#include "shared/memory.h"
#include "tests/qemu/conductor/arch/x86_64/control.h"
#include "tests/qemu/conductor/stage.h"

#define ENTRY_PRESENT_WRITE UINT64_C(3)
#define PAGE_SIZE_BYTES     UINT64_C(4096)

void five_levels_enter(uint64_t root);

void five_levels_enable(void)
{
    EFI_PHYSICAL_ADDRESS root = UINT32_MAX;
    if (EFI_ERROR(
            stage.firmware->AllocatePages(AllocateMaxAddress, EfiBootServicesData, 1, &root))) {
        say("five-levels: no memory");
        return;
    }
    uint64_t *table = (uint64_t *)(uintptr_t)root;
    memset(table, 0, PAGE_SIZE_BYTES);
    table[0] = control_table_root() | ENTRY_PRESENT_WRITE;
    five_levels_enter(root);
    say("five-levels: %s", control_has_five_levels() ? "on" : "off");
}
