#include "bootloader/firmware/kernel_symbols.h"

#include "shared/address.h"

/* A file without a table is good. */
static enum loader_error judge(const struct file *file, enum kernel_symbols_status status)
{
    if (status <= KERNEL_SYMBOLS_ABSENT)
        return LOADER_OK;
    return error_set(LOADER_ERROR_KERNEL_SYMBOLS, EFI_SUCCESS, "%s: .symtab: %s", file->path,
                     kernel_symbols_status_text(status));
}

/* A plan with count 0: the file has no table. */
static enum loader_error read_plan(const struct file *file, struct pages *pages,
                                   const struct elf_plan *kernel,
                                   struct kernel_symbols_plan *ret_plan)
{
    struct phys_range block;
    uint64_t size_bytes = kernel_symbols_headers_size_bytes(kernel, file->size_bytes);
    ret_plan->count = 0;
    if (size_bytes == 0)
        return LOADER_OK;
    enum loader_error error =
        file_read_block(file, pages, kernel->sections_offset, size_bytes, &block);
    if (error != LOADER_OK)
        return error;
    error = judge(
        file, kernel_symbols_find(kernel, (void *)block.start.value, file->size_bytes, ret_plan));
    pages_free(pages, block.start);
    return error;
}

enum loader_error kernel_symbols_load(const struct file *file, struct pages *pages,
                                      const struct elf_plan *kernel,
                                      struct kernel_symbols *ret_symbols)
{
    struct kernel_symbols_plan plan;
    struct phys_range memory;
    enum loader_error error = read_plan(file, pages, kernel, &plan);
    if (error != LOADER_OK || plan.count == 0)
        return error;
    uint64_t symbols_size_bytes = plan.count * KERNEL_SYMBOL_SIZE_BYTES;
    error = pages_allocate_for_reading(pages, symbols_size_bytes + plan.strings_size_bytes,
                                       PAGE_SIZE_BYTES, 0, HANDOFF_REGION_KERNEL_SYMBOLS, &memory);
    if (error != LOADER_OK)
        return error;
    uint8_t *symbols = (uint8_t *)memory.start.value;
    error = file_read(file, plan.symbols_offset, symbols, symbols_size_bytes);
    if (error == LOADER_OK)
        error = file_read(file, plan.strings_offset, symbols + symbols_size_bytes,
                          plan.strings_size_bytes);
    if (error == LOADER_OK)
        error = judge(file, kernel_symbols_check(symbols, &plan));
    if (error == LOADER_OK)
        *ret_symbols = (struct kernel_symbols){memory, plan.count, plan.strings_size_bytes};
    return error;
}
