/*
 * record.c - a boot record of the test's own, in the RAM or in the EFI variable.
 *
 * Plan:
 *   record ADDRESS    \record.bin lies in the RAM at ADDRESS
 *   occupy ADDRESS    the firmware uses the page at ADDRESS
 *   occupy-too ADDRESS
 *   variable          \variable.bin is the content of the EFI variable
 *   variable-times N  it is written N times: each time the last byte is another one, and at the end
 *                     the one of the file
 *   show-variable     announce the size and the CRC-32 of the variable, before the loader starts
 *   watch-variables   announce each write of a variable by the loader; needed by the next three
 *   variable-waits    the first reading of the loader's variable waits for a byte on COM1
 *   variable-space N  the firmware states N bytes of free space for variables
 *   no-variables      writing a variable fails
 *   secure-boot N     the firmware says N in its variable SecureBoot; 1 is on
 */
#include "shared/arch/x86_64/instructions.h"
#include "shared/crc32.h"
#include "tests/qemu/conductor/stage.h"

#define FILE_CAPACITY_BYTES 8192

static CHAR16 name[] = L"HandoffPostMortem";
static EFI_GUID guid = {
    0x97bf6861, 0xc9d9, 0x464c, {0x88, 0x8a, 0x23, 0x8f, 0x67, 0xb8, 0x87, 0xe8}};
static EFI_RUNTIME_SERVICES *real;

static EFI_STATUS query_variable_info(UINT32 attributes, UINT64 *storage_bytes,
                                      UINT64 *remaining_bytes, UINT64 *largest_bytes)
{
    EFI_STATUS status =
        real->QueryVariableInfo(attributes, storage_bytes, remaining_bytes, largest_bytes);
    uint64_t number;
    if (plan_has(&stage.plan, "variable-space", &number))
        *remaining_bytes = number;
    return status;
}

static EFI_STATUS set_variable(CHAR16 *wanted, EFI_GUID *vendor, UINT32 attributes,
                               UINTN size_bytes, VOID *bytes)
{
    say("the loader writes a variable of %llu bytes, attributes %u", size_bytes, attributes);
    if (plan_has(&stage.plan, "no-variables", NULL))
        return EFI_WRITE_PROTECTED;
    EFI_STATUS status = real->SetVariable(wanted, vendor, attributes, size_bytes, bytes);
    say("the firmware has ended the write: %llx", status);
    return status;
}

/* The name has its NUL. */
static bool is_name(const CHAR16 *wanted, const CHAR16 *expected, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (wanted[i] != expected[i])
            return false;
    }
    return true;
}

static EFI_STATUS get_variable(CHAR16 *wanted, EFI_GUID *vendor, UINT32 *attributes,
                               UINTN *size_bytes, VOID *bytes)
{
    static const CHAR16 secure_boot[] = L"SecureBoot";
    static bool has_waited;
    uint64_t number;
    if (plan_has(&stage.plan, "variable-waits", NULL) && !has_waited &&
        is_name(wanted, name, sizeof name / sizeof name[0])) {
        has_waited = true;
        stage_wait_for_byte("the firmware waits");
    }
    if (!is_name(wanted, secure_boot, sizeof secure_boot / sizeof secure_boot[0]) ||
        !plan_has(&stage.plan, "secure-boot", &number))
        return real->GetVariable(wanted, vendor, attributes, size_bytes, bytes);
    *size_bytes = 1;
    *(uint8_t *)bytes = (uint8_t)number;
    return EFI_SUCCESS;
}

static void occupy(const char *line)
{
    uint64_t place;
    if (!plan_has(&stage.plan, line, &place))
        return;
    EFI_STATUS status =
        stage.firmware->AllocatePages(AllocateAddress, EfiBootServicesData, 1, &place);
    say("the page at %llx is %s", place, EFI_ERROR(status) ? "not free" : "in use");
}

/* Announce each write's time: one that collects the garbage of the variable store takes longer. */
static EFI_STATUS write_repeatedly(uint8_t *bytes, UINTN size_bytes)
{
    uint64_t times = 1;
    EFI_STATUS status = EFI_SUCCESS;
    (void)plan_has(&stage.plan, "variable-times", &times);
    for (uint64_t left = times; left > 0 && !EFI_ERROR(status); left--) {
        uint8_t mark = (uint8_t)((left - 1) & 0xff);
        bytes[size_bytes - 1] ^= mark;
        uint64_t started = timestamp_read();
        status = real->SetVariable(name, &guid, 7, size_bytes, bytes);
        if (times > 1)
            say("write %llu took %llu ticks", times - left, timestamp_read() - started);
        bytes[size_bytes - 1] ^= mark;
    }
    return status;
}

static void put_variable(void)
{
    static uint8_t bytes[FILE_CAPACITY_BYTES];
    UINTN size_bytes = sizeof bytes;
    if (!plan_has(&stage.plan, "variable", NULL))
        return;
    EFI_STATUS status = stage_read_file(L"\\variable.bin", bytes, &size_bytes);
    if (!EFI_ERROR(status))
        status = write_repeatedly(bytes, size_bytes);
    say("the variable was written: %llx", status);
}

static void show_variable(void)
{
    static uint8_t bytes[FILE_CAPACITY_BYTES];
    UINTN size_bytes = sizeof bytes;
    if (!plan_has(&stage.plan, "show-variable", NULL))
        return;
    EFI_STATUS status = real->GetVariable(name, &guid, NULL, &size_bytes, bytes);
    if (EFI_ERROR(status))
        say("the variable cannot be read: %llx", status);
    else
        say("the variable has %llu bytes, checksum %08x", size_bytes,
            crc32_update(0, bytes, size_bytes));
}

static void put_record(void)
{
    uint64_t place;
    UINTN size_bytes = FILE_CAPACITY_BYTES;
    if (!plan_has(&stage.plan, "record", &place))
        return;
    EFI_STATUS status = stage_read_file(L"\\record.bin", (void *)place, &size_bytes);
    say("a record of %llu bytes lies at %llx: %llx", size_bytes, place, status);
}

static void hook_variables(void)
{
    EFI_RUNTIME_SERVICES *copy;
    if (EFI_ERROR(
            stage.firmware->AllocatePool(EfiRuntimeServicesData, sizeof *copy, (VOID **)&copy)))
        return;
    *copy = *real;
    copy->GetVariable = get_variable;
    copy->SetVariable = set_variable;
    copy->QueryVariableInfo = query_variable_info;
    stage.loader_table->RuntimeServices = copy;
}

void record_install(void)
{
    real = stage.system_table->RuntimeServices;
    occupy("occupy");
    occupy("occupy-too");
    put_variable();
    show_variable();
    put_record();
    if (plan_has(&stage.plan, "watch-variables", NULL) ||
        plan_has(&stage.plan, "secure-boot", NULL))
        hook_variables();
}
