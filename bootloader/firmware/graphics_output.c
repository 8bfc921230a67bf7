#include "bootloader/firmware/graphics_output.h"

#include "bootloader/pure/edid.h"

_Static_assert(PixelRedGreenBlueReserved8BitPerColor == FRAMEBUFFER_PIXELS_RGBX &&
                   PixelBlueGreenRedReserved8BitPerColor == FRAMEBUFFER_PIXELS_BGRX &&
                   PixelBitMask == FRAMEBUFFER_PIXELS_MASKS &&
                   PixelBltOnly == FRAMEBUFFER_PIXELS_BLT_ONLY,
               "framebuffer.h has UEFI's numbers");
_Static_assert(offsetof(EFI_EDID_ACTIVE_PROTOCOL, Edid) ==
                   offsetof(EFI_EDID_DISCOVERED_PROTOCOL, Edid),
               "one function reads both");

/* An extension block has 128 bytes, and at most 255 of them follow the first block. */
#define EDID_LIMIT_BYTES (256u * EDID_BLOCK_BYTES)

/* A handle that shows the console's text has this GUID, with a NULL interface. */
static const EFI_GUID console_out_guid = {
    0xd3b36f2c, 0xd551, 0x11d4, {0x9a, 0x46, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};

bool graphics_output_open(EFI_HANDLE handle, unsigned number, struct graphics_output *ret_output)
{
    void *protocol;
    void *ignored;
    if (EFI_ERROR(firmware_protocol(handle, &guid_graphics_output, &protocol)) || protocol == NULL)
        return false;
    *ret_output = (struct graphics_output){
        .handle = handle,
        .protocol = protocol,
        .number = number,
        .is_console = !EFI_ERROR(firmware_protocol(handle, &console_out_guid, &ignored)),
    };
    return true;
}

static struct framebuffer_mode mode_without_place(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info)
{
    return (struct framebuffer_mode){
        .width_pixels = info->HorizontalResolution,
        .height_pixels = info->VerticalResolution,
        .pixels_per_line = info->PixelsPerScanLine,
        .pixel_format = (uint32_t)info->PixelFormat,
        .red_mask = info->PixelInformation.RedMask,
        .green_mask = info->PixelInformation.GreenMask,
        .blue_mask = info->PixelInformation.BlueMask,
        .reserved_mask = info->PixelInformation.ReservedMask,
    };
}

/* The firmware allocates the information for each query. */
static EFI_STATUS query(const struct graphics_output *output, UINT32 mode_number,
                        struct framebuffer_mode *ret_mode)
{
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info = NULL;
    UINTN size_bytes = 0;
    EFI_STATUS status =
        output->protocol->QueryMode(output->protocol, mode_number, &size_bytes, &info);
    if (EFI_ERROR(status))
        return status;
    if (info == NULL || size_bytes < sizeof(*info))
        return EFI_DEVICE_ERROR;
    *ret_mode = mode_without_place(info);
    firmware.services->FreePool(info);
    return EFI_SUCCESS;
}

bool graphics_output_query(const struct graphics_output *output, UINT32 mode_number,
                           struct framebuffer_mode *ret_mode)
{
    return !EFI_ERROR(query(output, mode_number, ret_mode));
}

static bool has_mode(const struct graphics_output *output)
{
    return output->protocol->Mode != NULL && output->protocol->Mode->Info != NULL;
}

EFI_STATUS graphics_output_start(const struct graphics_output *output, bool *ret_was_started)
{
    EFI_GRAPHICS_OUTPUT_PROTOCOL *protocol = output->protocol;
    UINT32 number = protocol->Mode != NULL ? protocol->Mode->Mode : 0;
    struct framebuffer_mode ignored;

    *ret_was_started = has_mode(output) && query(output, number, &ignored) != EFI_NOT_STARTED;
    if (*ret_was_started)
        return EFI_SUCCESS;
    EFI_STATUS status = protocol->SetMode(protocol, number);
    if (EFI_ERROR(status) && number != 0)
        status = protocol->SetMode(protocol, 0);
    return EFI_ERROR(status) || has_mode(output) ? status : EFI_NOT_STARTED;
}

bool graphics_output_read(const struct graphics_output *output, struct framebuffer_mode *ret_mode)
{
    if (!has_mode(output))
        return false;
    *ret_mode = mode_without_place(output->protocol->Mode->Info);
    ret_mode->base = output->protocol->Mode->FrameBufferBase;
    ret_mode->size_bytes = output->protocol->Mode->FrameBufferSize;
    return true;
}

static bool native_size_of(EFI_HANDLE handle, const EFI_GUID *guid, struct screen_size *ret_size)
{
    void *interface;
    if (EFI_ERROR(firmware_protocol(handle, guid, &interface)) || interface == NULL)
        return false;
    const EFI_EDID_ACTIVE_PROTOCOL *edid = interface;
    return edid->Edid != NULL && edid->SizeOfEdid <= EDID_LIMIT_BYTES &&
           edid_native_size(edid->Edid, edid->SizeOfEdid, ret_size);
}

/* The active EDID has the user's override. The discovered one comes from the screen. */
bool graphics_output_native_size(const struct graphics_output *output, struct screen_size *ret_size)
{
    static const EFI_GUID active = EFI_EDID_ACTIVE_PROTOCOL_GUID;
    static const EFI_GUID discovered = EFI_EDID_DISCOVERED_PROTOCOL_GUID;
    return native_size_of(output->handle, &active, ret_size) ||
           native_size_of(output->handle, &discovered, ret_size);
}
