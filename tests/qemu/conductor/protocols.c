/*
 * protocols.c - firmware without protocols that the loader uses.
 *
 * Plan:
 *   no-loaded-image, no-file-system, no-graphics, no-random, no-memory-attribute
 *                      the protocol is missing
 *   memory-attribute-fails  EFI_MEMORY_ATTRIBUTE_PROTOCOL exists, and each of its services fails
 *   no-console         ConOut is NULL
 *   watch-console      each text that the loader shows on ConOut is told on COM1
 *   watchdog-fails     SetWatchdogTimer fails
 *   image-elsewhere    the loaded-image protocol states an address one page behind the image
 */
#include "tests/qemu/conductor/stage.h"

/* EFI_MEMORY_ATTRIBUTE_PROTOCOL, UEFI 2.10 section 37.7 */
#define MEMORY_ATTRIBUTE_PROTOCOL                                                                  \
    {                                                                                              \
        0xf4560cf6, 0x40ec, 0x4b4a,                                                                \
        {                                                                                          \
            0xa1, 0x92, 0xbf, 0x1d, 0x57, 0xd0, 0xb1, 0x89                                         \
        }                                                                                          \
    }

struct hidden_protocol {
    const char *plan_name;
    EFI_GUID guid;
};

static const struct hidden_protocol hidden_protocols[] = {
    {"no-loaded-image", LOADED_IMAGE_PROTOCOL},
    {"no-file-system", SIMPLE_FILE_SYSTEM_PROTOCOL},
    {"no-graphics", EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID},
    /* EFI_RNG_PROTOCOL, UEFI 2.10 section 37.5 */
    {"no-random", {0x3152bca5, 0xeade, 0x433d, {0x86, 0x2e, 0xc0, 0x1c, 0xdc, 0x29, 0x1f, 0x44}}},
    {"no-memory-attribute", MEMORY_ATTRIBUTE_PROTOCOL},
};

static uint64_t calls_before_watchdog;
static bool watchdog_called;

static bool guid_equal(const EFI_GUID *a, const EFI_GUID *b)
{
    const uint8_t *left = (const uint8_t *)a, *right = (const uint8_t *)b;
    for (size_t i = 0; i < sizeof *a; i++) {
        if (left[i] != right[i])
            return false;
    }
    return true;
}

static bool is_hidden(const EFI_GUID *guid)
{
    for (size_t i = 0; i < sizeof hidden_protocols / sizeof hidden_protocols[0]; i++) {
        if (guid_equal(guid, &hidden_protocols[i].guid) &&
            plan_has(&stage.plan, hidden_protocols[i].plan_name, NULL))
            return true;
    }
    return false;
}

static void note_call(void)
{
    if (!watchdog_called)
        calls_before_watchdog++;
}

static EFI_STATUS handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **interface)
{
    note_call();
    if (is_hidden(guid))
        return EFI_UNSUPPORTED;
    EFI_STATUS status = stage.firmware->HandleProtocol(handle, guid, interface);
    return graphics_handle_protocol(handle, guid, interface, status);
}

static EFI_STATUS open_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **interface,
                                EFI_HANDLE agent, EFI_HANDLE controller, UINT32 attributes)
{
    note_call();
    if (is_hidden(guid))
        return EFI_UNSUPPORTED;
    EFI_STATUS status =
        stage.firmware->OpenProtocol(handle, guid, interface, agent, controller, attributes);
    return interface != NULL ? graphics_handle_protocol(handle, guid, interface, status) : status;
}

static EFI_STATUS locate_protocol(EFI_GUID *guid, VOID *registration, VOID **interface)
{
    note_call();
    if (is_hidden(guid))
        return EFI_NOT_FOUND;
    EFI_STATUS status = stage.firmware->LocateProtocol(guid, registration, interface);
    return graphics_handle_protocol(NULL, guid, interface, status);
}

static EFI_STATUS locate_handle_buffer(EFI_LOCATE_SEARCH_TYPE kind, EFI_GUID *guid, VOID *key,
                                       UINTN *count, EFI_HANDLE **handles)
{
    note_call();
    if (guid != NULL && is_hidden(guid))
        return EFI_NOT_FOUND;
    return stage.firmware->LocateHandleBuffer(kind, guid, key, count, handles);
}

static SIMPLE_TEXT_OUTPUT_INTERFACE watched_console;

static EFI_STATUS output_string(SIMPLE_TEXT_OUTPUT_INTERFACE *self, CHAR16 *text)
{
    SIMPLE_TEXT_OUTPUT_INTERFACE *real = stage.system_table->ConOut;
    size_t length = 0;
    (void)self;
    while (text[length] != 0)
        length++;
    say("the loader shows %llu characters", (uint64_t)length);
    return real->OutputString(real, text);
}

static void watch_console(void)
{
    watched_console = *stage.system_table->ConOut;
    watched_console.OutputString = output_string;
    stage.loader_table->ConOut = &watched_console;
}

static EFI_STATUS set_watchdog_timer(UINTN seconds, UINT64 code, UINTN size_bytes, CHAR16 *data)
{
    if (!watchdog_called)
        say("SetWatchdogTimer(%llu) after %llu other calls", seconds, calls_before_watchdog);
    watchdog_called = true;
    if (plan_has(&stage.plan, "watchdog-fails", NULL))
        return EFI_DEVICE_ERROR;
    return stage.firmware->SetWatchdogTimer(seconds, code, size_bytes, data);
}

struct memory_attribute {
    EFI_STATUS(*get)
    (struct memory_attribute *self, EFI_PHYSICAL_ADDRESS base, UINT64 size_bytes,
     UINT64 *attributes);
    EFI_STATUS(*set)
    (struct memory_attribute *self, EFI_PHYSICAL_ADDRESS base, UINT64 size_bytes,
     UINT64 attributes);
    EFI_STATUS(*clear)
    (struct memory_attribute *self, EFI_PHYSICAL_ADDRESS base, UINT64 size_bytes,
     UINT64 attributes);
};

static EFI_STATUS fail_to_get(struct memory_attribute *self, EFI_PHYSICAL_ADDRESS base,
                              UINT64 size_bytes, UINT64 *attributes)
{
    (void)self;
    (void)attributes;
    say("memory attributes of %llx (%llu bytes) cannot be told", base, size_bytes);
    return EFI_DEVICE_ERROR;
}

static EFI_STATUS fail_to_change(struct memory_attribute *self, EFI_PHYSICAL_ADDRESS base,
                                 UINT64 size_bytes, UINT64 attributes)
{
    (void)self;
    say("memory attributes of %llx (%llu bytes) cannot become %llx", base, size_bytes, attributes);
    return EFI_DEVICE_ERROR;
}

/* A protocol that every way of searching finds. */
static void publish_failing_memory_attribute(void)
{
    static EFI_GUID guid = MEMORY_ATTRIBUTE_PROTOCOL;
    static struct memory_attribute protocol = {fail_to_get, fail_to_change, fail_to_change};
    EFI_HANDLE handle = NULL;
    VOID *found = NULL;
    if (EFI_ERROR(stage.firmware->InstallProtocolInterface(&handle, &guid, EFI_NATIVE_INTERFACE,
                                                           &protocol)) ||
        EFI_ERROR(stage.firmware->LocateProtocol(&guid, NULL, &found)))
        say("the memory-attribute protocol cannot be published");
    else
        say("memory-attribute protocol: present, fails");
}

void protocols_install(void)
{
    if (plan_has(&stage.plan, "image-elsewhere", NULL))
        stage.loader->ImageBase = (uint8_t *)stage.loader->ImageBase + 4096;
    stage.services->HandleProtocol = handle_protocol;
    stage.services->OpenProtocol = open_protocol;
    stage.services->LocateProtocol = locate_protocol;
    stage.services->LocateHandleBuffer = locate_handle_buffer;
    stage.services->SetWatchdogTimer = set_watchdog_timer;
    if (plan_has(&stage.plan, "no-console", NULL)) {
        stage.loader_table->ConOut = NULL;
        stage.loader_table->ConsoleOutHandle = NULL;
        stage.loader_table->StdErr = NULL;
    }
    if (plan_has(&stage.plan, "watch-console", NULL))
        watch_console();
    if (plan_has(&stage.plan, "memory-attribute-fails", NULL))
        publish_failing_memory_attribute();
}
