/*
 * misbehave.h - let the firmware's memory services misbehave, as inject.h describes.
 *
 * The loader gets a copy of the table of boot services. Three of its functions first fail or change
 * results, and then call the firmware's. So no other file of the loader knows about these failures,
 * and a boot without them executes nothing of it.
 */
#ifndef BOOTLOADER_FIRMWARE_MISBEHAVE_H
#define BOOTLOADER_FIRMWARE_MISBEHAVE_H

#include "bootloader/firmware/firmware.h"
#include "bootloader/pure/inject.h"

/* Replace the services of *firmware. *inject must stay valid. Calls count from now on. */
void misbehave_begin(const struct inject *inject);

/* Occupy all free memory from 1 MiB to 17 MiB, where kernels are often linked. The firmware keeps
 * it until its exit. Precondition: misbehave_begin() was called. */
void misbehave_occupy_link_address(void);

#endif
