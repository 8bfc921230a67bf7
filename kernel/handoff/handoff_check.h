/*
 * handoff_check.h - refuse a bad handoff with a named reason.
 *
 * A handoff is untrusted input. handoff_check() validates magic, version, size, checksum and every
 * pointer. It compares them with the facts that the kernel knows by itself
 * (kernel/handoff/entry_state.h). These are the page tables in force, which it walks, the stack in
 * use, and the linked image. The rest of the kernel uses only the struct handoff_view of an
 * accepted handoff.
 *
 * The order matters: an address is validated as far as possible before it is read. The page with
 * the structure and the page tables are read without a check, because every check needs them. If
 * they are not mapped, the read faults, and the loader's handlers report the fault
 * (docs/HANDOFF.md, "The checks of this project's kernel").
 *
 * Pure: physical memory is reached at `memory_base + physical`, and a host test gives the base of
 * its own memory. Phase: the kernel's first act. Fuzzed by tests/fuzz/fuzz_handoff_check.c.
 * Catalogue group H. The bytes are specified in docs/HANDOFF.md.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_CHECK_H
#define KERNEL_HANDOFF_HANDOFF_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/handoff/entry_state.h"
#include "kernel/handoff/handoff_check_status.h"
#include "kernel/handoff/handoff_view.h"
#include "shared/handoff.h"

/* Check the handoff at `address` (the argument of the kernel's entry) against this state. On every
 * status except OK, *ret_view is not written. */
enum handoff_check_status handoff_check(struct virt_addr address, const struct entry_state *state,
                                        struct handoff_view *ret_view)
    __attribute__((warn_unused_result));

/* Find the framebuffer that can show a refusal, for a PC without a serial port. The structure's
 * checksum must be correct, its page tables must be in force, and they must map the framebuffer as
 * one. Otherwise return false, and do not write *ret_framebuffer. */
bool handoff_check_screen(struct virt_addr address, const struct entry_state *state,
                          struct handoff_framebuffer *ret_framebuffer)
    __attribute__((warn_unused_result));

#endif
