#include "kernel/handoff/handoff_check.h"

#include "kernel/handoff/handoff_proof.h"
#include "kernel/mm/early_heap.h"
#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/handoff_checksum.h"
#include "shared/range.h"
#include "shared/region.h"

/* UEFI 2.10, section 7.2.3: EFI_MEMORY_DESCRIPTOR up to its last field, and EfiLoaderData. */
#define EFI_DESCRIPTOR_SIZE_MIN_BYTES 40
#define EFI_TYPE_LOADER_DATA          2

static const struct page_permissions READ_WRITE = {.write = true};

/* --- What the parts of the check ask ---------------------------------------------------------- */

const void *handoff_proof_at(const struct handoff_proof *proof, uint64_t physical)
{
    return (const void *)(proof->state->memory_base + physical);
}

bool handoff_proof_is_block(uint64_t base, uint64_t size_bytes)
{
    struct range range;
    return page_is_aligned(base) && page_is_aligned(size_bytes) && size_bytes != 0 &&
           range_from_base_size(base, size_bytes, &range);
}

bool handoff_proof_is_covered(const struct handoff_proof *proof, uint64_t base, uint64_t size_bytes,
                              enum handoff_region_type type)
{
    struct phys_range range = phys_range(base, base + size_bytes);
    return handoff_proof_is_block(base, size_bytes) &&
           region_list_covers(&proof->view.regions, range, type);
}

bool handoff_proof_is_mapped(const struct handoff_proof *proof, uint64_t virtual, uint64_t physical,
                             uint64_t size_bytes, struct page_permissions permissions)
{
    return page_table_prove(&proof->tables, virt_addr(virtual), phys_addr(physical), size_bytes,
                            permissions) == PAGE_TABLE_OK;
}

bool handoff_proof_is_in_direct_map(const struct handoff_proof *proof, uint64_t base,
                                    uint64_t size_bytes)
{
    return handoff_proof_is_mapped(proof, proof->state->direct_map_base + base, base, size_bytes,
                                   READ_WRITE);
}

/* [base, base + size_bytes) is inside the block of handoff data and aligned. */
static bool is_inside_data(const struct handoff *handoff, uint64_t base, uint64_t size_bytes,
                           uint64_t alignment_bytes)
{
    struct range data = {handoff->data_base, handoff->data_base + handoff->data_size_bytes};
    struct range inner;
    return base % alignment_bytes == 0 && range_from_base_size(base, size_bytes, &inner) &&
           range_contains(data, inner);
}

/* Not empty. 32 × 32 bits: the product cannot wrap. */
static bool is_array_inside_data(const struct handoff *handoff, const struct handoff_array *array,
                                 uint64_t element_size_bytes)
{
    return array->count != 0 && array->stride_bytes >= element_size_bytes &&
           array->stride_bytes % sizeof(uint64_t) == 0 &&
           is_inside_data(handoff, array->first, (uint64_t)array->count * array->stride_bytes,
                          sizeof(uint64_t));
}

/* A text inside the data with its NUL. NULL if it is not. */
static const char *text_inside_data(const struct handoff_proof *proof, struct handoff_text place)
{
    if (place.size_bytes == UINT64_MAX ||
        !is_inside_data(proof->handoff, place.address, place.size_bytes + 1, 1))
        return NULL;
    const char *text = handoff_proof_at(proof, place.address);
    return text[place.size_bytes] == '\0' ? text : NULL;
}

static bool has_end(const char *text, size_t capacity_bytes)
{
    for (size_t i = 0; i < capacity_bytes; i++) {
        if (text[i] == '\0')
            return true;
    }
    return false;
}

/* --- The structure ---------------------------------------------------------------------------- */

/* All that can be said of the pointer before it is followed. A structure at a page boundary, of a
 * page at most, is readable as a whole if its first byte is. */
static enum handoff_check_status check_pointer(uint64_t address, const struct entry_state *state)
{
    unsigned levels = state->features.levels;
    if (address == 0)
        return HANDOFF_CHECK_POINTER_NULL;
    if (!page_table_is_canonical(levels, virt_addr(address)))
        return HANDOFF_CHECK_POINTER_NON_CANONICAL;
    if (!page_is_aligned(address))
        return HANDOFF_CHECK_POINTER_MISALIGNED;
    if (address < state->direct_map_base ||
        address - state->direct_map_base > direct_map_limit(levels).value - PAGE_SIZE_BYTES)
        return HANDOFF_CHECK_POINTER_OUTSIDE;
    return HANDOFF_CHECK_OK;
}

/* What the first fields say, and then the checksum over all of them. */
static enum handoff_check_status check_identity(const struct handoff *handoff)
{
    if (handoff->magic != HANDOFF_MAGIC)
        return HANDOFF_CHECK_MAGIC;
    if (handoff->version_major != HANDOFF_VERSION_MAJOR)
        return HANDOFF_CHECK_MAJOR_VERSION;
    if (handoff->size_bytes < HANDOFF_SIZE_V2_BYTES ||
        handoff->size_bytes > HANDOFF_CHECK_SIZE_MAX_BYTES)
        return HANDOFF_CHECK_SIZE;
    if (handoff->checksum != handoff_checksum(handoff, handoff->size_bytes))
        return HANDOFF_CHECK_CHECKSUM;
    if (handoff->machine != HANDOFF_MACHINE_X86_64)
        return HANDOFF_CHECK_MACHINE;
    if (!has_end(handoff->loader_name, sizeof(handoff->loader_name)))
        return HANDOFF_CHECK_LOADER_NAME;
    return HANDOFF_CHECK_OK;
}

/* --- Address translation ---------------------------------------------------------------------- */

static bool flag_agrees(const struct handoff *handoff, uint32_t flag, bool is_on)
{
    return ((handoff->arch.x86_64.flags & flag) != 0) == is_on;
}

static bool flags_agree(const struct handoff *handoff, const struct page_table_features *features)
{
    return flag_agrees(handoff, HANDOFF_X86_64_NO_EXECUTE, features->no_execute) &&
           flag_agrees(handoff, HANDOFF_X86_64_PAGES_1GIB, features->largest_leaf_level >= 3) &&
           flag_agrees(handoff, HANDOFF_X86_64_FIFTH_LEVEL, features->levels == 5);
}

static bool root_agrees(const struct handoff *handoff, const struct entry_state *state)
{
    uint64_t root = handoff->arch.x86_64.page_table_root;
    return page_is_aligned(root) && root >> state->features.physical_bits == 0 &&
           root == state->page_table_root.value;
}

/* A block that the direct map reaches, if it is what the handoff says. */
static bool is_reachable(const struct handoff *handoff, uint64_t base, uint64_t size_bytes)
{
    return handoff_proof_is_block(base, size_bytes) &&
           base + size_bytes <= handoff->direct_map_size_bytes;
}

/* The callback has no `const`; nothing is written. */
static uint64_t *access_table(void *context, struct phys_addr table)
{
    const struct handoff_proof *proof = context;
    struct range page = {table.value, table.value + PAGE_SIZE_BYTES};
    if (!range_contains(proof->table_block, page))
        return NULL;
    return (uint64_t *)(proof->state->memory_base + table.value);
}

/* From here on the tables in force can be asked. */
static void use_tables(struct handoff_proof *proof)
{
    const struct handoff *handoff = proof->handoff;
    proof->table_block = (struct range){
        handoff->page_tables_base, handoff->page_tables_base + handoff->page_tables_size_bytes};
    proof->tables = (struct page_table){
        .root = proof->state->page_table_root,
        .upper_root = proof->state->page_table_root,
        .features = proof->state->features,
        .memory = {.context = proof, .access_table = access_table},
    };
}

/* The numbers first. The first table that is read is the one that the CPU itself uses, and no table
 * is read outside of the block; then the tables must map the block where it was read. */
static enum handoff_check_status check_translation(struct handoff_proof *proof)
{
    const struct handoff *handoff = proof->handoff;
    const struct entry_state *state = proof->state;
    uint64_t root = handoff->arch.x86_64.page_table_root;
    if (handoff->direct_map_base != state->direct_map_base ||
        handoff->direct_map_size_bytes > direct_map_limit(state->features.levels).value)
        return HANDOFF_CHECK_DIRECT_MAP;
    if (!flags_agree(handoff, &state->features))
        return HANDOFF_CHECK_FLAGS;
    if (!root_agrees(handoff, state))
        return HANDOFF_CHECK_PAGE_TABLE_ROOT;
    if (!is_reachable(handoff, handoff->page_tables_base, handoff->page_tables_size_bytes) ||
        root < handoff->page_tables_base ||
        root - handoff->page_tables_base >= handoff->page_tables_size_bytes)
        return HANDOFF_CHECK_PAGE_TABLES;
    use_tables(proof);
    if (!handoff_proof_is_in_direct_map(proof, handoff->page_tables_base,
                                        handoff->page_tables_size_bytes))
        return HANDOFF_CHECK_PAGE_TABLES_NOT_MAPPED;
    return HANDOFF_CHECK_OK;
}

/* --- What the structure points to ------------------------------------------------------------- */

/* The block in which everything else is read. */
static enum handoff_check_status check_data_block(const struct handoff_proof *proof,
                                                  uint64_t own_physical)
{
    const struct handoff *handoff = proof->handoff;
    if (!is_reachable(handoff, handoff->data_base, handoff->data_size_bytes) ||
        !is_inside_data(handoff, own_physical, handoff->size_bytes, _Alignof(struct handoff)))
        return HANDOFF_CHECK_DATA_BLOCK;
    if (!handoff_proof_is_in_direct_map(proof, handoff->data_base, handoff->data_size_bytes))
        return HANDOFF_CHECK_DATA_NOT_MAPPED;
    return HANDOFF_CHECK_OK;
}

/* Firmware cuts RAM into many small rows: those that touch are proven in one walk. RAM of a type
 * that this version does not know may not be mapped: then it says so. Moves *index behind the run.
 */
static struct phys_range next_ram_run(const struct region_list *regions, uint32_t *index)
{
    struct phys_range run = phys_range(0, 0);
    for (; *index < regions->count; (*index)++) {
        struct phys_range region = region_list_range(regions, *index);
        bool is_ram = region_is_mapped_ram(region_list_at(regions, *index));
        if (!phys_range_is_empty(run) && (!is_ram || region.start.value != run.end.value))
            break;
        if (is_ram)
            run = (struct phys_range){phys_range_is_empty(run) ? region.start : run.start,
                                      region.end};
    }
    return run;
}

static enum handoff_check_status check_ram(const struct handoff_proof *proof)
{
    const struct region_list *regions = &proof->view.regions;
    for (uint32_t i = 0; i < regions->count;) {
        struct phys_range run = next_ram_run(regions, &i);
        if (phys_range_is_empty(run))
            break;
        if (run.end.value > proof->handoff->direct_map_size_bytes)
            return HANDOFF_CHECK_REGIONS_OUTSIDE_DIRECT_MAP;
        if (!handoff_proof_is_in_direct_map(proof, run.start.value, phys_range_size_bytes(run)))
            return HANDOFF_CHECK_REGIONS_NOT_MAPPED;
    }
    return HANDOFF_CHECK_OK;
}

/* What holds of a region of any type, and of one that this version knows. */
static bool facts_are_sound(const struct handoff_region *region)
{
    const uint32_t usable = HANDOFF_FACT_RAM | HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE;
    const uint32_t known = usable | HANDOFF_FACT_LOADER_PLACED;
    bool is_known = region_type_precedence(region->type) != 0;
    if ((region->facts & HANDOFF_FACT_WRITABLE) != 0 && (region->facts & HANDOFF_FACT_MAPPED) == 0)
        return false;
    if (region->reuse != HANDOFF_REUSE_NEVER && (region->facts & usable) != usable)
        return false;
    return !is_known || ((region->facts & known) == region_type_facts(region->type) &&
                         region->reuse == (uint32_t)region_type_reuse(region->type));
}

static bool all_facts_are_sound(const struct region_list *regions)
{
    for (uint32_t i = 0; i < regions->count; i++) {
        if (!facts_are_sound(region_list_at(regions, i)))
            return false;
    }
    return true;
}

static enum handoff_check_status check_regions(struct handoff_proof *proof)
{
    const struct handoff *handoff = proof->handoff;
    if (!is_array_inside_data(handoff, &handoff->regions, sizeof(struct handoff_region)))
        return HANDOFF_CHECK_REGIONS;
    proof->view.regions = (struct region_list){
        .first = handoff_proof_at(proof, handoff->regions.first),
        .count = handoff->regions.count,
        .stride_bytes = handoff->regions.stride_bytes,
    };
    if (!region_list_is_normalised(&proof->view.regions))
        return HANDOFF_CHECK_REGIONS_NOT_NORMALISED;
    if (!all_facts_are_sound(&proof->view.regions))
        return HANDOFF_CHECK_REGIONS_FACTS;
    return check_ram(proof);
}

static bool efi_map_is_sound(const struct handoff *handoff)
{
    uint32_t stride_bytes = handoff->efi_descriptor_size_bytes;
    return stride_bytes >= EFI_DESCRIPTOR_SIZE_MIN_BYTES && stride_bytes % sizeof(uint64_t) == 0 &&
           handoff->efi_map_size_bytes != 0 && handoff->efi_map_size_bytes % stride_bytes == 0 &&
           is_inside_data(handoff, handoff->efi_map, handoff->efi_map_size_bytes, sizeof(uint64_t));
}

const struct handoff_moment *handoff_view_moment(const struct handoff_view *view, uint32_t index)
{
    const uint8_t *bytes = view->timeline;
    return (const void *)(bytes + (uint64_t)index * view->handoff->timeline.stride_bytes);
}

static bool timeline_is_sound(const struct handoff_view *view)
{
    const struct handoff *handoff = view->handoff;
    if (handoff->timeline.count == 0)
        return true;
    if (!is_array_inside_data(handoff, &handoff->timeline, sizeof(struct handoff_moment)))
        return false;
    for (uint32_t i = 0; i < handoff->timeline.count; i++) {
        const struct handoff_moment *moment = handoff_view_moment(view, i);
        if (!has_end(moment->name, sizeof(moment->name)))
            return false;
    }
    return true;
}

/* The arrays that a kernel may follow later. What lies behind their elements is for the reader. */
static bool other_arrays_are_sound(const struct handoff *handoff)
{
    const struct {
        const struct handoff_array *array;
        size_t element_size_bytes;
    } others[] = {
        {&handoff->temp_heaps, sizeof(struct handoff_temp_heap)},
        {&handoff->modules, sizeof(struct handoff_module)},
        {&handoff->framebuffers, sizeof(struct handoff_framebuffer)},
        {&handoff->processors, sizeof(struct handoff_processor)},
        {&handoff->firmware_tables, sizeof(struct handoff_firmware_table)},
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (others[i].array->count != 0 &&
            !is_array_inside_data(handoff, others[i].array, others[i].element_size_bytes))
            return false;
    }
    return true;
}

/* Everything that the structure points to, and the view of it. */
static enum handoff_check_status check_pointers(struct handoff_proof *proof)
{
    const struct handoff *handoff = proof->handoff;
    struct handoff_view *view = &proof->view;
    enum handoff_check_status status = check_regions(proof);
    if (status != HANDOFF_CHECK_OK)
        return status;
    /* From here on the regions vouch for the block in which everything else is read. */
    if (!handoff_proof_is_covered(proof, handoff->data_base, handoff->data_size_bytes,
                                  HANDOFF_REGION_HANDOFF_DATA))
        return HANDOFF_CHECK_DATA_REGION;
    if (!efi_map_is_sound(handoff))
        return HANDOFF_CHECK_EFI_MAP;
    view->efi_map = handoff_proof_at(proof, handoff->efi_map);
    view->command_line = text_inside_data(proof, handoff->command_line);
    if (view->command_line == NULL)
        return HANDOFF_CHECK_COMMAND_LINE;
    view->log = text_inside_data(proof, handoff->log);
    if (view->log == NULL)
        return HANDOFF_CHECK_LOG;
    if (text_inside_data(proof, handoff->kernel_path) == NULL)
        return HANDOFF_CHECK_KERNEL_PATH;
    view->timeline = handoff_proof_at(proof, handoff->timeline.first);
    if (!timeline_is_sound(view))
        return HANDOFF_CHECK_TIMELINE;
    if (!other_arrays_are_sound(handoff))
        return HANDOFF_CHECK_ARRAYS;
    if (handoff->temp_heaps.count != 0)
        view->first_temp_heap =
            *(const struct handoff_temp_heap *)handoff_proof_at(proof, handoff->temp_heaps.first);
    return HANDOFF_CHECK_OK;
}

/* --- All of it -------------------------------------------------------------------------------- */

/* Up to the point from which the tables in force can be asked. */
static enum handoff_check_status begin(uint64_t address, const struct entry_state *state,
                                       struct handoff_proof *proof)
{
    *proof = (struct handoff_proof){.state = state};
    enum handoff_check_status status = check_pointer(address, state);
    if (status != HANDOFF_CHECK_OK)
        return status;
    proof->handoff = handoff_proof_at(proof, address - state->direct_map_base);
    proof->view.handoff = proof->handoff;
    status = check_identity(proof->handoff);
    return status == HANDOFF_CHECK_OK ? check_translation(proof) : status;
}

enum handoff_check_status handoff_check(uint64_t address, const struct entry_state *state,
                                        struct handoff_view *ret_view)
{
    struct handoff_proof proof;
    enum handoff_check_status status = begin(address, state, &proof);
    if (status == HANDOFF_CHECK_OK)
        status = check_data_block(&proof, address - state->direct_map_base);
    if (status == HANDOFF_CHECK_OK)
        status = check_pointers(&proof);
    if (status == HANDOFF_CHECK_OK)
        status = handoff_proof_of_ownership(&proof);
    if (status != HANDOFF_CHECK_OK)
        return status;
    proof.view.framebuffer_status = handoff_proof_of_framebuffer(&proof, &proof.view.framebuffer);
    *ret_view = proof.view;
    return HANDOFF_CHECK_OK;
}

bool handoff_check_numbers(uint64_t address, const struct entry_state *state,
                           enum handoff_check_status status, uint64_t *ret_handed_over,
                           uint64_t *ret_known)
{
    const struct handoff_proof proof = {.state = state};
    const struct handoff *handoff = handoff_proof_at(&proof, address - state->direct_map_base);
    switch (status) {
    case HANDOFF_CHECK_MAJOR_VERSION:
        *ret_handed_over = handoff->version_major;
        *ret_known = HANDOFF_VERSION_MAJOR;
        return true;
    case HANDOFF_CHECK_PAGE_TABLE_ROOT:
        *ret_handed_over = handoff->arch.x86_64.page_table_root;
        *ret_known = state->page_table_root.value;
        return true;
    case HANDOFF_CHECK_KERNEL_BASE:
        *ret_handed_over = handoff->kernel_virtual_base;
        *ret_known = state->image.start;
        return true;
    case HANDOFF_CHECK_KERNEL_SIZE:
        *ret_handed_over = handoff->kernel_size_bytes;
        *ret_known = range_size_bytes(state->image);
        return true;
    case HANDOFF_CHECK_KERNEL_ENTRY:
        *ret_handed_over = handoff->kernel_entry;
        *ret_known = state->entry;
        return true;
    case HANDOFF_CHECK_STACK_POINTER:
        *ret_handed_over = handoff->stack_virtual_base;
        *ret_known = state->stack_pointer.value;
        return true;
    default:
        return false;
    }
}

bool handoff_check_screen(uint64_t address, const struct entry_state *state,
                          struct handoff_framebuffer *ret_framebuffer)
{
    struct handoff_proof proof;
    struct handoff_framebuffer framebuffer;
    if (begin(address, state, &proof) != HANDOFF_CHECK_OK ||
        handoff_proof_of_screen(&proof, &framebuffer) != HANDOFF_FRAMEBUFFER_OK)
        return false;
    *ret_framebuffer = framebuffer;
    return true;
}

bool handoff_has_random_seed(const struct handoff *handoff)
{
    uint8_t seen = 0;
    for (size_t i = 0; i < sizeof(handoff->random_seed); i++)
        seen |= handoff->random_seed[i];
    return seen != 0 && (handoff->random_seed_source == HANDOFF_SEED_EFI_RNG ||
                         handoff->random_seed_source == HANDOFF_SEED_CPU);
}

/* --- The temporary heap ----------------------------------------------------------------------- */

static bool temp_heap_overlaps_others(const struct handoff_view *view, struct phys_range heap)
{
    const struct handoff *handoff = view->handoff;
    const struct handoff_framebuffer *framebuffer = &view->framebuffer;
    const struct phys_range others[] = {
        phys_range(handoff->kernel_physical_base,
                   handoff->kernel_physical_base + handoff->kernel_size_bytes),
        phys_range(handoff->data_base, handoff->data_base + handoff->data_size_bytes),
        phys_range(handoff->page_tables_base,
                   handoff->page_tables_base + handoff->page_tables_size_bytes),
        phys_range(handoff->stack_physical_base,
                   handoff->stack_physical_base + handoff->stack_size_bytes),
    };
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (phys_range_overlaps(others[i], heap))
            return true;
    }
    /* The framebuffer's numbers may have been found wrong; then the region's type must tell. */
    return view->framebuffer_status == HANDOFF_FRAMEBUFFER_OK &&
           phys_range_overlaps(
               phys_range(framebuffer->base, framebuffer->base + framebuffer->size_bytes), heap);
}

static bool is_loader_data(const struct region_list *regions, struct phys_range heap)
{
    for (uint32_t i = 0; i < regions->count; i++) {
        if (phys_range_overlaps(region_list_range(regions, i), heap) &&
            region_list_at(regions, i)->efi_type != EFI_TYPE_LOADER_DATA)
            return false;
    }
    return region_list_covers(regions, heap, HANDOFF_REGION_TEMP_HEAP);
}

enum handoff_temp_heap_status handoff_check_temp_heap(const struct handoff_view *view)
{
    uint64_t base = view->handoff->temp_heap_base;
    uint64_t size_bytes = view->handoff->temp_heap_size;
    struct phys_range heap;
    if (base == 0 && size_bytes == 0)
        return HANDOFF_TEMP_HEAP_ABSENT;
    if (base == 0 || size_bytes == 0)
        return HANDOFF_TEMP_HEAP_ONE_FIELD_ZERO;
    if (base < PAGE_SIZE_BYTES)
        return HANDOFF_TEMP_HEAP_FRAME_ZERO;
    if (!page_is_aligned(base))
        return HANDOFF_TEMP_HEAP_UNALIGNED;
    if (!phys_range_from_base_size(phys_addr(base), size_bytes, &heap))
        return HANDOFF_TEMP_HEAP_WRAPS;
    if (size_bytes < EARLY_HEAP_SIZE_MIN_BYTES)
        return HANDOFF_TEMP_HEAP_TOO_SMALL;
    if (size_bytes > EARLY_HEAP_SIZE_MAX_BYTES)
        return HANDOFF_TEMP_HEAP_TOO_LARGE;
    if (temp_heap_overlaps_others(view, heap))
        return HANDOFF_TEMP_HEAP_OVERLAPS;
    if (!is_loader_data(&view->regions, heap))
        return HANDOFF_TEMP_HEAP_NOT_LOADER_DATA;
    if (view->first_temp_heap.base != base || view->first_temp_heap.size_bytes != size_bytes)
        return HANDOFF_TEMP_HEAP_NOT_THE_FIRST;
    return HANDOFF_TEMP_HEAP_OK;
}
