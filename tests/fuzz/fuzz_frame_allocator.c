/* The frame allocator: a hostile map, or the same operations on a small machine and on an oracle. A
 * full check follows each operation. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/support/frame_operations.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    if (size_bytes == 0)
        return 0;
    const char *problem = bytes[0] % 4 == 0
                              ? frame_operations_run_hostile_map(bytes + 1, size_bytes - 1)
                              : frame_operations_run(bytes + 1, size_bytes - 1);
    if (problem != NULL) {
        (void)fprintf(stderr, "%s\n", problem);
        abort();
    }
    return 0;
}
