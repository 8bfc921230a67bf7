/*
 * main.c - the boot sequence: boot() is its table of contents.
 */
#include "bootloader/begin.h"
#include "bootloader/boot_record.h"
#include "bootloader/choose.h"
#include "bootloader/demands.h"
#include "bootloader/gather.h"
#include "bootloader/hand_over.h"
#include "bootloader/integrity.h"
#include "bootloader/leave.h"
#include "bootloader/levels.h"
#include "bootloader/list.h"
#include "bootloader/load.h"
#include "bootloader/own_faults.h"
#include "bootloader/processors.h"
#include "bootloader/reserve.h"
#include "bootloader/stop.h"
#include "bootloader/tables.h"

/* Load an entry of handoff.conf. If it cannot be loaded, another one is chosen. */
static bool choose_and_load(struct loader *loader)
{
    do {
        if (!choose_entry(loader)) /* the default one, or what a person chooses */
            return false;
    } while (!load_entry(loader)); /* the kernel: checked, then loaded */
    list_close(loader);
    return true;
}

/* Too large for the firmware's stack. The compiler knows its address in every step. */
static struct loader loader;

/* All steps up to the kernel. Return false if one fails. */
static bool boot(void)
{
    if (!begin_check_guest() ||      /* not a confidential guest */
        !begin_find_origin(&loader)) /* the loader's image, and its device */
        return false;
    integrity_begin(&loader);        /* Secure Boot and the TPM */
    boot_record_begin(&loader);      /* the record of the last boot */
    if (!list_entries(&loader) ||    /* of handoff.conf, and of files of their own */
        !choose_and_load(&loader) || /* one of them, until a kernel is loaded */
        !reserve_memory(&loader))    /* the temporary heap, the kernel's first stack */
        return false;

    boot_record_keep(&loader);             /* the record of the last boot, in an EFI variable */
    gather_facts(&loader);                 /* screen, firmware tables, seed, clock, CPU */
    if (!demands_check_machine(&loader) || /* the kernel's notes */
        !reserve_handoff(&loader) ||       /* memory for the handoff block */
        !levels_choose(&loader))           /* of page tables: four or five */
        return false;
    processors_reserve(&loader);    /* memory for processors=start */
    if (!tables_reserve(&loader) || /* memory for the bootstrap tables */
        !leave_firmware(&loader))   /* the final map; regions and tables from it; the exit */
        return false;

    processors_start(&loader); /* the other processors, if the user wants it */
    hand_over_build(&loader);  /* write the handoff, with its checksum */
    hand_over_enter(&loader);  /* the switch */
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);
EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
    begin_loader(&loader, image, system_table); /* the watchdog off, a console */
    own_faults_watch(&loader, boot);            /* a fault on the way is an error, too */
    return stop_loader(&loader);
}
