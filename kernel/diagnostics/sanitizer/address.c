/*
 * The functions that the compiler calls under -fsanitize=kernel-address (clang's
 * AddressSanitizer.cpp: outlined checks, names with _noabort), and the shadow that they read.
 *
 *   shadow byte   the 8 bytes that it stands for
 *   0             all of them are live
 *   1 … 7         the first so many are live
 *   RED_ZONE      behind a block
 *   FREED         of a block that is free again
 *   NEVER         no block has been here, or the heap's own
 */
#include "kernel/diagnostics/sanitizer/address.h"

#include "kernel/core/panic.h"
#include "shared/memory.h"

#define GRANULE_BYTES 8u
#define RED_ZONE      0xfa
#define FREED         0xfd
#define NEVER         0xff

static uint8_t shadow[ADDRESS_SHADOWED_BYTES / GRANULE_BYTES];
static uintptr_t shadowed_base = UINTPTR_MAX; /* no memory is shadowed yet */

void address_begin(const void *base)
{
    memset(shadow, NEVER, sizeof shadow);
    shadowed_base = (uintptr_t)base;
}

/* Blocks begin at granules. */
static void mark(uintptr_t start, uintptr_t end, uint8_t value)
{
    for (uintptr_t at = start; at < end; at += GRANULE_BYTES)
        shadow[(at - shadowed_base) / GRANULE_BYTES] = value;
}

void address_mark_live(const void *block, size_t size_bytes, size_t capacity_bytes)
{
    uintptr_t start = (uintptr_t)block, end = start + size_bytes;
    uintptr_t whole_end = end - end % GRANULE_BYTES;
    mark(start, whole_end, 0);
    mark(whole_end, start + capacity_bytes, RED_ZONE);
    if (end != whole_end)
        shadow[(whole_end - shadowed_base) / GRANULE_BYTES] = (uint8_t)(end - whole_end);
}

void address_mark_free(const void *block, size_t capacity_bytes)
{
    mark((uintptr_t)block, (uintptr_t)block + capacity_bytes, FREED);
}

static bool is_shadowed(uintptr_t address)
{
    return address >= shadowed_base && address - shadowed_base < ADDRESS_SHADOWED_BYTES;
}

static bool is_live(uintptr_t address)
{
    uint8_t value = shadow[(address - shadowed_base) / GRANULE_BYTES];
    return value == 0 || (value < GRANULE_BYTES && address % GRANULE_BYTES < value);
}

/* Return how many bytes the address lies behind the end of the block before it. */
static size_t distance_from_block(uintptr_t address)
{
    uintptr_t at = address;
    while (at > shadowed_base && !is_live(at))
        at--;
    return address - at;
}

static _Noreturn void report(uintptr_t address, size_t size_bytes, size_t first, bool writes,
                             uintptr_t caller)
{
    uintptr_t wrong = address + first;
    panic_note("accessed by", (const void *)caller);
    const char *access = writes ? "write" : "read";
    switch (shadow[(wrong - shadowed_base) / GRANULE_BYTES]) {
    case FREED:
        panic(PANIC_BAD_ACCESS, "%s of %zu bytes at 0x%llx, by 0x%llx: in a block that was freed",
              access, size_bytes, (unsigned long long)wrong, (unsigned long long)caller);
    case NEVER:
        panic(PANIC_BAD_ACCESS, "%s of %zu bytes at 0x%llx, by 0x%llx: no block is there", access,
              size_bytes, (unsigned long long)wrong, (unsigned long long)caller);
    default:
        panic(PANIC_BAD_ACCESS, "%s of %zu bytes at 0x%llx, by 0x%llx: byte %zu behind a block",
              access, size_bytes, (unsigned long long)wrong, (unsigned long long)caller,
              distance_from_block(wrong));
    }
}

static void check(uintptr_t address, size_t size_bytes, bool writes, uintptr_t caller)
{
    if (!is_shadowed(address))
        return;
    for (size_t i = 0; i < size_bytes; i++) {
        if (is_shadowed(address + i) && !is_live(address + i))
            report(address, size_bytes, i, writes, caller);
    }
}

#define CALLER ((uintptr_t)__builtin_return_address(0))

#define CHECKS(size)                                                                               \
    void __asan_load##size##_noabort(uintptr_t address);                                           \
    void __asan_load##size##_noabort(uintptr_t address)                                            \
    {                                                                                              \
        check(address, size, false, CALLER);                                                       \
    }                                                                                              \
    void __asan_store##size##_noabort(uintptr_t address);                                          \
    void __asan_store##size##_noabort(uintptr_t address)                                           \
    {                                                                                              \
        check(address, size, true, CALLER);                                                        \
    }

CHECKS(1)
CHECKS(2)
CHECKS(4)
CHECKS(8)
CHECKS(16)

void __asan_loadN_noabort(uintptr_t address, size_t size_bytes);
void __asan_loadN_noabort(uintptr_t address, size_t size_bytes)
{
    check(address, size_bytes, false, CALLER);
}

void __asan_storeN_noabort(uintptr_t address, size_t size_bytes);
void __asan_storeN_noabort(uintptr_t address, size_t size_bytes)
{
    check(address, size_bytes, true, CALLER);
}

/* Stacks have no shadow, so there is nothing to clear. */
void __asan_handle_no_return(void);
void __asan_handle_no_return(void)
{
}

void *__asan_memcpy(void *destination, const void *source, size_t size_bytes);
void *__asan_memcpy(void *destination, const void *source, size_t size_bytes)
{
    check((uintptr_t)source, size_bytes, false, CALLER);
    check((uintptr_t)destination, size_bytes, true, CALLER);
    return memcpy(destination, source, size_bytes);
}

void *__asan_memmove(void *destination, const void *source, size_t size_bytes);
void *__asan_memmove(void *destination, const void *source, size_t size_bytes)
{
    check((uintptr_t)source, size_bytes, false, CALLER);
    check((uintptr_t)destination, size_bytes, true, CALLER);
    return memmove(destination, source, size_bytes);
}

void *__asan_memset(void *destination, int value, size_t size_bytes);
void *__asan_memset(void *destination, int value, size_t size_bytes)
{
    check((uintptr_t)destination, size_bytes, true, CALLER);
    return memset(destination, value, size_bytes);
}
