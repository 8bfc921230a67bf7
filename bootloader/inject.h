/*
 * inject.h - carry out the failures that the key `inject` of handoff.conf demands (pure/inject.h).
 *
 * Each function does nothing, and costs a comparison, without this key.
 */
#ifndef BOOTLOADER_INJECT_H
#define BOOTLOADER_INJECT_H

#include "bootloader/loader.h"

/* Announce each failure by a warning, and let the firmware misbehave from now on. Call it when the
 * configuration has been read. With Secure Boot, each failure is refused: return false. */
bool inject_begin(struct loader *loader);

/* Change the facts about the machine, and the temporary heap, before they are used. */
void inject_change_facts(struct loader *loader);

/* Change the finished handoff, and the address to which the loader jumps. */
void inject_change_handoff(struct loader *loader);

#endif
