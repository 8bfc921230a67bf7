/*
 * error.h - the errors that end the loader, with their numbers: HL-01, HL-02, …
 *
 * A function that fails fills last_failure by error_set(), and returns the number.
 * stop.c reports it once. Numbers are stable: users search for them, and tests read them. Pure,
 * apart from last_failure.
 */
#ifndef BOOTLOADER_PURE_ERROR_H
#define BOOTLOADER_PURE_ERROR_H

#include <stddef.h>
#include <stdint.h>

#include "shared/text/packed_text.h"

enum loader_error {
    LOADER_OK = 0,
    LOADER_ERROR_NO_LOADED_IMAGE = 1,
    LOADER_ERROR_NO_VOLUME = 2,
    LOADER_ERROR_CONFIG = 3,
    LOADER_ERROR_FILE_NOT_FOUND = 4,
    LOADER_ERROR_FILE_OPEN = 5,
    LOADER_ERROR_FILE_IS_DIRECTORY = 6,
    LOADER_ERROR_FILE_EMPTY = 7,
    LOADER_ERROR_FILE_TOO_LARGE = 8,
    LOADER_ERROR_FILE_SHORT = 9,
    LOADER_ERROR_FILE_READ = 10,
    LOADER_ERROR_KERNEL_INVALID = 11,
    LOADER_ERROR_OUT_OF_MEMORY = 12,
    LOADER_ERROR_BAD_ALLOCATION = 13,
    LOADER_ERROR_BAD_LOADER_IMAGE = 14,
    LOADER_ERROR_MEMORY_MAP = 15,
    LOADER_ERROR_EXIT = 16,
    LOADER_ERROR_PAGE_TABLES = 17,
    LOADER_ERROR_UNUSABLE_BLOCK = 18,
    LOADER_ERROR_NETWORK_START = 19,
    LOADER_ERROR_NO_ENTRY = 20,
    LOADER_ERROR_BOOT_COUNTER = 22,
    LOADER_ERROR_PROGRAM_REFUSED = 23,
    LOADER_ERROR_KERNEL_NOTE = 24,
    LOADER_ERROR_KERNEL_DEMAND = 25,
    LOADER_ERROR_CONFIDENTIAL_GUEST = 26,
    LOADER_ERROR_LOADER_FAULT = 27,
    LOADER_ERROR_INJECT = 28,
    LOADER_ERROR_SETTING_REFUSED = 29,
    LOADER_ERROR_NO_OUTPUT = 30,
    LOADER_ERROR_KERNEL_DAMAGED = 31,
    LOADER_ERROR_PROGRAM_FAILED = 32,
    LOADER_ERROR_KERNEL_RELOCATION = 33,
    LOADER_ERROR_KERNEL_SYMBOLS = 34,
    LOADER_ERROR_MODULE_MEMORY = 35,
    LOADER_ERROR_NOT_ENROLLED = 38,
    LOADER_ERROR_WRONG_HASH = 39,
    LOADER_ERROR_NOT_MEASURED = 40,
};

/* EFI_STATUS (UEFI 2.10, appendix D): 0 is success, the highest bit marks an error. */
#define ERROR_STATUS_SUCCESS   UINT64_C(0)
#define ERROR_STATUS_ERROR_BIT (UINT64_C(1) << 63)

#define ERROR_DETAIL_CAPACITY 480

struct loader_failure {
    enum loader_error error;
    uint64_t status;                    /* the firmware's; ERROR_STATUS_SUCCESS if no call failed */
    const char *remedy;                 /* a better one than the error's, or NULL */
    char detail[ERROR_DETAIL_CAPACITY]; /* the operation that failed, and its object */
};

/* The reason for the last failure of a function that can fail. */
extern struct loader_failure last_failure;

/* Store a failure in last_failure, and return its number. `status` is the firmware's, or success. The
 * format is a literal, which the loader's file holds packed. */
#define error_set(error, status, format, ...)                                                      \
    error_set_packed(error, status, PACKED_FORMAT(format, ##__VA_ARGS__), ##__VA_ARGS__)
enum loader_error error_set_packed(enum loader_error error, uint64_t status,
                                   struct packed_text format, ...);

/* The same, with a path as the detail. Nothing is unpacked: a file may be missing in a good boot. */
enum loader_error error_set_path(enum loader_error error, uint64_t status, const char *path);

/* Return the status that the loader returns to the firmware for a failure. It is the firmware's
 * status if a call failed, else a matching one. Precondition, here and below: the error is not
 * LOADER_OK. */
uint64_t error_exit_status(const struct loader_failure *failure);

/* Error numbers are smaller than this: they have two digits. */
#define ERROR_NUMBER_LIMIT 100

/* Return the sentences of an error. NULL for a number that is no error. */
const char *error_cause(unsigned number);
const char *error_remedy(unsigned number);

/* Return "not found", "device error", …; "unknown status" for a number without a name. Never NULL.
 */
const char *error_status_name(uint64_t status);

/* Write cause, detail and remedy in one line. */
void error_format_sentence(const struct loader_failure *failure, char *text, size_t capacity_bytes);

/* Write the whole report (cause, detail, remedy) to `text`, in several lines. Longer text is cut.
 */
void error_format_report(const struct loader_failure *failure, char *text, size_t capacity_bytes);

#endif
