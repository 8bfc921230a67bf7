#include "bootloader/pure/relocation.h"

#include "bootloader/pure/number_at.h"
#include "bootloader/pure/text_part.h"
#include "shared/memory.h"
#include "shared/range.h"
#include "shared/text/format.h"
#include "shared/text/packed_text.h"

#define PLACE_SIZE_BYTES 8

/* --- Numbers of the file format --- */

enum tag {
    TAG_END = 0,
    TAG_NEEDED = 1,
    TAG_PLT_SIZE = 2,
    TAG_RELA = 7,
    TAG_RELA_SIZE = 8,
    TAG_RELA_ENTRY_SIZE = 9,
    TAG_REL = 17,
    TAG_PLT_FORM = 20,
    TAG_TEXT = 22,
    TAG_PLT = 23,
    TAG_FLAGS = 30,
    TAG_RELR_SIZE = 35,
    TAG_RELR = 36,
    TAG_RELR_ENTRY_SIZE = 37,
    TAG_LIMIT = 38, /* the numbers below are kept */
};
#define FLAG_TEXT UINT64_C(4)

/* Packed tables of the LLVM linker, with numbers for one system (--pack-dyn-relocs=android). */
#define TAG_ANDROID_REL  UINT64_C(0x6000000f) /* and the three behind */
#define TAG_ANDROID_RELR UINT64_C(0x6fffe000) /* and the three behind */

/* The bytes of a file need not be aligned in memory: these types can be read at any address. */
#define AT_ANY_ADDRESS __attribute__((packed, may_alias))

struct word {
    uint64_t value;
} AT_ANY_ADDRESS;

struct dynamic_entry {
    uint64_t tag;
    uint64_t value;
} AT_ANY_ADDRESS;
_Static_assert(sizeof(struct dynamic_entry) == 16, "Elf64_Dyn");

struct rela {
    uint64_t place;
    uint64_t kind_and_symbol; /* the kind in the low 32 bits */
    struct word addend;
} AT_ANY_ADDRESS;
_Static_assert(sizeof(struct rela) == 24, "Elf64_Rela");

/* A word of RELR is an address, or, if it is odd, 63 bits for the words that follow. */
#define RELR_BITS 63

struct work {
    const struct relocation_request *request;
    struct relocation_culprit *culprit;
    uint64_t count;
    uint64_t relr_next;         /* the word behind the last entry of RELR; 0: there is none */
    uint64_t values[TAG_LIMIT]; /* of the dynamic section, by tag; 0 if absent */
};

/* --- The image --- */

/* Return the bytes of a range of the file as loaded; NULL if they are not inside one segment. */
static const void *find_bytes(const struct work *work, uint64_t address, uint64_t size_bytes)
{
    const struct elf_plan *plan = work->request->plan;
    for (unsigned i = 0; i < plan->segment_count; i++) {
        uint64_t offset =
            address - plan->segments[i].memory.start.value; /* may wrap to a large one */
        uint64_t file_size_bytes = plan->segments[i].file_size_bytes;
        if (offset <= file_size_bytes && size_bytes <= file_size_bytes - offset)
            return (const uint8_t *)work->request->image + (address - plan->image.start.value);
    }
    return NULL;
}

/* --- The dynamic section --- */

static enum relocation_status take_entry(struct work *work, const struct dynamic_entry *entry)
{
    uint64_t tag = entry->tag;
    if (tag == TAG_NEEDED)
        return RELOCATION_NEEDS_LIBRARY;
    if (tag == TAG_TEXT || (tag == TAG_FLAGS && (entry->value & FLAG_TEXT) != 0))
        return RELOCATION_OF_TEXT;
    if (tag == TAG_REL || tag - TAG_ANDROID_REL < 4 || tag - TAG_ANDROID_RELR < 4)
        return RELOCATION_OTHER_FORM;
    if (tag >= TAG_LIMIT)
        return RELOCATION_OK;
    if (work->values[tag] != 0)
        return RELOCATION_DYNAMIC_REPEATED;
    work->values[tag] = entry->value;
    return RELOCATION_OK;
}

static enum relocation_status read_dynamic(struct work *work)
{
    struct virt_range dynamic = work->request->plan->dynamic;
    uint64_t count = virt_range_size_bytes(dynamic) / sizeof(struct dynamic_entry);
    const struct dynamic_entry *entry =
        find_bytes(work, dynamic.start.value, virt_range_size_bytes(dynamic));
    if (entry == NULL)
        return RELOCATION_DYNAMIC_OUTSIDE;
    for (; count > 0; count--, entry++) {
        if (entry->tag == TAG_END)
            return RELOCATION_OK;
        enum relocation_status status = take_entry(work, entry);
        if (status != RELOCATION_OK)
            return status;
    }
    return RELOCATION_DYNAMIC_NO_END;
}

/* --- Places --- */

uint64_t relocation_marks_size_bytes(const struct elf_plan *plan)
{
    return virt_range_size_bytes(plan->image) / 8 + PLACE_SIZE_BYTES;
}

/* Mark the place's first byte. Return false if one of the seven bytes before or behind it is marked,
 * or the byte itself. */
static bool mark(uint8_t *marks, uint64_t offset)
{
    uint64_t first = offset + 1; /* of the fifteen bits: that of the byte `offset` is offset + 8 */
    if ((number_at(marks + first / 8, 4) >> first % 8 & 0x7fff) != 0)
        return false;
    marks[(offset + PLACE_SIZE_BYTES) / 8] |= (uint8_t)(1u << offset % 8);
    return true;
}

static enum relocation_status check_place(const struct elf_plan *plan, uint64_t address)
{
    struct virt_range place;
    if (!virt_range_from_base_size(virt_addr(address), PLACE_SIZE_BYTES, &place))
        return RELOCATION_OUT_OF_RANGE;
    for (unsigned i = 0; i < plan->segment_count; i++) {
        if (virt_range_contains(plan->segments[i].memory, place))
            return plan->segments[i].write ? RELOCATION_OK : RELOCATION_READ_ONLY;
    }
    return RELOCATION_OUT_OF_RANGE;
}

/* Put `addend` plus the slide there. Without an addend, the value that is there counts. */
static enum relocation_status relocate(struct work *work, uint64_t address,
                                       const struct word *addend)
{
    const struct relocation_request *request = work->request;
    uint64_t offset = address - request->plan->image.start.value;
    work->culprit->place = address;
    enum relocation_status status = check_place(request->plan, address);
    if (status != RELOCATION_OK)
        return status;
    if (!mark(request->marks, offset))
        return RELOCATION_OVERLAP;
    struct word *word = (struct word *)((uint8_t *)request->image + offset);
    word->value = (addend != NULL ? addend : word)->value + request->slide;
    work->count++;
    return RELOCATION_OK;
}

/* --- Tables --- */

static enum relocation_status apply_rela(struct work *work, const struct rela *rela)
{
    work->culprit->place = rela->place;
    work->culprit->kind = (uint32_t)rela->kind_and_symbol;
    if (work->culprit->kind == work->request->kinds->none)
        return RELOCATION_OK;
    if (work->culprit->kind != work->request->kinds->relative)
        return RELOCATION_BAD_KIND;
    return relocate(work, rela->place, &rela->addend);
}

/* An address stands for itself, a bitmap for the 63 words that follow. */
static enum relocation_status apply_relr(struct work *work, uint64_t bits)
{
    enum relocation_status status = RELOCATION_OK;
    uint64_t place = work->relr_next;
    work->culprit->place = bits;
    work->culprit->kind = work->request->kinds->relative;
    work->relr_next += RELR_BITS * PLACE_SIZE_BYTES;
    if ((bits & 1) == 0) {
        place = bits;
        bits = 3;
        work->relr_next = place + PLACE_SIZE_BYTES;
    } else if (place == 0) {
        return RELOCATION_RELR_BEGIN;
    }
    while (status == RELOCATION_OK && (bits >>= 1) != 0) {
        if ((bits & 1) != 0)
            status = relocate(work, place, NULL);
        place += PLACE_SIZE_BYTES;
    }
    return status;
}

struct table {
    char name[7];
    uint8_t address; /* tags */
    uint8_t size;
    uint8_t form; /* the tag whose value must be `form_value` */
    uint8_t form_value;
    uint8_t entry_size_bytes;
};

static const struct table tables[] = {
    {"RELA", TAG_RELA, TAG_RELA_SIZE, TAG_RELA_ENTRY_SIZE, sizeof(struct rela),
     sizeof(struct rela)},
    {"JMPREL", TAG_PLT, TAG_PLT_SIZE, TAG_PLT_FORM, TAG_RELA, sizeof(struct rela)},
    {"RELR", TAG_RELR, TAG_RELR_SIZE, TAG_RELR_ENTRY_SIZE, sizeof(uint64_t), sizeof(uint64_t)},
};

static enum relocation_status apply_table(struct work *work, const struct table *table)
{
    enum relocation_status status = RELOCATION_OK;
    uint64_t left_bytes = work->values[table->size];
    if (left_bytes == 0)
        return RELOCATION_OK;
    if (left_bytes % table->entry_size_bytes != 0 || work->values[table->form] != table->form_value)
        return RELOCATION_BAD_SIZE;
    const uint8_t *bytes = find_bytes(work, work->values[table->address], left_bytes);
    if (bytes == NULL || work->values[table->address] == 0)
        return RELOCATION_TABLE_OUTSIDE;
    work->culprit->table = table->name;
    work->culprit->index = 0;
    for (;;) {
        status = table->address == TAG_RELR ? apply_relr(work, ((const struct word *)bytes)->value)
                                            : apply_rela(work, (const struct rela *)bytes);
        left_bytes -= table->entry_size_bytes;
        if (status != RELOCATION_OK || left_bytes == 0)
            return status;
        bytes += table->entry_size_bytes;
        work->culprit->index++;
    }
}

enum relocation_status relocation_apply(const struct relocation_request *request,
                                        uint64_t *ret_count, struct relocation_culprit *ret_culprit)
{
    struct work work = {.request = request, .culprit = ret_culprit};
    *ret_culprit = (struct relocation_culprit){0};
    memset(request->marks, 0, relocation_marks_size_bytes(request->plan));
    enum relocation_status status = read_dynamic(&work);
    for (unsigned i = 0; status == RELOCATION_OK && i < sizeof(tables) / sizeof(tables[0]); i++) {
        ret_culprit->table = NULL; /* an error may be about the next table as a whole */
        status = apply_table(&work, &tables[i]);
    }
    *ret_count = work.count;
    return status;
}

/* --- Words --- */

/* In the order of enum relocation_status. */
static const char sentences[] PACKED_SECTION = "Applied.\0"
                                               "PT_DYNAMIC is outside of the segments.\0"
                                               "PT_DYNAMIC has no end (DT_NULL).\0"
                                               "A tag of PT_DYNAMIC is repeated.\0"
                                               "It needs a library (DT_NEEDED).\0"
                                               "It relocates its code (DT_TEXTREL).\0"
                                               "Its relocations are not DT_RELA or DT_RELR.\0"
                                               "A table has a wrong size.\0"
                                               "A table is outside of the segments.\0"
                                               "Only relative ones are supported.\0"
                                               "It is outside of the segments.\0"
                                               "Its segment is read-only.\0"
                                               "It overlaps one before.\0"
                                               "A bitmap has no address before it.\0";

void relocation_describe(enum relocation_status status, const struct relocation_culprit *culprit,
                         const struct relocation_kinds *kinds, char text[RELOCATION_TEXT_CAPACITY])
{
    size_t used = 0;
    const char *name = "";
    if (culprit->kind < kinds->name_count)
        name = text_part(packed_text_read(kinds->names), culprit->kind);
    if (culprit->table != NULL)
        used = (size_t)format_packed(
            text, RELOCATION_TEXT_CAPACITY,
            "relocation %llu of DT_%s (%s%s %u) at 0x%llx: ", (unsigned long long)culprit->index,
            culprit->table, kinds->prefix, *name == '\0' ? "unknown" : name, culprit->kind,
            (unsigned long long)culprit->place);
    format_text(text + used, RELOCATION_TEXT_CAPACITY - used, "%s",
                text_part(packed_text_read(sentences), (unsigned)status));
}
