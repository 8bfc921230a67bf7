/*
 * leaving.c - GetMemoryMap and ExitBootServices of bad firmware.
 *
 * Plan:
 *   stale-fake N          the first N calls of ExitBootServices report a stale key
 *   stale-real N          … because the key is stale: memory was allocated in between
 *   map-jumps             GetMemoryMap jumps to an address where nothing is mapped
 *   show-handlers         print at the first GetMemoryMap whether the firmware's timer works, and
 *                         at ExitBootServices whether the firmware has its exception handlers again
 *   exit-hangs            ExitBootServices never returns
 *   map-grows N           the first N calls of GetMemoryMap see a map that has grown
 *   map-burst N           before the N-th call of GetMemoryMap the map gains many rows at once
 *   map-bursts N          … before the N-th and every later one
 *   map-fails-after-exit  GetMemoryMap fails after ExitBootServices has failed
 *   map-huge-after-exit   the map fits no buffer after ExitBootServices has failed
 *   descriptor-size N     the stride of the rows is N bytes (0: the map states 0)
 *   descriptor-version N
 *   map-ragged            the map's size is not a multiple of the stride
 *   loader-data-uncached  the rows of EfiLoaderData lack EFI_MEMORY_WB
 *   loader-data-special   … have EFI_MEMORY_SP
 *   firmware-uncached     the rows of the firmware's runtime code and of ACPI NVS lack
 *                         EFI_MEMORY_WB
 *   no-attributes         all attributes of all rows are 0
 *   high-row              the smallest row of free RAM lies where the CPU's addresses end
 *
 * After a call of ExitBootServices, every other boot service is a trap that prints its name.
 */
#include "shared/arch/x86_64/instructions.h"
#include "shared/arch/x86_64/page_features.h"
#include "tests/qemu/conductor/stage.h"

#define DEBUG_EXIT_PORT 0xf4
/* A value that no kernel uses. The exit status 2 * value + 1 means that the loader broke the rule.
 */
#define CONDUCTOR_CODE_FORBIDDEN 0x7d

/* EFI_MEMORY_SP (UEFI 2.10, 7.2.3), which gnu-efi does not know. */
#define MEMORY_SPECIFIC_PURPOSE UINT64_C(0x40000)

#define NOWHERE UINT64_C(0x200000000000)

/* Far more rows than the loader's slack. */
#define BURST_ROWS 200

/* The timer of the test, and how long it gets. The unit of SetTimer() is 100 ns. */
#define TIMER_PERIOD            UINT64_C(100000)
#define TIMER_WAIT_LIMIT        100
#define TIMER_WAIT_MICROSECONDS 10000

static uint64_t exit_calls;
static uint64_t first_handlers; /* the addresses of the firmware's descriptor tables */
static uint64_t first_segments;
static volatile bool timer_ticked;
static uint64_t map_calls;

static void forbidden(void)
{
    say("FORBIDDEN: a boot service was called after ExitBootServices");
    port_write_32(DEBUG_EXIT_PORT, CONDUCTOR_CODE_FORBIDDEN);
    halt_forever();
}

static EFI_STATUS forbidden_output(SIMPLE_TEXT_OUTPUT_INTERFACE *console, CHAR16 *text)
{
    (void)console;
    (void)text;
    forbidden();
    return EFI_UNSUPPORTED;
}

static void trap_everything_else(void)
{
    EFI_BOOT_SERVICES *services = stage.services;
    EFI_GET_MEMORY_MAP get_memory_map = services->GetMemoryMap;
    EFI_EXIT_BOOT_SERVICES exit_boot_services = services->ExitBootServices;
    void (**service)(void) = (void (**)(void))(void *)((char *)services + sizeof services->Hdr);
    void (**end)(void) = (void (**)(void))(void *)(services + 1);
    while (service < end)
        *service++ = forbidden;
    services->GetMemoryMap = get_memory_map;
    services->ExitBootServices = exit_boot_services;
    if (stage.loader_table->ConOut != NULL)
        stage.loader_table->ConOut->OutputString = forbidden_output;
}

void handlers_note(void)
{
    first_handlers = idt_read().base;
    first_segments = gdt_read().base;
}

const char *handlers_owner(void)
{
    bool has_handlers = idt_read().base == first_handlers;
    bool has_segments = gdt_read().base == first_segments;
    if (has_handlers != has_segments)
        return has_handlers ? "the firmware's with other segments"
                            : "the loader's with old segments";
    return has_handlers ? "the firmware's" : "the loader's";
}

static void EFIAPI note_tick(EFI_EVENT event, VOID *context)
{
    (void)event;
    (void)context;
    timer_ticked = true;
}

/* Wait for a timer of the firmware while the loader's handlers are in force. */
static void show_timer(void)
{
    EFI_EVENT timer;
    if (EFI_ERROR(stage.firmware->CreateEvent(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_CALLBACK,
                                              note_tick, NULL, &timer)) ||
        EFI_ERROR(stage.firmware->SetTimer(timer, TimerPeriodic, TIMER_PERIOD)))
        say("no timer");
    for (unsigned i = 0; i < TIMER_WAIT_LIMIT && !timer_ticked; i++)
        stage.firmware->Stall(TIMER_WAIT_MICROSECONDS);
    stage.firmware->CloseEvent(timer);
    say("handlers: %s, the timer %s", handlers_owner(), timer_ticked ? "ticks" : "stands still");
}

/* Allocate a page of a type that its neighbours do not have, so that the map gets one more row. */
static void grow_map(void)
{
    EFI_PHYSICAL_ADDRESS address;
    EFI_MEMORY_TYPE type = map_calls % 2 == 0 ? EfiBootServicesData : EfiACPIMemoryNVS;
    if (EFI_ERROR(stage.firmware->AllocatePages(AllocateAnyPages, type, 1, &address)))
        say("the map cannot be made to grow");
}

/* Free every second page of a block, so that each page is a separate row. */
static void burst_map(void)
{
    EFI_PHYSICAL_ADDRESS block;
    if (EFI_ERROR(stage.firmware->AllocatePages(AllocateAnyPages, EfiBootServicesData, BURST_ROWS,
                                                &block))) {
        say("the map cannot be made to burst");
        return;
    }
    for (UINTN page = 1; page < BURST_ROWS - 1; page += 2)
        stage.firmware->FreePages(block + page * EFI_PAGE_SIZE, 1);
    say("GetMemoryMap %llu: the map bursts", map_calls);
}

static bool is_call_to_burst_at(void)
{
    uint64_t number;
    return (plan_has(&stage.plan, "map-burst", &number) && map_calls == number) ||
           (plan_has(&stage.plan, "map-bursts", &number) && map_calls >= number);
}

static void distort_attributes(EFI_MEMORY_DESCRIPTOR *row)
{
    bool is_loader_data = row->Type == EfiLoaderData;
    bool is_firmware = row->Type == EfiRuntimeServicesCode || row->Type == EfiACPIMemoryNVS;
    if ((is_loader_data && plan_has(&stage.plan, "loader-data-uncached", NULL)) ||
        (is_firmware && plan_has(&stage.plan, "firmware-uncached", NULL)))
        row->Attribute &= ~(UINT64)EFI_MEMORY_WB;
    if (is_loader_data && plan_has(&stage.plan, "loader-data-special", NULL))
        row->Attribute |= MEMORY_SPECIFIC_PURPOSE;
    if (plan_has(&stage.plan, "no-attributes", NULL))
        row->Attribute = 0;
}

/* Free RAM has no blocks of the loader, so any row of it can move. */
static void move_row_up(EFI_MEMORY_DESCRIPTOR *map, UINTN size_bytes, UINTN row_bytes)
{
    EFI_MEMORY_DESCRIPTOR *smallest = NULL;
    for (UINTN offset = 0; offset < size_bytes; offset += row_bytes) {
        EFI_MEMORY_DESCRIPTOR *row = (EFI_MEMORY_DESCRIPTOR *)(void *)((char *)map + offset);
        if (row->Type == EfiConventionalMemory &&
            (smallest == NULL || row->NumberOfPages < smallest->NumberOfPages))
            smallest = row;
    }
    struct page_table_features features;
    page_features_read(&features);
    if (smallest != NULL)
        smallest->PhysicalStart = UINT64_C(1) << features.physical_bits;
}

/* Move the rows apart, from the last to the first, to the stride of the plan. */
static EFI_STATUS spread_rows(UINTN *size_bytes, EFI_MEMORY_DESCRIPTOR *map, UINTN *row_bytes,
                              UINTN capacity_bytes, UINTN wanted_bytes)
{
    UINTN count = *size_bytes / *row_bytes;
    char *bytes = (char *)map;
    *size_bytes = count * wanted_bytes;
    if (*size_bytes > capacity_bytes)
        return EFI_BUFFER_TOO_SMALL;
    for (UINTN row = count; row-- > 0;) {
        for (UINTN byte = wanted_bytes; byte-- > 0;)
            bytes[row * wanted_bytes + byte] =
                byte < *row_bytes ? bytes[row * *row_bytes + byte] : (char)0x5a;
    }
    *row_bytes = wanted_bytes;
    return EFI_SUCCESS;
}

static EFI_STATUS distort(UINTN *size_bytes, EFI_MEMORY_DESCRIPTOR *map, UINTN *row_bytes,
                          UINT32 *version, UINTN capacity_bytes)
{
    uint64_t number;
    for (UINTN offset = 0; offset < *size_bytes; offset += *row_bytes)
        distort_attributes((EFI_MEMORY_DESCRIPTOR *)(void *)((char *)map + offset));
    if (plan_has(&stage.plan, "high-row", NULL))
        move_row_up(map, *size_bytes, *row_bytes);
    if (plan_has(&stage.plan, "descriptor-version", &number))
        *version = (UINT32)number;
    if (plan_has(&stage.plan, "map-ragged", NULL))
        *size_bytes -= 8;
    if (!plan_has(&stage.plan, "descriptor-size", &number))
        return EFI_SUCCESS;
    if (number >= sizeof(EFI_MEMORY_DESCRIPTOR))
        return spread_rows(size_bytes, map, row_bytes, capacity_bytes, number);
    *row_bytes = number;
    return EFI_SUCCESS;
}

static EFI_STATUS get_memory_map(UINTN *size_bytes, EFI_MEMORY_DESCRIPTOR *map, UINTN *key,
                                 UINTN *row_bytes, UINT32 *version)
{
    UINTN capacity_bytes = *size_bytes;
    uint64_t number;
    map_calls++;
    graphics_note_map(map_calls);
    if (plan_has(&stage.plan, "map-jumps", NULL))
        ((void (*)(void))NOWHERE)();
    if (map_calls == 1 && plan_has(&stage.plan, "show-handlers", NULL))
        show_timer();
    if (plan_has(&stage.plan, "map-grows", &number) && map_calls <= number)
        grow_map();
    if (is_call_to_burst_at())
        burst_map();
    if (exit_calls > 0 && plan_has(&stage.plan, "map-fails-after-exit", NULL)) {
        say("GetMemoryMap fails");
        return EFI_DEVICE_ERROR;
    }
    if (exit_calls > 0 && plan_has(&stage.plan, "map-huge-after-exit", NULL)) {
        say("GetMemoryMap wants a larger buffer");
        *size_bytes = capacity_bytes + 4096;
        return EFI_BUFFER_TOO_SMALL;
    }
    EFI_STATUS status = stage.firmware->GetMemoryMap(size_bytes, map, key, row_bytes, version);
    if (status == EFI_BUFFER_TOO_SMALL) {
        /* The loader computes the size of its buffer from these numbers. */
        if (plan_has(&stage.plan, "descriptor-size", &number) &&
            number >= sizeof(EFI_MEMORY_DESCRIPTOR)) {
            *size_bytes = *size_bytes / *row_bytes * number;
            *row_bytes = number;
        }
        return status;
    }
    return EFI_ERROR(status) ? status
                             : distort(size_bytes, map, row_bytes, version, capacity_bytes);
}

static EFI_STATUS exit_boot_services(EFI_HANDLE image, UINTN key)
{
    uint64_t number;
    exit_calls++;
    if (plan_has(&stage.plan, "show-handlers", NULL))
        say("handlers at the exit: %s", handlers_owner());
    if (exit_calls == 1)
        measurements_show();
    trap_everything_else();
    if (plan_has(&stage.plan, "exit-hangs", NULL))
        halt_forever();
    if (plan_has(&stage.plan, "stale-fake", &number) && exit_calls <= number) {
        if (exit_calls <= 3)
            say("ExitBootServices %llu: stale key", exit_calls);
        return EFI_INVALID_PARAMETER;
    }
    if (plan_has(&stage.plan, "stale-real", &number) && exit_calls <= number) {
        grow_map();
        EFI_STATUS status = stage.firmware->ExitBootServices(image, key);
        say("ExitBootServices %llu: status %llx", exit_calls, status);
        return status;
    }
    return stage.firmware->ExitBootServices(image, key);
}

void leaving_install(void)
{
    stage.services->GetMemoryMap = get_memory_map;
    stage.services->ExitBootServices = exit_boot_services;
}
