/*
 * main.c - a kernel that trusts nothing. It checks every promise of docs/HANDOFF.md on the machine
 * on which it runs, prints the results on COM1, and leaves QEMU.
 *
 * The only file of the project that it includes is shared/handoff.h. Its checksum, its page walk
 * and the rest are written a second time, from the document: both must have the same mistake to
 * hide it.
 */
#include <stddef.h>

#include "shared/handoff.h"
#include "tests/qemu/probe/arch/x86_64/cpu.h"
#include "tests/qemu/probe/block.h"
#include "tests/qemu/probe/cpu_state.h"
#include "tests/qemu/probe/firmware_map.h"
#include "tests/qemu/probe/mappings.h"
#include "tests/qemu/probe/memory.h"
#include "tests/qemu/probe/misbehaviour.h"
#include "tests/qemu/probe/modules.h"
#include "tests/qemu/probe/notes.h"
#include "tests/qemu/probe/platform.h"
#include "tests/qemu/probe/processors.h"
#include "tests/qemu/probe/promise.h"
#include "tests/qemu/probe/regions.h"
#include "tests/qemu/probe/serial.h"
#include "tests/qemu/probe/structure.h"
#include "tests/qemu/probe/texts.h"

/* QEMU exits with the status 2 * value + 1. */
#define DEBUG_EXIT_PORT   0xf4
#define DEBUG_EXIT_KEPT   0x10
#define DEBUG_EXIT_BROKEN 0x11

_Noreturn static void leave(const struct promises *promises)
{
    promise_plan(promises);
    cpu_port_write8(DEBUG_EXIT_PORT,
                    promises->broken_count == 0 ? DEBUG_EXIT_KEPT : DEBUG_EXIT_BROKEN);
    cpu_halt_forever();
}

static void say(const char *key, uint64_t value)
{
    serial_write("# ");
    serial_write(key);
    serial_write("=");
    serial_write_hexadecimal(value);
    serial_write("\n");
}

/* Print the values that only the test can check, because it configured the machine. */
static void say_figures(const struct handoff *handoff)
{
    serial_write("# loader_name=");
    serial_write(handoff->loader_name);
    serial_write("\n# command_line=");
    serial_write(block_pointer(handoff, handoff->command_line.address));
    serial_write("\n# kernel_path=");
    serial_write(block_pointer(handoff, handoff->kernel_path.address));
    serial_write("\n# boot_partition=");
    for (unsigned i = 0; i < sizeof(handoff->boot_partition); i++) {
        serial_write(i == 0 ? "" : " ");
        serial_write_decimal(handoff->boot_partition[i]);
    }
    serial_write("\n");
    say("temp_heap_size", handoff->temp_heap_size);
    say("ram_bytes", block_bytes_with_facts(handoff, 0, UINT64_MAX, HANDOFF_FACT_RAM));
    say("region_count", handoff->regions.count);
    struct handoff_framebuffer framebuffer = block_framebuffer(handoff, 0);
    say("pixel_format", framebuffer.pixel_format);
    say("width_pixels", framebuffer.width_pixels);
    say("height_pixels", framebuffer.height_pixels);
    say("pitch_bytes", framebuffer.pitch_bytes);
    say("framebuffer_base", framebuffer.base);
    say("framebuffer_count", handoff->framebuffers.count);
    say("boot_source", handoff->boot_source);
    say("processor_count", handoff->processors.count);
    say("processor_start_base", handoff->processor_start_base);
    say("random_seed_source", handoff->random_seed_source);
    say("flags", handoff->arch.x86_64.flags);
    say("tsc_frequency_hz", handoff->arch.x86_64.tsc_frequency_hz);
    modules_say(handoff);
}

/* Each step may rely on the steps before it. */
static void check_everything(const struct handoff *handoff, struct promises *promises)
{
    if (!structure_check(handoff, promises)) {
        serial_write("Bail out! The structure cannot be trusted.\n");
        leave(promises);
    }
    notes_check(handoff, promises);
    regions_check(handoff, promises);
    firmware_map_check(handoff, promises);
    if (promises->broken_count != 0) {
        serial_write("Bail out! The regions cannot be trusted.\n");
        leave(promises);
    }
    mappings_check(handoff, promises);
    cpu_state_check(handoff, promises);
    memory_check_image(handoff, promises);
    memory_check_use(handoff, promises);
    modules_check(handoff, promises);
    texts_check(handoff, promises);
    platform_check(handoff, promises);
    processors_check(handoff, promises);
}

/* entry.S calls this. It returns only if a test wants the entry point to return. */
void probe_main(void);
void probe_main(void)
{
    const struct handoff *handoff = (const struct handoff *)entry_state.rdi;
    struct promises promises = {.name = "", .broken = false};

    serial_initialise();
    serial_write("TAP version 13\n");
    promise_that(&promises, "handoff-pointer",
                 handoff != NULL && entry_state.rdi % HANDOFF_PAGE_SIZE_BYTES == 0,
                 "the page-aligned address of the handoff in RDI", entry_state.rdi);
    if (promises.broken_count != 0)
        leave(&promises);
    check_everything(handoff, &promises);
    say_figures(handoff);

    enum misbehaviour misbehaviour = misbehaviour_wanted(handoff);
    if (misbehaviour == MISBEHAVIOUR_NONE || promises.broken_count != 0)
        leave(&promises);
    promise_that(&promises, "own-tables", misbehaviour_load_tables(handoff),
                 "page tables of a known kind, and memory for them", 0);
    if (misbehaviour == MISBEHAVIOUR_RETURN)
        return;
    misbehaviour_run(misbehaviour);
    promise_that(&promises, "misbehaviour-is-caught", false,
                 "that the misbehaviour does not return", misbehaviour);
    leave(&promises);
}
