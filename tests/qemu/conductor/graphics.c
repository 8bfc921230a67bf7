/*
 * graphics.c - graphics outputs as some firmware has them, and one that firmware does not have.
 *
 * Plan, for the real outputs:
 *   graphics-blt-only      they can only copy blocks
 *   graphics-empty         the mode is 0 x 0
 *   graphics-size N        the firmware states N bytes of framebuffer
 *   graphics-at N          the firmware states that the framebuffer is at the address N
 *   graphics-over-loader   the firmware states that it is over the loader's image
 *   graphics-no-mode       Mode is NULL until SetMode() is called
 *   graphics-no-info       Mode->Info is NULL until then
 *   graphics-not-started   QueryMode() gives EFI_NOT_STARTED until then
 *   set-mode-fails         SetMode() changes the mode and fails, but for the firmware's own mode
 *   set-mode-never         SetMode() fails
 *   query-mode-waits       the first QueryMode() waits for a byte on COM1
 *   set-mode-waits         the first SetMode() waits for a byte on COM1
 *   console-is N           the console shows its text on the N-th output only; 0: on none
 *
 * and for one more output, in memory, which becomes the only one of the console:
 *   extra-output PLACE     its pixels are in EfiReservedMemoryType: 1 anywhere, 2 above 4 GiB,
 *                          3 nowhere (it can only copy blocks), 4 in EfiRuntimeServicesData,
 *                          5 over the loader's image, 6 over the stack, which is at their end
 *   extra-moves-at N       at the N-th GetMemoryMap() its memory becomes EfiRuntimeServicesData
 *   extra-edid N           its screen prefers the size of its mode N; 9: its EDID is damaged
 */
#include "shared/arch/x86_64/instructions.h"
#include "shared/memory.h"
#include "tests/qemu/conductor/stage.h"

#define OUTPUT_LIMIT 8
#define FOUR_GIB     UINT64_C(0x100000000)

static EFI_GUID graphics_guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
static EFI_GUID console_out_guid = {
    0xd3b36f2c, 0xd551, 0x11d4, {0x9a, 0x46, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};

/* What the loader gets in place of a real output. */
struct staged_output {
    EFI_GRAPHICS_OUTPUT_PROTOCOL protocol; /* first: the loader's calls name it */
    EFI_GRAPHICS_OUTPUT_PROTOCOL *real;
    EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE mode;
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION information;
    UINT32 first_mode;
    bool is_started;
};

static struct staged_output staged[OUTPUT_LIMIT];
static size_t staged_count;

static EFI_HANDLE *real_handles;
static UINTN real_count;
static EFI_HANDLE extra_handle;

static bool planned(const char *name)
{
    return plan_has(&stage.plan, name, NULL);
}

static bool is_guid(const EFI_GUID *guid, const EFI_GUID *other)
{
    return memcmp(guid, other, sizeof(*guid)) == 0;
}

/* --- The real outputs --- */

static void refresh(struct staged_output *output)
{
    uint64_t size_bytes;
    uint64_t base;
    output->mode = *output->real->Mode;
    output->information = *output->mode.Info;
    output->mode.Info = &output->information;
    output->protocol.Mode = &output->mode;
    if (plan_has(&stage.plan, "graphics-size", &size_bytes))
        output->mode.FrameBufferSize = size_bytes;
    if (planned("graphics-blt-only")) {
        output->information.PixelFormat = PixelBltOnly;
        output->mode.FrameBufferBase = 0;
        output->mode.FrameBufferSize = 0;
    }
    if (planned("graphics-empty"))
        output->information.HorizontalResolution = output->information.VerticalResolution = 0;
    if (plan_has(&stage.plan, "graphics-at", &base))
        output->mode.FrameBufferBase = base;
    if (planned("graphics-over-loader"))
        output->mode.FrameBufferBase = (EFI_PHYSICAL_ADDRESS)(uintptr_t)stage.loader->ImageBase;
    if (!output->is_started && planned("graphics-no-info"))
        output->mode.Info = NULL;
    if (!output->is_started && planned("graphics-no-mode"))
        output->protocol.Mode = NULL;
}

/* Between two waits the firmware's terminal could take the byte. */
static void wait_once(const char *name)
{
    static bool has_waited;
    if (!planned(name) || has_waited)
        return;
    has_waited = true;
    stage_wait_for_byte("the firmware waits");
}

static EFI_STATUS query_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *self, UINT32 number, UINTN *size_bytes,
                             EFI_GRAPHICS_OUTPUT_MODE_INFORMATION **information)
{
    struct staged_output *output = (struct staged_output *)self;
    wait_once("query-mode-waits");
    if (!output->is_started && planned("graphics-not-started"))
        return EFI_NOT_STARTED;
    EFI_STATUS status = output->real->QueryMode(output->real, number, size_bytes, information);
    if (!EFI_ERROR(status))
        allocation_owe_block();
    return status;
}

static EFI_STATUS set_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *self, UINT32 number)
{
    struct staged_output *output = (struct staged_output *)self;
    say("SetMode(%u)", number);
    wait_once("set-mode-waits");
    if (planned("set-mode-never"))
        return EFI_DEVICE_ERROR;
    EFI_STATUS status = output->real->SetMode(output->real, number);
    if (!EFI_ERROR(status) && planned("set-mode-fails") && number != output->first_mode)
        status = EFI_DEVICE_ERROR;
    output->is_started = output->is_started || !EFI_ERROR(status);
    refresh(output);
    return status;
}

static struct staged_output *stage_output(EFI_GRAPHICS_OUTPUT_PROTOCOL *real)
{
    for (size_t i = 0; i < staged_count; i++) {
        if (staged[i].real == real)
            return &staged[i];
    }
    if (staged_count == OUTPUT_LIMIT)
        return NULL;
    struct staged_output *output = &staged[staged_count++];
    *output = (struct staged_output){.real = real, .first_mode = real->Mode->Mode};
    output->protocol = (EFI_GRAPHICS_OUTPUT_PROTOCOL){query_mode, set_mode, real->Blt, NULL};
    refresh(output);
    return output;
}

/* --- The extra output --- */

static const struct {
    UINT32 width, height, pitch;
} extra_modes[] = {{640, 480, 640}, {800, 600, 832}, {1024, 768, 1024}};
#define EXTRA_MODE_COUNT (sizeof(extra_modes) / sizeof(extra_modes[0]))
#define EXTRA_BYTES      (UINT64_C(1024) * 768 * 4)
#define FIRST_MODE_BYTES (UINT64_C(640) * 480 * 4)

static EFI_GRAPHICS_OUTPUT_PROTOCOL extra;
static EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE extra_mode;
static EFI_GRAPHICS_OUTPUT_MODE_INFORMATION extra_information;

static EFI_GRAPHICS_OUTPUT_MODE_INFORMATION extra_information_of(UINT32 number)
{
    return (EFI_GRAPHICS_OUTPUT_MODE_INFORMATION){
        .HorizontalResolution = extra_modes[number].width,
        .VerticalResolution = extra_modes[number].height,
        .PixelsPerScanLine = extra_modes[number].pitch,
        .PixelFormat =
            extra_mode.FrameBufferBase != 0 ? PixelBlueGreenRedReserved8BitPerColor : PixelBltOnly,
    };
}

static EFI_STATUS extra_query_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *self, UINT32 number,
                                   UINTN *size_bytes,
                                   EFI_GRAPHICS_OUTPUT_MODE_INFORMATION **information)
{
    (void)self;
    if (number >= EXTRA_MODE_COUNT)
        return EFI_INVALID_PARAMETER;
    *size_bytes = sizeof(**information);
    EFI_STATUS status = stage.firmware->AllocatePool(EfiBootServicesData, sizeof(**information),
                                                     (VOID **)information);
    if (!EFI_ERROR(status)) {
        **information = extra_information_of(number);
        allocation_owe_block();
    }
    return status;
}

static EFI_STATUS extra_set_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *self, UINT32 number)
{
    (void)self;
    say("SetMode(%u) of the extra output", number);
    if (number >= EXTRA_MODE_COUNT)
        return EFI_UNSUPPORTED;
    if (planned("set-mode-never"))
        return EFI_DEVICE_ERROR;
    extra_information = extra_information_of(number);
    extra_mode.Mode = number;
    return planned("set-mode-fails") && number != 0 ? EFI_DEVICE_ERROR : EFI_SUCCESS;
}

static EFI_PHYSICAL_ADDRESS extra_place(uint64_t place)
{
    EFI_PHYSICAL_ADDRESS base = FOUR_GIB + (UINT64_C(64) << 20);
    if (place == 3)
        return 0;
    if (place == 5)
        return (EFI_PHYSICAL_ADDRESS)(uintptr_t)stage.loader->ImageBase;
    if (place == 6)
        return stack_pointer_read() / EFI_PAGE_SIZE * EFI_PAGE_SIZE - FIRST_MODE_BYTES +
               4 * EFI_PAGE_SIZE;
    EFI_STATUS status =
        stage.firmware->AllocatePages(place == 2 ? AllocateAddress : AllocateAnyPages,
                                      place == 4 ? EfiRuntimeServicesData : EfiReservedMemoryType,
                                      EXTRA_BYTES / EFI_PAGE_SIZE, &base);
    if (EFI_ERROR(status))
        say("no memory for the extra output: %llx", status);
    return EFI_ERROR(status) ? 0 : base;
}

void graphics_note_map(uint64_t map_calls)
{
    uint64_t number;
    EFI_PHYSICAL_ADDRESS base = extra_mode.FrameBufferBase;
    if (!plan_has(&stage.plan, "extra-moves-at", &number) || map_calls != number)
        return;
    if (EFI_ERROR(stage.firmware->FreePages(base, EXTRA_BYTES / EFI_PAGE_SIZE)) ||
        EFI_ERROR(stage.firmware->AllocatePages(AllocateAddress, EfiRuntimeServicesData,
                                                EXTRA_BYTES / EFI_PAGE_SIZE, &base)))
        say("the memory of the extra output cannot change");
}

/* A block of 128 bytes with one detailed timing. */
static void publish_edid(uint64_t number)
{
    static EFI_GUID guid = EFI_EDID_ACTIVE_PROTOCOL_GUID;
    static uint8_t bytes[128] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, [18] = 1, 4};
    static EFI_EDID_ACTIVE_PROTOCOL edid = {sizeof(bytes), bytes};
    bool is_damaged = number >= EXTRA_MODE_COUNT;
    UINT32 width = extra_modes[is_damaged ? 0 : number].width;
    UINT32 height = extra_modes[is_damaged ? 0 : number].height;
    uint8_t sum = is_damaged;
    bytes[54] = 1;
    bytes[56] = (uint8_t)width;
    bytes[58] = (uint8_t)(width >> 8 << 4);
    bytes[59] = (uint8_t)height;
    bytes[61] = (uint8_t)(height >> 8 << 4);
    for (unsigned i = 0; i < 127; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[127] = (uint8_t)-sum;
    stage.firmware->InstallProtocolInterface(&extra_handle, &guid, EFI_NATIVE_INTERFACE, &edid);
}

static void publish_extra(uint64_t place)
{
    uint64_t edid;
    extra_mode = (EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE){
        .MaxMode = EXTRA_MODE_COUNT,
        .Info = &extra_information,
        .SizeOfInfo = sizeof(extra_information),
        .FrameBufferBase = extra_place(place),
        .FrameBufferSize = EXTRA_BYTES,
    };
    extra_information = extra_information_of(0);
    extra = (EFI_GRAPHICS_OUTPUT_PROTOCOL){extra_query_mode, extra_set_mode, NULL, &extra_mode};
    if (EFI_ERROR(stage.firmware->InstallProtocolInterface(&extra_handle, &graphics_guid,
                                                           EFI_NATIVE_INTERFACE, &extra)))
        say("the extra output cannot be published");
    say("extra output at %llx", extra_mode.FrameBufferBase);
    if (plan_has(&stage.plan, "extra-edid", &edid))
        publish_edid(edid);
}

/* --- The hook's part --- */

/* Whether the handle, which may have the console's GUID, must look otherwise. */
static bool changes_console(EFI_HANDLE handle, EFI_STATUS *ret_status)
{
    uint64_t number;
    bool has_number = plan_has(&stage.plan, "console-is", &number);
    if (!has_number && extra_handle == NULL)
        return false;
    bool shows = !has_number && handle == extra_handle;
    for (UINTN i = 0; i < real_count; i++)
        shows = shows || (has_number && handle == real_handles[i] && i + 1 == number);
    *ret_status = shows ? EFI_SUCCESS : EFI_UNSUPPORTED;
    return true;
}

EFI_STATUS graphics_handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **interface,
                                    EFI_STATUS status)
{
    EFI_STATUS changed;
    if (is_guid(guid, &console_out_guid))
        return changes_console(handle, &changed) ? changed : status;
    if (EFI_ERROR(status) || !is_guid(guid, &graphics_guid) || handle == extra_handle)
        return status;
    struct staged_output *output = stage_output(*interface);
    if (output == NULL)
        return EFI_OUT_OF_RESOURCES;
    *interface = &output->protocol;
    return status;
}

void graphics_install(void)
{
    uint64_t place;
    if (EFI_ERROR(stage.firmware->LocateHandleBuffer(ByProtocol, &graphics_guid, NULL, &real_count,
                                                     &real_handles)))
        real_count = 0;
    if (plan_has(&stage.plan, "extra-output", &place))
        publish_extra(place);
}
