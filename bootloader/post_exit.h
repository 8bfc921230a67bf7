/*
 * post_exit.h - the loader's last words, once the firmware is gone.
 *
 * Between ExitBootServices() and the kernel's own handlers only the loader can report a failure.
 * Text goes to the serial port and the framebuffer directly; then the machine halts. Under
 * test (`debug-exit=` on the kernel's command line) it leaves QEMU through its device for that
 * instead, with a code that names the reason.
 */
#ifndef BOOTLOADER_POST_EXIT_H
#define BOOTLOADER_POST_EXIT_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/address.h"
#include "shared/debug_exit.h"
#include "shared/text/framebuffer_text.h"

/* Enough for a report on any screen: 32 lines of the longest length. */
#define POST_EXIT_CELL_CAPACITY (32 * FRAMEBUFFER_TEXT_COLUMN_LIMIT)

struct post_exit {
    struct handoff_framebuffer framebuffer;
    struct phys_addr page_table_root; /* of the kernel's first tables; 0 until they exist */
    uint64_t direct_map_base;         /* in these tables */
    uint64_t debug_exit_device;       /* 0 for none */
    bool started;                     /* the outputs below have been looked for */
    bool serial;
    bool screen;
    struct framebuffer_text text;
    char cells[POST_EXIT_CELL_CAPACITY];
};

/* Remember where to write and how to end. Call it before the firmware is left. */
void post_exit_initialise(struct post_exit *post_exit,
                          const struct handoff_framebuffer *framebuffer, const char *command_line);

/* Print text; format as in shared/text/format.h, at most 799 characters.
 * Precondition: the firmware's tables or those with `page_table_root` are live. */
void post_exit_print(struct post_exit *post_exit, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The end. `code` is one of debug_exit.h. */
_Noreturn void post_exit_stop(struct post_exit *post_exit, uint32_t code);

#endif
