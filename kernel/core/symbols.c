#include "kernel/core/symbols.h"

#include "kernel/core/image.h"

struct symbol_entry {
    uint32_t address_offset;
    uint32_t name_offset;
};

struct symbol_table {
    uint64_t base;
    uint32_t count;
    uint32_t reserved;
    struct symbol_entry entries[];
};

/* The symbols are visible only to the linker: see scripts/kernel-symbols.py. */
extern const struct symbol_table kernel_symbol_table;

bool symbols_find(struct virt_addr address, struct symbol *ret_symbol)
{
    const struct symbol_table *table = &kernel_symbol_table;
    if (!image_is_code(address) || table->count == 0)
        return false;

    uint32_t offset = (uint32_t)(address.value - table->base);
    uint32_t low = 0;
    uint32_t high = table->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (table->entries[middle].address_offset <= offset)
            low = middle;
        else
            high = middle;
    }

    const char *names = (const char *)&table->entries[table->count];
    ret_symbol->name = names + table->entries[low].name_offset;
    ret_symbol->offset_bytes = offset - table->entries[low].address_offset;
    return true;
}

bool symbols_find_caller(struct virt_addr return_address, struct symbol *ret_symbol)
{
    if (!symbols_find(virt_addr(return_address.value - 1), ret_symbol))
        return false;
    ret_symbol->offset_bytes++;
    return true;
}
