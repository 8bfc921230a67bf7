/* Page tables and an oracle get the same requests. After each request they are compared in full. */
#include "tests/fuzz/require.h"
#include "tests/unit/support/page_table_operations.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    require_no_problem(page_table_operations_run(bytes, size_bytes));
    return 0;
}
