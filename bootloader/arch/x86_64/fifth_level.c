#include "bootloader/arch/x86_64/fifth_level.h"

#include "shared/arch/x86_64/page_entry.h"
#include "shared/memory.h"

/* In fifth_level.S: the constant part of page 0, and where the parts of its code begin. */
extern const uint8_t fifth_level_page[];
extern const uint8_t fifth_level_code_32[];
extern const uint8_t fifth_level_code_64[];
extern const uint8_t fifth_level_page_end[];

/* In enter.S: where the code continues after the switch. */
extern const uint8_t enter_with_fifth_level[];

static size_t distance_bytes(const uint8_t *from, const uint8_t *to)
{
    return (uintptr_t)to - (uintptr_t)from;
}

void fifth_level_prepare(struct phys_addr block, struct phys_addr switch_root, const void *state)
{
    struct fifth_level *page = (struct fifth_level *)block.value;
    uint64_t *top_table = (uint64_t *)(block.value + PAGE_SIZE_BYTES);

    memcpy(page, fifth_level_page, distance_bytes(fifth_level_page, fifth_level_page_end));
    page->state = (uint64_t)state;
    page->return_address = (uint64_t)enter_with_fifth_level;
    page->code_32.offset =
        (uint32_t)block.value + (uint32_t)distance_bytes(fifth_level_page, fifth_level_code_32);
    page->code_64.offset =
        (uint32_t)block.value + (uint32_t)distance_bytes(fifth_level_page, fifth_level_code_64);
    page->top_table = (uint32_t)(uint64_t)top_table;
    page->gdt_base = (uint64_t)page->gdt;

    memset(top_table, 0, PAGE_SIZE_BYTES);
    top_table[0] = page_entry_for_table(switch_root);
}
