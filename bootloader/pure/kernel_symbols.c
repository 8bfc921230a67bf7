#include "bootloader/pure/kernel_symbols.h"

#include "bootloader/pure/elf_format.h"
#include "bootloader/pure/number_at.h"
#include "bootloader/pure/text_part.h"
#include "shared/text/packed_text.h"

#define SECTION_SYMBOLS 2
#define SECTION_STRINGS 3

/* In the order of the enum. */
static const char sentences[] PACKED_SECTION = "Good.\0"
                                               "Absent.\0"
                                               "It is outside of the file.\0"
                                               "Its size is wrong.\0"
                                               "It has no section with names.\0"
                                               "Its names have no end.\0"
                                               "A name is outside of its names.\0";

const char *kernel_symbols_status_text(enum kernel_symbols_status status)
{
    return text_part(packed_text_read(sentences), (unsigned)status);
}

static bool file_holds(uint64_t file_size_bytes, uint64_t offset, uint64_t size_bytes)
{
    return offset <= file_size_bytes && size_bytes <= file_size_bytes - offset;
}

uint64_t kernel_symbols_headers_size_bytes(const struct elf_plan *kernel, uint64_t file_size_bytes)
{
    uint64_t size_bytes = kernel->section_count * sizeof(struct section_header);
    return file_holds(file_size_bytes, kernel->sections_offset, size_bytes) ? size_bytes : 0;
}

/* Extended numbering (count 0) is for more sections than a linked kernel has. */
enum kernel_symbols_status kernel_symbols_find(const struct elf_plan *kernel, const void *headers,
                                               uint64_t file_size_bytes,
                                               struct kernel_symbols_plan *ret_plan)
{
    const struct section_header *symbols = headers;
    const struct section_header *end = symbols + kernel->section_count;
    while (symbols < end && symbols->type != SECTION_SYMBOLS)
        symbols++;
    if (symbols == end)
        return KERNEL_SYMBOLS_ABSENT;
    if (symbols->entry_size != KERNEL_SYMBOL_SIZE_BYTES || symbols->size == 0 ||
        symbols->size % KERNEL_SYMBOL_SIZE_BYTES != 0)
        return KERNEL_SYMBOLS_BAD_SIZE;
    if (symbols->link >= kernel->section_count)
        return KERNEL_SYMBOLS_BAD_LINK;
    const struct section_header *strings = (const struct section_header *)headers + symbols->link;
    if (strings->type != SECTION_STRINGS || strings->size == 0)
        return KERNEL_SYMBOLS_BAD_LINK;
    if (!file_holds(file_size_bytes, symbols->file_offset, symbols->size) ||
        !file_holds(file_size_bytes, strings->file_offset, strings->size))
        return KERNEL_SYMBOLS_OUT_OF_FILE;
    *ret_plan =
        (struct kernel_symbols_plan){symbols->file_offset, symbols->size / KERNEL_SYMBOL_SIZE_BYTES,
                                     strings->file_offset, strings->size};
    return KERNEL_SYMBOLS_OK;
}

enum kernel_symbols_status kernel_symbols_check(const void *bytes,
                                                const struct kernel_symbols_plan *plan)
{
    const uint8_t *next = bytes;
    const uint8_t *strings = next + plan->count * KERNEL_SYMBOL_SIZE_BYTES;
    if (strings[plan->strings_size_bytes - 1] != '\0')
        return KERNEL_SYMBOLS_NO_END;
    for (; next != strings; next += KERNEL_SYMBOL_SIZE_BYTES) {
        if (number_at(next, 4) >= plan->strings_size_bytes) /* st_name */
            return KERNEL_SYMBOLS_BAD_NAME;
    }
    return KERNEL_SYMBOLS_OK;
}

void kernel_symbols_write(const struct kernel_symbols *symbols, struct handoff_array *ret_symbols,
                          struct handoff_range *ret_strings)
{
    uint64_t first = symbols->memory.start.value;
    if (symbols->count == 0)
        return;
    *ret_symbols =
        (struct handoff_array){first, (uint32_t)symbols->count, KERNEL_SYMBOL_SIZE_BYTES};
    *ret_strings = (struct handoff_range){first + symbols->count * KERNEL_SYMBOL_SIZE_BYTES,
                                          symbols->strings_size_bytes};
}
