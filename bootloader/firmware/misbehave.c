#include "bootloader/firmware/misbehave.h"

#include "shared/address.h"

#define LINK_FIRST_ADDRESS (1 * MIB)
#define LINK_END_ADDRESS   (17 * MIB)

/* The firmware's functions have no argument for a context, so there is one instance of each. */
static const struct inject *failures;
static EFI_BOOT_SERVICES *real;
static EFI_BOOT_SERVICES services; /* the loader's copy */
static uint32_t page_calls;
static uint32_t map_calls;
static uint32_t exit_calls;

static EFI_STATUS EFIAPI allocate_pages(EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, UINTN count,
                                        EFI_PHYSICAL_ADDRESS *base)
{
    page_calls++;
    if (page_calls == failures->numbers[INJECT_FAIL_PAGES])
        return EFI_OUT_OF_RESOURCES;
    return real->AllocatePages(how, type, count, base);
}

/* Take a page of a type that is not its neighbours', so that the map gains a row. */
static void grow_map(void)
{
    EFI_PHYSICAL_ADDRESS base;
    (void)real->AllocatePages(AllocateAnyPages,
                              map_calls % 2 == 0 ? EfiBootServicesData : EfiLoaderCode, 1, &base);
}

static EFI_STATUS EFIAPI get_memory_map(UINTN *size_bytes, EFI_MEMORY_DESCRIPTOR *rows, UINTN *key,
                                        UINTN *stride_bytes, UINT32 *version)
{
    UINTN capacity_bytes = *size_bytes;
    map_calls++;
    if (map_calls <= failures->numbers[INJECT_GROW_MAP])
        grow_map();
    EFI_STATUS status = real->GetMemoryMap(size_bytes, rows, key, stride_bytes, version);
    if (EFI_ERROR(status) || *stride_bytes < sizeof(EFI_MEMORY_DESCRIPTOR) ||
        *size_bytes > capacity_bytes)
        return status;
    struct inject_map map = {rows, *size_bytes, capacity_bytes, *stride_bytes};
    inject_change_map(failures, &map);
    *size_bytes = map.size_bytes;
    return status;
}

/* The firmware itself refuses the wrong key. */
static EFI_STATUS EFIAPI exit_boot_services(EFI_HANDLE image, UINTN key)
{
    exit_calls++;
    return real->ExitBootServices(image, exit_calls <= failures->numbers[INJECT_STALE_KEY] ? key + 1
                                                                                           : key);
}

void misbehave_begin(const struct inject *inject)
{
    failures = inject;
    real = firmware.services;
    services = *real;
    page_calls = map_calls = exit_calls = 0; /* of another entry */
    services.AllocatePages = allocate_pages;
    services.GetMemoryMap = get_memory_map;
    services.ExitBootServices = exit_boot_services;
    firmware.services = &services;
}

void misbehave_occupy_link_address(void)
{
    for (EFI_PHYSICAL_ADDRESS page = LINK_FIRST_ADDRESS; page < LINK_END_ADDRESS;
         page += PAGE_SIZE_BYTES)
        (void)real->AllocatePages(AllocateAddress, EfiBootServicesData, 1, &page);
}
