/*
 * late_reset.c - a ResetSystem that needs memory of boot services after their end.
 *
 * Plan: `late-reset`. The call reads a page of EfiBootServicesData. If the page has its old content,
 * the firmware's own ResetSystem follows, else the call returns EFI_DEVICE_ERROR.
 */
#include "shared/memory.h"
#include "tests/qemu/conductor/stage.h"

#define CONTENT         UINT64_C(0x6563697672657362)
#define PAGE_SIZE_BYTES 4096

extern const uint8_t late_reset_code[];
extern const uint8_t late_reset_end[];
extern const uint64_t late_reset_page[];

static EFI_PHYSICAL_ADDRESS allocate(EFI_MEMORY_TYPE type)
{
    EFI_PHYSICAL_ADDRESS page = 0;
    EFI_STATUS status = stage.firmware->AllocatePages(AllocateAnyPages, type, 1, &page);
    if (EFI_ERROR(status))
        say("late-reset: no page: %llx", status);
    return page;
}

void late_reset_install(void)
{
    if (!plan_has(&stage.plan, "late-reset", NULL))
        return;
    EFI_PHYSICAL_ADDRESS code = allocate(EfiRuntimeServicesCode);
    EFI_PHYSICAL_ADDRESS data = allocate(EfiBootServicesData);
    EFI_RUNTIME_SERVICES *copy = (void *)allocate(EfiRuntimeServicesData);
    size_t words = (size_t)((const uint8_t *)late_reset_page - late_reset_code);
    uint64_t filled[3] = {data, CONTENT,
                          (uint64_t)stage.system_table->RuntimeServices->ResetSystem};

    for (size_t i = 0; i < PAGE_SIZE_BYTES / sizeof(uint64_t); i++)
        ((uint64_t *)data)[i] = CONTENT;
    memcpy((void *)code, late_reset_code, (size_t)(late_reset_end - late_reset_code));
    memcpy((uint8_t *)code + words, filled, sizeof filled);
    *copy = *stage.loader_table->RuntimeServices;
    copy->ResetSystem = (EFI_RESET_SYSTEM)code;
    stage.loader_table->RuntimeServices = copy;
    say("ResetSystem reads the page at %llx", data);
}
