/*
 * conformance.c - a kernel that was written from docs/HANDOFF.md and docs/CONFORMANCE.md. It checks
 * the handoff in the order of "Reading it safely", and prints the result in the lines of the
 * conformance kit. The only file of the project that it includes is shared/handoff.h.
 */
#include <stdbool.h>

#include "shared/handoff.h"

#define COM1_DATA        0x3f8
#define COM1_STATUS      0x3fd
#define COM1_STATUS_FREE 0x20
#define DEBUG_EXIT_PORT  0xf4 /* of QEMU */
#define DEBUG_EXIT_OK    0x10
#define SIZE_2_0_BYTES   768

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

static _Noreturn void end(const char *text)
{
    print(text);
    port_write(DEBUG_EXIT_PORT, DEBUG_EXIT_OK);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

/* CRC-32 of the structure with the checksum's own four bytes taken as 0. */
static bool checksum_is_right(const struct handoff *handoff)
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

void entry(const struct handoff *handoff)
{
    if (handoff == NULL || (uint64_t)handoff % HANDOFF_PAGE_SIZE_BYTES != 0)
        end("conformance: refused 1 RDI is not the address of a page\n");
    if (handoff->magic != HANDOFF_MAGIC)
        end("conformance: refused 2 the magic number is wrong\n");
    if (handoff->version_major != HANDOFF_VERSION_MAJOR)
        end("conformance: refused 3 this kernel reads version 2 only\n");
    if (handoff->size_bytes < SIZE_2_0_BYTES || handoff->size_bytes > HANDOFF_PAGE_SIZE_BYTES)
        end("conformance: refused 4 the size is wrong\n");
    if (!checksum_is_right(handoff))
        end("conformance: refused 5 the checksum is wrong\n");
    if (handoff->machine != HANDOFF_MACHINE_X86_64)
        end("conformance: refused 6 the handoff is for another CPU\n");
    print("conformance: ready\n");
    end(handoff->regions.count != 0 ? "conformance: end passed\n"
                                    : "conformance: end failed there is no region\n");
}
