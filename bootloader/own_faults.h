/*
 * own_faults.h - report a fault of the CPU while the loader runs before the exit of boot services.
 *
 * Without this, the firmware prints registers on a serial port, or the machine stands still. The
 * loader takes the CPU's exceptions, and leaves all interrupts to the firmware, so its timer works.
 * The handlers have their own stacks, so a stack that is used up is reported, too.
 *
 * If the loader's own code faulted, no code of the firmware was interrupted. So the loader frees
 * its memory and returns to the firmware, as after every error (HL-27). If the fault was in the
 * firmware, or a call led to a wrong address, the firmware may hold locks. Then the loader reports
 * the fault and halts: to call or return to such firmware can do harm to the user's disks.
 *
 * Not in confidential guests: their firmware needs some exceptions itself (arch_confidential_technology()).
 */
#ifndef BOOTLOADER_OWN_FAULTS_H
#define BOOTLOADER_OWN_FAULTS_H

#include "bootloader/loader.h"

/* Once: call step(), which may use several other steps, and return its result. A fault in the loader makes
 * it false, with the failure LOADER_FAULT. Afterwards, the firmware has its handlers again. */
bool own_faults_watch(struct loader *loader, bool (*step)(void));

/* Give the exceptions back to the firmware: before the exit, and before another program starts. */
void own_faults_end(void);

/* Take them again, when that program has returned. Precondition: own_faults_watch() runs. */
void own_faults_begin(void);

#endif
