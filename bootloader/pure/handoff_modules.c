#include "bootloader/pure/handoff_modules.h"

#include "shared/memory.h"
#include "shared/text/text.h"

void handoff_write_heaps(const struct handoff_block *block,
                         const struct phys_range heaps[CONFIG_HEAP_LIMIT])
{
    size_t count = 0;
    for (; count < CONFIG_HEAP_LIMIT && !phys_range_is_empty(heaps[count]); count++)
        block->temp_heaps[count] = (struct handoff_temp_heap){heaps[count].start.value,
                                                              phys_range_size_bytes(heaps[count])};
    block->handoff->temp_heaps =
        handoff_block_array(block, block->temp_heaps, count, sizeof(struct handoff_temp_heap));
}

static struct handoff_text text_at(const struct handoff_block *block, uint16_t place)
{
    const char *text = block->module_texts + place;
    return (struct handoff_text){handoff_block_address(block, text), text_length(text)};
}

void handoff_write_modules(const struct handoff_block *block, const struct config_modules *modules,
                           const struct phys_range *places)
{
    memcpy(block->module_texts, modules->texts, modules->text_size_bytes);
    for (unsigned i = 0; i < modules->count; i++)
        block->modules[i] = (struct handoff_module){
            .base = places[i].start.value,
            .size_bytes = phys_range_size_bytes(places[i]),
            .name = text_at(block, modules->list[i].name),
            .command_line = text_at(block, modules->list[i].command_line),
        };
    block->handoff->modules =
        handoff_block_array(block, block->modules, modules->count, sizeof(struct handoff_module));
}
