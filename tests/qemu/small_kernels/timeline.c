/*
 * timeline.c - a kernel that prints the loader's timeline on COM1, with its own first
 * instruction as the end, and ends. make bench-boot counts the loader's instructions with it.
 * The only file of the project that it includes is shared/handoff.h.
 *
 * A file that includes this one and defines BALLAST makes a large kernel of it.
 */
#include "shared/handoff.h"

#define COM1_DATA        0x3f8
#define COM1_STATUS      0x3fd
#define COM1_STATUS_FREE 0x20
#define DEBUG_EXIT_PORT  0xf4 /* of QEMU */
#define DEBUG_EXIT_OK    0x10

#ifdef BALLAST
BALLAST;
#endif

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

static uint64_t ticks_now(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static void print(const char *text)
{
    for (; *text != '\0'; text++) {
        while ((port_read(COM1_STATUS) & COM1_STATUS_FREE) == 0)
            continue;
        port_write(COM1_DATA, (uint8_t)*text);
    }
}

static void print_number(uint64_t number)
{
    char digits[21];
    char *first = digits + sizeof(digits) - 1;
    *first = '\0';
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    print(first);
}

static const struct handoff_moment *moment(const struct handoff *handoff, uint32_t index)
{
    const struct handoff_array *array = &handoff->timeline;
    return (const void *)(handoff->direct_map_base + array->first +
                          (uint64_t)index * array->stride_bytes);
}

/* The form of the kernel's own lines (docs/LOG.md). */
static void print_phases(const struct handoff *handoff, uint64_t end_ticks)
{
    for (uint32_t i = 0; i < handoff->timeline.count; i++) {
        uint64_t end = i + 1 < handoff->timeline.count ? moment(handoff, i + 1)->ticks : end_ticks;
        print("[timeline] ticks=");
        print_number(end - moment(handoff, i)->ticks);
        print(" phase=");
        print(moment(handoff, i)->name);
        print("\n");
    }
}

void entry(const struct handoff *handoff)
{
    uint64_t first_ticks = ticks_now();
    print("\n");
    if (handoff->magic == HANDOFF_MAGIC && handoff->version_major == HANDOFF_VERSION_MAJOR) {
        print_phases(handoff, first_ticks);
        print("[ready] action=power-off\n");
    }
    port_write(DEBUG_EXIT_PORT, DEBUG_EXIT_OK);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}
