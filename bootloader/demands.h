/*
 * demands.h - hold the demands of the kernel's notes (shared/handoff_note.h) against this loader
 * and this machine.
 */
#ifndef BOOTLOADER_DEMANDS_H
#define BOOTLOADER_DEMANDS_H

#include "bootloader/loader.h"

/* Check what does not depend on the machine, before memory is reserved for the kernel. From then
 * on, blocks lie below the kernel's limit of the direct map. Failure: KERNEL_DEMAND. */
bool demands_check_loader(struct loader *loader);

/* Check what depends on the machine. A framebuffer beyond the kernel's limit of the direct map is
 * dropped, with a warning. Precondition: gather_facts(). Failure: KERNEL_DEMAND. */
bool demands_check_machine(struct loader *loader);

#endif
