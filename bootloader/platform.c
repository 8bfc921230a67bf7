#include "bootloader/platform.h"

#include "bootloader/arch/x86_64/cpu.h"
#include "bootloader/bootstrap_tables.h"
#include "shared/address.h"
#include "shared/memory.h"

/* Each measurement is long enough for 1 % with the firmware's microsecond clock, and all together
 * go unnoticed. */
#define TSC_MEASUREMENT_COUNT        4
#define TSC_MEASUREMENT_MICROSECONDS 125

/* A machine with more screens than this gets none: a table here is simpler than memory from the
 * firmware. */
#define GRAPHICS_OUTPUT_LIMIT 64

/* Set the colour masks and bits per pixel. False for a format without a linear framebuffer. */
static bool framebuffer_set_format(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info,
                                   struct handoff_framebuffer *framebuffer)
{
    const EFI_PIXEL_BITMASK *masks = &info->PixelInformation;
    uint32_t all = masks->RedMask | masks->GreenMask | masks->BlueMask | masks->ReservedMask;

    framebuffer->green_mask = UINT32_C(0x0000ff00);
    framebuffer->reserved_mask = UINT32_C(0xff000000);
    framebuffer->bits_per_pixel = 32;
    switch (info->PixelFormat) {
    case PixelRedGreenBlueReserved8BitPerColor:
        framebuffer->pixel_format = HANDOFF_PIXEL_FORMAT_RGBX8888;
        framebuffer->red_mask = UINT32_C(0x000000ff);
        framebuffer->blue_mask = UINT32_C(0x00ff0000);
        return true;
    case PixelBlueGreenRedReserved8BitPerColor:
        framebuffer->pixel_format = HANDOFF_PIXEL_FORMAT_BGRX8888;
        framebuffer->red_mask = UINT32_C(0x00ff0000);
        framebuffer->blue_mask = UINT32_C(0x000000ff);
        return true;
    case PixelBitMask:
        framebuffer->pixel_format = HANDOFF_PIXEL_FORMAT_MASKS;
        framebuffer->red_mask = masks->RedMask;
        framebuffer->green_mask = masks->GreenMask;
        framebuffer->blue_mask = masks->BlueMask;
        framebuffer->reserved_mask = masks->ReservedMask;
        /* A pixel is as wide as its highest mask bit, in whole bytes (UEFI 2.10, 12.9.2.1). */
        framebuffer->bits_per_pixel = 0;
        for (; all != 0; all >>= 8)
            framebuffer->bits_per_pixel = (uint16_t)(framebuffer->bits_per_pixel + 8);
        return framebuffer->bits_per_pixel != 0;
    default:
        return false; /* PixelBltOnly, and what later specifications may add */
    }
}

/* Describe a mode. False if it has no linear framebuffer, one beyond the direct map, or numbers
 * that cannot be. */
static bool framebuffer_from_mode(const EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *mode,
                                  struct handoff_framebuffer *ret_framebuffer)
{
    const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info = mode->Info;
    struct handoff_framebuffer framebuffer = {.base = mode->FrameBufferBase};

    if (info == NULL || framebuffer.base == 0 || !page_is_aligned(framebuffer.base) ||
        !framebuffer_set_format(info, &framebuffer))
        return false;

    /* 16 bits for each side keep every product below 2^64. */
    uint64_t pitch_bytes = (uint64_t)info->PixelsPerScanLine * (framebuffer.bits_per_pixel / 8);
    uint64_t used_bytes = pitch_bytes * info->VerticalResolution;
    if (info->HorizontalResolution == 0 || info->VerticalResolution == 0 ||
        info->PixelsPerScanLine > UINT16_MAX || info->VerticalResolution > UINT16_MAX ||
        info->HorizontalResolution > info->PixelsPerScanLine ||
        mode->FrameBufferSize < used_bytes ||
        page_align_up(used_bytes) > BOOTSTRAP_DIRECT_MAP_LIMIT_BYTES ||
        framebuffer.base > BOOTSTRAP_DIRECT_MAP_LIMIT_BYTES - page_align_up(used_bytes))
        return false;

    framebuffer.size_bytes = page_align_up(used_bytes);
    framebuffer.width_pixels = info->HorizontalResolution;
    framebuffer.height_pixels = info->VerticalResolution;
    framebuffer.pitch_bytes = (uint32_t)pitch_bytes;
    *ret_framebuffer = framebuffer;
    return true;
}

/* The first graphics output with a linear framebuffer: a machine may have several, and the one
 * that stands for "all screens" often has none (UEFI 2.10, section 12.9). */
static bool platform_find_framebuffer(EFI_BOOT_SERVICES *services,
                                      struct handoff_framebuffer *ret_framebuffer)
{
    EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
    EFI_HANDLE handles[GRAPHICS_OUTPUT_LIMIT];
    UINTN size_bytes = sizeof(handles);

    if (EFI_ERROR(services->LocateHandle(ByProtocol, &guid, NULL, &size_bytes, handles)))
        return false;
    for (UINTN i = 0; i < size_bytes / sizeof(handles[0]); i++) {
        void *interface = NULL;
        if (EFI_ERROR(services->HandleProtocol(handles[i], &guid, &interface)) || interface == NULL)
            continue;
        const EFI_GRAPHICS_OUTPUT_PROTOCOL *output = interface;
        if (output->Mode != NULL && framebuffer_from_mode(output->Mode, ret_framebuffer))
            return true;
    }
    return false;
}

static bool platform_seed_from_firmware(EFI_BOOT_SERVICES *services, uint8_t seed[32])
{
    EFI_GUID guid = EFI_RNG_PROTOCOL_GUID;
    void *interface = NULL;

    if (EFI_ERROR(services->LocateProtocol(&guid, NULL, &interface)) || interface == NULL)
        return false;
    EFI_RNG_PROTOCOL *generator = interface;
    return !EFI_ERROR(generator->GetRNG(generator, NULL, 32, seed));
}

/* Some CPUs have given the same number for ever after a suspend; equal neighbours betray them. */
static bool platform_seed_from_cpu(uint8_t seed[32])
{
    uint64_t words[4];
    for (size_t i = 0; i < 4; i++) {
        if (!cpu_random(&words[i]) || (i > 0 && words[i] == words[i - 1]))
            return false;
    }
    memcpy(seed, words, sizeof(words));
    return true;
}

static enum handoff_seed_source platform_seed(EFI_BOOT_SERVICES *services, uint8_t seed[32])
{
    if (platform_seed_from_firmware(services, seed))
        return HANDOFF_SEED_EFI_RNG;
    if (platform_seed_from_cpu(seed))
        return HANDOFF_SEED_RDRAND;
    memset(seed, 0, 32); /* a generator that failed may have written a part */
    return HANDOFF_SEED_NONE;
}

/* Stall() waits at least as long as it is told. What lengthens it (system management, a hypervisor
 * that runs something else) only makes a measurement larger, so the smallest is the best. */
static uint64_t platform_measure_tsc_hz(EFI_BOOT_SERVICES *services)
{
    uint64_t least_ticks = UINT64_MAX;
    for (unsigned i = 0; i < TSC_MEASUREMENT_COUNT; i++) {
        uint64_t start = cpu_read_tsc();
        if (EFI_ERROR(services->Stall(TSC_MEASUREMENT_MICROSECONDS)))
            return 0;
        uint64_t ticks = cpu_read_tsc() - start;
        if (ticks < least_ticks)
            least_ticks = ticks;
    }
    return least_ticks * (1000000 / TSC_MEASUREMENT_MICROSECONDS);
}

static uint64_t platform_tsc_frequency_hz(EFI_BOOT_SERVICES *services)
{
    uint64_t stated_hz = cpu_stated_tsc_frequency_hz();
    return stated_hz != 0 ? stated_hz : platform_measure_tsc_hz(services);
}

static uint64_t platform_first_table(const struct firmware *firmware, EFI_GUID first,
                                     EFI_GUID second)
{
    uint64_t table = firmware_configuration_table(firmware, first);
    return table != 0 ? table : firmware_configuration_table(firmware, second);
}

void platform_gather(const struct firmware *firmware, struct console *console,
                     struct platform *ret_platform)
{
    *ret_platform = (struct platform){.seed_source = HANDOFF_SEED_NONE};

    if (!platform_find_framebuffer(firmware->services, &ret_platform->framebuffer))
        console_log(console, "no linear framebuffer: the kernel has the serial line alone");
    ret_platform->rsdp =
        platform_first_table(firmware, (EFI_GUID)ACPI_20_TABLE_GUID, (EFI_GUID)ACPI_TABLE_GUID);
    if (ret_platform->rsdp == 0)
        console_warn(console, "the firmware has no ACPI tables");
    ret_platform->smbios =
        platform_first_table(firmware, (EFI_GUID)SMBIOS3_TABLE_GUID, (EFI_GUID)SMBIOS_TABLE_GUID);
    ret_platform->seed_source = platform_seed(firmware->services, ret_platform->seed);
    if (ret_platform->seed_source == HANDOFF_SEED_NONE)
        console_warn(console, "no source of random numbers: the seed is absent");
    ret_platform->tsc_frequency_hz = platform_tsc_frequency_hz(firmware->services);
}
