#include "bootloader/firmware/boot_actions.h"

#include "bootloader/firmware/variable.h"

/* UEFI 2.10, section 3.3. */
#define ATTRIBUTES                                                                                 \
    (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)

static uint64_t read_indications(const CHAR16 *name)
{
    uint64_t bits = 0;
    UINTN size_bytes = sizeof(bits);
    EFI_STATUS status = variable_get(name, &guid_global_variable, &bits, &size_bytes);
    return EFI_ERROR(status) ? 0 : bits;
}

bool boot_action_is_possible(enum boot_action action)
{
    static const CHAR16 supported[] = L"OsIndicationsSupported";
    return action != BOOT_ACTION_SETUP ||
           (read_indications(supported) & EFI_OS_INDICATIONS_BOOT_TO_FW_UI) != 0;
}

static EFI_STATUS request_setup(void)
{
    static const CHAR16 name[] = L"OsIndications";
    uint64_t bits = read_indications(name) | EFI_OS_INDICATIONS_BOOT_TO_FW_UI;
    return firmware.system_table->RuntimeServices->SetVariable(
        (CHAR16 *)name, (EFI_GUID *)&guid_global_variable, ATTRIBUTES, sizeof(bits), &bits);
}

EFI_STATUS boot_action_try(enum boot_action action)
{
    EFI_STATUS status = action == BOOT_ACTION_SETUP ? request_setup() : EFI_SUCCESS;
    if (EFI_ERROR(status))
        return status;
    firmware.system_table->RuntimeServices->ResetSystem(
        action == BOOT_ACTION_POWER_OFF ? EfiResetShutdown : EfiResetCold, EFI_SUCCESS, 0, NULL);
    return EFI_UNSUPPORTED;
}
