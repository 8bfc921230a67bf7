#include "bootloader/screen_conflicts.h"

#include "bootloader/arch.h"
#include "bootloader/demands.h"
#include "bootloader/pure/framebuffer_conflict.h"
#include "shared/region.h"

static bool covers(const struct handoff_framebuffer *screen, uint64_t address)
{
    return address - screen->base < screen->size_bytes;
}

/* The loader runs on the firmware's stack and tables until the switch. It writes to the screen before
 * that. They lie in memory of boot services, where pixels may lie, too. */
static bool covers_live_memory(const struct handoff_framebuffer *screen,
                               struct memory_map_claim *ret_owned)
{
    const uint64_t stack = (uint64_t)&screen; /* firmware maps memory at its physical address */
    const uint64_t tables = arch_page_table_root().value;
    bool has_stack = covers(screen, stack);
    if (!has_stack && !covers(screen, tables))
        return false;
    uint64_t address = has_stack ? stack : tables;
    *ret_owned =
        (struct memory_map_claim){phys_range(address, address + 1),
                                  has_stack ? HANDOFF_REGION_STACK : HANDOFF_REGION_PAGE_TABLES};
    return true;
}

static void drop_if_in_conflict(struct loader *loader, size_t index)
{
    struct framebuffer_list *screens = &loader->platform.framebuffers;
    const struct handoff_framebuffer *screen = &screens->list[index];
    const struct memory_owners owners = {&loader->claims, loader->block.room.regions,
                                         loader->block.region_count};
    struct memory_map_claim owned;
    if (!framebuffer_conflict_find(&owners, screen, &owned) && !covers_live_memory(screen, &owned))
        return;
    console_warn("the framebuffer at %llx is dropped: its pixels would overwrite memory in use "
                 "(%s at %llx)",
                 screen->base, region_type_name((uint32_t)owned.type), owned.range.start.value);
    framebuffer_list_remove(screens, index);
}

/* To ask a port that is the firmware's console would disturb the firmware. It works. */
static bool has_serial_port(const struct serial_choice *serial)
{
    return serial->port != 0 &&
           (serial->is_firmware_console || arch_serial_initialise(serial->port));
}

/* The first screen may be another one now. */
static bool go_on_with_the_others(struct loader *loader)
{
    const struct framebuffer_list *screens = &loader->platform.framebuffers;
    loader->post_exit.framebuffer = screens->list[0];
    if (screens->count == 0 && !has_serial_port(&loader->serial)) {
        error_set(LOADER_ERROR_NO_OUTPUT, EFI_SUCCESS,
                  "the last screen lies over memory in use; serial port %x", loader->serial.port);
        return false;
    }
    return demands_check_machine(loader);
}

bool screen_conflicts_drop(struct loader *loader, bool *ret_was_dropped)
{
    size_t old_count = loader->platform.framebuffers.count;
    for (size_t i = old_count; i > 0; i--)
        drop_if_in_conflict(loader, i - 1);
    *ret_was_dropped = loader->platform.framebuffers.count != old_count;
    return !*ret_was_dropped || go_on_with_the_others(loader);
}
