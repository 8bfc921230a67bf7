/*
 * start_options.h - the command line that the program which started the loader gives.
 */
#ifndef BOOTLOADER_START_OPTIONS_H
#define BOOTLOADER_START_OPTIONS_H

#include "bootloader/loader.h"

/* Read the load options into loader->start. Those that are no text, and all of them while Secure Boot
 * is on, are ignored with a warning. */
void start_options_read(struct loader *loader);

/* Put them into the place of the command line of loader->config, if there are any. */
void start_options_apply(struct loader *loader);

/* Log the source of the command line, unless it is empty. */
void start_options_log(struct loader *loader);

#endif
