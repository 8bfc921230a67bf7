/*
 * processors.h - the other processors: list them, and start them if the user wants it.
 */
#ifndef BOOTLOADER_PROCESSORS_H
#define BOOTLOADER_PROCESSORS_H

#include "bootloader/loader.h"

/* List the processors from ACPI's tables. A table that cannot be used is a warning. */
void processors_find(struct loader *loader);

/* With `processors=start`, reserve the block in which they wait (pure/parking.h). If that is not
 * possible, warn, and start none. Precondition: the levels of the page tables are chosen. */
void processors_reserve(struct loader *loader);

/* Start the processors if they have a block, and name those that do not answer. Write the list into
 * the handoff. Precondition: boot services have ended. */
void processors_start(struct loader *loader);

#endif
