/*
 * start_processor.h - the code and the data with which another processor begins, and waits.
 *
 * A processor begins in real mode at the page for starting processors. It switches to 64-bit mode on
 * the page tables of the parking block (pure/parking.h), and continues in the block's code. There it
 * finds its seat by its hardware ID, and brings itself into the state that docs/HANDOFF.md promises.
 * So all processors can start at the same time, and one that comes late finds its own seat.
 *
 * It waits in HLT with interrupts off. The handler of the NMI reads the mailbox. If the waiting code
 * read it, it would miss an NMI between this read and the HLT.
 */
#ifndef BOOTLOADER_ARCH_X86_64_START_PROCESSOR_H
#define BOOTLOADER_ARCH_X86_64_START_PROCESSOR_H

#include <stddef.h>
#include <stdint.h>

#include "bootloader/arch/x86_64/level_switch.h"
#include "bootloader/pure/parking.h"

/* The operand of LGDT or LIDT, with its base aligned. */
struct aligned_table_register {
    uint16_t unused[3];
    uint16_t limit;
    uint64_t base;
};

/* At the start of the page for starting processors; start_processor.S has the constant parts. */
struct start_page {
    uint8_t jump[8]; /* to the code behind this struct */
    uint32_t root;
    uint32_t cr4;
    uint32_t efer;
    uint32_t misc_enable_kept; /* mask for the upper half of MISC_ENABLE; 0: do not touch it */
    struct far_pointer code_64;
    uint64_t parking_code; /* virtual; constant */
    struct aligned_table_register gdt;
    uint64_t segments[3];
};
_Static_assert(offsetof(struct start_page, root) == 8, "start_processor.S");
_Static_assert(offsetof(struct start_page, cr4) == 12, "start_processor.S");
_Static_assert(offsetof(struct start_page, efer) == 16, "start_processor.S");
_Static_assert(offsetof(struct start_page, misc_enable_kept) == 20, "start_processor.S");
_Static_assert(offsetof(struct start_page, code_64) == 24, "start_processor.S");
_Static_assert(offsetof(struct start_page, parking_code) == 32, "start_processor.S");
_Static_assert(offsetof(struct start_page, gdt.limit) == 46, "start_processor.S");
_Static_assert(sizeof(struct start_page) == 80, "start_processor.S");

/* The header of the parking block: behind the IDT, which each processor writes. */
struct parking_header {
    uint8_t gates[512];
    uint32_t seat_count;
    uint32_t is_x2apic; /* 1: the boot processor's local APIC is in x2APIC mode */
};
_Static_assert(offsetof(struct parking_header, seat_count) == 512, "start_processor.S");
_Static_assert(offsetof(struct parking_header, is_x2apic) == 516, "start_processor.S");
_Static_assert(sizeof(struct parking_header) <= PARKING_HEADER_SIZE_BYTES, "pure/parking.h");

/* parking_seat.arch has GDT, TSS, and at its end two stacks: for NMIs, and for faults. Each processor
 * writes its own. */
_Static_assert(offsetof(struct parking_seat, mailbox.state) == 32, "start_processor.S");
_Static_assert(offsetof(struct parking_seat, hardware_id) == 64, "start_processor.S");
_Static_assert(offsetof(struct parking_seat, stack_top) == 72, "start_processor.S");
_Static_assert(offsetof(struct parking_seat, arch) == 80, "start_processor.S");

/* In start_processor.S: the content of the page for starting processors, and of the code page. */
extern const uint8_t start_page[];
extern const uint8_t start_code_64[];
extern const uint8_t start_page_end[];

#endif
