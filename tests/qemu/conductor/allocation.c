/*
 * allocation.c - memory services that fail, return wrong results, and count the memory that the
 * loader has not freed.
 *
 * Plan:
 *   fail-pages N       the N-th call of AllocatePages fails (1 is the first)
 *   fail-pool N        the N-th call of AllocatePool fails
 *   fail-size N        every AllocatePages of exactly N pages fails
 *   leave-pages N      really exhaust memory, down to N free pages
 *   address-zero N     the N-th AllocatePages returns address 0
 *   overlap-image N    the N-th AllocatePages returns the loader's own image
 */
#include "tests/qemu/conductor/stage.h"

#define PAGE_SIZE_BYTES UINT64_C(4096)

static uint64_t page_calls;
static uint64_t pool_calls;
static uint64_t pages_owed;
static uint64_t blocks_owed;
static bool zero_handed_out;

static bool is_nth(const char *name, uint64_t call)
{
    uint64_t nth;
    return plan_has(&stage.plan, name, &nth) && nth == call;
}

static EFI_STATUS allocate_pages(EFI_ALLOCATE_TYPE kind, EFI_MEMORY_TYPE type, UINTN count,
                                 EFI_PHYSICAL_ADDRESS *address)
{
    uint64_t refused_count;
    page_calls++;
    if (is_nth("fail-pages", page_calls) ||
        (plan_has(&stage.plan, "fail-size", &refused_count) && refused_count == count)) {
        say("AllocatePages %llu fails (%llu pages)", page_calls, count);
        return EFI_OUT_OF_RESOURCES;
    }
    if (is_nth("address-zero", page_calls)) {
        say("AllocatePages %llu hands out address 0", page_calls);
        zero_handed_out = true;
        pages_owed += count;
        *address = 0;
        return EFI_SUCCESS;
    }
    if (is_nth("overlap-image", page_calls)) {
        say("AllocatePages %llu hands out the loader's image", page_calls);
        *address = (EFI_PHYSICAL_ADDRESS)(uintptr_t)stage.loader->ImageBase;
        return EFI_SUCCESS;
    }
    EFI_STATUS status = stage.firmware->AllocatePages(kind, type, count, address);
    if (!EFI_ERROR(status))
        pages_owed += count;
    return status;
}

static EFI_STATUS free_pages(EFI_PHYSICAL_ADDRESS address, UINTN count)
{
    if (address == 0 && zero_handed_out) {
        say("address 0 was given back");
        zero_handed_out = false;
        pages_owed -= count;
        return EFI_SUCCESS;
    }
    EFI_STATUS status = stage.firmware->FreePages(address, count);
    if (EFI_ERROR(status))
        say("FreePages of pages that were not allocated: %llx, %llu pages", address, count);
    else
        pages_owed -= count;
    return status;
}

static EFI_STATUS allocate_pool(EFI_MEMORY_TYPE type, UINTN size_bytes, VOID **buffer)
{
    pool_calls++;
    if (is_nth("fail-pool", pool_calls)) {
        say("AllocatePool %llu fails (%llu bytes)", pool_calls, size_bytes);
        return EFI_OUT_OF_RESOURCES;
    }
    EFI_STATUS status = stage.firmware->AllocatePool(type, size_bytes, buffer);
    if (!EFI_ERROR(status))
        blocks_owed++;
    return status;
}

void allocation_owe_block(void)
{
    blocks_owed++;
}

static EFI_STATUS free_pool(VOID *buffer)
{
    EFI_STATUS status = stage.firmware->FreePool(buffer);
    if (EFI_ERROR(status))
        say("FreePool of a block that was not allocated");
    else
        blocks_owed--;
    return status;
}

void allocation_install(void)
{
    stage.services->AllocatePages = allocate_pages;
    stage.services->FreePages = free_pages;
    stage.services->AllocatePool = allocate_pool;
    stage.services->FreePool = free_pool;
}

void allocation_report(void)
{
    say("pages=%llu blocks=%llu were not given back", pages_owed, blocks_owed);
    say("calls: AllocatePages %llu, AllocatePool %llu", page_calls, pool_calls);
}

static uint64_t free_page_count(void)
{
    static uint8_t map[64 * 1024] __attribute__((aligned(16)));
    UINTN size_bytes = sizeof map, key, descriptor_bytes;
    UINT32 version;
    if (EFI_ERROR(stage.firmware->GetMemoryMap(&size_bytes, (EFI_MEMORY_DESCRIPTOR *)map, &key,
                                               &descriptor_bytes, &version)))
        return 0;
    uint64_t count = 0;
    for (UINTN offset = 0; offset < size_bytes; offset += descriptor_bytes) {
        const EFI_MEMORY_DESCRIPTOR *row = (const EFI_MEMORY_DESCRIPTOR *)(map + offset);
        if (row->Type == EfiConventionalMemory)
            count += row->NumberOfPages;
    }
    return count;
}

/* The rest is one block, so that the failing call does not depend on fragmentation. */
void allocation_exhaust(uint64_t page_count)
{
    EFI_PHYSICAL_ADDRESS rest;
    if (EFI_ERROR(stage.firmware->AllocatePages(AllocateAnyPages, EfiBootServicesData, page_count,
                                                &rest))) {
        say("the firmware does not have %llu pages", page_count);
        return;
    }
    for (uint64_t size = UINT64_C(1) << 40; size > 0; size /= 2) {
        for (;;) {
            EFI_PHYSICAL_ADDRESS address;
            if (EFI_ERROR(stage.firmware->AllocatePages(AllocateAnyPages, EfiBootServicesData, size,
                                                        &address)))
                break;
        }
    }
    stage.firmware->FreePages(rest, page_count);
    say("the firmware has %llu pages left (%llu bytes)", free_page_count(),
        free_page_count() * PAGE_SIZE_BYTES);
}
