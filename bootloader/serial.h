/*
 * serial.h - the serial port for a report before the machine's facts are gathered.
 */
#ifndef BOOTLOADER_SERIAL_H
#define BOOTLOADER_SERIAL_H

#include "bootloader/loader.h"

/* Choose the serial port, if gather_facts() has not done it yet. Precondition: boot services run. */
void serial_prepare(struct loader *loader);

/* Return the serial port that is known without a question to the firmware: the chosen one, or else
 * that of handoff.conf, or COM1. */
uint16_t serial_known_port(const struct loader *loader);

#endif
