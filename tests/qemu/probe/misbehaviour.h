/*
 * misbehaviour.h - `probe=NAME` on the command line: do what the loader's fault handlers must name.
 * The kernel under test has no handlers of its own, so this is their only user.
 */
#ifndef PROBE_MISBEHAVIOUR_H
#define PROBE_MISBEHAVIOUR_H

#include <stdbool.h>

#include "shared/handoff.h"

enum misbehaviour {
    MISBEHAVIOUR_NONE,
    MISBEHAVIOUR_UNKNOWN, /* the word is there, the name is not known */
    MISBEHAVIOUR_RETURN,  /* the entry point is to return */
    MISBEHAVIOUR_UNDEFINED,
    MISBEHAVIOUR_BREAKPOINT,
    MISBEHAVIOUR_STACK_OVERFLOW,
    MISBEHAVIOUR_PAGE_ZERO,
    MISBEHAVIOUR_WRITE_TEXT,
    MISBEHAVIOUR_EXECUTE_DATA,
};

enum misbehaviour misbehaviour_wanted(const struct handoff *handoff);

/* `probe-tables=NAME` on the command line: run on page tables of the kernel's own, before it has an
 * IDT. `upper-half` is the upper half of the loader's top-level table, with an empty lower half;
 * `without-loader` also lacks the entry of the loader's image and of the stack. True without the
 * word. False, and nothing done, if there is no such name or no memory for a table. */
bool misbehaviour_load_tables(const struct handoff *handoff);

/* Comes back for NONE, UNKNOWN and RETURN, and for what should have been caught and was not. */
void misbehaviour_run(enum misbehaviour misbehaviour);

#endif
