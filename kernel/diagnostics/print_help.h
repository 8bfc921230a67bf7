/*
 * print_help.h - print the list of the words of the command line, stage [help].
 */
#ifndef KERNEL_DIAGNOSTICS_PRINT_HELP_H
#define KERNEL_DIAGNOSTICS_PRINT_HELP_H

/* Log a line for each word of kernel/core/command_words.h. */
void print_help(void);

#endif
