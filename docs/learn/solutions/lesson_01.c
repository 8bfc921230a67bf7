/* Lesson 1: what firmware leaves us. A solution. */
#include "lessons/lesson_01.h"

static bool is_usable(uint32_t type)
{
    return type == EFI_TYPE_CONVENTIONAL || type == EFI_TYPE_BOOT_SERVICES_CODE ||
           type == EFI_TYPE_BOOT_SERVICES_DATA;
}

/* Return the bytes of a row that count: 0 if it is not usable, or broken. The division cannot
 * overflow. The multiplication could, so it comes after the check. */
static uint64_t bytes_that_count(const struct memory_row *row)
{
    if (!is_usable(row->type) || row->page_count > (UINT64_MAX - row->start) / PAGE_BYTES)
        return 0;
    return row->page_count * PAGE_BYTES;
}

static uint64_t usable_bytes(const struct memory_row *rows, uint64_t row_count)
{
    uint64_t total_bytes = 0;
    for (uint64_t i = 0; i < row_count; i++)
        total_bytes += bytes_that_count(&rows[i]);
    return total_bytes;
}

static struct memory_run largest_run(const struct memory_row *rows, uint64_t row_count)
{
    struct memory_run largest = {0, 0};
    struct memory_run run = {0, 0};
    for (uint64_t i = 0; i < row_count; i++) {
        uint64_t size_bytes = bytes_that_count(&rows[i]);
        if (size_bytes == 0)
            continue;
        if (rows[i].start != run.start + run.size_bytes)
            run = (struct memory_run){rows[i].start, 0};
        run.size_bytes += size_bytes;
        if (run.size_bytes > largest.size_bytes)
            largest = run;
    }
    return largest;
}

const struct lesson_01 lesson_01 = {is_usable, usable_bytes, largest_run};
