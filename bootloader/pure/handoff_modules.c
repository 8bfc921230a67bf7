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
    handoff_block_array(block, block->temp_heaps, count, sizeof(struct handoff_temp_heap),
                        &block->handoff->temp_heaps);
}

static void write_text(const struct handoff_block *block, uint16_t place,
                       struct handoff_text *ret_text)
{
    const char *text = block->module_texts + place;
    ret_text->address = handoff_block_address(block, text);
    ret_text->size_bytes = text_length(text);
}

void handoff_write_modules(const struct handoff_block *block, const struct config_modules *modules,
                           const struct phys_range *places)
{
    memcpy(block->module_texts, modules->texts, modules->text_size_bytes);
    memset(block->modules, 0, modules->count * sizeof(struct handoff_module));
    for (unsigned i = 0; i < modules->count; i++) {
        struct handoff_module *module = &block->modules[i];
        module->base = places[i].start.value;
        module->size_bytes = phys_range_size_bytes(places[i]);
        write_text(block, modules->list[i].name, &module->name);
        write_text(block, modules->list[i].command_line, &module->command_line);
        if (modules->list[i].has_sha256) {
            module->flags = HANDOFF_MODULE_HASHED;
            memcpy(module->sha256, modules->list[i].sha256.bytes, SHA256_SIZE_BYTES);
        }
    }
    handoff_block_array(block, block->modules, modules->count, sizeof(struct handoff_module),
                        &block->handoff->modules);
}
