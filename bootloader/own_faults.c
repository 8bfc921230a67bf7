#include "bootloader/own_faults.h"

#include "bootloader/arch.h"
#include "bootloader/serial.h"
#include "shared/address.h"
#include "shared/text/text.h"

/* The linker's default for programs of UEFI: the address of the image in BOOTX64.debug.efi. */
#define LINKED_BASE UINT64_C(0x140000000)

struct watch {
    struct loader *loader;
    bool (*step)(void);
    bool is_faulted;
    bool is_in_loader; /* the fault was in the loader's own code */
    char report[FAULT_REPORT_CAPACITY_BYTES];
};

static bool call_step(void *context)
{
    struct watch *watch = context;
    return watch->step();
}

static bool is_in(struct phys_range memory, uint64_t address)
{
    return address >= memory.start.value && address < memory.end.value;
}

/* Runs in the handler of the exception. The report is printed later, outside of it. */
static void note_fault(void *context, const struct arch_fault *fault)
{
    struct watch *watch = context;
    const struct timeline *timeline = &watch->loader->timeline;
    struct phys_range image = watch->loader->placement.loader.memory;
    uint64_t address = fault->instruction.value;

    arch_unwatch_faults();
    watch->is_faulted = true;
    watch->is_in_loader = is_in(image, address);
    const char *place = watch->is_in_loader ? "in the loader" : "in a call of the firmware";
    const char *file = watch->is_in_loader ? "BOOTX64.debug.efi" : NULL;
    fault_report_format(fault, place, file, LINKED_BASE + (address - image.start.value),
                        watch->report);
    error_set(LOADER_ERROR_LOADER_FAULT, ERROR_STATUS_SUCCESS, "%s, %s at %llx, phase \"%s\"",
              fault->name, place, address, timeline->moments[timeline->count - 1].name);
    arch_abandon_call();
}

/* Serial port and screen are written directly. Before the screen is known, the firmware's console
 * is the last resort: nothing is lost if it hangs. */
static _Noreturn void stop_in_firmware(struct watch *watch)
{
    struct loader *loader = watch->loader;
    char text[800];
    error_format_report(&last_failure, text, sizeof(text));
    post_exit_initialise(&loader->post_exit, &loader->platform.framebuffers.list[0],
                         serial_known_port(loader), loader->config.command_line);
    post_exit_write(&loader->post_exit, watch->report);
    post_exit_write(&loader->post_exit, text);
    loader_log_append(&console.log, watch->report, text_length(watch->report));
    post_exit_keep(&loader->post_exit, POST_MORTEM_LOADER, LOADER_ERROR_LOADER_FAULT, text);
    if (!loader->post_exit.screen) {
        loader_log_append(&console.log, text, text_length(text));
        console_show();
    }
    post_exit_stop(&loader->post_exit, DEBUG_EXIT_LOADER_FAULT);
}

/* It begins as zeros. Too large for the firmware's stack. */
static struct watch watch;

void own_faults_begin(void)
{
    const struct arch_fault_sink sink = {&watch, note_fault, NULL};
    if (arch_confidential_technology() == NULL)
        arch_watch_faults(&sink);
}

bool own_faults_watch(struct loader *loader, bool (*step)(void))
{
    bool had_interrupts = arch_interrupts_are_enabled();
    watch.loader = loader;
    watch.step = step;

    own_faults_begin();
    bool is_good = arch_call(call_step, &watch);
    arch_unwatch_faults();
    if (watch.is_faulted && !watch.is_in_loader)
        stop_in_firmware(&watch);
    if (watch.is_faulted) {
        if (had_interrupts)
            arch_interrupts_enable();
        serial_prepare(loader);
        console_show_error(watch.report, &loader->serial);
    }
    return is_good;
}

void own_faults_end(void)
{
    arch_unwatch_faults();
}
