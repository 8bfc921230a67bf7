/*
 * arch.h - what the loader asks of the CPU. Implemented once per CPU under bootloader/arch/;
 * nothing outside of there contains an instruction or a register's name.
 *
 * Where kernel/arch.h asks the same, the name is the same.
 */
#ifndef BOOTLOADER_ARCH_H
#define BOOTLOADER_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/address.h"
#include "shared/handoff.h"
#include "shared/page_fault.h"
#include "shared/page_table.h"

/* --- Identification ------------------------------------------------------------------------- */

/* HANDOFF_MACHINE_*: the machine that a kernel's file must name. The handoff states it, too. */
uint32_t arch_machine(void);

/* The CPU's features for page tables. The number of levels is the number in force. */
void arch_page_features(struct page_table_features *ret_features);

/* The reason why this CPU cannot use this number of levels, in a few words. NULL if it can. */
const char *arch_levels_obstacle(unsigned levels);

/* The root of the live tables. */
struct phys_addr arch_page_table_root(void);

/* --- Clock and random numbers ---------------------------------------------------------------- */

/* The CPU's own clock: monotonic. */
uint64_t arch_timestamp(void);

/* Its frequency as the CPU or the hypervisor states it; 0 if neither does. */
uint64_t arch_stated_clock_frequency_hz(void);

/* Its name, for the log. */
const char *arch_clock_name(void);

/* One random number. False if the CPU has no source of them, or the source gives none. */
bool arch_random(uint64_t *ret_random);

/* --- Serial port ------------------------------------------------------------------------------ */

/* Find and set up the machine's serial port: 115200 baud, 8N1. False if the machine has no port. */
bool arch_serial_initialise(void);
/* Write text; '\n' becomes CR LF. A port that stops answering loses bytes instead of hanging. */
void arch_serial_write(const char *text, size_t length_bytes);

/* --- Faults ----------------------------------------------------------------------------------- */

struct arch_registers;

/* A fault, or an interrupt that nobody asked for, as the CPU told it. */
struct arch_fault {
    const char *name;             /* as the CPU's manual has it; never NULL */
    const char *remedy;           /* a constant sentence without its full stop; never NULL */
    struct virt_addr instruction; /* where it happened */

    /* The address that the CPU could not use. Some CPUs report a second fault if they cannot
     * deliver a page fault: then it is the address of the page fault. */
    const char *address_name; /* of the register that holds it; NULL: this fault has no address */
    struct virt_addr address;
    bool address_is_canonical;

    bool is_page_fault;
    struct page_fault page_fault;         /* if it is one */
    char code[PAGE_FAULT_CAPACITY_BYTES]; /* otherwise: the CPU's code in words; may be empty */

    const struct arch_registers *registers; /* for arch_format_registers() */
};

/* Room for what arch_format_registers() writes. */
#define ARCH_REGISTERS_CAPACITY_BYTES 512

/* Write general and control registers, in lines that begin with two blanks. */
void arch_format_registers(const struct arch_registers *registers, char *text,
                           size_t capacity_bytes);

/* The functions that the handlers call, on a separate stack. Neither returns. */
struct arch_fault_sink {
    void *context;
    void (*fault)(void *context, const struct arch_fault *fault);
    void (*kernel_returned)(void *context); /* the kernel's entry has returned */
};

/* From now on the CPU's faults and interrupts go to *sink, until the kernel has handlers of its
 * own. Precondition: interrupts are off, the firmware is gone. */
void arch_install_fault_handlers(const struct arch_fault_sink *sink);

/* --- The switch ------------------------------------------------------------------------------- */

/* Some CPUs reach another number of levels of page tables only through code outside of the loader's
 * image: the trampoline. It needs a block of memory, and page tables with the levels in force. They
 * map the first page of the block executable, at its own address. */
struct arch_trampoline {
    uint64_t size_bytes;    /* 0: no trampoline is needed */
    struct phys_addr limit; /* the block ends at or below it */
};

/* The trampoline for a kernel that begins with this number of levels. Precondition: arch_levels_obstacle() gave
 * NULL. */
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
};

/* Put the CPU into the state that docs/HANDOFF.md promises and jump to the kernel. The fault
 * handlers move to the copy of the image, and run on the tables at `root`.
 * Preconditions: the fault handlers are installed. All tables on the way map the loader's image at
 * its own address. The trampoline's block is writable at its own address. */
_Noreturn void arch_enter_kernel(const struct arch_entry *entry);

/* The CPU's part of the handoff. */
void arch_describe(struct phys_addr root, const struct page_table_features *features,
                   uint64_t clock_frequency_hz, union handoff_arch *ret_arch);

/* --- The end ---------------------------------------------------------------------------------- */

void arch_interrupts_disable(void);

/* Interrupts off, for good. */
_Noreturn void arch_halt(void);

/* Leave QEMU through its device for that, which `debug-exit=` on the command line names. Returns
 * where there is no such device. */
void arch_debug_exit(uint64_t device, uint32_t value);

#endif
