/*
 * heap_settings.h - where the permanent heap's window lies and how far it grows, from the command
 * line and the machine.
 *
 *   heap_window=16M   the addresses that the heap has at first, and the step in which it gets more
 *   heap_limit=1G     it never gets more than this
 *   heap_aslr=off     the window begins at LAYOUT_HEAP_WINDOW_BASE instead of a random address
 *
 * Pure. Phase: any.
 */
#ifndef KERNEL_MM_HEAP_SETTINGS_H
#define KERNEL_MM_HEAP_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/address.h"

#define HEAP_SETTINGS_WINDOW_BYTES (UINT64_C(16) << 20)
/* The self-test takes a third of it. */
#define HEAP_SETTINGS_MINIMUM_BYTES (UINT64_C(1) << 20)
/* Below what every policy can serve. */
#define HEAP_SETTINGS_MAXIMUM_BYTES (UINT64_C(32) << 30)
/* Without heap_limit= the heap may take a quarter of RAM, but no more than this. */
#define HEAP_SETTINGS_LIMIT_BYTES (UINT64_C(1) << 30)

struct heap_settings {
    struct virt_addr base;
    uint64_t window_bytes;
    uint64_t limit_bytes; /* >= window_bytes */
    bool is_randomised;
};

/* What heap_settings_choose() could not use, as a constant clause; NULL where there was nothing. */
struct heap_settings_warnings {
    const char *window;
    const char *limit;
    const char *aslr;
};

/* Choose. A value that is no number, no multiple of the page or out of bounds is warned of, and the
 * default serves. `random` is 8 bytes of the handed-over seed that nothing else uses; NULL if there
 * is none, and the base is then not random. */
void heap_settings_choose(const char *command_line, uint64_t ram_bytes, const uint64_t *random,
                          struct heap_settings *ret_settings,
                          struct heap_settings_warnings *ret_warnings);

#endif
