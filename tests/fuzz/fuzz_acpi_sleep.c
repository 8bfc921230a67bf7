/* The soft-off state in any bytes: reads stay in the tables, and the result keeps its promises. */
#include <string.h>

#include "kernel/core/acpi_sleep.h"
#include "tests/fuzz/require.h"

/* A copy of exactly this size: ASan stops a read beyond it. */
static uint8_t *copy_of(const uint8_t *bytes, size_t size_bytes)
{
    uint8_t *copy = malloc(size_bytes == 0 ? 1 : size_bytes);
    require(copy != NULL);
    if (size_bytes != 0)
        memcpy(copy, bytes, size_bytes);
    return copy;
}

static void check_types(const uint8_t *dsdt, size_t size_bytes)
{
    struct acpi_sleep_types types = {{0xee, 0xee}};
    if (acpi_sleep_find_types(dsdt, size_bytes, &types) == ACPI_SLEEP_OK)
        require(types.type[0] <= 7 && types.type[1] <= 7);
    else
        require(types.type[0] == 0xee && types.type[1] == 0xee);
}

static void check_registers(const uint8_t *fadt, size_t size_bytes)
{
    struct acpi_sleep_registers registers = {.command = 0xeeee};
    if (acpi_sleep_find_registers(fadt, size_bytes, &registers) != ACPI_SLEEP_OK) {
        require(registers.command == 0xeeee && registers.control[0] == 0);
        return;
    }
    require(registers.control[0] >= ACPI_SLEEP_LOWEST_IO_ADDRESS);
    require(registers.control[1] == 0 || registers.control[1] >= ACPI_SLEEP_LOWEST_IO_ADDRESS);
    require((registers.command == 0) == (registers.command_enable == 0));
}

/* Any table in front of a good declaration hides it at most if it has one itself. */
static void check_good_end(const uint8_t *bytes, size_t size_bytes)
{
    static const uint8_t good[] = "\x08_S5_\x12\x06\x02\x0a\x05\x01\x00";
    struct acpi_sleep_types types;
    uint8_t *dsdt = malloc(36 + size_bytes + sizeof(good));
    require(dsdt != NULL);
    memset(dsdt, 0, 36);
    if (size_bytes != 0)
        memcpy(dsdt + 36, bytes, size_bytes);
    memcpy(dsdt + 36 + size_bytes, good, sizeof(good));
    require(acpi_sleep_find_types(dsdt, 36 + size_bytes + sizeof(good), &types) == ACPI_SLEEP_OK);
    free(dsdt);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    uint8_t *copy = copy_of(bytes, size_bytes);
    check_types(copy, size_bytes);
    check_registers(copy, size_bytes);
    check_good_end(bytes, size_bytes);
    free(copy);
    return 0;
}
