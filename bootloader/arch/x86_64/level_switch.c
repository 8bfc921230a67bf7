#include "bootloader/arch/x86_64/level_switch.h"

#include "shared/arch/x86_64/page_entry.h"
#include "shared/memory.h"

/* In level_switch.S: the constant part of page 0, and where the parts of its code begin. */
extern const uint8_t level_switch_page[];
extern const uint8_t level_switch_code_32[];
extern const uint8_t level_switch_code_64[];
extern const uint8_t level_switch_page_end[];

/* In enter.S: where the code continues after the switch. */
extern const uint8_t enter_with_new_levels[];

static size_t distance_bytes(const uint8_t *from, const uint8_t *to)
{
    return (uintptr_t)to - (uintptr_t)from;
}

/* See level_switch.h. The root of five-level switch tables has one entry in use, the first: every
 * physical address is below 256 TiB of it. */
static void fill_top_table(uint64_t *top_table, struct phys_addr switch_root, unsigned levels)
{
    const uint64_t *root = (const uint64_t *)switch_root.value;
    if (levels == 4) {
        memcpy(top_table, (const void *)page_entry_address(root[0], 5).value, PAGE_SIZE_BYTES);
        return;
    }
    memset(top_table, 0, PAGE_SIZE_BYTES);
    top_table[0] = page_entry_for_table(switch_root);
}

void level_switch_prepare(struct phys_addr block, struct phys_addr switch_root, unsigned levels,
                          const void *state)
{
    struct level_switch *page = (struct level_switch *)block.value;
    uint64_t *top_table = (uint64_t *)(block.value + PAGE_SIZE_BYTES);

    memcpy(page, level_switch_page, distance_bytes(level_switch_page, level_switch_page_end));
    page->state = (uint64_t)state;
    page->return_address = (uint64_t)enter_with_new_levels;
    page->code_32.offset =
        (uint32_t)block.value + (uint32_t)distance_bytes(level_switch_page, level_switch_code_32);
    page->code_64.offset =
        (uint32_t)block.value + (uint32_t)distance_bytes(level_switch_page, level_switch_code_64);
    page->top_table = (uint32_t)(uint64_t)top_table;
    page->gdt_base = (uint64_t)page->gdt;
    fill_top_table(top_table, switch_root, levels);
}
