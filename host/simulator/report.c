#include "host/simulator/report.h"

#include <inttypes.h>

#include "kernel/mm/layout.h"
#include "shared/region.h"
#include "host/simulator/ownership.h"

/* The length of the character in UTF-8 at `text`; 0 if the bytes are no character. */
static size_t utf8_length(const unsigned char *text)
{
    size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    if (text[0] < 0xc2 || text[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

/* JSON is UTF-8. Other bytes, which the name of a file may have, become U+FFFD. */
static const char *write_character(FILE *file, const char *text)
{
    unsigned char character = (unsigned char)*text;
    size_t length = 1;
    if (character == '"' || character == '\\') {
        (void)fprintf(file, "\\%c", character);
    } else if (character < ' ' || character == 0x7f) {
        (void)fprintf(file, "\\u%04x", character);
    } else if (character < 0x80) {
        (void)fputc(character, file);
    } else {
        length = utf8_length((const unsigned char *)text);
        (void)fwrite(length > 0 ? text : "\xef\xbf\xbd", 1, length > 0 ? length : 3, file);
        length = length > 0 ? length : 1;
    }
    return text + length;
}

static void write_text(FILE *file, const char *text)
{
    (void)fputc('"', file);
    while (*text != '\0')
        text = write_character(file, text);
    (void)fputc('"', file);
}

/* Between the elements of a list. */
static void write_comma(FILE *file, bool is_first)
{
    if (!is_first)
        (void)fputc(',', file);
}

static void write_notes(const struct map_text *map, FILE *file)
{
    (void)fprintf(file, ",\"notes\":[");
    for (size_t i = 0; i < map->note_count; i++) {
        write_comma(file, i == 0);
        (void)fprintf(file, "{\"line\":%u,\"text\":", map->notes[i].line);
        write_text(file, map->notes[i].text);
        (void)fputc('}', file);
    }
    (void)fputc(']', file);
}

static void write_list_of_maps(const struct map_text *map, FILE *file)
{
    (void)fprintf(file, ",\"number\":%zu,\"maps\":[", map->map_number);
    for (size_t i = 0; i < map->map_count; i++) {
        write_comma(file, i == 0);
        (void)fprintf(file, "{\"line\":%u,\"rows\":%zu,\"form\":", map->maps[i].line,
                      map->maps[i].row_count);
        write_text(file, map_text_form_name(map->maps[i].form));
        (void)fputc('}', file);
    }
    (void)fputc(']', file);
}

static void write_map(const struct report *report, FILE *file)
{
    (void)fprintf(file, "\"map\":{\"source\":");
    write_text(file, report->source);
    (void)fprintf(file, ",\"form\":");
    write_text(file, map_text_form_name(report->map->form));
    write_notes(report->map, file);
    write_list_of_maps(report->map, file);
    (void)fprintf(file, ",\"rows\":[");
    for (size_t i = 0; i < report->map->row_count; i++) {
        const struct memory_map_descriptor *row = &report->rows[i];
        write_comma(file, i == 0);
        (void)fprintf(file,
                      "{\"type\":%" PRIu32 ",\"base\":%" PRIu64 ",\"pages\":%" PRIu64
                      ",\"attributes\":%" PRIu64 "}",
                      row->type, row->physical_start, row->page_count, row->attribute);
    }
    (void)fprintf(file, "]},\n");
}

static void write_regions(const struct report *report, FILE *file)
{
    (void)fprintf(file, "\"regions\":[");
    for (size_t i = 0; i < report->region_count; i++) {
        const struct handoff_region *region = &report->regions[i];
        write_comma(file, i == 0);
        (void)fprintf(file,
                      "\n{\"base\":%" PRIu64 ",\"size_bytes\":%" PRIu64
                      ",\"type\":\"%s\",\"ram\":%s,\"facts\":%" PRIu32 ",\"reuse\":%" PRIu32
                      ",\"efi_type\":%" PRIu32 ",\"attributes\":%" PRIu64 "}",
                      region->base, region->size_bytes, region_type_name(region->type),
                      region_is_ram(region) ? "true" : "false", region->facts, region->reuse,
                      region->efi_type, region->attributes);
    }
    (void)fprintf(file, "],\n");
}

static void write_ownership(const struct kernel_model *kernel, FILE *file)
{
    static const char *const STATES[OWNERSHIP_STATE_COUNT] = {"free", "cached", "used", "reserved"};
    struct ownership ownership;
    ownership_take(kernel, &ownership);
    (void)fprintf(file, "\"total_frames\":%" PRIu64 ",\"ownership\":[",
                  ownership.total_frame_count);
    for (size_t i = 0; i < ownership.count; i++) {
        const struct ownership_entry *entry = &ownership.entries[i];
        write_comma(file, i == 0);
        (void)fprintf(file,
                      "\n{\"name\":\"%s\",\"state\":\"%s\",\"entry_frames\":%" PRIu64
                      ",\"now_frames\":%" PRIu64 ",\"fate\":",
                      entry->name, STATES[entry->state], entry->entry_frame_count,
                      entry->now_frame_count);
        write_text(file, entry->fate);
        (void)fputc('}', file);
    }
    (void)fprintf(file, "],\n");
}

/* --- The mappings, area by area --------------------------------------------------------------- */

struct area {
    const char *name;
    struct virt_range virtual;
    const char *permissions;
    uint64_t mapped_bytes;
    uint64_t pages_4kib, pages_2mib, pages_1gib;
};

static const char *permissions_text(const struct page_permissions *permissions)
{
    if (permissions->memory_type == PAGE_MEMORY_WRITE_COMBINING)
        return "rw- write-combining";
    if (permissions->write)
        return permissions->execute ? "rwx" : "rw-";
    return permissions->execute ? "r-x" : "r--";
}

struct area_list {
    const struct kernel_model *kernel;
    struct area areas[16];
    size_t count;
};

static const char *area_name(const struct area_list *list, const struct page_mapping *mapping)
{
    uint64_t address = mapping->virtual.value;
    for (size_t i = 0; i < list->kernel->layout.segment_count; i++) {
        if (virt_range_contains_address(list->kernel->segments[i].virtual, mapping->virtual))
            return list->kernel->segments[i].name;
    }
    if (address >= LAYOUT_STACKS_BASE)
        return "stacks";
    if (address >= LAYOUT_GUARDED_HEAP_BASE)
        return "guarded heap";
    if (address >= LAYOUT_HEAP_WINDOW_BASE)
        return "heap window";
    return mapping->permissions.memory_type == PAGE_MEMORY_WRITE_BACK ? "direct map"
                                                                      : "framebuffer";
}

static bool add_to_area(void *context, const struct page_mapping *mapping)
{
    struct area_list *list = context;
    const char *name = area_name(list, mapping);
    struct area *area = NULL;
    for (size_t i = 0; i < list->count && area == NULL; i++) {
        if (list->areas[i].name == name)
            area = &list->areas[i];
    }
    if (area == NULL) {
        area = &list->areas[list->count++];
        *area = (struct area){.name = name,
                              .virtual = {mapping->virtual, virt_addr(0)},
                              .permissions = permissions_text(&mapping->permissions)};
    }
    area->virtual.end = virt_addr_add(mapping->virtual, mapping->page_size_bytes);
    area->mapped_bytes += mapping->page_size_bytes;
    area->pages_4kib += mapping->page_size_bytes == PAGE_SIZE_BYTES ? 1 : 0;
    area->pages_2mib += mapping->page_size_bytes == 2 * MIB ? 1 : 0;
    area->pages_1gib += mapping->page_size_bytes == GIB ? 1 : 0;
    return true;
}

static void write_address_space(const struct kernel_model *kernel, FILE *file)
{
    struct area_list list = {.kernel = kernel};
    (void)page_table_walk(&kernel->address_space.table, add_to_area, &list);
    (void)fprintf(file, "\"address_space\":[");
    for (size_t i = 0; i < list.count; i++) {
        const struct area *area = &list.areas[i];
        write_comma(file, i == 0);
        (void)fprintf(file,
                      "\n{\"name\":\"%s\",\"start\":%" PRIu64 ",\"end\":%" PRIu64
                      ",\"permissions\":\"%s\",\"mapped_bytes\":%" PRIu64 ",\"pages_4kib\":%" PRIu64
                      ",\"pages_2mib\":%" PRIu64 ",\"pages_1gib\":%" PRIu64 "}",
                      area->name, area->virtual.start.value, area->virtual.end.value,
                      area->permissions, area->mapped_bytes, area->pages_4kib, area->pages_2mib,
                      area->pages_1gib);
    }
    (void)fprintf(file, "],\n");
}

static void write_heaps(const struct kernel_model *kernel, FILE *file)
{
    struct heap_statistics heap;
    struct early_heap_statistics early = early_heap_statistics(&kernel->early_heap);
    heap_statistics(kernel->heap, &heap);
    (void)fprintf(file,
                  "\"heap\":{\"policy\":\"%s\",\"mapped_bytes\":%zu,\"limit_bytes\":%zu,"
                  "\"used_bytes\":%zu,\"free_bytes\":%zu,\"overhead_bytes\":%zu,"
                  "\"peak_used_bytes\":%zu,\"largest_free_bytes\":%zu,\"live_blocks\":%zu,"
                  "\"allocations\":%" PRIu64 ",\"failures\":%" PRIu64 "},\n",
                  heap_policy_name(kernel->heap), heap.size_bytes, heap.limit_bytes,
                  heap.used_bytes, heap.free_bytes, heap.overhead_bytes, heap.peak_used_bytes,
                  heap.largest_free_bytes, heap.live_block_count, heap.allocation_count,
                  heap.failure_count);
    (void)fprintf(file,
                  "\"early_heap\":{\"source\":\"%s\",\"size_bytes\":%" PRIu64
                  ",\"used_bytes\":%" PRIu64 ",\"peak_bytes\":%" PRIu64 "},\n",
                  kernel->early_heap_is_fallback ? "fallback" : "handoff", early.size_bytes,
                  early.used_bytes, early.peak_bytes);
}

static void write_load(const struct report *report, FILE *file)
{
    (void)fprintf(file, "\"load\":{\"name\":\"%s\",\"figures\":{", report->load_name);
    for (size_t i = 0; i < report->load->figure_count; i++) {
        write_comma(file, i == 0);
        (void)fprintf(file, "\"%s\":%" PRIu64, report->load->figures[i].key,
                      report->load->figures[i].value);
    }
    (void)fprintf(file, "}},\n");
}

bool report_write(const struct report *report, FILE *file)
{
    (void)fprintf(file, "{\"outcome\":\"%s\",\"cause\":", report->outcome);
    write_text(file, report->cause);
    (void)fprintf(file, ",\n");
    write_map(report, file);
    write_regions(report, file);
    if (report->kernel != NULL && report->kernel->is_ready) {
        write_ownership(report->kernel, file);
        write_address_space(report->kernel, file);
        write_heaps(report->kernel, file);
    }
    if (report->load != NULL)
        write_load(report, file);
    (void)fprintf(file, "\"proofs\":%u,\"resident_bytes\":%" PRIu64 ",\"took_ns\":%" PRIu64 "}\n",
                  report->proof_count,
                  report->kernel != NULL ? fake_ram_resident_bytes(report->kernel->ram) : 0,
                  report->took_ns);
    return fflush(file) == 0 && ferror(file) == 0;
}
