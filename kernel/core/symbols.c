#include "kernel/core/symbols.h"

#include "kernel/core/image.h"
#include "shared/text/format.h"

struct symbol_entry {
    uint32_t address_offset;
    uint32_t name_offset;
};

struct symbol_table {
    uint64_t link_base; /* a number: a relocation would make the table writable */
    uint32_t count;
    uint32_t reserved;
    struct symbol_entry entries[];
};

/* The symbols are visible only to the linker: see scripts/kernel-symbols.py. */
extern const struct symbol_table kernel_symbol_table;
/* The same for scripts/kernel-lines.py. The first word is the size in bytes. */
extern const uint32_t kernel_line_table[];

bool symbols_find(struct virt_addr address, struct symbol *ret_symbol)
{
    const struct symbol_table *table = &kernel_symbol_table;
    if (!image_is_code(address) || table->count == 0)
        return false;

    uint32_t offset = (uint32_t)(address.value - (uint64_t)kernel_image_start);
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

uint64_t symbols_slide(void)
{
    return (uint64_t)kernel_image_start - kernel_symbol_table.link_base;
}

bool symbols_find_caller(struct virt_addr return_address, struct symbol *ret_symbol)
{
    if (!symbols_find(virt_addr(return_address.value - 1), ret_symbol))
        return false;
    ret_symbol->offset_bytes++;
    return true;
}

static void describe(const struct symbol *symbol, struct virt_addr code, char *text,
                     size_t capacity_bytes)
{
    struct source_line line;
    uint64_t offset_bytes = code.value - (uint64_t)kernel_image_start;
    unsigned long long offset_in_symbol_bytes = symbol->offset_bytes;
    if (line_table_find(kernel_line_table, kernel_line_table[0], offset_bytes, &line))
        format_text(text, capacity_bytes, "%s+0x%llx %s%s%s:%u", symbol->name,
                    offset_in_symbol_bytes, line.directory, line.directory[0] == '\0' ? "" : "/",
                    line.file, line.line);
    else
        format_text(text, capacity_bytes, "%s+0x%llx", symbol->name, offset_in_symbol_bytes);
}

#define NOT_IN_TEXT "(not in the kernel's text)"

void symbols_describe(struct virt_addr address, char *text, size_t capacity_bytes)
{
    struct symbol symbol;
    if (symbols_find(address, &symbol))
        describe(&symbol, address, text, capacity_bytes);
    else
        format_text(text, capacity_bytes, NOT_IN_TEXT);
}

void symbols_describe_caller(struct virt_addr return_address, char *text, size_t capacity_bytes)
{
    struct symbol symbol;
    if (symbols_find_caller(return_address, &symbol))
        describe(&symbol, virt_addr(return_address.value - 1), text, capacity_bytes);
    else
        format_text(text, capacity_bytes, NOT_IN_TEXT);
}
