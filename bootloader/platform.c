#include "bootloader/platform.h"

#include "bootloader/arch/x86_64/cpu.h"
#include "bootloader/framebuffer.h"
#include "shared/memory.h"

/* Each measurement is long enough for 1 % with the firmware's microsecond clock, and all together
 * go unnoticed. */
#define TSC_MEASUREMENT_COUNT        4
#define TSC_MEASUREMENT_MICROSECONDS 125

/* A machine with more screens than this gets none: a table here is simpler than memory from the
 * firmware. */
#define GRAPHICS_OUTPUT_LIMIT 64

_Static_assert(PixelRedGreenBlueReserved8BitPerColor == FRAMEBUFFER_PIXELS_RGBX &&
                   PixelBlueGreenRedReserved8BitPerColor == FRAMEBUFFER_PIXELS_BGRX &&
                   PixelBitMask == FRAMEBUFFER_PIXELS_MASKS &&
                   PixelBltOnly == FRAMEBUFFER_PIXELS_BLT_ONLY,
               "framebuffer.h has UEFI's numbers");

static bool platform_describe_output(const EFI_GRAPHICS_OUTPUT_PROTOCOL *output,
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
        if (platform_describe_output(interface, ret_framebuffer))
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
