/* The symbol table of a kernel's file: any bytes are refused, or give a table that lies in the file. */
#include <string.h>

#include "bootloader/pure/kernel_symbols.h"
#include "tests/fuzz/require.h"

/* A copy of two parts, of their exact size. */
static uint8_t *copy_of(const uint8_t *bytes, size_t size_bytes, const uint8_t *more,
                        size_t more_size_bytes)
{
    uint8_t *copy = malloc(size_bytes + more_size_bytes);
    require(copy != NULL);
    memcpy(copy, bytes, size_bytes);
    if (more_size_bytes != 0)
        memcpy(copy + size_bytes, more, more_size_bytes);
    return copy;
}

static void require_names(const uint8_t *file, const struct kernel_symbols_plan *plan)
{
    for (uint64_t i = 0; i < plan->count; i++) {
        uint32_t name;
        memcpy(&name, file + plan->symbols_offset + 24 * i, sizeof(name));
        const char *text = (const char *)file + plan->strings_offset + name;
        require(memchr(text, '\0', plan->strings_size_bytes - name) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct elf_plan kernel = {0};
    struct kernel_symbols_plan plan;
    uint16_t count;
    if (size_bytes < ELF_HEADER_BYTES)
        return 0;
    memcpy(&kernel.sections_offset, bytes + 40, sizeof(kernel.sections_offset));
    memcpy(&count, bytes + 60, sizeof(count));
    kernel.section_count = count;
    uint64_t headers_size_bytes = kernel_symbols_headers_size_bytes(&kernel, size_bytes);
    if (headers_size_bytes == 0)
        return 0;
    uint8_t *headers = copy_of(bytes + kernel.sections_offset, headers_size_bytes, NULL, 0);
    enum kernel_symbols_status status = kernel_symbols_find(&kernel, headers, size_bytes, &plan);
    free(headers);
    require(strlen(kernel_symbols_status_text(status)) > 0);
    if (status != KERNEL_SYMBOLS_OK)
        return 0;
    require(plan.count > 0 && plan.count <= size_bytes / 24 && plan.strings_size_bytes > 0);
    uint8_t *symbols = copy_of(bytes + plan.symbols_offset, plan.count * 24,
                               bytes + plan.strings_offset, plan.strings_size_bytes);
    status = kernel_symbols_check(symbols, &plan);
    free(symbols);
    require(strlen(kernel_symbols_status_text(status)) > 0);
    if (status == KERNEL_SYMBOLS_OK)
        require_names(bytes, &plan);
    return 0;
}
