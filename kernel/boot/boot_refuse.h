/*
 * boot_refuse.h - the panic for a handoff that was refused. For kernel/boot/ only.
 */
#ifndef KERNEL_BOOT_BOOT_REFUSE_H
#define KERNEL_BOOT_BOOT_REFUSE_H

#include "kernel/handoff/entry_state.h"
#include "kernel/handoff/handoff_check_status.h"
#include "kernel/kernel.h"

/* Panic (PANIC_HANDOFF) with the reason. If the handoff disagrees with the machine, print both
 * numbers. Show the panic on the framebuffer of the handoff too, if it can be trusted. `handoff`,
 * `state` and `status` are those of handoff_check(). */
_Noreturn void boot_refuse(struct kernel *kernel, struct virt_addr handoff,
                           const struct entry_state *state, enum handoff_check_status status);

#endif
