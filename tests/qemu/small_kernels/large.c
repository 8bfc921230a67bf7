/*
 * large.c - a kernel with 3 MiB of numbers in its file. It checks each of them, and ends. So a read
 * that fails, or that moves bytes to a wrong place, is seen.
 */
#include "shared/handoff.h"

#define COM1_DATA        0x3f8
#define COM1_STATUS      0x3fd
#define COM1_STATUS_FREE 0x20
#define DEBUG_EXIT_PORT  0xf4 /* of QEMU */
#define DEBUG_EXIT_OK    0x10

#define NUMBER_COUNT 786432

/* The numbers from 0 on. */
extern const uint32_t numbers[NUMBER_COUNT];
__asm__(".pushsection .rodata\n"
        ".balign 4096\n"
        "numbers:\n"
        ".set number, 0\n"
        ".rept 786432\n"
        ".long number\n"
        ".set number, number + 1\n"
        ".endr\n"
        ".popsection\n");

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
    uint32_t good_count = 0;
    (void)handoff;
    while (good_count < NUMBER_COUNT && numbers[good_count] == good_count)
        good_count++;
    print(good_count == NUMBER_COUNT ? "\n[ready] action=power-off\n" : "\nwrong number\n");
    port_write(DEBUG_EXIT_PORT, DEBUG_EXIT_OK);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}
