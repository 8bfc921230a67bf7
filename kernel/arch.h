/*
 * arch.h - the functions of the kernel that depend on the CPU. Each CPU has an implementation under
 * kernel/arch/. No file outside of that folder contains an instruction or the name of a register.
 */
#ifndef KERNEL_ARCH_H
#define KERNEL_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/address.h"
#include "shared/page_table.h"

/* --- Identification ------------------------------------------------------------------------- */

/* Write the features of the CPU and of the tables in force that affect page tables. */
void arch_page_features(struct page_table_features *ret_features);

/* Write the protections that are switched on as keys and values for the log (docs/LOG.md, [cpu]).
 */
void arch_describe_features(char *text, size_t capacity_bytes);

/* Write the name that the CPU has for itself, without blanks around it; "unknown" without one. */
void arch_cpu_name(char *text, size_t capacity_bytes);

/* Read the time-stamp counter. It is monotonic. Its frequency is unknown. */
uint64_t arch_timestamp(void);

/* --- Bring-up --------------------------------------------------------------------------------- */

/* The state of one processor that only the files of a CPU use (kernel/core/cpu.h). */
struct arch_cpu;

/* Return the state of the processor that boots. It is in the image. */
struct arch_cpu *arch_boot_cpu(void);

/* Load the kernel's descriptor tables and exception handlers, and switch on every protection that
 * the CPU has. Handlers that must not run on a broken stack get separate stacks. Interrupts stay
 * off. Each processor calls it once, for itself. */
void arch_cpu_initialise(struct arch_cpu *cpu);

/* Return the name of such a stack, by index from 0 on; NULL behind the last. There are at most
 * CPU_INTERRUPT_STACK_LIMIT. */
const char *arch_interrupt_stack_name(unsigned index);

/* Move the handlers from the stacks inside the image to guarded ones. tops[i] is the top of the
 * stack arch_interrupt_stack_name(i). Precondition: the new stacks are mapped in the live tables.
 */
void arch_use_interrupt_stacks(struct arch_cpu *cpu, const struct virt_addr *tops);

/* Switch to the tables at `root` and to the stack below `stack_top`, and call `next(argument)`
 * there. Precondition: the new tables map the code, `argument` and both stacks. It does not return.
 */
_Noreturn void arch_switch_address_space(struct phys_addr root, struct virt_addr stack_top,
                                         void (*next)(void *argument), void *argument);

/* Drop the translations of a range on this CPU. This is the callback of the live page tables. */
void arch_invalidate_pages(void *context, struct virt_addr start, uint64_t size_bytes);

/* Return the root of the live tables. */
struct phys_addr arch_page_table_root(void);

/* --- The state at entry ----------------------------------------------------------------------- */

struct entry_state;

/* Fill the part of *state that comes from the CPU, direct map included
 * (kernel/handoff/entry_state.h). Call it before the kernel replaces any state of the loader. */
void arch_entry_state(struct entry_state *state);

/* --- The handoff ------------------------------------------------------------------------------ */

/* The part of the contract (shared/handoff.h) that differs for each CPU. Pure: a host test has it
 * too. */
struct handoff;

/* Return the number of this kind of machine, HANDOFF_MACHINE_*. */
uint32_t arch_handoff_machine(void);

/* Return the root of the page tables that the handoff states. */
struct phys_addr arch_handoff_page_table_root(const struct handoff *handoff);

/* Return the frequency of arch_timestamp() that the loader found, or 0 if it found none. */
uint64_t arch_handoff_timestamp_frequency_hz(const struct handoff *handoff);

/* Return the I/O port of the serial port in the handoff. Return 0 if the handoff has none, or if its
 * number is not one of a UART. */
uint16_t arch_handoff_serial_port(const struct handoff *handoff);

/* Return true if the flags of the handoff agree with the features of the CPU. */
bool arch_handoff_features_agree(const struct handoff *handoff,
                                 const struct page_table_features *features);

/* Return clauses for users: the flags disagree; a table that the CPU reads by itself is misplaced.
 */
const char *arch_handoff_features_text(void);
const char *arch_handoff_cpu_tables_text(void);

/* --- Interrupts ------------------------------------------------------------------------------- */

void arch_interrupts_enable(void);
void arch_interrupts_disable(void);

/* Save the interrupt flag, clear it and restore it, `count` times: the cost of a lock that does not
 * keep interrupts pending as kernel/core/interrupts.h does. Only for measuring. */
void arch_interrupts_save_and_restore(unsigned count);

/* Acknowledge the current interrupt at the interrupt controller. */
void arch_interrupt_acknowledge(void);

/* A device whose registers the caller maps, uncached, if size_bytes is not 0. */
struct arch_device {
    const char *name; /* a constant */
    struct phys_addr base;
    uint64_t size_bytes;
};

/* Find this CPU's timer. Return false if it has no timer. */
bool arch_timer_find(struct arch_device *ret_device);

/* Set the address at which its registers are mapped; 0 if they need no mapping. */
void arch_timer_attach(struct virt_addr registers);

/* Make it raise INTERRUPT_TIMER (kernel/core/interrupts.h) every `period_ticks` of its clock, > 0.
 * Precondition: it is attached. */
void arch_timer_start(uint32_t period_ticks);

/* Stop it. Precondition: it was started. One more interrupt may still arrive. */
void arch_timer_stop(void);

/* A loop that waits for another CPU calls it between two reads. */
void arch_pause(void);

/* --- Firmware ------------------------------------------------------------------------------- */

/* Call an EFI runtime service with up to four arguments under the tables at `root` (see
 * kernel/mm/paging/runtime_space.h), with interrupts off. `service` is the firmware's address of
 * it. Return the service's EFI_STATUS. */
uint64_t arch_call_runtime_service(struct phys_addr root, uint64_t service, uint64_t argument_1,
                                   uint64_t argument_2, uint64_t argument_3, uint64_t argument_4);

/* --- I/O addresses ---------------------------------------------------------------------------- */

/* Read and write registers in the space of I/O addresses, where ACPI's tables place some. On a CPU
 * without this space the tables name no such address. */
uint16_t arch_io_read_16(uint16_t address);
void arch_io_write_16(uint16_t address, uint16_t value);
void arch_io_write_8(uint16_t address, uint8_t value);

/* Firmware may leave the registers of ACPI switched off, as U-Boot does on QEMU's machine q35. Switch
 * them on if they are off and the kernel knows the chipset. Return the address of the first control
 * register, or 0; a second call returns the same. */
uint16_t arch_acpi_control_enable(void);

/* --- Caches ----------------------------------------------------------------------------------- */

/* Move the bytes from the caches to RAM. A reset does not do that. */
void arch_flush_cache(const void *start, size_t size_bytes);

/* --- Serial port ------------------------------------------------------------------------------ */

/* The port of a kernel that cannot trust its handoff: COM1. */
uint16_t arch_serial_default_port(void);

/* Set up the serial port at an I/O port: 115200 baud, 8N1. Return false if no UART is there, or if
 * the port is 0. */
bool arch_serial_initialise(uint16_t port);
/* Write text; '\n' becomes CR LF. A port that takes no byte is given up after one time-out. */
void arch_serial_write(const char *text, size_t length_bytes);

/* --- The end ---------------------------------------------------------------------------------- */

/* Make every pixel visible that was written so far. The CPU collects writes to a framebuffer, and
 * may keep the last ones for ever if it halts. */
void arch_flush_pixels(void);

/* Switch interrupts off and stop for ever. */
_Noreturn void arch_halt(void);

/* Sleep until an interrupt was handled. Precondition: interrupts are on, and one will arrive. */
void arch_wait_for_interrupt(void);

/* Restart the machine, without the firmware's help. */
_Noreturn void arch_reset(void);

/* --- Keys ------------------------------------------------------------------------------------- */

/* Take a byte that arrived on the serial port of the log. Return false if there is none. */
bool arch_serial_take(uint8_t *ret_byte);

enum arch_keyboard {
    ARCH_KEYBOARD_ABSENT, /* no controller */
    ARCH_KEYBOARD_SILENT, /* a controller, but no keyboard has answered yet */
    ARCH_KEYBOARD_ANSWERS,
};

/* Switch on the PS/2 keyboard. Every wait has a limit. */
enum arch_keyboard arch_keyboard_initialise(void);

/* Take a byte that the keyboard sent (scan code set 1). Return false if there is none. Precondition:
 * arch_keyboard_initialise() did not return ARCH_KEYBOARD_ABSENT. */
bool arch_keyboard_take(uint8_t *ret_byte);

/* Leave QEMU through its isa-debug-exit device at `port`. Return if there is no such device. */
void arch_debug_exit(uint16_t port, uint32_t value);

/* --- Faults and panics ------------------------------------------------------------------------ */

/* The files of a CPU call fault_report() (kernel/core/fault.h) for a fault, and interrupts_arrive()
 * (kernel/core/interrupts.h) for an interrupt that has a handler. */

/* Return the name of the CPU's exception `number`. Never NULL. */
const char *arch_exception_name(unsigned number);

/* Return its remedy: a constant sentence without its full stop. Never NULL. */
const char *arch_exception_remedy(unsigned number);

/* The registers of code that was interrupted. Only the files of a CPU know its fields. */
struct arch_registers;

/* Call next(context, registers) with the registers at the time of the call. `registers` is valid
 * during the call. `next` does not return. */
_Noreturn void arch_capture_registers(void (*next)(void *context,
                                                   const struct arch_registers *registers),
                                      void *context);

/* Return the address of the instruction that was interrupted. */
struct virt_addr arch_registers_program_counter(const struct arch_registers *registers);

/* Call visit(line) with their names and values, a line for each group of at most 90 characters. The
 * registers of the page tables are among them. */
void arch_registers_describe(const struct arch_registers *registers,
                             void (*visit)(const char *line));

/* Call visit(context, …) with the return address of every frame, innermost first, at most `limit`
 * times. If the program counter is not in the kernel's code, the first address is that of the call
 * which led there, if the stack has it. A frame is followed only if it is inside a mapped kernel
 * stack, lies above the previous frame, and returns into the kernel's code. So a corrupt chain ends
 * the walk, and does not fault. */
void arch_walk_stack(const struct arch_registers *registers, unsigned limit,
                     void (*visit)(void *context, struct virt_addr return_address), void *context);

/* --- Faults on purpose (kernel/diagnostics/provoke.c) ----------------------------------------- */

/* Raise the named CPU exception. Return false for a name that this CPU does not know. */
bool arch_provoke(const char *name);

/* Return a name by index, from 0 on; NULL behind the last. */
const char *arch_provoke_name(size_t index);

/* Write a function to the 16 bytes at `memory`. The function only returns. */
void arch_provoke_write_return(void *memory);

/* A device that every machine with this CPU has: registers of a page at least. */
struct arch_device arch_provoke_device(void);

#endif
