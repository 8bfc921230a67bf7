/*
 * version_1.c - a kernel for handoff 1.0. It checks the handoff that it gets as the document of 1.0
 * says: magic, version, size, checksum, in this order. It prints the result on COM1.
 */
#include <stdbool.h>
#include <stdint.h>

/* The beginning of the structure of handoff 1.0, which had 408 bytes. */
struct handoff_1 {
    uint64_t magic;
    uint16_t version_major;
    uint16_t version_minor;
    uint32_t size_bytes;
    uint32_t checksum;
};
#define HANDOFF_1_MAGIC      UINT64_C(0x0046464f444e4148)
#define HANDOFF_1_SIZE_BYTES 408

#define COM1_DATA        0x3f8
#define COM1_STATUS      0x3fd
#define COM1_STATUS_FREE 0x20
#define DEBUG_EXIT_PORT  0xf4 /* of QEMU */
#define DEBUG_EXIT_OK    0x10

void entry(const struct handoff_1 *handoff);

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

static void print_number(uint32_t number)
{
    char digits[11];
    unsigned place = sizeof(digits) - 1;
    digits[place] = '\0';
    do {
        digits[--place] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    print(digits + place);
}

static _Noreturn void end(const char *text)
{
    print(text);
    port_write(DEBUG_EXIT_PORT, DEBUG_EXIT_OK);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

/* CRC-32 of the structure with the checksum's own four bytes taken as 0. */
static bool checksum_is_right(const struct handoff_1 *handoff)
{
    const uint8_t *bytes = (const uint8_t *)handoff;
    uint32_t crc = UINT32_MAX;
    for (uint32_t i = 0; i < handoff->size_bytes; i++) {
        crc ^= i >= 16 && i < 20 ? 0 : bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? UINT32_C(0xedb88320) : 0);
    }
    return (crc ^ UINT32_MAX) == handoff->checksum;
}

void entry(const struct handoff_1 *handoff)
{
    if (handoff->magic != HANDOFF_1_MAGIC)
        end("\nno handoff\n");
    if (handoff->version_major != 1) {
        print("\nhandoff version ");
        print_number(handoff->version_major);
        print(".");
        print_number(handoff->version_minor);
        end(", wanted 1\n");
    }
    if (handoff->size_bytes < HANDOFF_1_SIZE_BYTES || !checksum_is_right(handoff))
        end("\ndamaged handoff\n");
    end("\nhandoff 1 accepted\n");
}
