/*
 * undefined.h - the kernel's own code under UndefinedBehaviorSanitizer: `make UBSAN=1`.
 *
 * The compiler checks every shift, sum, index, pointer and so on, and calls undefined.c where one
 * has no defined result. Each is a panic (PANIC_UNDEFINED) that names kind, values and place.
 * Without UBSAN=1 nothing of this is compiled.
 */
#ifndef KERNEL_DIAGNOSTICS_SANITIZER_UNDEFINED_H
#define KERNEL_DIAGNOSTICS_SANITIZER_UNDEFINED_H

#include <stdbool.h>
#include <stddef.h>

#ifdef HANDOFF_UBSAN
/* Do the named undefined thing, on purpose. False for an unknown name. */
bool undefined_provoke(const char *name);

/* The names one by one, from index 0 on; NULL behind the last. */
const char *undefined_provoke_name(size_t index);
#else
static inline bool undefined_provoke(const char *name)
{
    (void)name;
    return false;
}

static inline const char *undefined_provoke_name(size_t index)
{
    (void)index;
    return NULL;
}
#endif

#endif
