#include "bootloader/pure/error.h"

#include <stdarg.h>
#include <stdbool.h>

#include "bootloader/pure/text_part.h"
#include "shared/text/format.h"

/* UEFI 2.10, table D-3. */
enum firmware_error {
    FIRMWARE_LOAD_ERROR = 1,
    FIRMWARE_INVALID_PARAMETER = 2,
    FIRMWARE_UNSUPPORTED = 3,
    FIRMWARE_BAD_BUFFER_SIZE = 4,
    FIRMWARE_DEVICE_ERROR = 7,
    FIRMWARE_OUT_OF_RESOURCES = 9,
    FIRMWARE_NO_MEDIA = 12,
    FIRMWARE_NOT_FOUND = 14,
    FIRMWARE_ABORTED = 21,
    FIRMWARE_END_OF_FILE = 31,
    FIRMWARE_COMPROMISED_DATA = 33,
};

/* Longer than all sentences. Zeros behind a sentence take no room in the loader's file. */
#define CAUSE_CAPACITY  96
#define REMEDY_CAPACITY 192

struct error_text {
    char cause[CAUSE_CAPACITY]; /* empty for a number that is no error */
    char remedy[REMEDY_CAPACITY];
    uint8_t exit_error; /* enum firmware_error */
};

static const struct error_text error_texts[] PACKED_SECTION = {
    [LOADER_ERROR_NO_LOADED_IMAGE] =
        {"The firmware does not name the loader's boot device.",
         "Start BOOTX64.EFI from a FAT volume, through the firmware's boot menu.",
         FIRMWARE_UNSUPPORTED},
    [LOADER_ERROR_NO_VOLUME] = {"The boot volume cannot be opened.",
                                "Put the loader, the kernel and handoff.conf on one FAT volume, "
                                "and boot from it. If they are on one, try another medium or port.",
                                FIRMWARE_NO_MEDIA},
    [LOADER_ERROR_CONFIG] = {"handoff.conf has an error.",
                             "Correct the line named above, or delete the file: every key has a "
                             "default.",
                             FIRMWARE_INVALID_PARAMETER},
    [LOADER_ERROR_FILE_NOT_FOUND] =
        {"The file is not on the boot volume.",
         "Copy it to the boot volume, or correct its path in handoff.conf.", FIRMWARE_NOT_FOUND},
    [LOADER_ERROR_FILE_OPEN] = {"The firmware cannot open the file.",
                                "Check the volume's file system, then copy the file again.",
                                FIRMWARE_DEVICE_ERROR},
    [LOADER_ERROR_FILE_IS_DIRECTORY] =
        {"The path names a directory.",
         "Rename the folder, or write the path of a file in handoff.conf.",
         FIRMWARE_INVALID_PARAMETER},
    [LOADER_ERROR_FILE_EMPTY] = {"The file is empty.",
                                 "Copy it again, and eject the medium before you remove it.",
                                 FIRMWARE_LOAD_ERROR},
    [LOADER_ERROR_FILE_TOO_LARGE] =
        {"The file is larger than the loader accepts.",
         "Check that it is the right file. Remove debug information from a kernel.",
         FIRMWARE_BAD_BUFFER_SIZE},
    [LOADER_ERROR_FILE_SHORT] = {"The file is shorter than its size on the volume.",
                                 "Check the volume's file system. Copy the file again, and eject "
                                 "the medium before you remove it.",
                                 FIRMWARE_END_OF_FILE},
    [LOADER_ERROR_FILE_READ] = {"The medium failed while the file was read.",
                                "Replace the medium or try another port, then copy the file again.",
                                FIRMWARE_DEVICE_ERROR},
    [LOADER_ERROR_KERNEL_INVALID] = {"The kernel file cannot be loaded.",
                                     "Build a static ELF file for this CPU and the higher half "
                                     "(docs/HANDOFF.md), and copy it again.",
                                     FIRMWARE_LOAD_ERROR},
    [LOADER_ERROR_OUT_OF_MEMORY] = {"The firmware does not have enough free memory.",
                                    "Give the machine more memory, or load a smaller kernel.",
                                    FIRMWARE_OUT_OF_RESOURCES},
    [LOADER_ERROR_BAD_ALLOCATION] = {"The firmware allocated memory that is already in use.",
                                     "Update the firmware, or report the lines above to its maker: "
                                     "its memory allocator has a bug.",
                                     FIRMWARE_ABORTED},
    [LOADER_ERROR_BAD_LOADER_IMAGE] =
        {"The loader does not find its own headers in memory.",
         "Copy BOOTX64.EFI again. If the error stays, update the firmware.",
         FIRMWARE_COMPROMISED_DATA},
    [LOADER_ERROR_MEMORY_MAP] = {"The firmware's memory map cannot be used.",
                                 "Switch the machine off and on. Then load the defaults in the "
                                 "firmware's setup. If this does not help, update the firmware.",
                                 FIRMWARE_UNSUPPORTED},
    [LOADER_ERROR_EXIT] = {"The firmware does not end boot services.",
                           "Switch the machine off, unplug all devices that are not needed, and "
                           "try again. If this does not help, update the firmware.",
                           FIRMWARE_ABORTED},
    [LOADER_ERROR_PAGE_TABLES] =
        {"The kernel's first page tables cannot be built.",
         "Report the lines above: the loader has a bug. Start an older loader meanwhile.",
         FIRMWARE_ABORTED},
    [LOADER_ERROR_UNUSABLE_BLOCK] =
        {"The firmware allocated memory that its own memory map does not show as usable.",
         "Load the defaults in the firmware's setup: an option may set memory aside, or switch its "
         "cache off. If this does not help, update the firmware.",
         FIRMWARE_UNSUPPORTED},
    [LOADER_ERROR_NETWORK_START] =
        {"The loader was started over the network. It can read files only from a volume.",
         "Start the machine from a disk, a USB stick or a CD that has the loader and the kernel.",
         FIRMWARE_UNSUPPORTED},
    [LOADER_ERROR_NO_ENTRY] = {"No entry can be started.",
                               "Correct the line named above. Then try again.",
                               FIRMWARE_INVALID_PARAMETER},
    [LOADER_ERROR_BOOT_COUNTER] =
        {"The entry's file cannot be renamed, so its tries cannot be counted.",
         "Make the boot volume writable, or remove the counter from the file's name: ID.conf.",
         FIRMWARE_ABORTED},
    [LOADER_ERROR_PROGRAM_REFUSED] =
        {"The firmware does not load the EFI application.",
         "Copy an application for this CPU again. With Secure Boot on, it needs a signature that "
         "the firmware knows.",
         FIRMWARE_LOAD_ERROR},
    [LOADER_ERROR_KERNEL_NOTE] =
        {"A note in the kernel file is malformed.",
         "Make the notes with HANDOFF_NOTE() of shared/handoff_note.h, and build the kernel again.",
         FIRMWARE_LOAD_ERROR},
    [LOADER_ERROR_KERNEL_DEMAND] =
        {"The kernel demands what this loader or this machine does not have.",
         "Use a machine or a loader that has it, or change the demand in the kernel's notes "
         "(docs/HANDOFF.md).",
         FIRMWARE_UNSUPPORTED},
    [LOADER_ERROR_CONFIDENTIAL_GUEST] =
        {"This machine is a confidential guest, which the loader does not support.",
         "Start the virtual machine without SEV or TDX.", FIRMWARE_UNSUPPORTED},
    [LOADER_ERROR_LOADER_FAULT] = {"The loader itself faulted.",
                                   "Update the firmware, which may have given a wrong address. "
                                   "Report it with the lines above.",
                                   FIRMWARE_ABORTED},
    [LOADER_ERROR_INJECT] = {"The value of inject in handoff.conf is wrong.",
                             "Use only the words above, with commas between them, or remove the "
                             "line.",
                             FIRMWARE_INVALID_PARAMETER},
    [LOADER_ERROR_SETTING_REFUSED] =
        {"This setting is refused while Secure Boot is on.",
         "Remove it, or switch Secure Boot off in the firmware's setup.",
         FIRMWARE_INVALID_PARAMETER},
    [LOADER_ERROR_NO_OUTPUT] =
        {"No screen can be used, and no serial port answers: the kernel could show nothing.",
         "Correct `serial`, `output` or `resolution` in handoff.conf, or connect a serial port. If "
         "this does not help, update the firmware.",
         FIRMWARE_UNSUPPORTED},
    [LOADER_ERROR_KERNEL_DAMAGED] =
        {"The kernel is damaged: its bytes do not have the checksum in its note.",
         "Copy the kernel to the medium again. If the error stays, replace the medium: it gives "
         "wrong bytes, and the firmware does not see it.",
         FIRMWARE_COMPROMISED_DATA},
    [LOADER_ERROR_PROGRAM_FAILED] =
        {"The EFI application ended with an error.",
         "Read what it wrote on the screen, and check its own files and options.",
         FIRMWARE_ABORTED},
    [LOADER_ERROR_KERNEL_RELOCATION] = {"The kernel is a PIE that cannot be relocated.",
                                        "Link it without shared libraries, as a static PIE: `ld "
                                        "-pie --no-dynamic-linker -z text`.",
                                        FIRMWARE_LOAD_ERROR},
    [LOADER_ERROR_KERNEL_SYMBOLS] = {"The kernel's symbol table is damaged.",
                                     "Build the kernel again, or remove symbols=on.",
                                     FIRMWARE_LOAD_ERROR},
    [LOADER_ERROR_MODULE_MEMORY] =
        {"A module does not fit into the free memory.",
         "Give the machine more memory, or use smaller or fewer modules.",
         FIRMWARE_OUT_OF_RESOURCES},
    [LOADER_ERROR_NOT_ENROLLED] =
        {"Secure Boot is on, and this file is not enrolled in the loader.",
         "Copy the file again, or sign the loader with it (docs/SECURE-BOOT.md).",
         FIRMWARE_COMPROMISED_DATA},
    [LOADER_ERROR_WRONG_HASH] =
        {"The file does not have the SHA-256 that the configuration names.",
         "Copy the file again, or correct its SHA-256 in the configuration.",
         FIRMWARE_COMPROMISED_DATA},
    [LOADER_ERROR_NOT_MEASURED] =
        {"The TPM lacks a measurement, and `tpm = demand` wants all of them.",
         "Switch the TPM on in the firmware's setup, or remove the line.", FIRMWARE_UNSUPPORTED},
};

/* In the order of the numbers, from 0 on. */
#define STATUS_NAME_COUNT 16
static const char status_names[] PACKED_SECTION =
    "success\0load error\0invalid parameter\0unsupported\0"
    "bad buffer size\0buffer too small\0not ready\0device error\0"
    "write protected\0out of resources\0volume corrupted\0volume full\0"
    "no media\0media changed\0not found\0access denied\0";

#define ERROR_TEXT_COUNT (sizeof(error_texts) / sizeof(error_texts[0]))

static const struct error_text *find_text(unsigned number)
{
    const struct error_text *texts = packed_text_read(error_texts);
    return number < ERROR_TEXT_COUNT && texts[number].cause[0] != '\0' ? &texts[number] : NULL;
}

const char *error_cause(unsigned number)
{
    const struct error_text *text = find_text(number);
    return text == NULL ? NULL : text->cause;
}

const char *error_remedy(unsigned number)
{
    const struct error_text *text = find_text(number);
    return text == NULL ? NULL : text->remedy;
}

static bool is_error(uint64_t status)
{
    return (status & ERROR_STATUS_ERROR_BIT) != 0;
}

struct loader_failure last_failure;

enum loader_error error_set_path(enum loader_error error, uint64_t status, const char *path)
{
    last_failure.error = error;
    last_failure.status = status;
    last_failure.remedy = NULL;
    format_text(last_failure.detail, sizeof(last_failure.detail), "%s", path);
    return error;
}

enum loader_error error_set_packed(enum loader_error error, uint64_t status,
                                   struct packed_text format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_set_path(error, status, "");
    format_text_v(last_failure.detail, sizeof(last_failure.detail), packed_text_read(format.text),
                  arguments);
    va_end(arguments);
    return error;
}

uint64_t error_exit_status(const struct loader_failure *failure)
{
    if (is_error(failure->status))
        return failure->status;
    return ERROR_STATUS_ERROR_BIT | find_text((unsigned)failure->error)->exit_error;
}

const char *error_status_name(uint64_t status)
{
    uint64_t number = status & ~ERROR_STATUS_ERROR_BIT;
    if ((number != 0 && !is_error(status)) || number >= STATUS_NAME_COUNT)
        return PACKED("unknown status");
    return text_part(packed_text_read(status_names), (unsigned)number);
}

static const char *remedy_of(const struct loader_failure *failure)
{
    return failure->remedy != NULL ? failure->remedy : error_remedy((unsigned)failure->error);
}

void error_format_report(const struct loader_failure *failure, char *text, size_t capacity_bytes)
{
    char status[64] = "";
    if (is_error(failure->status))
        format_packed(status, sizeof(status), " (firmware: %s, %llx)",
                      error_status_name(failure->status), (unsigned long long)failure->status);

    format_packed(text, capacity_bytes,
                  "\nHL-%02d: %s\n"
                  "  what:   %s%s\n"
                  "  remedy: %s\n",
                  failure->error, error_cause((unsigned)failure->error), failure->detail, status,
                  remedy_of(failure));
}

void error_format_sentence(const struct loader_failure *failure, char *text, size_t capacity_bytes)
{
    format_packed(text, capacity_bytes, "HL-%02d: %s %s. %s", failure->error,
                  error_cause((unsigned)failure->error), failure->detail, remedy_of(failure));
}
