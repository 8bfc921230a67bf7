/*
 * symbols.h - load the kernel's symbol table, if symbols=on asks for it.
 */
#ifndef BOOTLOADER_SYMBOLS_H
#define BOOTLOADER_SYMBOLS_H

#include "bootloader/loader.h"

/* `file` is the kernel's. A file without a table is a warning: a kernel runs without it, too.
 * Failures: those of kernel_symbols_load(). */
bool symbols_load(struct loader *loader, const struct file *file);

#endif
