/*
 * undefined.h - the kernel's code under UndefinedBehaviorSanitizer: `make UBSAN=1`.
 *
 * The compiler checks every shift, sum, index, pointer and more, and calls undefined.c if the
 * result is undefined. Each call is a panic (PANIC_UNDEFINED) that names kind, values and place.
 * Without UBSAN=1 these files are not compiled.
 */
#ifndef KERNEL_DIAGNOSTICS_SANITIZER_UNDEFINED_H
#define KERNEL_DIAGNOSTICS_SANITIZER_UNDEFINED_H

#include <stdbool.h>
#include <stddef.h>

#ifdef HANDOFF_UBSAN
/* Do the named undefined operation, on purpose. Return false for an unknown name. */
bool undefined_provoke(const char *name);

/* Return a name by index, from 0 on; NULL behind the last. */
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
