#include "kernel/core/acpi_sleep.h"

#include "shared/memory.h"

#define TABLE_HEADER_BYTES 36

/* Offsets in the FADT (ACPI 6.5, table 5.9). The fields of 12 bytes are later additions. */
#define FADT_COMMAND        48
#define FADT_ENABLE         52
#define FADT_CONTROL_A      64
#define FADT_CONTROL_B      68
#define FADT_FLAGS          112
#define FADT_WIDE_CONTROL_A 172
#define FADT_WIDE_CONTROL_B 184
#define FADT_SMALLEST_BYTES 116
#define FADT_FLAG_REDUCED   (UINT32_C(1) << 20) /* the machine has no such registers */

/* A wide field: the kind of address space, three bytes about the width, then the address. */
#define WIDE_SIZE_BYTES     12
#define WIDE_ADDRESS_OFFSET 4
#define SPACE_IO            1

/* The encoding of programs (ACPI 6.5, 20.2). */
#define CODE_NAME    0x08
#define CODE_PACKAGE 0x12
#define CODE_ZERO    0x00
#define CODE_ONE     0x01
#define CODE_BYTE    0x0a
#define CODE_WORD    0x0b
#define CODE_DWORD   0x0c

#define NAME_SIZE_BYTES 4
#define LARGEST_TYPE    7

const char *acpi_sleep_status_text(enum acpi_sleep_status status)
{
    static const char *const texts[] = {
        [ACPI_SLEEP_OK] = "ok",
        [ACPI_SLEEP_BAD_FADT] = "the ACPI table FADT is too short",
        [ACPI_SLEEP_NO_REGISTER] = "the ACPI tables name no register to switch off",
        [ACPI_SLEEP_OFF] = "the firmware has not set up the ACPI registers",
        [ACPI_SLEEP_NO_PACKAGE] = "the ACPI tables have no values for the state S5",
    };
    return texts[status];
}

/* Little-endian. */
static uint64_t number_at(const uint8_t *bytes, size_t size_bytes)
{
    uint64_t number = 0;
    for (size_t i = size_bytes; i > 0; i--)
        number = number << 8 | bytes[i - 1];
    return number;
}

/* --- The FADT --------------------------------------------------------------------------------- */

/* Return an I/O address, or 0 if the register does not exist or lies elsewhere. The wide field
 * counts if the table has it and it is not 0. */
static uint16_t register_address(const uint8_t *fadt, size_t size_bytes, size_t narrow_offset,
                                 size_t wide_offset)
{
    uint64_t address = number_at(fadt + narrow_offset, sizeof(uint32_t));
    if (size_bytes >= wide_offset + WIDE_SIZE_BYTES) {
        const uint8_t *wide = fadt + wide_offset;
        uint64_t wide_address = number_at(wide + WIDE_ADDRESS_OFFSET, sizeof(uint64_t));
        if (wide_address != 0)
            address = wide[0] == SPACE_IO ? wide_address : 0;
    }
    return address < UINT16_MAX ? (uint16_t)address : 0;
}

enum acpi_sleep_status acpi_sleep_find_registers(const uint8_t *fadt, size_t size_bytes,
                                                 struct acpi_sleep_registers *ret_registers)
{
    if (size_bytes < FADT_SMALLEST_BYTES)
        return ACPI_SLEEP_BAD_FADT;
    if ((number_at(fadt + FADT_FLAGS, sizeof(uint32_t)) & FADT_FLAG_REDUCED) != 0)
        return ACPI_SLEEP_NO_REGISTER;
    uint16_t first = register_address(fadt, size_bytes, FADT_CONTROL_A, FADT_WIDE_CONTROL_A);
    uint16_t second = register_address(fadt, size_bytes, FADT_CONTROL_B, FADT_WIDE_CONTROL_B);
    if (first == 0)
        return ACPI_SLEEP_NO_REGISTER;
    if (first < ACPI_SLEEP_LOWEST_IO_ADDRESS)
        return ACPI_SLEEP_OFF;
    uint64_t command = number_at(fadt + FADT_COMMAND, sizeof(uint32_t));
    bool has_command = command != 0 && command <= UINT16_MAX && fadt[FADT_ENABLE] != 0;
    *ret_registers = (struct acpi_sleep_registers){
        .control = {first, second < ACPI_SLEEP_LOWEST_IO_ADDRESS ? 0 : second},
        .command = has_command ? (uint16_t)command : 0,
        .command_enable = has_command ? fadt[FADT_ENABLE] : 0,
    };
    return ACPI_SLEEP_OK;
}

/* --- The package ------------------------------------------------------------------------------ */

/* Foreign bytes that are read from the front. */
struct reader {
    const uint8_t *bytes;
    size_t left_bytes;
};

static bool take_number(struct reader *reader, size_t size_bytes, uint64_t *ret_number)
{
    if (reader->left_bytes < size_bytes)
        return false;
    *ret_number = number_at(reader->bytes, size_bytes);
    reader->bytes += size_bytes;
    reader->left_bytes -= size_bytes;
    return true;
}

/* A constant, in each of its encodings. */
static bool take_integer(struct reader *reader, uint64_t *ret_number)
{
    uint64_t code;
    if (!take_number(reader, 1, &code))
        return false;
    switch (code) {
    case CODE_ZERO:
    case CODE_ONE:
        *ret_number = code;
        return true;
    case CODE_BYTE:
        return take_number(reader, 1, ret_number);
    case CODE_WORD:
        return take_number(reader, 2, ret_number);
    case CODE_DWORD:
        return take_number(reader, 4, ret_number);
    default:
        return false;
    }
}

/* The length of a package counts from its own first byte. That byte has the number of further
 * bytes in its upper two bits, and then the lowest four bits of the length, or six without
 * further bytes. */
static bool take_length(struct reader *reader, size_t *ret_behind_bytes)
{
    uint64_t lead, rest = 0;
    if (!take_number(reader, 1, &lead))
        return false;
    size_t rest_bytes = (size_t)(lead >> 6);
    if (!take_number(reader, rest_bytes, &rest))
        return false;
    uint64_t length = rest_bytes == 0 ? lead & 0x3f : (lead & 0x0f) | rest << 4;
    if (length < 1 + rest_bytes || length - 1 - rest_bytes > reader->left_bytes)
        return false;
    *ret_behind_bytes = (size_t)length - 1 - rest_bytes;
    return true;
}

/* Firmware with one number has both values in it, a byte each. */
static bool read_package(struct reader reader, struct acpi_sleep_types *ret_types)
{
    uint64_t code, count, first, second;
    if (!take_number(&reader, 1, &code) || code != CODE_PACKAGE ||
        !take_length(&reader, &reader.left_bytes) || !take_number(&reader, 1, &count) ||
        count == 0 || !take_integer(&reader, &first))
        return false;
    if (count == 1) {
        second = first >> 8;
        first &= UINT8_MAX;
    } else if (!take_integer(&reader, &second)) {
        return false;
    }
    if (first > LARGEST_TYPE || second > LARGEST_TYPE)
        return false;
    *ret_types = (struct acpi_sleep_types){{(uint8_t)first, (uint8_t)second}};
    return true;
}

/* The name is at `offset`. A declaration has its code before the name, and maybe the root's sign
 * between them. */
static bool is_declared(const uint8_t *bytes, size_t offset)
{
    return bytes[offset - 1] == CODE_NAME ||
           (bytes[offset - 1] == '\\' && bytes[offset - 2] == CODE_NAME);
}

enum acpi_sleep_status acpi_sleep_find_types(const uint8_t *dsdt, size_t size_bytes,
                                             struct acpi_sleep_types *ret_types)
{
    for (size_t i = TABLE_HEADER_BYTES; i + NAME_SIZE_BYTES < size_bytes; i++) {
        if (dsdt[i] != '_' || memcmp(dsdt + i, "_S5_", NAME_SIZE_BYTES) != 0 ||
            !is_declared(dsdt, i))
            continue;
        size_t behind = i + NAME_SIZE_BYTES;
        if (read_package((struct reader){dsdt + behind, size_bytes - behind}, ret_types))
            return ACPI_SLEEP_OK;
    }
    return ACPI_SLEEP_NO_PACKAGE;
}

uint16_t acpi_sleep_control_value(uint8_t type, uint16_t now)
{
    unsigned kept = now & ~(unsigned)(ACPI_SLEEP_CONTROL_TYPE_MASK | ACPI_SLEEP_CONTROL_GO);
    return (uint16_t)(kept | (unsigned)type << ACPI_SLEEP_CONTROL_TYPE_SHIFT);
}
