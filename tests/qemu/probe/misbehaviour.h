/*
 * misbehaviour.h - `probe=NAME` on the command line: cause a fault that the loader's handlers must
 * name. Only this kernel tests these handlers, because the real kernel installs its own.
 */
#ifndef PROBE_MISBEHAVIOUR_H
#define PROBE_MISBEHAVIOUR_H

#include <stdbool.h>

#include "shared/handoff.h"

enum misbehaviour {
    MISBEHAVIOUR_NONE,
    MISBEHAVIOUR_UNKNOWN, /* `probe=` with an unknown name */
    MISBEHAVIOUR_RETURN,  /* the entry point returns */
    MISBEHAVIOUR_UNDEFINED,
    MISBEHAVIOUR_BREAKPOINT,
    MISBEHAVIOUR_STACK_OVERFLOW,
    MISBEHAVIOUR_PAGE_ZERO,
    MISBEHAVIOUR_WRITE_TEXT,
    MISBEHAVIOUR_EXECUTE_DATA,
};

enum misbehaviour misbehaviour_wanted(const struct handoff *handoff);

/* `probe-tables=NAME` on the command line: run on page tables of the kernel, before it has an IDT.
 * `upper-half` copies the upper half of the loader's top-level table and leaves the lower half
 * empty. `without-loader` also leaves out the entry of the loader's image and of the stack.
 * Return true without the word. Return false, and change nothing, if the name is unknown or there
 * is no memory for a table. */
bool misbehaviour_load_tables(const struct handoff *handoff);

/* Return for NONE, UNKNOWN and RETURN. Return for another value only if no fault handler ran. */
void misbehaviour_run(enum misbehaviour misbehaviour);

#endif
