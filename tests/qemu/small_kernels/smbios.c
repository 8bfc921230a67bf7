/*
 * smbios.c - a kernel that was written from docs/HANDOFF.md. It prints the version of SMBIOS and
 * the type of the first structure on COM1, and ends. The only file of the project that it includes
 * is shared/handoff.h.
 *
 * The entry is a plain function, because the loader calls it by the System V convention.
 */
#include "shared/handoff.h"

#define COM1_DATA        0x3f8
#define COM1_STATUS      0x3fd
#define COM1_STATUS_FREE 0x20
#define DEBUG_EXIT_PORT  0xf4 /* of QEMU */
#define DEBUG_EXIT_OK    0x10

void entry(const struct handoff *handoff);

static void port_write(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %1, %0" : : "Nd"(port), "a"(value));
}

static uint8_t port_read(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void print(const char *text)
{
    for (; *text != '\0'; text++) {
        while ((port_read(COM1_STATUS) & COM1_STATUS_FREE) == 0)
            continue;
        port_write(COM1_DATA, (uint8_t)*text);
    }
}

static void print_byte(uint8_t value)
{
    const char digits[] = {(char)('0' + value / 100), (char)('0' + value / 10 % 10),
                           (char)('0' + value % 10), '\0'};
    print(digits + (value >= 100 ? 0 : value >= 10 ? 1 : 2));
}

static _Noreturn void end(const char *text)
{
    print(text);
    port_write(DEBUG_EXIT_PORT, DEBUG_EXIT_OK);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

/* Return the bytes of the listed table with these properties, or end if none is readable. */
static const uint8_t *table(const struct handoff *handoff, uint64_t address, uint32_t part)
{
    const struct handoff_array *array = &handoff->firmware_tables;
    for (uint32_t i = 0; i < array->count; i++) {
        const struct handoff_firmware_table *listed =
            (const void *)(handoff->direct_map_base + array->first +
                           (uint64_t)i * array->stride_bytes);
        if (listed->part == part && listed->size_bytes != 0 &&
            listed->mapping == HANDOFF_TABLE_MAPPED && (address == 0 || listed->address == address))
            return (const uint8_t *)(handoff->direct_map_base + listed->address);
    }
    end("no readable SMBIOS table\n");
}

void entry(const struct handoff *handoff)
{
    if (handoff->magic != HANDOFF_MAGIC || handoff->version_major != HANDOFF_VERSION_MAJOR)
        end("not a handoff that this kernel knows\n");
    if (handoff->smbios == 0)
        end("no SMBIOS\n");
    const uint8_t *point = table(handoff, handoff->smbios, 0);
    const uint8_t *version = point[3] == '3' ? point + 7 : point + 6; /* "_SM3_", "_SM_" */
    print("\nSMBIOS ");
    print_byte(version[0]);
    print(".");
    print_byte(version[1]);
    print(", first structure: type ");
    print_byte(table(handoff, 0, HANDOFF_TABLE_PART_SMBIOS)[0]);
    end("\n");
}
