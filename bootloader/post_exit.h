/*
 * post_exit.h - the loader's output after the exit of boot services.
 *
 * Between ExitBootServices() and the kernel's handlers, no other code can report a failure. Text
 * goes to the serial port and the framebuffer directly. Then the machine halts. In a test
 * (`debug-exit=` on the kernel's command line) the loader leaves QEMU through its exit device
 * instead, with a code for the reason.
 *
 * A hang has no report. So from ExitBootServices() on, each step writes a mark, its name, before it
 * begins: a line on the serial port, and a word in the last line of the screen. The last mark names
 * the step that hangs. The rest of the screen stays as it is. After `quiet`, all of it does.
 */
#ifndef BOOTLOADER_POST_EXIT_H
#define BOOTLOADER_POST_EXIT_H

#include <stdbool.h>
#include <stdint.h>

#include "bootloader/pure/loader_log.h"
#include "shared/address.h"
#include "shared/debug_exit.h"
#include "shared/post_mortem.h"
#include "shared/text/framebuffer_text.h"

/* Enough for a report on any screen: 32 lines of the longest length. */
#define POST_EXIT_CELL_CAPACITY (32 * FRAMEBUFFER_TEXT_COLUMN_LIMIT)

struct post_exit {
    struct handoff_framebuffer framebuffer;
    struct phys_addr page_table_root; /* of the kernel's first tables; 0 until they exist */
    uint64_t direct_map_base;         /* in these tables */
    uint64_t debug_exit_device;       /* 0 for none */
    const char *pending;              /* text that the screen is being given; NULL: none */
    uint16_t serial_port;             /* 0 for none */
    bool started;                     /* the outputs below are initialised */
    bool serial;
    bool screen;
    bool is_quiet;     /* no mark on the screen: the firmware's picture stays */
    bool is_marking;   /* a mark has been written */
    bool serial_marks; /* the serial port takes marks */
    uint32_t mark_count;
    uint32_t hang_at;     /* stop for ever behind this mark (pure/inject.h); 0: never */
    uint32_t mark_column; /* of the next mark on the screen */
    const struct post_mortem_area *boot_record; /* NULL for none; it may have no bytes */
    const struct loader_log *log;               /* its end goes into the record, too */
    struct framebuffer_text text;
    char cells[POST_EXIT_CELL_CAPACITY];
};

/* Store where to write and how to end. Call it before the exit of boot services. */
void post_exit_initialise(struct post_exit *post_exit,
                          const struct handoff_framebuffer *framebuffer, uint16_t serial_port,
                          const char *command_line);

/* Print text of any length. Precondition: the firmware's tables, or those at `page_table_root`, are
 * live. */
void post_exit_write(struct post_exit *post_exit, const char *text);

/* Write the mark of a step that begins: a short word. */
void post_exit_mark(struct post_exit *post_exit, const char *step);

/* After a fault: if the screen was being written, it is the reason. Then write the text to the
 * serial port, and do not use the screen again. */
void post_exit_rescue(struct post_exit *post_exit);

/* Leave the report for the next boot. The stage is PANIC with a panic's code, or LOADER with the
 * number of an error. It changes nothing without a boot record. Preconditions as for
 * post_exit_write(). */
void post_exit_keep(const struct post_exit *post_exit, enum post_mortem_stage stage, uint32_t code,
                    const char *report);

/* Stop the machine. `code` is one of debug_exit.h. */
_Noreturn void post_exit_stop(struct post_exit *post_exit, uint32_t code);

#endif
