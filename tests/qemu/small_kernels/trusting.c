/*
 * trusting.c - a kernel that is wrong on purpose: it trusts every handoff. The conformance kit has
 * to find that.
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

void entry(const struct handoff *handoff)
{
    (void)handoff;
    print("conformance: ready\nconformance: end passed\n");
    port_write(DEBUG_EXIT_PORT, DEBUG_EXIT_OK);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}
