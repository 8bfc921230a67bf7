/* The early heap and an oracle do the same operations. A full check follows each operation. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/support/early_heap_operations.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    const char *problem = early_heap_operations_run(bytes, size_bytes);
    if (problem != NULL) {
        (void)fprintf(stderr, "%s\n", problem);
        abort();
    }
    return 0;
}
