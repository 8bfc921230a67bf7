/*
 * arch.h - what the kernel asks of the CPU. Implemented once per CPU under kernel/arch/; nothing
 * outside of there contains an instruction or a register's name.
 */
#ifndef KERNEL_ARCH_H
#define KERNEL_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/address.h"
#include "shared/page_table.h"

/* --- Identification ------------------------------------------------------------------------- */

/* What the CPU and the tables in force allow for page tables. */
void arch_page_features(struct page_table_features *ret_features);

/* The protections that are switched on, as words for the log ("nx wp smep smap umip"). */
void arch_describe_features(char *text, size_t capacity_bytes);

/* The time-stamp counter: monotonic, of unknown rate. */
uint64_t arch_timestamp(void);

/* --- Bring-up ------------------------------------------------------------------------------- */

/* Load the kernel's own descriptor tables and exception handlers, with stacks of their own for what
 * must not run on a broken one, and switch on every protection that the CPU has. Interrupts stay
 * off. Call once. */
void arch_cpu_initialise(void);

/* Tops of the stacks for double fault, NMI and machine check. */
struct arch_interrupt_stacks {
    struct virt_addr double_fault_top;
    struct virt_addr nmi_top;
    struct virt_addr machine_check_top;
};

/* Move those handlers from the stacks inside the image to guarded ones. The new stacks are mapped
 * in the live tables. */
void arch_use_interrupt_stacks(const struct arch_interrupt_stacks *stacks);

/* Switch to the tables at `root` and to the stack below `stack_top`, and call `next(argument)`
 * there. The code, `argument` and both stacks must be mapped in the new tables. Does not return. */
_Noreturn void arch_switch_address_space(struct phys_addr root, struct virt_addr stack_top,
                                         void (*next)(void *argument), void *argument);

/* The page-table callback for the live tables: drop the translations of a range on this CPU. */
void arch_invalidate_pages(void *context, struct virt_addr start, uint64_t size_bytes);

/* The root of the live tables. */
struct phys_addr arch_page_table_root(void);

/* --- The state at entry ----------------------------------------------------------------------- */

struct entry_state;

/* Fill the part of *state that comes from the CPU, direct map included
 * (kernel/handoff/entry_state.h). Call before anything of the loader's is replaced. */
void arch_entry_state(struct entry_state *state);

/* --- Interrupts ------------------------------------------------------------------------------- */

void arch_interrupts_enable(void);
void arch_interrupts_disable(void);

/* Save the interrupt flag, clear it and restore it, `count` times: what a lock would cost that does
 * not note interrupts as kernel/core/interrupts.h does. For measuring alone. */
void arch_interrupts_save_and_restore(unsigned count);

/* Tell the interrupt controller that the interrupt which is being handled was seen. */
void arch_interrupt_acknowledge(void);

struct address_space;

/* Find this CPU's own timer and map its registers, once. arch_timer_start() does it, too; who wants
 * to have it done before the address space is printed calls this. False if there is no such timer,
 * or no memory to map it. */
bool arch_timer_prepare(struct address_space *space);

/* Let this CPU's own timer raise INTERRUPT_TIMER (kernel/core/interrupts.h) again and again.
 *   space         where the timer's registers are mapped, at the first call
 *   period_ticks  of the timer's clock, some hundred MHz or more; > 0
 * False if there is no such timer, or no memory to map it. */
bool arch_timer_start(struct address_space *space, uint32_t period_ticks);

/* Precondition: it was started. One interrupt may still be under way. */
void arch_timer_stop(void);

/* What a loop that waits for another CPU does between two looks. */
void arch_pause(void);

/* --- Firmware ------------------------------------------------------------------------------- */

/* Call an EFI runtime service with up to four arguments under the tables at `root` (see
 * kernel/mm/paging/runtime_space.h), interrupts off, and come back. `service` is the address that
 * the firmware gave. Returns the service's EFI_STATUS. */
uint64_t arch_call_runtime_service(struct phys_addr root, uint64_t service, uint64_t argument_1,
                                   uint64_t argument_2, uint64_t argument_3, uint64_t argument_4);

/* --- Serial port ------------------------------------------------------------------------------ */

/* Find and set up COM1: 115200 baud, 8N1. False if there is none. */
bool arch_serial_initialise(void);
/* Write text; '\n' becomes CR LF. A port that stops answering loses bytes instead of hanging. */
void arch_serial_write(const char *text, size_t length_bytes);

/* --- The end ---------------------------------------------------------------------------------- */

/* Interrupts off, for good. */
_Noreturn void arch_halt(void);

/* Sleep until an interrupt was handled. Precondition: interrupts are on, and one will come. */
void arch_wait_for_interrupt(void);

/* Restart the machine, without the firmware's help. */
_Noreturn void arch_reset(void);

/* --- Keys ------------------------------------------------------------------------------------- */

/* Switch on the PS/2 keyboard, if there is one. It is polled, as the serial port is. */
void arch_keys_initialise(void);

/* Take a key that was typed on the serial port or on the keyboard; letters are small. False if
 * there is none. */
bool arch_key_take(char *ret_key);

/* Leave QEMU through its isa-debug-exit device at `port`. Returns where there is no such device. */
void arch_debug_exit(uint16_t port, uint32_t value);

/* --- For a panic ------------------------------------------------------------------------------ */

/* The name of CPU exception `vector`. Never NULL. */
const char *arch_exception_name(unsigned vector);

/* What to look at after it: a constant sentence without its full stop. Never NULL. */
const char *arch_exception_remedy(unsigned vector);

struct arch_registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rflags;
};

/* The registers as they are at the call, with rip and rsp of the caller. */
void arch_capture_registers(struct arch_registers *ret_registers);

/* Print general and control registers, one log_raw() line each group. */
void arch_print_registers(const struct arch_registers *registers);

/* Call `visit` with the return address of every frame, innermost first, at most `limit` times.
 * Where rip is not in the kernel's text, the first one is that of the call which led there, if the
 * stack has it. Frames are followed only while they stay inside mapped kernel stacks, go upwards
 * and return into the kernel's text, so a corrupt chain ends the walk instead of faulting. */
void arch_walk_stack(const struct arch_registers *registers, unsigned limit,
                     void (*visit)(uint64_t return_address));

/* --- Faults on purpose (kernel/diagnostics/provoke.c)
 * -------------------------------------------------------
 */

/* Raise the named CPU exception. Returns false for a name that this CPU does not know. */
bool arch_provoke(const char *name);

/* The names one by one, from index 0 on; NULL behind the last. */
const char *arch_provoke_name(size_t index);

#endif
