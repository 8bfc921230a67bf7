#include "bootloader/firmware/serial_port.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/system_tables.h"
#include "bootloader/firmware/variable.h"

/* The device path of the firmware's console is in the variable ConOut (UEFI 2.10, section 3.3). */
static void find_console(struct serial_console *ret_found)
{
    static const CHAR16 name[] = L"ConOut";
    uint8_t path[1024];
    UINTN size_bytes = sizeof(path);
    if (firmware.system_table->ConOut != NULL &&
        !EFI_ERROR(variable_get(name, &guid_global_variable, path, &size_bytes)))
        serial_console_find(path, size_bytes, ret_found);
}

static uint16_t find_spcr_port(const struct firmware_tables *tables)
{
    const struct firmware_tables_memory memory = system_tables_memory();
    uint64_t size_bytes;
    const uint8_t *table = firmware_tables_acpi(tables, &memory, "SPCR", &size_bytes);
    return table == NULL ? 0 : serial_choice_spcr_port(table, size_bytes);
}

/* A port that is the firmware's console works. To ask it would disturb the firmware. */
static bool is_silent(const struct serial_choice *choice, const struct serial_wish *wish)
{
    return (wish->kind == SERIAL_WISH_NUMBER || wish->kind == SERIAL_WISH_PORT) &&
           !choice->is_firmware_console && !arch_serial_initialise(choice->port);
}

void serial_port_choose(const struct firmware_tables *tables, const struct serial_wish *wish,
                        struct serial_choice *ret_choice)
{
    struct serial_console found = {0};
    find_console(&found);
    serial_choose(wish, &found, find_spcr_port(tables), arch_serial_port_of, ret_choice);
    if (is_silent(ret_choice, wish))
        console_warn("no serial port answers at port %x: correct the key serial in handoff.conf",
                     ret_choice->port);
    else if (ret_choice->port == 0)
        console_log("no serial port (%s)", ret_choice->source);
    else if (ret_choice->port != arch_serial_port_of(1))
        console_log("serial port %x (%s)", ret_choice->port, ret_choice->source);
}
