#include "bootloader/firmware/platform.h"

#include "bootloader/arch.h"
#include "bootloader/pure/framebuffer.h"
#include "shared/memory.h"

/* Each measurement is long enough for 1 % with the firmware's microsecond clock, and all together
 * go unnoticed. */
#define CLOCK_MEASUREMENT_COUNT        4
#define CLOCK_MEASUREMENT_MICROSECONDS 125

/* A machine with more screens than this gets none: a table here is simpler than memory from the
 * firmware. */
#define GRAPHICS_OUTPUT_LIMIT 64

/* A device path that does not end is not followed for ever; real ones have some ten nodes. */
#define DEVICE_PATH_NODE_LIMIT 64
/* UEFI 2.10, table 10-49: a hard drive's node, up to the type of its signature. */
#define DRIVE_NODE_SIZE_BYTES 42

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
    static EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
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
    static EFI_GUID guid = EFI_RNG_PROTOCOL_GUID;
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
        if (!arch_random(&words[i]) || (i > 0 && words[i] == words[i - 1]))
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
        return HANDOFF_SEED_CPU;
    memset(seed, 0, 32); /* a generator that failed may have written a part */
    return HANDOFF_SEED_NONE;
}

/* Stall() waits at least as long as it is told. What lengthens it (system management, a hypervisor
 * that runs something else) only makes a measurement larger, so the smallest is the best. */
static uint64_t platform_measure_clock_hz(EFI_BOOT_SERVICES *services)
{
    uint64_t least_ticks = UINT64_MAX;
    for (unsigned i = 0; i < CLOCK_MEASUREMENT_COUNT; i++) {
        uint64_t start = arch_timestamp();
        if (EFI_ERROR(services->Stall(CLOCK_MEASUREMENT_MICROSECONDS)))
            return 0;
        uint64_t ticks = arch_timestamp() - start;
        if (ticks < least_ticks)
            least_ticks = ticks;
    }
    return least_ticks * (1000000 / CLOCK_MEASUREMENT_MICROSECONDS);
}

static uint64_t platform_clock_frequency_hz(EFI_BOOT_SERVICES *services)
{
    uint64_t stated_hz = arch_stated_clock_frequency_hz();
    return stated_hz != 0 ? stated_hz : platform_measure_clock_hz(services);
}

/* The firmware's tables are identity-mapped, as all memory is (UEFI 2.10, section 2.3.4). */
static uint64_t *platform_access_table(void *context, struct phys_addr table)
{
    (void)context;
    return (uint64_t *)table.value;
}

static struct page_table platform_live_tables(void)
{
    struct page_table_features features;
    arch_page_features(&features);
    return (struct page_table){
        .root = arch_page_table_root(),
        .features = features,
        .memory = {.access_table = platform_access_table},
    };
}

/* A damaged table may point anywhere, and a read of what the firmware has not mapped would end the
 * boot: so the page tables are asked first. `context` is them. */
static const void *platform_read_memory(void *context, uint64_t address, uint64_t size_bytes)
{
    const struct page_table *tables = context;
    for (uint64_t offset = 0; offset < size_bytes;) {
        struct page_mapping mapping;
        if (page_table_lookup(tables, virt_addr(address + offset), &mapping) != PAGE_TABLE_OK ||
            mapping.physical.value != mapping.virtual.value)
            return NULL;
        offset = mapping.virtual.value + mapping.page_size_bytes - address;
    }
    return (const void *)address;
}

static void platform_list_tables(const struct firmware *firmware, struct console *console,
                                 struct firmware_tables *ret_tables)
{
    struct page_table live = platform_live_tables();
    const struct firmware_tables_memory memory = {platform_read_memory, &live};
    const EFI_SYSTEM_TABLE *system_table = firmware->system_table;

    firmware_tables_initialise(ret_tables);
    firmware_tables_add_all(ret_tables, &memory, (uint64_t)system_table->ConfigurationTable,
                            system_table->NumberOfTableEntries);
    if (ret_tables->invalid_count != 0 || ret_tables->dropped_count != 0)
        console_warn(console,
                     "firmware tables: %u are damaged and not followed, %u did not fit the list",
                     ret_tables->invalid_count, ret_tables->dropped_count);
}

/* The GUID of the partition that this node is; false if it is none, or has none. */
static bool platform_partition_guid(const EFI_DEVICE_PATH *node, uint8_t guid[16])
{
    const HARDDRIVE_DEVICE_PATH *drive = (const HARDDRIVE_DEVICE_PATH *)node;
    if (DevicePathType(node) != MEDIA_DEVICE_PATH ||
        DevicePathSubType(node) != MEDIA_HARDDRIVE_DP ||
        DevicePathNodeLength(node) < DRIVE_NODE_SIZE_BYTES ||
        drive->SignatureType != SIGNATURE_TYPE_GUID)
        return false;
    memcpy(guid, drive->Signature, 16);
    return true;
}

/* The partition that the loader came from (UEFI 2.10, section 10.3.5.1). */
static void platform_find_boot_source(const struct firmware *firmware, struct platform_facts *facts)
{
    static EFI_GUID guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
    void *interface = NULL;

    facts->boot_source = HANDOFF_BOOT_SOURCE_UNKNOWN;
    if (EFI_ERROR(firmware->services->HandleProtocol(firmware->loaded_image->DeviceHandle, &guid,
                                                     &interface)) ||
        interface == NULL)
        return;
    facts->boot_source = HANDOFF_BOOT_SOURCE_VOLUME;
    const EFI_DEVICE_PATH *node = interface;
    for (unsigned i = 0; i < DEVICE_PATH_NODE_LIMIT && !IsDevicePathEnd(node); i++) {
        if (platform_partition_guid(node, facts->boot_partition))
            facts->boot_source = HANDOFF_BOOT_SOURCE_PARTITION;
        if ((UINTN)DevicePathNodeLength(node) < sizeof(EFI_DEVICE_PATH))
            return;
        node = (const EFI_DEVICE_PATH *)((const uint8_t *)node + DevicePathNodeLength(node));
    }
}

static void platform_find_tables(const struct firmware *firmware, struct console *console,
                                 struct platform_facts *facts)
{
    facts->efi_system_table = phys_addr((uint64_t)firmware->system_table);
    platform_list_tables(firmware, console, &facts->firmware_tables);
    facts->rsdp = phys_addr(firmware_tables_find(&facts->firmware_tables, FIRMWARE_TABLES_ACPI_20,
                                                 FIRMWARE_TABLES_ACPI_10));
    if (facts->rsdp.value == 0)
        console_warn(console, "the firmware has no ACPI tables");
    facts->smbios = phys_addr(firmware_tables_find(
        &facts->firmware_tables, FIRMWARE_TABLES_SMBIOS_3, FIRMWARE_TABLES_SMBIOS));
}

void platform_gather(const struct firmware *firmware, struct console *console,
                     struct platform_facts *ret_facts)
{
    *ret_facts = (struct platform_facts){.seed_source = HANDOFF_SEED_NONE};

    if (!platform_find_framebuffer(firmware->services, &ret_facts->framebuffer))
        console_log(console, "no linear framebuffer: the kernel has the serial line alone");
    platform_find_tables(firmware, console, ret_facts);
    platform_find_boot_source(firmware, ret_facts);
    ret_facts->seed_source = platform_seed(firmware->services, ret_facts->seed);
    if (ret_facts->seed_source == HANDOFF_SEED_NONE)
        console_warn(console, "no source of random numbers: the seed is absent");
    ret_facts->clock_frequency_hz = platform_clock_frequency_hz(firmware->services);
    console_log(console, "screen %ux%u, ACPI at %llx, SMBIOS at %llx, %s at %llu MHz",
                ret_facts->framebuffer.width_pixels, ret_facts->framebuffer.height_pixels,
                ret_facts->rsdp.value, ret_facts->smbios.value, arch_clock_name(),
                ret_facts->clock_frequency_hz / 1000000);
}
