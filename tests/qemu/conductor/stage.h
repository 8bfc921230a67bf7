/*
 * stage.h - what the loader is given in place of the real firmware.
 *
 * The loader is started with copies of the system table and of the boot-services table. Faults are
 * hooks in the copies, so that only the loader meets them: the firmware's own drivers keep calling
 * the real ones. Hooks are called by the loader and get no context, hence the single instance.
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

/* One line on COM1, "conductor: text". Any phase. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Each puts its hooks into the copies, as the plan asks. */
void allocation_install(void);
void leaving_install(void);
void protocols_install(void);
void files_install(void);
void tables_install(void);
void record_install(void);

/* Read a file of the volume that holds the plan. *size_bytes is the room, then what was read. */
EFI_STATUS stage_read_file(const CHAR16 *path, void *bytes, UINTN *size_bytes);

/* Memory that the loader took and did not give back: for the report after its return. */
void allocation_report(void);

/* Take memory until the firmware has `page_count` pages left. */
void allocation_exhaust(uint64_t page_count);

/* Make everything non-executable that is no code, as firmware that enforces memory protection does;
 * the loader's image gets each section's own permissions. */
void strict_nx_enable(void);

#endif
