/*
 * acpi_sleep.h - the registers and values of the soft-off state, from the firmware's ACPI tables
 * (ACPI 6.5, 5.2.9 and 7.4.2).
 *
 * The FADT has the registers. The values are in the package \_S5 of the DSDT, which is a program
 * for an interpreter. Here a search finds the package by its name and its encoding, so the
 * kernel needs no interpreter. A package that a program computes is not found.
 *
 * Pure: foreign bytes in, struct out. Fuzzed by tests/fuzz/fuzz_acpi_sleep.c.
 */
#ifndef KERNEL_CORE_ACPI_SLEEP_H
#define KERNEL_CORE_ACPI_SLEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The tables of real machines are smaller. */
#define ACPI_SLEEP_TABLE_LIMIT_BYTES (UINT64_C(16) * 1024 * 1024)

/* Every PC has other devices below (interrupt controllers, timer, keyboard). */
#define ACPI_SLEEP_LOWEST_IO_ADDRESS 0x100

/* Bits of the control registers (ACPI 6.5, 4.8.3.2.1). */
#define ACPI_SLEEP_CONTROL_ENABLED    UINT16_C(1) /* the registers belong to the kernel */
#define ACPI_SLEEP_CONTROL_TYPE_SHIFT 10
#define ACPI_SLEEP_CONTROL_TYPE_MASK  UINT16_C(0x1c00)
#define ACPI_SLEEP_CONTROL_GO         UINT16_C(0x2000)

enum acpi_sleep_status {
    ACPI_SLEEP_OK = 0,
    ACPI_SLEEP_BAD_FADT,    /* it is too short */
    ACPI_SLEEP_NO_REGISTER, /* the machine has none, or not in the space of I/O addresses */
    ACPI_SLEEP_OFF,         /* its address belongs to the oldest devices: it was never set up */
    ACPI_SLEEP_NO_PACKAGE,  /* the DSDT has no \_S5, or not as a package of numbers up to 7 */
};

/* Return the status as a clause for a log. Never NULL. */
const char *acpi_sleep_status_text(enum acpi_sleep_status status);

struct acpi_sleep_registers {
    /* I/O addresses of the control registers, 16 bits each. The second is 0 without one. */
    uint16_t control[2];
    /* The I/O address and the value that switch the registers on; 0 if they are always on. */
    uint16_t command;
    uint8_t command_enable;
};

/* Values for the type field of each control register, at most 7. */
struct acpi_sleep_types {
    uint8_t type[2];
};

/* Read the registers from the bytes of an FADT, its header included. On failure *ret_registers is
 * not written. */
enum acpi_sleep_status acpi_sleep_find_registers(const uint8_t *fadt, size_t size_bytes,
                                                 struct acpi_sleep_registers *ret_registers)
    __attribute__((warn_unused_result));

/* Search the types of the soft-off state in the bytes of a DSDT, its header included. On failure
 * *ret_types is not written. */
enum acpi_sleep_status acpi_sleep_find_types(const uint8_t *dsdt, size_t size_bytes,
                                             struct acpi_sleep_types *ret_types)
    __attribute__((warn_unused_result));

/* Return the value of a control register that starts the sleep, without the bit GO. `now` is the
 * register's present value. */
uint16_t acpi_sleep_control_value(uint8_t type, uint16_t now);

#endif
