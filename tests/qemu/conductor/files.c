/*
 * files.c - a medium that is slow, fails, or ends early.
 *
 * Plan:
 *   read-at-most N     a read returns at most N bytes (legal: the loader must read again)
 *   read-fails-at N    the N-th read fails with a device error
 *   long-reads-fail N  a read of more than N bytes fails with a device error
 *   read-ends-at N     from the N-th read on, the file is at its end
 *   file-shrinks-to N  a file has only N bytes when it is read, but more in its directory
 *   read-takes N       a read of 1 MiB or more takes N milliseconds longer
 *   read-changes-at N  the N-th read gives bytes of which one bit is wrong
 *   open-fails N       the N-th file cannot be opened: a device error
 *   information-fails  GetInfo fails with a device error
 *   information-grows  GetInfo reports once that the buffer is too small
 *   rename-fails       SetInfo fails: the medium is write-protected
 *   volume-nowhere     the file system's interface is at 32 TiB, where nothing is mapped
 *   read-waits-at N    the N-th read waits for a byte on COM1
 *   read-jumps-at N    the N-th read jumps to an address where nothing is mapped
 *   read-pushes-at N   the N-th read has used up its stack: it pushes where nothing is mapped
 *   read-breaks-at N   the N-th read pushes with a stack pointer that is no address
 *   read-spins-at N    the N-th read has used up its stack, and an interrupt comes
 */
#include "tests/qemu/conductor/stage.h"

#define NOWHERE    UINT64_C(0x200000000000)
#define NO_ADDRESS UINT64_C(0x8000000000000000)

#define LONG_READ_BYTES (UINT64_C(1) << 20)

/* All files of the firmware's driver share these functions. */
static EFI_FILE_OPEN real_open;
static EFI_FILE_READ real_read;
static EFI_FILE_GET_INFO real_get_info;
static EFI_OPEN_PROTOCOL next_open_protocol;
static EFI_HANDLE_PROTOCOL next_handle_protocol;
static uint64_t open_calls;
static uint64_t read_calls;
static bool information_grown;

_Noreturn void no_stack_push(uint64_t stack_pointer);
_Noreturn void no_stack_wait(uint64_t stack_pointer);

static bool is_due(const char *name)
{
    uint64_t number;
    bool is_now = plan_has(&stage.plan, name, &number) && read_calls >= number;
    if (is_now)
        say("read %llu follows %s", read_calls, name);
    return is_now;
}

static void lose_the_stack(void)
{
    if (is_due("read-pushes-at"))
        no_stack_push(NOWHERE);
    if (is_due("read-breaks-at"))
        no_stack_push(NO_ADDRESS);
    if (is_due("read-spins-at"))
        no_stack_wait(NOWHERE);
}

/* Shorten a read, so that it ends where the file ends by plan. */
static void shrink(struct _EFI_FILE_HANDLE *file, UINTN *size_bytes)
{
    uint64_t end;
    UINT64 position = 0;
    if (!plan_has(&stage.plan, "file-shrinks-to", &end))
        return;
    file->GetPosition(file, &position);
    uint64_t left_bytes = position < end ? end - position : 0;
    if (*size_bytes <= left_bytes)
        return;
    say("a read at %llu gets %llu bytes", position, left_bytes);
    *size_bytes = left_bytes;
}

static EFI_STATUS file_read(struct _EFI_FILE_HANDLE *file, UINTN *size_bytes, VOID *buffer)
{
    uint64_t number;
    read_calls++;
    if (plan_has(&stage.plan, "read-fails-at", &number) && read_calls >= number) {
        say("read %llu fails", read_calls);
        return EFI_DEVICE_ERROR;
    }
    if (plan_has(&stage.plan, "long-reads-fail", &number) && *size_bytes > number) {
        say("a read of %llu bytes fails", *size_bytes);
        return EFI_DEVICE_ERROR;
    }
    if (plan_has(&stage.plan, "read-ends-at", &number) && read_calls >= number) {
        say("read %llu is at the file's end", read_calls);
        *size_bytes = 0;
        return EFI_SUCCESS;
    }
    if (plan_has(&stage.plan, "read-jumps-at", &number) && read_calls >= number) {
        say("read %llu jumps", read_calls);
        ((void (*)(void))NOWHERE)();
    }
    lose_the_stack();
    if (plan_has(&stage.plan, "read-waits-at", &number) && read_calls == number)
        stage_wait_for_byte("a read waits");
    if (plan_has(&stage.plan, "read-at-most", &number) && *size_bytes > number)
        *size_bytes = number;
    if (plan_has(&stage.plan, "read-takes", &number) && *size_bytes >= LONG_READ_BYTES)
        stage.firmware->Stall(number * 1000);
    shrink(file, size_bytes);
    EFI_STATUS status = real_read(file, size_bytes, buffer);
    if (plan_has(&stage.plan, "read-changes-at", &number) && read_calls == number) {
        say("read %llu of %llu bytes changes a bit", read_calls, *size_bytes);
        ((uint8_t *)buffer)[*size_bytes / 2] ^= 1;
    }
    return status;
}

static EFI_STATUS file_get_info(struct _EFI_FILE_HANDLE *file, EFI_GUID *type, UINTN *size_bytes,
                                VOID *buffer)
{
    if (plan_has(&stage.plan, "information-fails", NULL))
        return EFI_DEVICE_ERROR;
    if (plan_has(&stage.plan, "information-grows", NULL) && !information_grown) {
        say("GetInfo wants a larger buffer");
        information_grown = true;
        *size_bytes += 64;
        return EFI_BUFFER_TOO_SMALL;
    }
    return real_get_info(file, type, size_bytes, buffer);
}

static EFI_STATUS file_set_info(struct _EFI_FILE_HANDLE *file, EFI_GUID *type, UINTN size_bytes,
                                VOID *buffer)
{
    (void)file;
    (void)type;
    (void)size_bytes;
    (void)buffer;
    return EFI_WRITE_PROTECTED;
}

static void hook_file(EFI_FILE_HANDLE file);

static EFI_STATUS file_open(struct _EFI_FILE_HANDLE *file, struct _EFI_FILE_HANDLE **ret_file,
                            CHAR16 *name, UINT64 mode, UINT64 attributes)
{
    uint64_t number;
    open_calls++;
    if (plan_has(&stage.plan, "open-fails", &number) && open_calls == number)
        return EFI_DEVICE_ERROR;
    EFI_STATUS status = real_open(file, ret_file, name, mode, attributes);
    if (!EFI_ERROR(status))
        hook_file(*ret_file);
    return status;
}

static void hook_file(EFI_FILE_HANDLE file)
{
    real_open = file->Open;
    real_read = file->Read;
    real_get_info = file->GetInfo;
    file->Open = file_open;
    file->Read = file_read;
    file->GetInfo = file_get_info;
    if (plan_has(&stage.plan, "rename-fails", NULL))
        file->SetInfo = file_set_info;
}

static EFI_FILE_IO_INTERFACE *real_volume;

static EFI_STATUS open_volume(EFI_FILE_IO_INTERFACE *volume, EFI_FILE_HANDLE *ret_root)
{
    (void)volume;
    EFI_STATUS status = real_volume->OpenVolume(real_volume, ret_root);
    if (!EFI_ERROR(status))
        hook_file(*ret_root);
    return status;
}

static void hook_volume(EFI_GUID *guid, VOID **interface)
{
    static const EFI_GUID volume_guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
    static EFI_FILE_IO_INTERFACE volume;
    const uint64_t *left = (const uint64_t *)(const void *)guid;
    const uint64_t *right = (const uint64_t *)(const void *)&volume_guid;
    if (left[0] != right[0] || left[1] != right[1])
        return;
    real_volume = *interface;
    volume = *real_volume;
    volume.OpenVolume = open_volume;
    *interface = plan_has(&stage.plan, "volume-nowhere", NULL) ? (void *)NOWHERE : &volume;
}

static EFI_STATUS open_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **interface,
                                EFI_HANDLE agent, EFI_HANDLE controller, UINT32 attributes)
{
    EFI_STATUS status = next_open_protocol(handle, guid, interface, agent, controller, attributes);
    if (!EFI_ERROR(status) && interface != NULL)
        hook_volume(guid, interface);
    return status;
}

static EFI_STATUS handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **interface)
{
    EFI_STATUS status = next_handle_protocol(handle, guid, interface);
    if (!EFI_ERROR(status))
        hook_volume(guid, interface);
    return status;
}

void files_install(void)
{
    static const char *const names[] = {
        "read-at-most",      "read-fails-at",     "read-ends-at",   "open-fails",
        "information-fails", "information-grows", "volume-nowhere", "read-jumps-at",
        "read-waits-at",     "read-pushes-at",    "read-breaks-at", "read-spins-at",
        "long-reads-fail",   "file-shrinks-to",   "read-takes",     "read-changes-at",
        "rename-fails",
    };
    bool wanted = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        wanted = wanted || plan_has(&stage.plan, names[i], NULL);
    if (!wanted)
        return;
    next_open_protocol = stage.services->OpenProtocol;
    next_handle_protocol = stage.services->HandleProtocol;
    stage.services->OpenProtocol = open_protocol;
    stage.services->HandleProtocol = handle_protocol;
}
