#include "bootloader/integrity.h"

#include "bootloader/firmware/variable.h"
#include "bootloader/loader.h"
#include "bootloader/pure/text_part.h"
#include "shared/text/format.h"
#include "shared/text/text.h"

/* Registers of the TPM, as other loaders use them (docs/SECURE-BOOT.md). */
#define PCR_FILES    9
#define PCR_SETTINGS 12

/* In the order of enum integrity_kind. */
static const char kind_names[] = "configuration\0entry file\0kernel\0module\0EFI application";

void integrity_begin(struct loader *loader)
{
    loader->integrity.is_secure = variable_is_secure_boot_on();
    tpm_find(&loader->integrity.tpm);
}

bool integrity_is_secure(const struct loader *loader)
{
    return loader->integrity.is_secure;
}

static bool is_measuring(const struct loader *loader)
{
    return loader->integrity.tpm.protocol != NULL && loader->config.tpm != TPM_WISH_OFF;
}

bool integrity_needs_bytes(const struct loader *loader, const struct sha256 *wanted)
{
    return integrity_is_secure(loader) || wanted != NULL || is_measuring(loader);
}

/* --- Hashes --- */

static void refuse(struct loader *loader, enum integrity_kind kind, const struct file *file,
                   const struct sha256 *found, const struct sha256 *wanted,
                   enum hash_verdict verdict)
{
    char found_text[SHA256_TEXT_CAPACITY];
    char wanted_text[SHA256_TEXT_CAPACITY];
    struct sha256 enrolled;
    bool is_unknown = verdict == HASH_NOT_ENROLLED;
    if (is_unknown)
        wanted = enrolment_find(loader->placement.loader.enrolled, file->path, &enrolled)
                     ? &enrolled
                     : NULL;
    error_set(is_unknown ? LOADER_ERROR_NOT_ENROLLED : LOADER_ERROR_WRONG_HASH, EFI_SUCCESS,
              "%s %s\n  it has: %s\n  wanted: %s", text_part(kind_names, (unsigned)kind),
              file->path, sha256_format(found, found_text),
              wanted != NULL ? sha256_format(wanted, wanted_text) : "(no file of this name)");
}

static bool check_hash(struct loader *loader, enum integrity_kind kind, const struct file *file,
                       const struct sha256 *wanted)
{
    struct sha256 found;
    const struct piece *enrolled =
        integrity_is_secure(loader) ? &loader->placement.loader.enrolled : NULL;
    if (enrolled == NULL && wanted == NULL)
        return true;
    sha256_of(file->bytes, file->size_bytes, &found);
    enum hash_verdict verdict = hash_check(enrolled, wanted, &found);
    if (verdict != HASH_ADMITTED) {
        refuse(loader, kind, file, &found, wanted, verdict);
        return false;
    }
    if (kind == INTEGRITY_KERNEL)
        loader->integrity.is_kernel_checked = true;
    return true;
}

/* --- Measurements --- */

/* Return false if the boot must stop because of a measurement that is not in the TPM. */
static bool follow(enum tpm_outcome outcome, EFI_STATUS status, const char *text)
{
    if (outcome == TPM_WARN)
        console_warn("not in the TPM: %s (%s)", text, error_status_name(status));
    if (outcome == TPM_STOP)
        error_set(LOADER_ERROR_NOT_MEASURED, status, "%s", text);
    return outcome != TPM_STOP;
}

static bool measure(struct loader *loader, unsigned pcr, const void *bytes, uint64_t size_bytes,
                    const char *text)
{
    EFI_STATUS status = tpm_measure(&loader->integrity.tpm, pcr, bytes, size_bytes, text);
    if (!EFI_ERROR(status))
        return true;
    loader->integrity.measure_status = status;
    return follow(tpm_failed_outcome(loader->config.tpm), status, text);
}

bool integrity_admit(struct loader *loader, enum integrity_kind kind, const struct file *file,
                     const struct sha256 *wanted)
{
    char text[TPM_TEXT_LIMIT_BYTES];
    bool is_setting = kind <= INTEGRITY_ENTRY_FILE;
    if (!check_hash(loader, kind, file, wanted))
        return false;
    /* Settings are measured in spite of `tpm = off`: an entry of theirs may have another `tpm`. */
    if (loader->integrity.tpm.protocol == NULL || (!is_setting && !is_measuring(loader)) ||
        kind == INTEGRITY_EFI_APPLICATION)
        return true;
    format_text(text, sizeof(text), "%s %s", text_part(kind_names, (unsigned)kind), file->path);
    return measure(loader, is_setting ? PCR_SETTINGS : PCR_FILES, file->bytes, file->size_bytes,
                   text);
}

bool integrity_admit_kernel(struct loader *loader, struct file *file)
{
    const struct config *config = &loader->config;
    const struct sha256 *wanted = config->has_kernel_sha256 ? &config->kernel_sha256 : NULL;
    if (!integrity_needs_bytes(loader, wanted))
        return true;
    return file_keep(file, &loader->pages) == LOADER_OK &&
           integrity_admit(loader, INTEGRITY_KERNEL, file, wanted);
}

bool integrity_measure_command_line(struct loader *loader)
{
    struct integrity *integrity = &loader->integrity;
    const char *line = loader->config.command_line;
    char text[TPM_TEXT_LIMIT_BYTES];
    integrity->is_kernel_checked = false;
    if (integrity->tpm.protocol == NULL)
        return follow(tpm_absent_outcome(loader->config.tpm), EFI_NOT_FOUND, "there is no TPM 2.0");
    if (!is_measuring(loader))
        return true;
    /* The configuration was measured before its key `tpm` was known. */
    if (loader->config.tpm == TPM_WISH_DEMAND && integrity->measure_status != EFI_SUCCESS)
        return follow(TPM_STOP, integrity->measure_status, "the configuration");
    format_text(text, sizeof(text), "command line %s", line);
    return measure(loader, PCR_SETTINGS, line, text_length(line) + 1, text);
}

uint32_t integrity_flags(const struct loader *loader)
{
    const struct integrity *integrity = &loader->integrity;
    bool is_measured = is_measuring(loader) && integrity->measure_status == EFI_SUCCESS;
    return (integrity->is_secure ? HANDOFF_INTEGRITY_SECURE_BOOT : 0) |
           (integrity->is_kernel_checked ? HANDOFF_INTEGRITY_CHECKED : 0) |
           (is_measured ? HANDOFF_INTEGRITY_MEASURED : 0);
}
