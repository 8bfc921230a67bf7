/*
 * pie.c - a kernel that is linked as a static PIE, at address 0. It checks that the loader has
 * relocated every pointer, that the slide is right, and that the symbols name its own functions. It
 * prints the modules, too. The only file of the project that it includes is shared/handoff.h.
 */
#include <stdbool.h>

#include "shared/handoff.h"

#define COM1_DATA        0x3f8
#define COM1_STATUS      0x3fd
#define COM1_STATUS_FREE 0x20
#define DEBUG_EXIT_PORT  0xf4 /* of QEMU */
#define DEBUG_EXIT_OK    0x10

/* The first byte of the image, from the linker: link address 0. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

/* An entry of the ELF symbol table (System V gABI). */
struct symbol {
    uint32_t name;
    uint8_t info;
    uint8_t other;
    uint16_t section;
    uint64_t value;
    uint64_t size;
};

static const struct handoff *handoff;

void entry(const struct handoff *handoff_of_loader);

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

static void print_number(const char *name, uint64_t number)
{
    char digits[19] = "0x";
    for (unsigned i = 0; i < 16; i++)
        digits[2 + i] = "0123456789abcdef"[number >> (60 - 4 * i) & 15];
    digits[18] = '\0';
    print(name);
    print(digits);
}

static _Noreturn void end(const char *text)
{
    print(text);
    port_write(DEBUG_EXIT_PORT, DEBUG_EXIT_OK);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

/* --- Pointers: each of them is a relocation --------------------------------------------------- */

struct link {
    const struct link *next;
    const char *word;
    void (*say)(const char *text);
};

static struct link third = {0, "three", print};
static struct link second = {&third, "two", print};
static struct link first = {&second, "one", print};
static const char *const words[] = {"red", "green", "blue", "white"};
/* Not aligned: DT_RELR cannot have it. */
static volatile struct __attribute__((packed)) {
    char letter;
    const char *word;
} packed = {'x', "packed"};

static bool is_here(const void *pointer)
{
    uint64_t offset = (uint64_t)pointer - handoff->kernel_virtual_base;
    return offset < handoff->kernel_size_bytes;
}

static bool pointers_are_right(void)
{
    unsigned count = 0;
    for (const struct link *link = &first; link != 0; link = link->next) {
        if (!is_here(link) || !is_here(link->word) || !is_here((const void *)link->say))
            return false;
        link->say(link->word);
        print(" ");
        count++;
    }
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *const volatile *word = &words[i];
        if (!is_here(*word))
            return false;
        print(*word);
        print(" ");
    }
    if (!is_here(packed.word) || packed.letter != 'x')
        return false;
    print(packed.word);
    print("\n");
    return count == 3;
}

/* --- Symbols ---------------------------------------------------------------------------------- */

static void *reach(uint64_t physical)
{
    return (void *)(handoff->direct_map_base + physical);
}

static bool is_equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* Return the address of a function, or 0. */
static uint64_t find_symbol(const char *wanted)
{
    const char *names = reach(handoff->kernel_strings.base);
    for (uint32_t i = 0; i < handoff->kernel_symbols.count; i++) {
        const struct symbol *symbol = reach(handoff->kernel_symbols.first +
                                            (uint64_t)i * handoff->kernel_symbols.stride_bytes);
        if (is_equal(names + symbol->name, wanted))
            return symbol->value + handoff->kernel_slide;
    }
    return 0;
}

static void check_symbols(void)
{
    print_number("symbols ", handoff->kernel_symbols.count);
    if (handoff->kernel_symbols.count == 0)
        print(" none\n");
    else if (find_symbol("entry") == (uint64_t)entry && find_symbol("print") == (uint64_t)print &&
             find_symbol("nobody") == 0)
        print(" right\n");
    else
        print(" WRONG\n");
}

/* --- Modules ---------------------------------------------------------------------------------- */

static void print_modules(void)
{
    for (uint32_t i = 0; i < handoff->modules.count; i++) {
        const struct handoff_module *module =
            reach(handoff->modules.first + (uint64_t)i * handoff->modules.stride_bytes);
        print("module ");
        print(reach(module->name.address));
        print_number(" ", module->size_bytes);
        if (module->size_bytes != 0)
            print_number(" begins with ", *(const uint8_t *)reach(module->base));
        print("\n");
    }
}

void entry(const struct handoff *handoff_of_loader)
{
    handoff = handoff_of_loader;
    print_number("\nbase ", handoff->kernel_virtual_base);
    print_number(" slide ", handoff->kernel_slide);
    print("\n");
    if ((uint64_t)__ehdr_start != handoff->kernel_slide)
        end("the slide is WRONG\n");
    if (handoff->kernel_entry != (uint64_t)entry)
        end("the entry is WRONG\n");
    if (!pointers_are_right())
        end("a pointer is WRONG\n");
    check_symbols();
    print_modules();
    end("pie: all is right\n");
}
