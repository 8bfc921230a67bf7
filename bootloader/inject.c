#include "bootloader/inject.h"

#include "bootloader/firmware/misbehave.h"
#include "bootloader/integrity.h"
#include "shared/address.h"

/* No table maps this address, with four or with five levels. */
#define NOWHERE UINT64_C(0x200000000000)

static bool is_wanted(const struct loader *loader, enum inject_failure failure)
{
    return loader->config.inject.numbers[failure] != 0;
}

static bool is_any_wanted(const struct loader *loader)
{
    bool is_any = false;
    for (unsigned failure = 0; failure < INJECT_FAILURE_COUNT; failure++)
        is_any = is_any || is_wanted(loader, (enum inject_failure)failure);
    return is_any;
}

bool inject_begin(struct loader *loader)
{
    loader->post_exit.hang_at = loader->config.inject.numbers[INJECT_HANG];
    if (!is_any_wanted(loader))
        return true;
    if (integrity_is_secure(loader)) {
        error_set(LOADER_ERROR_SETTING_REFUSED, EFI_SUCCESS, "the key inject");
        return false;
    }
    for (unsigned failure = 0; failure < INJECT_FAILURE_COUNT; failure++) {
        if (!is_wanted(loader, (enum inject_failure)failure))
            continue;
        console_warn("inject=%s is on: this boot misbehaves on purpose",
                     inject_word((enum inject_failure)failure));
    }
    console_show();
    misbehave_begin(&loader->config.inject);
    if (is_wanted(loader, INJECT_OCCUPY_LINK_ADDRESS))
        misbehave_occupy_link_address();
    return true;
}

void inject_change_facts(struct loader *loader)
{
    struct framebuffer_list *screens = &loader->platform.framebuffers;
    struct handoff_framebuffer *screen = &screens->list[0];
    if (is_wanted(loader, INJECT_HIDE_SCREEN))
        *screens = (struct framebuffer_list){0};
    if (is_wanted(loader, INJECT_SHRINK_SCREEN)) {
        screen->width_pixels /= 2;
        screen->height_pixels /= 2;
    }
    if (is_wanted(loader, INJECT_ZERO_HEAP))
        loader->placement.temp_heaps[0] = phys_range(0, 0);
}

void inject_change_handoff(struct loader *loader)
{
    if (!is_any_wanted(loader))
        return;
    inject_damage_handoff(&loader->config.inject, loader->block.handoff,
                          loader->block.room.regions);
    if (is_wanted(loader, INJECT_BAD_JUMP))
        loader->kernel.entry = virt_addr(NOWHERE);
}
