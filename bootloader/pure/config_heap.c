#include "bootloader/pure/config_value.h"
#include "shared/address.h"
#include "shared/text/number.h"

_Static_assert(CONFIG_TEMP_HEAP_LIMIT <= UINT64_MAX - PAGE_SIZE_BYTES, "rounding up cannot wrap");

/* The highest address of x86-64 and AArch64 has no more bits. */
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

static bool take_number(struct piece *text, uint64_t *ret_number)
{
    struct piece word = next_word(text);
    return number_parse(word.text, word.length, ret_number);
}

/* A size, and then nothing, or `below 4G`, or `from 1G`. */
static enum config_status parse_heap(struct piece text, struct config_heap *heap)
{
    heap->from = heap->below = 0;
    if (!take_number(&text, &heap->size_bytes))
        return CONFIG_BAD_NUMBER;
    if (heap->size_bytes > CONFIG_TEMP_HEAP_LIMIT)
        return CONFIG_NUMBER_TOO_LARGE;
    heap->size_bytes = page_align_up(heap->size_bytes);
    struct piece word = next_word(&text);
    if (word.length == 0)
        return CONFIG_OK;
    bool is_below = piece_equals(word, "below");
    uint64_t *address = is_below ? &heap->below : &heap->from;
    if ((!is_below && !piece_equals(word, "from")) || !take_number(&text, address) ||
        *address - 1 >= ADDRESS_LIMIT || next_word(&text).length != 0)
        return CONFIG_BAD_HEAP_PLACE;
    heap->from = page_align_up(heap->from);
    return CONFIG_OK;
}

enum config_status config_heaps_store(struct piece value, struct config *config)
{
    struct config_heaps *heaps = &config->temp_heaps;
    enum config_status status = CONFIG_OK;
    bool has_more = true;
    heaps->count = 0;
    while (has_more && status == CONFIG_OK) {
        struct piece text = value;
        has_more = piece_split(value, ',', &text, &value);
        if (heaps->count == CONFIG_HEAP_LIMIT)
            return CONFIG_TOO_MANY_HEAPS;
        struct config_heap *heap = &heaps->list[heaps->count];
        status = parse_heap(text, heap);
        heaps->count += heap->size_bytes != 0;
    }
    return status;
}
