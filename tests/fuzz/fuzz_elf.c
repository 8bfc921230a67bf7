/* A kernel file: any bytes are refused, or give a valid plan, and the image loads by this plan. */
#include <string.h>

#include "bootloader/pure/elf.h"
#include "bootloader/pure/elf_text.h"
#include "bootloader/pure/kernel_checksum.h"
#include "shared/handoff.h"
#include "tests/fuzz/require.h"
#include "tests/unit/support/elf_plan_check.h"

/* Larger images are planned but not loaded, because loading them would be slow. */
#define LOADED_IMAGE_LIMIT_BYTES (UINT64_C(64) << 10)

/* The checksum of any plan stays in the image, and leaves it as it was. */
static void require_equal_checksums(const struct elf_plan *plan, uint64_t note_offset)
{
    size_t image_bytes = virt_range_size_bytes(plan->image);
    uint8_t *image = malloc(image_bytes);
    require(image != NULL);
    memset(image, 0xee, image_bytes);
    uint64_t checksum = kernel_checksum(plan, image, note_offset);
    require(checksum != 0 && checksum == kernel_checksum(plan, image, note_offset));
    for (size_t i = 0; i < image_bytes; i++)
        require(image[i] == 0xee);
    free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct elf_plan plan;
    struct elf_plan untouched;
    memset(&plan, 0x77, sizeof(plan));
    memset(&untouched, 0x77, sizeof(untouched));
    enum elf_status status = elf_plan_of_file(bytes, size_bytes, HANDOFF_MACHINE_X86_64, &plan);
    require(strlen(elf_status_text(status)) > 0);
    if (status != ELF_OK) {
        require(memcmp(&plan, &untouched, sizeof(plan)) == 0);
        return 0;
    }
    require_no_problem(elf_plan_problem(&plan, size_bytes));
    if (virt_range_size_bytes(plan.image) <= LOADED_IMAGE_LIMIT_BYTES) {
        require_no_problem(elf_load_problem(&plan, bytes));
        require_equal_checksums(&plan, bytes[size_bytes - 1]);
    }
    return 0;
}
