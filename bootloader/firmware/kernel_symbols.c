#include "bootloader/firmware/kernel_symbols.h"

#include "shared/address.h"

static enum loader_error refuse(const struct file *file, enum kernel_symbols_status status)
{
    return error_set(file->firmware->failure, LOADER_ERROR_KERNEL_SYMBOLS, EFI_SUCCESS,
                     "%s: .symtab: %s", file->path, kernel_symbols_status_text(status));
}

/* A plan with count 0: the file has no table. */
static enum loader_error read_plan(const struct file *file, struct pages *pages,
                                   struct kernel_symbols_plan *ret_plan)
{
    uint8_t header[ELF_HEADER_BYTES];
    struct elf_table table;
    struct phys_range block;
    *ret_plan = (struct kernel_symbols_plan){0};
    enum loader_error error = file_read(file, 0, header, sizeof(header));
    if (error != LOADER_OK)
        return error;
    enum kernel_symbols_status status =
        kernel_symbols_find_headers(header, file->size_bytes, &table);
    if (status == KERNEL_SYMBOLS_OK) {
        error = pages_allocate_for_reading(pages, table.size_bytes, PAGE_SIZE_BYTES, 0,
                                           HANDOFF_REGION_LOADER, &block);
        if (error != LOADER_OK)
            return error;
        error = file_read(file, table.offset, (void *)block.start.value, table.size_bytes);
        if (error == LOADER_OK)
            status = kernel_symbols_find((void *)block.start.value, table.size_bytes,
                                         file->size_bytes, ret_plan);
        pages_free(pages, block.start);
    }
    bool is_good = status == KERNEL_SYMBOLS_OK || status == KERNEL_SYMBOLS_ABSENT;
    return is_good ? error : refuse(file, status);
}

static enum loader_error read_parts(const struct file *file, const struct kernel_symbols_plan *plan,
                                    uint8_t *bytes)
{
    uint64_t symbols_size_bytes = plan->count * KERNEL_SYMBOL_SIZE_BYTES;
    uint8_t *strings = bytes + symbols_size_bytes;
    enum loader_error error = file_read(file, plan->symbols_offset, bytes, symbols_size_bytes);
    if (error == LOADER_OK)
        error = file_read(file, plan->strings_offset, strings, plan->strings_size_bytes);
    if (error != LOADER_OK)
        return error;
    enum kernel_symbols_status status = kernel_symbols_check(bytes, (const char *)strings, plan);
    return status == KERNEL_SYMBOLS_OK ? LOADER_OK : refuse(file, status);
}

enum loader_error kernel_symbols_load(const struct file *file, struct pages *pages,
                                      struct kernel_symbols *ret_symbols)
{
    struct kernel_symbols_plan plan;
    struct phys_range memory;
    enum loader_error error = read_plan(file, pages, &plan);
    if (error != LOADER_OK || plan.count == 0)
        return error;
    error = pages_allocate_for_reading(
        pages, plan.count * KERNEL_SYMBOL_SIZE_BYTES + plan.strings_size_bytes, PAGE_SIZE_BYTES, 0,
        HANDOFF_REGION_KERNEL_SYMBOLS, &memory);
    if (error == LOADER_OK)
        error = read_parts(file, &plan, (uint8_t *)memory.start.value);
    if (error == LOADER_OK)
        *ret_symbols = (struct kernel_symbols){memory, plan.count, plan.strings_size_bytes};
    return error;
}
