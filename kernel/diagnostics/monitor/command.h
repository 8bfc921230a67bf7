/*
 * command.h - a command of the monitor, and the state on which the commands work.
 *
 * A command prints with monitor_say(), or as lines of the log (`[stage] key=value`) with
 * format=kv. It allocates nothing from the heap, except `alloc` and `realloc`, and `bench`.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_COMMAND_H
#define KERNEL_DIAGNOSTICS_MONITOR_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/diagnostics/monitor/arguments.h"
#include "kernel/kernel.h"

/* The caller acts on it after the command. */
enum monitor_action {
    MONITOR_STAY,
    MONITOR_POWER_OFF,
    MONITOR_RESTART,
};

struct command;

struct monitor_state {
    struct kernel *kernel;
    const struct command *commands; /* the name behind the last is NULL */
    enum monitor_action action;     /* of the last command */
    const struct command *running;
    /* Return the place of a byte of the address space: the address itself, except on a host. */
    volatile uint8_t *(*reach)(const struct monitor_state *monitor, struct virt_addr address);
};

struct command {
    const char *name;
    const char *arguments;      /* for users; "" without any */
    const char *meaning;        /* one line */
    const char *example;        /* a whole line to type */
    const char *const *choices; /* the values of the first argument, then NULL; NULL: any */
    unsigned least, most;       /* number of arguments */
    bool has_kv;                /* format=kv is accepted */
    void (*run)(struct monitor_state *monitor, const struct arguments *arguments);
};

/* Print a line. */
void monitor_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Read a number of an argument: decimal or 0x, also with K, M or G. Print a sentence that has `what`,
 * and return false, if it is none. */
bool monitor_number(const struct monitor_state *monitor, struct piece word, const char *what,
                    uint64_t *ret_number) __attribute__((warn_unused_result));

/* Return true if there is an argument number `index`, from 0 on, and it is `text`. */
bool monitor_argument_is(const struct arguments *arguments, size_t index, const char *text);

/* Return the command with this name, or NULL. */
const struct command *command_find(const struct command *commands, struct piece name);

/* Print that no command has this name, and which one is meant. */
void command_tell_unknown(const struct command *commands, struct piece name);

#endif
