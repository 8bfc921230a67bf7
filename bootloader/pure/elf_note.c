#include "bootloader/pure/elf_note.h"

#include "bootloader/pure/number_at.h"
#include "bootloader/pure/text_part.h"
#include "shared/memory.h"
#include "shared/text/packed_text.h"

/* Elf64_Nhdr, at any address. Name and value follow, each at a multiple of the alignment. */
struct note_header {
    uint32_t name_size;
    uint32_t value_size;
    uint32_t type;
} __attribute__((packed, may_alias));
_Static_assert(sizeof(struct note_header) == 12, "Elf64_Nhdr");
_Static_assert(sizeof(HANDOFF_NOTE_OWNER) == HANDOFF_NOTE_OWNER_SIZE_BYTES, "handoff_note.h");
_Static_assert(sizeof(struct handoff_note) == 28, "handoff_note.h");

#define NOTE_VALUE_SIZE_BYTES 8

/* Writers of notes use one of two alignments. Any other p_align has no meaning. */
#define ALIGNMENT_SMALL 4
#define ALIGNMENT_LARGE 8

/* Places in a segment. All of them are below 2^36, since the sizes in a header have 32 bits. */
struct note {
    const struct note_header *header;
    uint64_t name;
    uint64_t value;
    uint64_t next;
};

/* In the order of enum elf_note_status. */
static const char sentences[] PACKED_SECTION =
    "The notes are good.\0"
    "The ELF file has more than 8 segments with notes.\0"
    "A segment with notes is not inside the file.\0"
    "A segment with notes is larger than 64 KiB.\0"
    "A note passes the end of its segment.\0"
    "A note for the loader has a value that is not 8 bytes long.\0"
    "A note for the loader stands there a second time.\0";

const char *elf_note_status_text(enum elf_note_status status)
{
    return text_part(packed_text_read(sentences), (unsigned)status);
}

void kernel_demands_set_defaults(struct kernel_demands *demands)
{
    *demands = (struct kernel_demands){
        .levels = HANDOFF_LEVELS_FOUR | HANDOFF_LEVELS_FIVE,
        .direct_map_limit = UINT64_MAX,
    };
}

static enum elf_note_status check_segment(const struct elf_note_segment *segment,
                                          uint64_t file_size_bytes)
{
    if (segment->file_offset > file_size_bytes ||
        segment->size_bytes > file_size_bytes - segment->file_offset)
        return ELF_NOTE_OUT_OF_FILE;
    return segment->size_bytes > ELF_NOTE_LIMIT_BYTES ? ELF_NOTE_TOO_LARGE : ELF_NOTE_OK;
}

enum elf_note_status elf_note_check_segments(const struct elf_plan *plan, uint64_t file_size_bytes)
{
    enum elf_note_status status = ELF_NOTE_OK;
    if (plan->note_count > ELF_NOTE_SEGMENT_LIMIT)
        return ELF_NOTE_TOO_MANY_SEGMENTS;
    for (unsigned i = 0; status == ELF_NOTE_OK && i < plan->note_count; i++)
        status = check_segment(&plan->notes[i], file_size_bytes);
    return status;
}

static uint64_t align_up(uint64_t place, uint64_t alignment)
{
    return (place + alignment - 1) & ~(alignment - 1);
}

/* Return false if the note passes the end. The padding behind the last one may be missing. */
static bool find_note(const uint8_t *bytes, const struct elf_note_segment *segment, uint64_t place,
                      struct note *ret_note)
{
    uint64_t alignment =
        segment->alignment_bytes == ALIGNMENT_LARGE ? ALIGNMENT_LARGE : ALIGNMENT_SMALL;
    if (segment->size_bytes - place < sizeof(struct note_header))
        return false;
    ret_note->header = (const struct note_header *)(bytes + place);
    ret_note->name = place + sizeof(struct note_header);
    ret_note->value = align_up(ret_note->name + ret_note->header->name_size, alignment);
    uint64_t end = ret_note->value + ret_note->header->value_size;
    ret_note->next = align_up(end, alignment);
    return end <= segment->size_bytes;
}

static bool is_ours(const uint8_t *bytes, const struct note *note)
{
    return note->header->name_size == HANDOFF_NOTE_OWNER_SIZE_BYTES &&
           memcmp(bytes + note->name, HANDOFF_NOTE_OWNER, HANDOFF_NOTE_OWNER_SIZE_BYTES) == 0;
}

static bool is_known(uint32_t type)
{
    return type >= HANDOFF_NOTE_VERSION && type <= HANDOFF_NOTE_CHECKSUM;
}

/* Precondition: is_known(). */
static void store(struct kernel_demands *demands, uint32_t type, uint64_t value)
{
    switch ((enum handoff_note_type)type) {
    case HANDOFF_NOTE_VERSION:
        demands->version_major = (uint16_t)value;
        demands->version_minor = (uint16_t)(value >> 16);
        break;
    case HANDOFF_NOTE_LEVELS:
        demands->levels = value;
        break;
    case HANDOFF_NOTE_STACK:
        demands->stack_size_bytes = value;
        break;
    case HANDOFF_NOTE_DIRECT_MAP_LIMIT:
        demands->direct_map_limit = value;
        break;
    case HANDOFF_NOTE_NEEDS:
        demands->needs = value;
        break;
    case HANDOFF_NOTE_CHECKSUM:
        demands->checksum = value;
        break;
    }
    demands->stated |= UINT32_C(1) << type;
}

static enum elf_note_status take_note(const uint8_t *bytes, const struct elf_note_segment *segment,
                                      const struct note *note, struct kernel_demands *demands)
{
    uint32_t type = note->header->type;
    if (!is_ours(bytes, note) || !is_known(type))
        return ELF_NOTE_OK;
    if (note->header->value_size != NOTE_VALUE_SIZE_BYTES)
        return ELF_NOTE_BAD_SIZE;
    if ((demands->stated & UINT32_C(1) << type) != 0)
        return ELF_NOTE_REPEATED;
    store(demands, type, number_at(bytes + note->value, NOTE_VALUE_SIZE_BYTES));
    if (type == HANDOFF_NOTE_CHECKSUM)
        demands->checksum_offset = segment->file_offset + note->value;
    return ELF_NOTE_OK;
}

static bool is_padding(const uint8_t *bytes, uint64_t size_bytes)
{
    for (uint64_t i = 0; i < size_bytes; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return size_bytes < sizeof(struct note_header);
}

enum elf_note_status elf_note_read(const void *bytes, const struct elf_note_segment *segment,
                                   struct kernel_demands *demands)
{
    enum elf_note_status status = ELF_NOTE_OK;
    struct note note;
    for (uint64_t place = 0; status == ELF_NOTE_OK && place < segment->size_bytes;
         place = note.next) {
        const uint8_t *rest = (const uint8_t *)bytes + place;
        if (!find_note(bytes, segment, place, &note))
            return is_padding(rest, segment->size_bytes - place) ? ELF_NOTE_OK : ELF_NOTE_CUT;
        status = take_note(bytes, segment, &note, demands);
    }
    return status;
}
