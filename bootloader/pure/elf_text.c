#include "bootloader/pure/elf_text.h"

#include "bootloader/pure/elf_format.h"
#include "bootloader/pure/error.h"
#include "bootloader/pure/text_part.h"
#include "shared/text/format.h"
#include "shared/text/packed_text.h"

/* In the order of enum elf_status. */
static const char sentences[] PACKED_SECTION =
    "The file is a kernel that can be loaded.\0"
    "The file is shorter than an ELF header.\0"
    "The file is not an ELF file.\0"
    "The ELF file is not 64-bit.\0"
    "The ELF file is not little-endian.\0"
    "The ELF file has an unknown version.\0"
    "The ELF file is for another kind of processor.\0"
    "The ELF file is not a static executable (ET_EXEC) or a static PIE (ET_DYN).\0"
    "An ELF or program header has an unexpected size.\0"
    "The ELF file has no program headers.\0"
    "The ELF file uses extended program header numbering.\0"
    "The program headers reach beyond the end of the file.\0"
    "A segment reaches beyond the end of the file.\0"
    "A segment is larger in the file than in memory.\0"
    "A segment reaches beyond the end of the address space.\0"
    "The image is larger than 256 MiB.\0"
    "A segment's alignment is not a power of two up to 1 GiB.\0"
    "A segment's address and file offset do not agree with its alignment.\0"
    "Two segments overlap.\0"
    "Two segments with different permissions share a page.\0"
    "A segment is both writable and executable.\0"
    "A segment is linked below 0xffffffff80000000.\0"
    "The entry point is not inside an executable segment.\0"
    "The ELF file has no segment to load.\0"
    "The ELF file has more than 16 segments to load.\0"
    "The ELF file needs an interpreter (a dynamic linker).\0"
    "The ELF file is dynamic, and no static PIE.\0"
    "The PIE has no dynamic section (PT_DYNAMIC).\0";

enum remedy {
    REMEDY_OF_ALL,
    REMEDY_STATIC,
    REMEDY_TARGET,
    REMEDY_ADDRESS,
    REMEDY_PAGES,
    REMEDY_PERMISSIONS,
    REMEDY_ENTRY,
    REMEDY_EXTENT,
    REMEDY_DYNAMIC,
};

/* In the order of enum remedy. The first is the general remedy of HL-11. */
static const char remedies[] PACKED_SECTION =
    "\0"
    "Link it with `ld -static -no-pie`, or at address 0 with `ld -pie --no-dynamic-linker`.\0"
    "Compile and link for the CPU of the loader: `-m64`, or `--target=` of clang.\0"
    "Link with `--image-base=0xffffffff80000000` (GNU ld: `-Ttext-segment=`), not with `-Ttext=`.\0"
    "Put `. = ALIGN(4096);` between the sections, or link with `-z separate-code -z "
    "max-page-size=4096`.\0"
    "Give code and data PHDRS of their own, FLAGS(5) and FLAGS(6), and link without `-N`.\0"
    "Name a function: `ENTRY(name)` in the linker script, or `-e name`.\0"
    "Link all sections within 256 MiB from 0xffffffff80000000 on.\0"
    "Give .dynamic a header in the linker script: `dynamic PT_DYNAMIC FLAGS(6);` in PHDRS.\0";

static const uint8_t remedy_of[ELF_STATUS_COUNT] PACKED_SECTION = {
    [ELF_NOT_64_BIT] = REMEDY_TARGET,
    [ELF_NOT_LITTLE_ENDIAN] = REMEDY_TARGET,
    [ELF_OTHER_MACHINE] = REMEDY_TARGET,
    [ELF_NOT_EXECUTABLE] = REMEDY_STATIC,
    [ELF_ADDRESS_WRAPS] = REMEDY_EXTENT,
    [ELF_IMAGE_TOO_LARGE] = REMEDY_EXTENT,
    [ELF_BAD_ALIGNMENT] = REMEDY_PAGES,
    [ELF_INCONGRUENT] = REMEDY_PAGES,
    [ELF_SEGMENTS_OVERLAP] = REMEDY_PAGES,
    [ELF_PAGE_WITH_TWO_PERMISSIONS] = REMEDY_PAGES,
    [ELF_WRITABLE_EXECUTABLE] = REMEDY_PERMISSIONS,
    [ELF_LOWER_HALF] = REMEDY_ADDRESS,
    [ELF_BAD_ENTRY] = REMEDY_ENTRY,
    [ELF_NEEDS_INTERPRETER] = REMEDY_STATIC,
    [ELF_NEEDS_RELOCATION] = REMEDY_STATIC,
    [ELF_NO_DYNAMIC] = REMEDY_DYNAMIC,
};

const char *elf_status_text(enum elf_status status)
{
    return text_part(packed_text_read(sentences), (unsigned)status);
}

const char *elf_status_remedy(enum elf_status status)
{
    unsigned remedy = ((const uint8_t *)packed_text_read(remedy_of))[status];
    return remedy == REMEDY_OF_ALL ? error_remedy(LOADER_ERROR_KERNEL_INVALID)
                                   : text_part(remedies, remedy);
}

void elf_describe_refusal(enum elf_status status, const struct elf_culprits *culprits,
                          const void *table, char text[ELF_REFUSAL_CAPACITY])
{
    static const char FLAGS[8][4] PACKED_SECTION = {"---", "--x", "-w-", "-wx",
                                                    "r--", "r-x", "rw-", "rwx"};
    int used = 0; /* each part is shorter than 80 bytes */
    for (unsigned i = 0; i < culprits->count; i++) {
        unsigned number = culprits->numbers[i];
        const struct program_header *segment = (const struct program_header *)table + number;
        used += format_packed(text + used, ELF_REFUSAL_CAPACITY - (size_t)used,
                              "segment %u (%s, 0x%llx, %llu bytes): ", number,
                              (const char *)packed_text_read(FLAGS[segment->flags % 8]),
                              (unsigned long long)segment->virtual_address,
                              (unsigned long long)segment->memory_size);
    }
    if (status == ELF_BAD_ENTRY)
        used = format_packed(text, ELF_REFUSAL_CAPACITY,
                             "entry 0x%llx: ", (unsigned long long)culprits->entry);
    format_text(text + used, ELF_REFUSAL_CAPACITY - (size_t)used, "%s", elf_status_text(status));
}
