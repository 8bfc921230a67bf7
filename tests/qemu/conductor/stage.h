/*
 * stage.h - the tables that the loader gets instead of the firmware's.
 *
 * The loader is started with copies of the system table and of the boot-services table. Faults are
 * hooks in the copies, so they affect only the loader: the firmware's own drivers still call the
 * real functions. The loader calls the hooks, and they get no context. So there is one global
 * instance.
 */
#ifndef CONDUCTOR_STAGE_H
#define CONDUCTOR_STAGE_H

#include "bootloader/firmware/efi.h"
#include "tests/qemu/conductor/plan.h"

struct stage {
    EFI_SYSTEM_TABLE *system_table; /* the firmware's */
    EFI_BOOT_SERVICES *firmware;    /* the firmware's */
    EFI_SYSTEM_TABLE *loader_table; /* the copies that the loader sees */
    EFI_BOOT_SERVICES *services;
    EFI_LOADED_IMAGE *loader; /* the loader's own image */
    struct plan plan;
};

extern struct stage stage;

/* Print one line on COM1, "conductor: text". Any phase. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Print the line, and wait for a byte on COM1. */
void stage_wait_for_byte(const char *what);

/* Let the firmware forget what is on a volume, and read it again. */
EFI_STATUS volume_disconnect(EFI_HANDLE volume);
EFI_STATUS volume_connect(void);

/* Each function puts its hooks into the copies, by the plan. */
void allocation_install(void);
void leaving_install(void);
void protocols_install(void);
void files_install(void);
void tables_install(void);
void record_install(void);
void start_install(EFI_HANDLE loader);
void late_reset_install(void); /* after record_install(), which may replace the runtime services */

/* Read a file of the volume that holds the plan. *size_bytes is the room, then what was read. */
EFI_STATUS stage_read_file(const CHAR16 *path, void *bytes, UINTN *size_bytes);

void graphics_install(void);
void measurements_install(void);
void time_install(void);
void serial_install(void);
void keyboard_install(void); /* after the others: it calls their hooks */

/* What HandleProtocol() gives the loader: the firmware's answer, with the outputs of the plan. The
 * handle is NULL where the firmware chooses it. */
EFI_STATUS graphics_handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **interface,
                                    EFI_STATUS status);

/* The loader calls GetMemoryMap() for the n-th time. */
void graphics_note_map(uint64_t map_calls);

/* Return the memory that the loader has allocated and not freed, for the report after its
 * return. */
void allocation_report(void);

/* The delays that the loader asked for, also for that report. */
void keyboard_report(void);

/* The ACPI table with this signature; NULL without one. */
uint8_t *find_acpi_table(const char signature[4]);

/* Give a changed ACPI table a right checksum. */
void seal_acpi_table(uint8_t *table);

/* Print what the TPM holds, if the plan says so. Boot services are there. */
void measurements_show(void);

/* Count a block of the pool that the firmware allocated for the loader. */
void allocation_owe_block(void);

/* Allocate memory until the firmware has only `page_count` free pages. */
void allocation_exhaust(uint64_t page_count);

/* Make all memory except code non-executable, like firmware with memory protection. Each section of
 * the loader's image gets its own permissions. */
void strict_nx_enable(void);

/* Switch no-execute pages off, as some firmware does. Say whether they are off, if the plan
 * switches them off. */
void no_execute_switch_off(void);
void no_execute_report(void);

/* Stay at a screen that a test reads, if the plan says so. */
void screen_show_letters(void);
void screen_set_text_mode(void);
void screen_hold(void);

/* Give the firmware a TSS, if the plan says so. */
void task_state_install(void);

/* Note the firmware's descriptor tables. Then return whose tables are in force. */
void handlers_note(void);
const char *handlers_owner(void);

/* Switch the machine to five levels of page tables. */
void five_levels_enable(void);

#endif
