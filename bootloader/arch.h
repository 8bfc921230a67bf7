/*
 * arch.h - the functions of the loader that depend on the CPU. Each CPU has an implementation under
 * bootloader/arch/. No file outside of that folder contains an instruction or the name of a
 * register.
 *
 * A function with the same purpose in kernel/arch.h has the same name.
 */
#ifndef BOOTLOADER_ARCH_H
#define BOOTLOADER_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/parking.h"
#include "bootloader/pure/relocation.h"
#include "shared/address.h"
#include "shared/handoff.h"
#include "shared/page_fault.h"
#include "shared/page_table.h"

/* --- Identification ------------------------------------------------------------------------- */

/* HANDOFF_MACHINE_*: the machine that the kernel's file must name. The handoff names it, too. */
uint32_t arch_machine(void);

/* Return the relocations of that machine. */
const struct relocation_kinds *arch_relocation_kinds(void);

/* Write the features of page tables that the CPU has. The number of levels is the one in force. */
void arch_page_features(struct page_table_features *ret_features);

/* Return the name of the technology that encrypts this guest's memory against its host; NULL for an
 * ordinary machine. The loader supports no such guest. */
const char *arch_confidential_technology(void);

/* If the firmware has switched no-execute pages off, switch them on, and return true. */
bool arch_no_execute_switch_on(void);

/* Return why this CPU cannot use `levels` levels of page tables, in a few words; NULL if it can. */
const char *arch_levels_obstacle(unsigned levels);

/* Return the root of the live tables. */
struct phys_addr arch_page_table_root(void);

/* --- Caches ----------------------------------------------------------------------------------- */

/* Move the bytes from the caches to RAM. A reset does not do that. */
void arch_flush_cache(const void *start, size_t size_bytes);

/* --- Clock and random numbers ---------------------------------------------------------------- */

/* Read the CPU's clock. It is monotonic. */
uint64_t arch_timestamp(void);

/* Return its frequency as the CPU or the hypervisor states it, and write the name of the source.
 * Return 0, and do not write *ret_source, if neither does. */
uint64_t arch_stated_clock_frequency_hz(const char **ret_source);

/* Read 32 bits from an I/O port that an ACPI table names. */
uint32_t arch_io_read_32(uint16_t port);

/* Return its name, for the log. */
const char *arch_clock_name(void);

/* Write one random number. Return false if the CPU has no source, or if the source fails. */
bool arch_random(uint64_t *ret_random);

/* --- Serial port ------------------------------------------------------------------------------ */

/* Return the I/O port of the machine's serial port with this number, from 1 on, or 0. */
uint16_t arch_serial_port_of(unsigned number);

/* Set up the serial port at an I/O port: 115200 baud, 8N1. Return false if no UART is there. */
bool arch_serial_initialise(uint16_t port);
/* Write text; '\n' becomes CR LF. A port that takes no byte is given up after one time-out. */
void arch_serial_write(const char *text, size_t length_bytes);
/* Take a byte that has arrived at a port, which need not be set up. Return false without one. */
bool arch_serial_take(uint16_t port, uint8_t *ret_byte);

/* --- Faults ----------------------------------------------------------------------------------- */

struct arch_registers;

/* A fault, or an unexpected interrupt, as the CPU reported it. */
struct arch_fault {
    const char *name;             /* as the CPU's manual has it; never NULL */
    const char *remedy;           /* a constant sentence without its full stop; never NULL */
    struct virt_addr instruction; /* where it happened */

    /* The address that the instruction used. For a double fault after a page fault it is the
     * address of that page fault. */
    const char *address_name; /* name of the register that holds it; NULL: no address */
    struct virt_addr address;
    bool address_is_canonical;
    bool is_beside_stack; /* the address is less than a few pages from the stack pointer */

    bool is_page_fault;
    struct page_fault page_fault;         /* if it is one */
    char code[PAGE_FAULT_CAPACITY_BYTES]; /* otherwise: the error code in words; may be empty */

    const struct arch_registers *registers; /* for arch_format_registers() */
};

/* Enough for the text of arch_format_registers(). */
#define ARCH_REGISTERS_CAPACITY_BYTES 512

/* Write general and control registers, in lines that begin with two blanks. */
void arch_format_registers(const struct arch_registers *registers, char *text,
                           size_t capacity_bytes);

/* The functions that the handlers call, on a separate stack. Neither function returns. */
struct arch_fault_sink {
    void *context;
    void (*fault)(void *context, const struct arch_fault *fault);
    void (*kernel_returned)(void *context); /* the kernel's entry has returned */
};

/* Send the CPU's faults and interrupts to *sink from now on, until the kernel installs its own
 * handlers. Precondition: interrupts are off, and boot services have ended. */
void arch_install_fault_handlers(const struct arch_fault_sink *sink);

/* --- Faults before the exit of boot services -------------------------------------------------- */

/* Send the CPU's exceptions to *sink. The handlers have their own stacks, as far as the firmware
 * leaves room for that. Interrupts of devices stay with the firmware. Precondition: boot services
 * run. Not in a confidential guest: its firmware needs some of the CPU's exceptions itself. */
void arch_watch_faults(const struct arch_fault_sink *sink);

/* Give the exceptions back to the firmware. No effect if they were not taken. */
void arch_unwatch_faults(void);

/* Call function(context), and return its result. */
bool arch_call(bool (*function)(void *context), void *context);

/* End the running arch_call(): it returns false, with interrupts off. The fault handler calls this.
 * Resources of the abandoned functions stay as they are. */
_Noreturn void arch_abandon_call(void);

/* --- The switch ------------------------------------------------------------------------------- */

/* Some CPUs change the number of page-table levels only in code outside of the loader's image: the
 * trampoline. It needs a block of memory, and separate tables with the levels that are in force.
 * These tables map the first page of the block as executable at its physical address. */
struct arch_trampoline {
    uint64_t size_bytes;    /* 0: no trampoline is needed */
    struct phys_addr limit; /* the block ends at or below it */
};

/* Return the trampoline for a kernel that begins with `levels` levels. Precondition:
 * arch_levels_obstacle() returned NULL. */
struct arch_trampoline arch_trampoline_for(unsigned levels);

struct arch_entry {
    struct phys_addr root;                      /* of the kernel's first tables */
    const struct page_table_features *features; /* with which they were made */
    struct virt_addr entry;
    struct virt_addr handoff;    /* the kernel's first argument */
    struct virt_addr stack_top;  /* 16-byte aligned */
    uint64_t image_displacement; /* from the loader's image to its copy in the upper half */
    /* Of the trampoline; both 0 if none is needed. */
    struct phys_addr trampoline;
    struct phys_addr trampoline_root;
    /* Called on the kernel's first tables and stack, as the last function of the loader. */
    void (*switched)(void *context);
    void *context;
};

/* Put the CPU into the state that docs/HANDOFF.md promises, and jump to the kernel. The fault
 * handlers move to the copy of the image, and run on the tables at `root`. Preconditions: the fault
 * handlers are installed. Every table on the way maps the loader's image at its physical address.
 * The trampoline's block is writable at its physical address. */
_Noreturn void arch_enter_kernel(const struct arch_entry *entry);

/* Facts of the machine in the CPU's part of the handoff. */
struct arch_facts {
    uint64_t clock_frequency_hz; /* 0: unknown */
    uint16_t serial_port;        /* 0: none */
};

/* Write the CPU's part of the handoff. */
void arch_describe(struct phys_addr root, const struct page_table_features *features,
                   const struct arch_facts *facts, union handoff_arch *ret_arch);

/* --- Other processors ------------------------------------------------------------------------- */

/* Return the hardware ID of the running processor (handoff_processor.hardware_id). */
uint32_t arch_processor_id(void);

/* Return the page of the device registers that arch_start_processors() uses; 0 if it uses none. */
struct phys_addr arch_start_registers(void);

struct arch_start {
    const struct parking *parking; /* with mailbox, hardware ID and stack in each seat */
    struct phys_addr page;         /* where a processor begins */
    struct phys_addr root;         /* of tables that map the block, and the page at its address */
    const struct page_table_features *features; /* with which they were made */
    uint64_t clock_frequency_hz;                /* 0: unknown */
    bool no_execute_was_off;                    /* arch_no_execute_switch_on() returned true */
};

/* Start the processors of the seats. Those that do not answer are reset, so that they never come
 * late. It takes 11 ms, and at most a second
 * longer if one does not answer. Preconditions: boot services have ended, and interrupts are off. The
 * block, the page and the registers are mapped at their physical addresses. */
void arch_start_processors(const struct arch_start *start);

/* Return whether the processor of a seat has answered. */
bool arch_has_started(const struct parking_seat *seat);

/* --- The end ---------------------------------------------------------------------------------- */

/* Make every pixel visible that was written so far. The CPU collects writes to a framebuffer, and
 * may keep the last ones for ever if it halts. */
void arch_flush_pixels(void);

void arch_interrupts_disable(void);
void arch_interrupts_enable(void);
bool arch_interrupts_are_enabled(void);

/* Switch interrupts off and stop for ever. */
_Noreturn void arch_halt(void);

/* Leave QEMU through its exit device, which `debug-exit=` on the command line names. Return if
 * there is no such device. */
void arch_debug_exit(uint64_t device, uint32_t value);

#endif
