#include "bootloader/firmware/temp_heap.h"

#include "shared/address.h"

enum loader_error temp_heap_reserve(struct pages *pages, uint64_t size_bytes,
                                    struct console *console, struct phys_range *ret_heap)
{
    struct phys_range heap = phys_range(0, 0);

    if (size_bytes != 0) {
        enum loader_error error =
            pages_allocate(pages, size_bytes, HANDOFF_REGION_TEMP_HEAP, &heap);
        if (error == LOADER_ERROR_OUT_OF_MEMORY)
            console_warn(console, "no temporary heap: the firmware does not have %llu KiB (%s)",
                         size_bytes / KIB, error_status_name(pages->firmware->failure->status));
        else if (error != LOADER_OK)
            return error;
    }
    *ret_heap = heap;
    return LOADER_OK;
}
