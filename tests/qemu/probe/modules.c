#include "tests/qemu/probe/modules.h"

#include "tests/qemu/probe/block.h"
#include "tests/qemu/probe/serial.h"

static void require_text(const struct handoff *handoff, struct handoff_text text,
                         struct promises *promises)
{
    uint64_t offset = text.address - handoff->data_base;
    bool is_inside =
        offset < handoff->data_size_bytes && text.size_bytes < handoff->data_size_bytes - offset;
    promise_require(promises, is_inside, "a text in the handoff data", text.address);
    if (!is_inside)
        return;
    const char *bytes = block_pointer(handoff, text.address);
    for (uint64_t i = 0; i <= text.size_bytes; i++)
        promise_require(promises, (bytes[i] == '\0') == (i == text.size_bytes),
                        "a NUL at the end only", i);
}

static void require_zero_tail(const struct handoff *handoff, const struct handoff_module *module,
                              struct promises *promises)
{
    const uint8_t *bytes = block_pointer(handoff, module->base);
    for (uint64_t i = module->size_bytes; i % PAGE != 0; i++)
        promise_require(promises, bytes[i] == 0, "zeros behind the file", module->base + i);
}

void modules_check(const struct handoff *handoff, struct promises *promises)
{
    promise_begin(promises, "modules-lie-in-pages-of-their-own");
    promise_require(promises, handoff->modules.count <= BLOCK_MODULE_LIMIT,
                    "so few modules that the probe lists all", handoff->modules.count);
    for (uint32_t i = 0; i < handoff->modules.count; i++) {
        const struct handoff_module *module = block_module(handoff, i);
        promise_require(promises, module->base % PAGE == 0, "a page-aligned base", module->base);
        promise_require(promises, module->size_bytes != 0, "no empty module", i);
        promise_require_equal(promises, 0, module->reserved);
        promise_require_equal(promises, 0, module->flags & ~HANDOFF_MODULE_HASHED);
    }
    promise_end(promises);

    promise_begin(promises, "modules-end-in-zeros");
    for (uint32_t i = 0; i < handoff->modules.count; i++)
        require_zero_tail(handoff, block_module(handoff, i), promises);
    promise_end(promises);

    promise_begin(promises, "modules-have-texts");
    for (uint32_t i = 0; i < handoff->modules.count; i++) {
        require_text(handoff, block_module(handoff, i)->name, promises);
        require_text(handoff, block_module(handoff, i)->command_line, promises);
    }
    promise_end(promises);
}

static void say_module(const struct handoff *handoff, uint32_t index)
{
    const struct handoff_module *module = block_module(handoff, index);
    const uint8_t *bytes = block_pointer(handoff, module->base);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < module->size_bytes; i++)
        sum = sum * 31 + bytes[i];
    serial_write("# module_");
    serial_write_decimal(index);
    serial_write("=");
    serial_write_hexadecimal(module->base);
    serial_write(" ");
    serial_write_hexadecimal(module->size_bytes);
    serial_write(" ");
    serial_write_hexadecimal(sum);
    serial_write(" ");
    for (unsigned i = 0; i < sizeof(module->sha256); i++) {
        serial_write_decimal((module->flags & HANDOFF_MODULE_HASHED) != 0 ? module->sha256[i] : 0);
        serial_write(i + 1 < sizeof(module->sha256) ? "," : " ");
    }
    serial_write(block_pointer(handoff, module->name.address));
    serial_write(" | ");
    serial_write(block_pointer(handoff, module->command_line.address));
    serial_write("\n");
}

void modules_say(const struct handoff *handoff)
{
    serial_write("# heaps=");
    serial_write_decimal(handoff->temp_heaps.count);
    for (uint32_t i = 0; i < handoff->temp_heaps.count; i++) {
        serial_write(" ");
        serial_write_hexadecimal(block_heap(handoff, i).base);
        serial_write(":");
        serial_write_hexadecimal(block_heap(handoff, i).size_bytes);
    }
    serial_write("\n");
    for (uint32_t i = 0; i < handoff->modules.count; i++)
        say_module(handoff, i);
}
