#include "bootloader/pure/config_value.h"
#include "shared/address.h"
#include "shared/text/number.h"

_Static_assert(CONFIG_TEMP_HEAP_LIMIT <= UINT64_MAX - PAGE_SIZE_BYTES, "rounding up cannot wrap");

/* The highest address of x86-64 and AArch64 has fewer bits. */
#define ADDRESS_LIMIT (UINT64_C(1) << 52)

/* `below 4G` or `from 1G`. */
static enum config_status parse_place(struct piece text, struct config_heap *heap)
{
    struct piece word;
    struct piece number;
    uint64_t address;
    if (!piece_split(text, ' ', &word, &number))
        return CONFIG_BAD_HEAP_PLACE;
    number = config_value_trim(number);
    if (!number_parse(number.text, number.length, &address) || address == 0 ||
        address > ADDRESS_LIMIT)
        return CONFIG_BAD_HEAP_PLACE;
    if (piece_equals(word, "below"))
        heap->below = address;
    else if (piece_equals(word, "from"))
        heap->from = page_align_up(address);
    else
        return CONFIG_BAD_HEAP_PLACE;
    return CONFIG_OK;
}

static enum config_status parse_heap(struct piece text, struct config_heap *heap)
{
    struct piece size = text;
    struct piece place = {text.text, 0};
    (void)piece_split(text, ' ', &size, &place);
    if (!number_parse(size.text, size.length, &heap->size_bytes))
        return CONFIG_BAD_NUMBER;
    if (heap->size_bytes > CONFIG_TEMP_HEAP_LIMIT)
        return CONFIG_NUMBER_TOO_LARGE;
    heap->size_bytes = page_align_up(heap->size_bytes);
    place = config_value_trim(place);
    return place.length == 0 ? CONFIG_OK : parse_place(place, heap);
}

enum config_status config_heaps_store(struct piece value, struct config *config)
{
    struct config_heaps *heaps = &config->temp_heaps;
    bool is_last = false;
    heaps->count = 0;
    while (!is_last) {
        struct piece text = value;
        struct config_heap heap = {0, 0, 0};
        is_last = !piece_split(value, ',', &text, &value);
        enum config_status status = parse_heap(config_value_trim(text), &heap);
        if (status != CONFIG_OK)
            return status;
        if (heap.size_bytes == 0)
            continue;
        if (heaps->count == CONFIG_HEAP_LIMIT)
            return CONFIG_TOO_MANY_HEAPS;
        heaps->list[heaps->count++] = heap;
    }
    return CONFIG_OK;
}
