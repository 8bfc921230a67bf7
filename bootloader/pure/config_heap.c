#include "bootloader/pure/config_value.h"
#include "shared/address.h"
#include "shared/text/number.h"

_Static_assert(CONFIG_TEMP_HEAP_LIMIT <= UINT64_MAX - PAGE_SIZE_BYTES, "rounding up cannot wrap");

/* The highest address of x86-64 and AArch64 has fewer bits. */
#define ADDRESS_LIMIT (UINT64_C(1) << 52)

/* Take the next word off the text. It is empty at the end. */
static struct piece next_word(struct piece *text)
{
    struct piece word = {text->text, 0};
    for (; text->length > 0; text->text++, text->length--) {
        if (!piece_is_blank(*text->text))
            word.length++;
        else if (word.length > 0)
            break;
        else
            word.text++;
    }
    return word;
}

/* `below 4G` or `from 1G`. */
static enum config_status parse_place(struct piece word, struct piece rest,
                                      struct config_heap *heap)
{
    struct piece number = next_word(&rest);
    uint64_t address;
    if (!number_parse(number.text, number.length, &address) || address == 0 ||
        address > ADDRESS_LIMIT || next_word(&rest).length != 0)
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
    struct piece size = next_word(&text);
    struct piece place = next_word(&text);
    if (!number_parse(size.text, size.length, &heap->size_bytes))
        return CONFIG_BAD_NUMBER;
    if (heap->size_bytes > CONFIG_TEMP_HEAP_LIMIT)
        return CONFIG_NUMBER_TOO_LARGE;
    heap->size_bytes = page_align_up(heap->size_bytes);
    return place.length == 0 ? CONFIG_OK : parse_place(place, text, heap);
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
        enum config_status status = parse_heap(text, &heap);
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
