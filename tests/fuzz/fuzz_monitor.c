/* Keys for the monitor, from any bytes of a terminal or of a PS/2 keyboard, on a kernel over fake
 * memory. No key leads to a fault, to a panic that nobody typed, or to a damaged heap. */
#include <stdbool.h>
#include <string.h>

#include "kernel/input/scancode.h"
#include "kernel/input/terminal_keys.h"
#include "tests/fuzz/require.h"
#include "tests/unit/support/log_stub.h"
#include "tests/unit/support/monitor_machine.h"
#include "tests/unit/support/panic_stub.h"

static bool was_forced;

/* Take a key. A panic is allowed only if the line has the word. */
static void take(struct monitor *monitor, key_code key)
{
    volatile bool did_panic;
    was_forced = was_forced || strstr(monitor->editor.text, "force") != NULL;
    bool may_panic = strstr(monitor->editor.text, "panic") != NULL;
    catch_panic(did_panic, (void)monitor_take(monitor, key));
    require(!did_panic || may_panic);
    if (did_panic)
        monitor_begin(monitor);
    require(strlen(monitor->editor.text) == monitor->editor.length);
    require(monitor->editor.cursor <= monitor->editor.length);
    log_stub_clear();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct monitor_machine *machine = monitor_machine();
    struct terminal_keys terminal = {0};
    struct scancode_reader scancode = {0};
    bool is_keyboard = size_bytes > 0 && bytes[0] == 0xff;
    machine->discards_writes = true;
    machine->fault_count = 0;
    was_forced = false;
    monitor_begin(&machine->monitor);
    for (size_t i = 0; i < size_bytes; i++) {
        key_code key = is_keyboard ? scancode_read(&scancode, bytes[i])
                                   : terminal_keys_read(&terminal, bytes[i]);
        if (key != KEY_NONE)
            take(&machine->monitor, key);
    }
    require(machine->fault_count == 0 || was_forced);
    require(heap_check(machine->kernel.heap) == NULL);
    monitor_machine_reset();
    return 0;
}
