/*
 * start.c - what another boot program leaves for the loader, and what the loader writes into EFI
 * variables of the Boot Loader Interface.
 *
 * Plan:
 *   load-options      \options.bin is the loader's load options
 *   shell             the loader seems to be started by the UEFI shell
 *   choices           \choices.txt has variables, NAME=TEXT on each line, as an operating system
 *                     leaves them
 *   watch-interface   announce each variable of the interface that the loader writes, and
 *                     OsIndications
 *   no-interface      the same, and each write fails
 */
#include "shared/text/format.h"
#include "tests/qemu/conductor/stage.h"

#define OPTIONS_CAPACITY_BYTES 4096
#define TEXT_CAPACITY          512
#define KEPT_ATTRIBUTES        7

static EFI_GUID vendor = {
    0x4a67b082, 0x0a4c, 0x41cf, {0xb6, 0xc7, 0x44, 0x0b, 0x29, 0xbb, 0x8c, 0x4f}};
static EFI_GUID shell_parameters = {
    0x752f3136, 0x4e16, 0x4fdc, {0xa2, 0x2a, 0xe5, 0xf4, 0x68, 0x12, 0xf4, 0xca}};
static EFI_RUNTIME_SERVICES *real;

static void put_options(void)
{
    static uint8_t bytes[OPTIONS_CAPACITY_BYTES];
    UINTN size_bytes = sizeof bytes;
    if (!plan_has(&stage.plan, "load-options", NULL))
        return;
    EFI_STATUS status = stage_read_file(L"\\options.bin", bytes, &size_bytes);
    stage.loader->LoadOptions = bytes;
    stage.loader->LoadOptionsSize = (UINT32)size_bytes;
    say("load options of %llu bytes: %llx", size_bytes, status);
}

static void put_choice(const char *line, size_t length)
{
    CHAR16 name[TEXT_CAPACITY] = {0};
    CHAR16 text[TEXT_CAPACITY] = {0};
    size_t split = 0;
    while (split < length && line[split] != '=')
        split++;
    for (size_t i = 0; i < split; i++)
        name[i] = (CHAR16)line[i];
    for (size_t i = split + 1; i < length; i++)
        text[i - split - 1] = (CHAR16)line[i];
    EFI_STATUS status =
        real->SetVariable(name, &vendor, KEPT_ATTRIBUTES, (length - split) * sizeof *text, text);
    say("the variable %.*s: %llx", (int)split, line, status);
}

static void put_choices(void)
{
    static char text[TEXT_CAPACITY];
    UINTN size_bytes = sizeof text;
    if (!plan_has(&stage.plan, "choices", NULL) ||
        EFI_ERROR(stage_read_file(L"\\choices.txt", text, &size_bytes)))
        return;
    size_t start = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        if (text[i] != '\n')
            continue;
        put_choice(text + start, i - start);
        start = i + 1;
    }
}

/* Write a bar for a NUL. */
static void narrow(const CHAR16 *wide, size_t length, char text[TEXT_CAPACITY])
{
    size_t used = 0;
    while (used < length && used < TEXT_CAPACITY - 1) {
        text[used] = wide[used] == 0 ? '|' : (char)wide[used];
        used++;
    }
    text[used] = '\0';
}

static bool is_of_interface(const EFI_GUID *guid)
{
    const uint64_t *left = (const uint64_t *)(const void *)guid;
    const uint64_t *right = (const uint64_t *)(const void *)&vendor;
    return left[0] == right[0] && left[1] == right[1];
}

static bool is_indications(const CHAR16 *name)
{
    static const CHAR16 wanted[] = L"OsIndications";
    size_t i = 0;
    while (wanted[i] != 0 && wanted[i] == name[i])
        i++;
    return wanted[i] == name[i];
}

static EFI_STATUS set_variable(CHAR16 *name, EFI_GUID *guid, UINT32 attributes, UINTN size_bytes,
                               VOID *bytes)
{
    char name_text[TEXT_CAPACITY];
    char text[TEXT_CAPACITY];
    size_t length = 0;
    if (!is_of_interface(guid) && !is_indications(name))
        return real->SetVariable(name, guid, attributes, size_bytes, bytes);
    while (name[length] != 0)
        length++;
    narrow(name, length, name_text);
    narrow(bytes, size_bytes / sizeof(CHAR16), text);
    say("interface: %s %u %s", name_text, attributes, text);
    if (plan_has(&stage.plan, "no-interface", NULL))
        return EFI_WRITE_PROTECTED;
    return real->SetVariable(name, guid, attributes, size_bytes, bytes);
}

static void hook_variables(void)
{
    EFI_RUNTIME_SERVICES *copy;
    if (EFI_ERROR(
            stage.firmware->AllocatePool(EfiRuntimeServicesData, sizeof *copy, (VOID **)&copy)))
        return;
    *copy = *stage.loader_table->RuntimeServices;
    copy->SetVariable = set_variable;
    stage.loader_table->RuntimeServices = copy;
}

void start_install(EFI_HANDLE loader)
{
    static uint64_t parameters;
    real = stage.system_table->RuntimeServices;
    put_options();
    put_choices();
    if (plan_has(&stage.plan, "shell", NULL))
        say("shell parameters: %llx",
            stage.firmware->InstallProtocolInterface(&loader, &shell_parameters,
                                                     EFI_NATIVE_INTERFACE, &parameters));
    if (plan_has(&stage.plan, "watch-interface", NULL) ||
        plan_has(&stage.plan, "no-interface", NULL))
        hook_variables();
}
