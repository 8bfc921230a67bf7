/* kernel.c - a first kernel: it prints its memory size, allocates, and ends (see README.md). */
#include "handoff.h"

static const struct handoff_framebuffer *screen; /* NULL: none */
static uint64_t map, heap, heap_end, free_bytes; /* map + a physical address: its virtual address */
static uint32_t column, row;
static uint16_t serial_port = 0x3f8; /* COM1, until the handoff names the port; 0: none */

/* The characters ' ' to '_', 3 by 5 pixels. Each octal digit is one row of three pixels. */
static const uint16_t font[64] = {
    000000, 022202, 055000, 057575, 036736, 051245, 025253, 022000, 012221, 042224, 005250,
    002720, 000024, 000700, 000002, 011244, 075557, 026227, 071747, 071717, 055711, 074717,
    074757, 071222, 075757, 075717, 002020, 002024, 012421, 007070, 042124, 071202, 025743,
    025755, 065656, 034443, 065556, 074647, 074644, 034553, 055755, 072227, 011152, 055655,
    044447, 057755, 065555, 025552, 065644, 025573, 065655, 034216, 072222, 055557, 055552,
    055775, 055255, 055222, 071247, 064446, 044211, 031113, 025000, 000007};

static void screen_write(char character) /* a pixel of the font is a square of 3 by 3 */
{
    unsigned glyph = font[(character - (character > '_' ? 64 : 32)) & 63];
    for (uint32_t i = 0; i < 12 * 20 && character != '\n'; i++) {
        uint32_t x = i % 12, y = i / 12;
        uint32_t *line = (uint32_t *)(map + screen->base + (row * 20ull + y) * screen->pitch_bytes);
        line[column * 12 + x] = x < 9 && y < 15 ? 0 - (glyph >> (14 - y / 3 * 3 - x / 3) & 1) : 0;
    }
    column = character == '\n' ? 0 : (column + 1) % (screen->width_pixels / 12);
    row = (row + (column == 0)) % (screen->height_pixels / 20);
}

static void print(const char *text)
{
    for (; *text != '\0'; text++) {
        uint8_t status = 0; /* bit 5: the port takes a byte. No wait is endless. */
        for (unsigned i = 0; i < 100000 && (status & 0x20) == 0 && serial_port != 0; i++)
            __asm__ volatile("inb %1, %0" : "=a"(status) : "Nd"((uint16_t)(serial_port + 5)));
        if (serial_port != 0)
            __asm__ volatile("outb %0, %1" : : "a"(*text), "Nd"(serial_port));
        if (screen != NULL)
            screen_write(*text);
    }
}

static void print_number(const char *name, uint64_t number, unsigned base)
{
    print(number >= base ? "" : name);
    if (number >= base)
        print_number(name, number / base, base);
    print((char[]){"0123456789abcdef"[number % base], '\0'});
}

/* QEMU with the device isa-debug-exit ends with the status 2 * code + 1. */
static _Noreturn void end(const char *verdict, uint32_t code)
{
    print(verdict);
    for (;;)
        __asm__ volatile("outl %0, %1\n\tcli\n\thlt" : : "a"(code), "Nd"((uint16_t)0xf4));
}

static uint32_t crc32(const uint8_t *bytes, uint32_t size_bytes)
{
    uint32_t crc = UINT32_MAX;
    for (uint64_t bit = 0; bit < size_bytes * 8ull; bit++) {
        crc ^= bit % 8 != 0 || bit / 32 == 4 ? 0 : bytes[bit / 8]; /* itself counts as 0 */
        crc = crc >> 1 ^ (crc & 1) * 0xedb88320;
    }
    return ~crc;
}

static void *allocate(uint64_t size_bytes) /* there is no free() yet */
{
    if (size_bytes > heap_end - heap)
        return NULL;
    heap += (size_bytes + 15) & ~15ull; /* both ends are multiples of 16: it stays inside */
    return (void *)(heap - ((size_bytes + 15) & ~15ull));
}

void kernel_main(const struct handoff *handoff)
{
    if (handoff->magic != HANDOFF_MAGIC || handoff->version_major != HANDOFF_VERSION_MAJOR ||
        handoff->size_bytes < sizeof(*handoff) || handoff->machine != HANDOFF_MACHINE_X86_64 ||
        crc32((const uint8_t *)handoff, handoff->size_bytes) != handoff->checksum)
        end("\nconformance: refused 1 the handoff is damaged, or not of version 2\n", 0x11);
    map = handoff->direct_map_base;
    serial_port = (uint16_t)handoff->arch.x86_64.serial_port;
    screen = (const void *)(map + handoff->framebuffers.first);
    screen = handoff->framebuffers.count != 0 && screen->bits_per_pixel == 32 ? screen : NULL;
    heap = map + handoff->temp_heap_base;
    heap_end = heap + handoff->temp_heap_size;
    for (uint64_t i = 0; i < handoff->regions.count; i++) {
        uint64_t address = handoff->regions.first + i * handoff->regions.stride_bytes;
        const struct handoff_region *region = (const void *)(map + address);
        free_bytes += region->reuse == HANDOFF_REUSE_AT_ENTRY ? region->size_bytes : 0;
    }
    print("\nconformance: ready\nHello from a kernel.");
    print_number("\nFree memory: KiB ", free_bytes / 1024, 10);
    print_number("\nFirst heap: KiB ", handoff->temp_heap_size / 1024, 10);
    print_number("\nA block of 100 bytes: 0x", (uint64_t)allocate(100), 16);
    end("\nconformance: end passed\n", 0x10);
}
