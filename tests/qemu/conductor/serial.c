/*
 * serial.c - what the firmware says about serial ports.
 *
 * Plan:
 *   console-on-serial N  the ConOut variable names COMN; 0: no serial port
 *   no-terminal          the firmware's console uses no serial port, and takes no byte from one
 *   await-serial         wait until a byte has arrived at COM1, and leave it there for the loader
 *   spcr-port N          there is an SPCR table for the I/O port N, in place of the HPET's table
 */
#include "shared/arch/x86_64/instructions.h"
#include "shared/arch/x86_64/serial_16550.h"
#include "shared/memory.h"
#include "tests/qemu/conductor/stage.h"

static EFI_GET_VARIABLE next_get_variable;

/* The firmware reads its ports from a timer, as long as a driver is connected to them. */
static void disconnect_terminals(void)
{
    static EFI_GUID serial_guid = SERIAL_IO_PROTOCOL;
    EFI_HANDLE *handles;
    UINTN count = 0;
    if (EFI_ERROR(
            stage.firmware->LocateHandleBuffer(ByProtocol, &serial_guid, NULL, &count, &handles)))
        say("no serial port has a driver");
    for (UINTN i = 0; i < count; i++) {
        if (EFI_ERROR(stage.firmware->DisconnectController(handles[i], NULL, NULL)))
            say("a terminal stays connected");
    }
}

/* Bit 0 of the line status register (National Semiconductor PC16550D data sheet). */
static void await_byte(void)
{
    say("awaiting a byte");
    while ((port_read_8(SERIAL_16550_COM1 + 5) & 1) == 0)
        continue;
}

static bool is_console_variable(const CHAR16 *name)
{
    static const CHAR16 console[] = L"ConOut";
    return memcmp(name, console, sizeof(console)) == 0;
}

static EFI_STATUS get_variable(CHAR16 *name, EFI_GUID *guid, UINT32 *attributes, UINTN *size_bytes,
                               VOID *data)
{
    uint64_t number = 0;
    bool has_number = plan_has(&stage.plan, "console-on-serial", &number);
    if (!is_console_variable(name) || (!has_number && !plan_has(&stage.plan, "no-terminal", NULL)))
        return next_get_variable(name, guid, attributes, size_bytes, data);
    if (number == 0)
        return EFI_NOT_FOUND;
    const uint8_t path[] = {
        2,    1,    12, 0, 0xd0, 0x41, 1, 5, (uint8_t)(number - 1),
        0,    0,    0, /* PNP0501 */
        3,    14,   19, 0, 0,    0,    0, 0, 0,
        0xc2, 1,    0,  0, 0,    0,    0, 8, 1,
        1,                 /* UART */
        0x7f, 0xff, 4,  0, /* the end */
    };
    if (*size_bytes < sizeof(path))
        return EFI_BUFFER_TOO_SMALL;
    memcpy(data, path, sizeof(path));
    *size_bytes = sizeof(path);
    return EFI_SUCCESS;
}

/* A copy for the loader: the firmware keeps its own. */
static void hook_variables(void)
{
    EFI_RUNTIME_SERVICES *copy;
    if (EFI_ERROR(
            stage.firmware->AllocatePool(EfiRuntimeServicesData, sizeof(*copy), (VOID **)&copy))) {
        say("no memory for a copy of the runtime services");
        return;
    }
    *copy = *stage.loader_table->RuntimeServices;
    next_get_variable = copy->GetVariable;
    copy->GetVariable = get_variable;
    stage.loader_table->RuntimeServices = copy;
}

static void make_spcr(uint64_t port)
{
    uint8_t *table = find_acpi_table("HPET");
    if (table == NULL)
        return;
    memcpy(table, "SPCR", 4);
    table[36] = 0; /* a 16550 */
    table[40] = 1; /* an I/O port */
    table[41] = 8;
    for (unsigned i = 0; i < 8; i++)
        table[44 + i] = (uint8_t)(port >> 8 * i);
    seal_acpi_table(table);
    say("SPCR for port %llx", port);
}

void serial_install(void)
{
    uint64_t number;
    bool has_no_terminal = plan_has(&stage.plan, "no-terminal", NULL);
    if (has_no_terminal)
        disconnect_terminals();
    if (plan_has(&stage.plan, "await-serial", NULL))
        await_byte();
    if (has_no_terminal || plan_has(&stage.plan, "console-on-serial", NULL))
        hook_variables();
    if (plan_has(&stage.plan, "spcr-port", &number))
        make_spcr(number);
}
