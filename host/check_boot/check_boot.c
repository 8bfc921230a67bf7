/*
 * check_boot.c - check a kernel or a configuration on this machine, with the code of the loader.
 *
 *   check_boot kernel FILE     Does the loader accept this kernel?
 *   check_boot config FILE     Does the loader accept this handoff.conf?
 *   check_boot rules           Print the rules that a kernel file can break, one line each: the
 *                              sentence and the remedy, with a tab between them.
 *   check_boot errors          Print the loader's errors, one line each: the number, the cause and
 *                              the remedy, with tabs between them.
 *
 * The checks and the messages come from bootloader/pure/.
 * Only the machine can show whether it has what a kernel demands of it.
 *
 * Exit status:
 *   0   The loader accepts the file. For a configuration, the path of the kernel is printed, that of
 *       the default entry.
 *   1   The loader refuses the file. The reason is printed, and for a kernel the remedy in a second
 *       line. For a configuration, the number of the
 *       line is printed before it: `LINE: reason`.
 *   2   The file cannot be read, or the arguments are wrong.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bootloader/pure/entries.h"
#include "bootloader/arch.h"
#include "bootloader/pure/config.h"
#include "bootloader/pure/elf.h"
#include "bootloader/pure/elf_note.h"
#include "bootloader/pure/elf_text.h"
#include "bootloader/pure/error.h"
#include "bootloader/pure/kernel_base.h"
#include "bootloader/pure/kernel_checksum.h"
#include "bootloader/pure/kernel_demands.h"
#include "bootloader/pure/relocation.h"
#include "shared/handoff.h"

#define STATUS_ACCEPTED 0
#define STATUS_REFUSED  1
#define STATUS_NO_FILE  2

struct content {
    char *bytes;
    size_t size_bytes;
};

static int complain(const char *path)
{
    fprintf(stderr, "check_boot: %s: %s\n", path, strerror(errno));
    return STATUS_NO_FILE;
}

static int refuse(const char *reason, const char *remedy)
{
    printf("%s\n%s\n", reason, remedy);
    return STATUS_REFUSED;
}

/* Relocate a PIE as the loader does. */
static int check_relocations(const struct elf_plan *plan, uint8_t *image)
{
    char text[RELOCATION_TEXT_CAPACITY];
    struct relocation_culprit culprit;
    uint64_t count;
    const struct relocation_request request = {
        .plan = plan,
        .image = image,
        .slide = kernel_base_fixed_slide(plan),
        .kinds = arch_relocation_kinds(),
        .marks = malloc(relocation_marks_size_bytes(plan)),
    };
    if (!plan->is_relocatable || request.marks == NULL)
        return STATUS_ACCEPTED;
    enum relocation_status status = relocation_apply(&request, &count, &culprit);
    free(request.marks);
    if (status == RELOCATION_OK)
        return STATUS_ACCEPTED;
    relocation_describe(status, &culprit, request.kinds, text);
    return refuse(text, error_remedy(LOADER_ERROR_KERNEL_RELOCATION));
}

static int check_image(const struct elf_plan *plan, const struct kernel_demands *demands,
                       uint8_t *image)
{
    if (demands->checksum == 0 ||
        kernel_checksum(plan, image, demands->checksum_offset) == demands->checksum)
        return check_relocations(plan, image);
    return refuse(error_cause(LOADER_ERROR_KERNEL_DAMAGED),
                  error_remedy(LOADER_ERROR_KERNEL_DAMAGED));
}

/* Load the kernel as the loader does, compare its checksum with the one in its note, and relocate
 * it. */
static int check_bytes(const struct content *file, const struct elf_plan *plan,
                       const struct kernel_demands *demands)
{
    uint8_t *image = malloc(virt_range_size_bytes(plan->image));
    if (image == NULL)
        return STATUS_ACCEPTED;
    for (unsigned next = 0; next < plan->segment_count;) {
        struct elf_read read;
        next = elf_next_read(plan, next, &read);
        memcpy(image + read.place, file->bytes + read.file_offset, read.size_bytes);
    }
    elf_zero_rest(plan, image);
    int status = check_image(plan, demands, image);
    free(image);
    return status;
}

static int check_notes(const struct content *file, const struct elf_plan *plan)
{
    char text[KERNEL_DEMANDS_TEXT_CAPACITY_BYTES];
    struct kernel_demands demands;
    kernel_demands_set_defaults(&demands);
    enum elf_note_status status = elf_note_check_segments(plan, file->size_bytes);
    for (unsigned i = 0; status == ELF_NOTE_OK && i < plan->note_count; i++)
        status = elf_note_read(file->bytes + plan->notes[i].file_offset, &plan->notes[i], &demands);
    if (status != ELF_NOTE_OK)
        return refuse(elf_note_status_text(status), error_remedy(LOADER_ERROR_KERNEL_NOTE));
    if (kernel_demands_fit_loader(&demands, text, sizeof(text)))
        return check_bytes(file, plan, &demands);
    printf("The kernel demands %s.\n%s\n", text, error_remedy(LOADER_ERROR_KERNEL_DEMAND));
    return STATUS_REFUSED;
}

static int check_kernel(const struct content *file)
{
    char text[ELF_REFUSAL_CAPACITY];
    struct elf_table table;
    struct elf_plan plan;
    struct elf_culprits culprits = {0};
    const char *headers = NULL;
    if (file->size_bytes > ELF_FILE_LIMIT_BYTES)
        return refuse("The file is larger than 256 MiB.",
                      error_remedy(LOADER_ERROR_FILE_TOO_LARGE));
    enum elf_status status =
        elf_find_table(file->bytes, file->size_bytes, HANDOFF_MACHINE_X86_64, &table);
    if (status == ELF_OK) {
        headers = file->bytes + table.offset;
        status = elf_plan(file->bytes, headers, file->size_bytes, &plan, &culprits);
    }
    if (status == ELF_OK)
        return check_notes(file, &plan);
    elf_describe_refusal(status, &culprits, headers, text);
    return refuse(text, elf_status_remedy(status));
}

static int refuse_line(enum config_status status, const struct config_wrong *wrong)
{
    printf("%u: %s\n", wrong->line, config_status_text(status));
    if (status == CONFIG_BAD_INJECT)
        puts("The words: " INJECT_WORDS);
    return STATUS_REFUSED;
}

/* The first broken entry is reported, too. The loader lists it, and starts another one. */
static int check_config(const struct content *file)
{
    static struct entry_list list;
    struct config globals;
    struct config config;
    struct config_wrong wrong;
    enum config_status status = entries_begin((struct piece){file->bytes, file->size_bytes}, &list,
                                              &globals, &config, &wrong);
    if (status != CONFIG_OK)
        return refuse_line(status, &wrong);
    entries_finish(&list);
    for (unsigned i = 0; i < list.count; i++) {
        if (list.entries[i].status != CONFIG_OK)
            return refuse_line(list.entries[i].status, &list.entries[i].wrong);
    }
    struct entry *entry = entries_find(&list, globals.default_id);
    (void)entry_configure(&list, entry != NULL ? entry : &list.entries[0]);
    puts(config.kernel_path);
    return STATUS_ACCEPTED;
}

/* Read at most limit_bytes + 1 bytes: one byte over the limit is enough to refuse the file. The
 * caller frees ret_content->bytes. Return false with errno set if the file cannot be read. */
static bool read_file(const char *path, size_t limit_bytes, struct content *ret_content)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (file == NULL || fstat(fileno(file), &status) != 0)
        return false;
    size_t size_bytes =
        (uint64_t)status.st_size > limit_bytes ? limit_bytes + 1 : (size_t)status.st_size;
    char *bytes = malloc(size_bytes + 1);
    if (bytes == NULL)
        return false;
    size_t read_bytes = fread(bytes, 1, size_bytes, file);
    if (ferror(file))
        return false;
    fclose(file);
    *ret_content = (struct content){bytes, read_bytes};
    return true;
}

static int print_errors(void)
{
    for (unsigned number = 1; number < ERROR_NUMBER_LIMIT; number++) {
        if (error_cause(number) != NULL)
            printf("HL-%02u\t%s\t%s\n", number, error_cause(number), error_remedy(number));
    }
    return STATUS_ACCEPTED;
}

static int print_rules(void)
{
    for (unsigned status = ELF_OK + 1; status < ELF_STATUS_COUNT; status++)
        printf("%s\t%s\n", elf_status_text((enum elf_status)status),
               elf_status_remedy((enum elf_status)status));
    return STATUS_ACCEPTED;
}

int main(int count, char **words)
{
    if (count == 2 && strcmp(words[1], "errors") == 0)
        return print_errors();
    if (count == 2 && strcmp(words[1], "rules") == 0)
        return print_rules();
    bool kernel = count == 3 && strcmp(words[1], "kernel") == 0;
    bool config = count == 3 && strcmp(words[1], "config") == 0;
    if (!kernel && !config) {
        fprintf(stderr, "usage: check_boot kernel|config FILE\n       check_boot errors|rules\n");
        return STATUS_NO_FILE;
    }
    struct content content;
    size_t limit_bytes = kernel ? ELF_FILE_LIMIT_BYTES : CONFIG_FILE_LIMIT_BYTES;
    if (!read_file(words[2], limit_bytes, &content))
        return complain(words[2]);
    int status = kernel ? check_kernel(&content) : check_config(&content);
    free(content.bytes);
    return status;
}
