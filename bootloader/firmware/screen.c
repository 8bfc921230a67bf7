#include "bootloader/firmware/screen.h"

#include "bootloader/pure/framebuffer.h"

/* On a machine with more screens, no screen is used. A table of fixed size is simpler than memory
 * from the firmware. */
#define GRAPHICS_OUTPUT_LIMIT 64

_Static_assert(PixelRedGreenBlueReserved8BitPerColor == FRAMEBUFFER_PIXELS_RGBX &&
                   PixelBlueGreenRedReserved8BitPerColor == FRAMEBUFFER_PIXELS_BGRX &&
                   PixelBitMask == FRAMEBUFFER_PIXELS_MASKS &&
                   PixelBltOnly == FRAMEBUFFER_PIXELS_BLT_ONLY,
               "framebuffer.h has UEFI's numbers");

static bool describe_output(const EFI_GRAPHICS_OUTPUT_PROTOCOL *output,
                            struct handoff_framebuffer *ret_framebuffer)
{
    if (output->Mode == NULL || output->Mode->Info == NULL)
        return false;
    const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info = output->Mode->Info;
    const struct framebuffer_mode mode = {
        .base = output->Mode->FrameBufferBase,
        .size_bytes = output->Mode->FrameBufferSize,
        .width_pixels = info->HorizontalResolution,
        .height_pixels = info->VerticalResolution,
        .pixels_per_line = info->PixelsPerScanLine,
        .pixel_format = (uint32_t)info->PixelFormat,
        .red_mask = info->PixelInformation.RedMask,
        .green_mask = info->PixelInformation.GreenMask,
        .blue_mask = info->PixelInformation.BlueMask,
        .reserved_mask = info->PixelInformation.ReservedMask,
    };
    return framebuffer_describe(&mode, ret_framebuffer);
}

/* Find the first graphics output with a linear framebuffer. A machine may have several outputs. The
 * one that means "all screens" often has no framebuffer (UEFI 2.10, section 12.9). */
bool screen_find(const struct firmware *firmware, struct handoff_framebuffer *ret_framebuffer)
{
    EFI_BOOT_SERVICES *services = firmware->services;
    static EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
    EFI_HANDLE handles[GRAPHICS_OUTPUT_LIMIT];
    UINTN size_bytes = sizeof(handles);

    if (EFI_ERROR(services->LocateHandle(ByProtocol, &guid, NULL, &size_bytes, handles)))
        return false;
    for (UINTN i = 0; i < size_bytes / sizeof(handles[0]); i++) {
        void *interface = NULL;
        if (EFI_ERROR(services->HandleProtocol(handles[i], &guid, &interface)) || interface == NULL)
            continue;
        if (describe_output(interface, ret_framebuffer))
            return true;
    }
    return false;
}
