/* The commands of the monitor, on a kernel over fake memory. */
#include "tests/unit/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/core/panic.h"
#include "kernel/diagnostics/monitor/commands.h"
#include "kernel/diagnostics/monitor/size_text.h"
#include "kernel/diagnostics/overview_figures.h"
#include "kernel/mm/heap/heap_brief.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "tests/unit/support/log_stub.h"
#include "tests/unit/support/monitor_machine.h"
#include "tests/unit/support/panic_stub.h"
#include "tests/unit/support/pixel_formats.h"
#include "tests/unit/support/test_screen.h"

#define RAM_BASE UINT64_C(0x200000)

/* The answer to a line must contain a text. `...` fills the line, as for printf(). */
#define expect(text, ...)                                                                          \
    do {                                                                                           \
        char line_[LINE_LIMIT + 1];                                                                \
        (void)snprintf(line_, sizeof line_, __VA_ARGS__);                                          \
        const char *answer = monitor_machine_ask(line_);                                           \
        if (strstr(answer, text) == NULL)                                                          \
            fail_msg("%s: no \"%s\" in: %s", line_, text, answer);                                 \
    } while (0)

static unsigned long long in_direct_map(uint64_t physical)
{
    return monitor_machine()->kernel.address_space.direct_map.start.value + physical;
}

static void test_each_command_has_all_its_texts(void **state)
{
    (void)state;
    for (const struct command *command = monitor_commands; command->name != NULL; command++) {
        struct piece example = {command->example, strlen(command->example)};
        struct arguments arguments = arguments_split(example);
        assert_true(piece_equals(arguments.name, command->name));
        assert_in_range(arguments.count, command->least, command->most);
        assert_true(command->most < ARGUMENTS_LIMIT);
        assert_true(strlen(command->name) <= 8 && strlen(command->meaning) <= 36);
        assert_ptr_equal(command_find(monitor_commands, arguments.name), command);
        assert_int_equal(strstr(command->arguments, "format=kv") != NULL, command->has_kv);
    }
}

static void test_physical_memory(void **state)
{
    (void)state;
    expect("0x000000801000-0x000000881000     512 KiB  kernel-image     reserved\n", "map");
    expect("framebuffer      not RAM\n", "map");
    expect("frames are free\n", "map");
    expect("[region] base=0x801000 size=524288 type=kernel-image", "map format=kv");
    expect("sound", "frames");
    expect("[memory] total=", "frames format=kv");
    expect(", 1 allocation\n", "early");
    expect("[early-heap-map] ", "early format=kv");
}

static void test_views_of_the_heap(void **state)
{
    (void)state;
    expect(" bytes\n", "alloc 100");
    expect("policy best-fit", "heap stats");
    expect("100 bytes in 1 block, peak ", "heap stats");
    expect(" so far             1 allocation, 0 frees, 0 failures\n", "heap stats");
    expect("[", "heap");
    expect("up to  128 bytes        1 #", "heap histogram");
    expect("# blocks", "heap picture");
    expect("live        100 bytes\n", "heap walk");
    expect("sound", "heap check");
    expect("1 block         100 bytes  some_function+0x4", "heap leaks");
    expect("when=monitor", "heap format=kv");
    expect("[leak] blocks=1", "heap leaks format=kv");
    monitor_machine_reset();
    expect("  none\n", "heap leaks");
}

static void test_walk_of_a_large_heap_is_cut(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 60; i++)
        expect(" bytes\n", "alloc 16");
    expect("more pieces\n", "heap walk");
    monitor_machine_reset();
}

static void test_blocks(void **state)
{
    (void)state;
    unsigned long long block;
    char line[64];
    assert_int_equal(sscanf(monitor_machine_ask("alloc 1000 4K"), "0x%llx,", &block), 1);
    assert_int_equal(block % 4096, 0);
    (void)snprintf(line, sizeof line, "realloc 0x%llx 2000", block);
    assert_int_equal(sscanf(monitor_machine_ask(line), "0x%llx, 2000 bytes", &block), 1);
    expect("use free", "realloc 0x%llx 0", block);
    expect("SIZE must be a number", "realloc 0x%llx more", block);
    expect("not a live block", "free 0x%llx", block + 16);
    expect("freed", "free 0x%llx", block);
    expect("not a live block", "free 0x%llx", block);
    expect("not a live block", "realloc 0 1");
    expect("no room for", "alloc 64M");
    expect("no room for", "alloc 0xffffffffffffffff");
    expect("1 byte at a multiple of 0x8000000000000000\n", "alloc 1 0x8000000000000000");
    expect("power of two", "alloc 16 3");
    expect("ALIGNMENT must be a number", "alloc 16 page");
    expect("SIZE must be a number", "alloc much");
    assert_null(heap_check(monitor_machine()->kernel.heap));
}

static void test_pages(void **state)
{
    (void)state;
    expect("level 4, entry 511 of", "pages 0x%llx", (unsigned long long)LAYOUT_KERNEL_IMAGE_BASE);
    expect("r-x kernel only, page 0x801000, write-back, global", "pages 0x%llx",
           (unsigned long long)LAYOUT_KERNEL_IMAGE_BASE);
    expect("It belongs to \"text\".", "pages 0x%llx", (unsigned long long)LAYOUT_KERNEL_IMAGE_BASE);
    expect("The physical address is 0x234567", "pages 0x%llx", in_direct_map(0x234567));
    expect("write-combining", "pages 0x%llx", in_direct_map(FAKE_MACHINE_FRAMEBUFFER_BASE));
    expect("not present", "pages 0");
    expect("guard page of \"null pointer\"", "pages 0");
    expect("not canonical", "pages 0x8000000000000000");
    expect("ADDRESS must be a number", "pages here");
}

static void test_space(void **state)
{
    (void)state;
    expect("r-x write-back      text\n", "space");
    expect("--- guard page of null pointer\n", "space");
    expect("direct map of RAM\n", "space");
    expect("[map] from=0x", "space format=kv");
}

static void test_peek_and_poke(void **state)
{
    (void)state;
    uint8_t *memory = monitor_machine()->fake.memory + RAM_BASE;
    memcpy(memory, "handoff", 8);
    expect("68 61 6e 64 6f 66 66 00", "peek 0x%llx 8", in_direct_map(RAM_BASE));
    expect(" handoff.\n", "peek 0x%llx 8", in_direct_map(RAM_BASE));
    expect("is now 0x48", "poke 0x%llx 0x48", in_direct_map(RAM_BASE));
    assert_memory_equal(memory, "Handoff", 8);
    expect("from 0 to 0xff", "poke 0x%llx 256", in_direct_map(RAM_BASE));
    expect("third argument can only be", "poke 0x%llx 1 forec", in_direct_map(RAM_BASE));
    assert_memory_equal(memory, "Handoff", 8);
}

static void test_peek_and_poke_never_fault(void **state)
{
    (void)state;
    struct monitor_machine *machine = monitor_machine();
    unsigned long long text = LAYOUT_KERNEL_IMAGE_BASE;
    machine->fault_count = 0;
    expect("guard page of \"null pointer\"", "peek 0");
    expect("nothing is mapped at", "peek 0x400000");
    expect("not canonical", "peek 0x8000000000000000");
    expect("guard page of \"null pointer\"", "poke 8 1");
    expect("is read-only", "poke 0x%llx 1", text);
    /* A range that begins in a page, and leaves it. RAM below 640 KiB ends at 0x9f000. */
    expect("nothing is mapped at", "peek 0x%llx 32", in_direct_map(0x9f000 - 16));
    expect("0xffff", "peek 0x%llx 16", in_direct_map(0x9f000 - 16));
    expect("COUNT must be from 1 to 256", "peek 0x%llx 0", text);
    expect("COUNT must be a number", "peek 0x%llx all", text);
    expect("COUNT must be from 1 to 256", "peek 0x%llx 257", text);
    expect("COUNT must be", "peek 0xfffffffffffffff8 16");
    expect("nothing is mapped at", "peek 0xfffffffffffffff8");
    assert_int_equal(machine->fault_count, 0);
    expect("is now", "poke 8 1 force");
    assert_int_equal(machine->fault_count, 1);
}

static void test_device_is_touched_only_by_force(void **state)
{
    (void)state;
    struct virt_addr registers;
    assert_int_equal(address_space_map_device(&monitor_machine()->kernel.address_space, "gadget",
                                              phys_addr(0xd0000000), 4096, PAGE_MEMORY_UNCACHED,
                                              &registers),
                     PAGE_TABLE_OK);
    unsigned long long address = registers.value;
    expect("belongs to a device", "peek 0x%llx", address);
    expect("belongs to a device", "poke 0x%llx 1", address);
    expect("is now", "poke 0x%llx 1 force", address);
    expect("  01 ", "peek 0x%llx 1 force", address);
    address_space_unmap_device(&monitor_machine()->kernel.address_space, registers);
}

static void test_boot(void **state)
{
    (void)state;
    expect("command line: heap_aslr=off", "handoff");
    expect("       0 us      700 us  loader", "timeline");
    expect("[timeline] at_us=0", "timeline format=kv");
    unsigned replays = log_stub.replay_count;
    expect("", "log");
    assert_int_equal(log_stub.replay_count, replays + 1);
    unsigned plain_count = log_stub.plain_count;
    expect("# End of the dump.\n", "dump");
    assert_int_equal(log_stub.plain_count, plain_count + 1); /* without colours: it is for a file */
    assert_false(log_stub.is_plain);
    expect("[region] base=0x801000 ", "dump");
    assert_int_equal(log_stub.replay_count, replays + 3);
}

static void test_trials(void **state)
{
    (void)state;
    struct monitor_machine *machine = monitor_machine();
    uint64_t free_count = frame_allocator_statistics(&machine->kernel.frames).free_count;
    expect("", "bench; lesson 4; panic heap-leak");
    assert_int_equal(machine->measure_count, 1);
    assert_int_equal(machine->lesson_count, 1);
    assert_string_equal(machine->provoked, "heap-leak");
    assert_int_equal(frame_allocator_statistics(&machine->kernel.frames).free_count, free_count);
    expect("NUMBER must be a number", "lesson four");
    expect_panic(PANIC_ASSERTION, (void)monitor_machine_ask("panic"));
    log_stub.is_transient = false;
}

static void test_end_of_the_machine(void **state)
{
    (void)state;
    struct monitor *monitor = &monitor_machine()->monitor;
    log_stub_clear();
    assert_int_equal(monitor_run(monitor, (struct piece){"heap check; poweroff; map", 25}),
                     MONITOR_POWER_OFF);
    assert_null(strstr(log_stub.text, "Physical memory"));
    assert_int_equal(monitor_run(monitor, (struct piece){"reboot", 6}), MONITOR_RESTART);
    assert_int_equal(monitor_run(monitor, (struct piece){"reboot now", 10}), MONITOR_STAY);
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {
        {0, "0 bytes"},     {10239, "10239 bytes"},          {10240, "10 KiB"},
        {10241, "10+ KiB"}, {UINT64_C(5) << 30, "5120 MiB"}, {UINT64_MAX, "16777215+ TiB"}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_string_equal(size_text(sizes[i].bytes).text, sizes[i].text);
}

/* --- monitor.h --- */

static enum monitor_action type(const char *text)
{
    struct monitor *monitor = &monitor_machine()->monitor;
    enum monitor_action action = MONITOR_STAY;
    for (; *text != '\0' && action == MONITOR_STAY; text++)
        action = monitor_take(monitor, (key_code)*text);
    return action;
}

static void test_dialogue(void **state)
{
    (void)state;
    log_stub_clear();
    monitor_begin(&monitor_machine()->monitor);
    unsigned note_count = log_stub.note_count;
    assert_int_equal(type("heap che\t\n"), MONITOR_STAY);
    assert_non_null(
        strstr(log_stub.text, "handoff> heap check \nCheck of the whole heap: sound.\n"));
    assert_int_equal(log_stub.note_count, note_count + 1);
    assert_false(log_stub.is_transient);
    log_stub_clear();
    assert_int_equal(type("he\t\n\n"), MONITOR_STAY);
    assert_non_null(strstr(log_stub.text, "help  heap"));
    assert_non_null(strstr(log_stub.text, "\"he\" is not a command: "));
    log_stub_clear();
    assert_int_equal(type("\f"), MONITOR_STAY); /* Ctrl-L */
    assert_string_equal(log_stub.text, "\fhandoff> ");
    assert_int_equal(type("poweroff\n"), MONITOR_POWER_OFF);
}

static void test_long_line_is_refused(void **state)
{
    (void)state;
    monitor_begin(&monitor_machine()->monitor);
    log_stub_clear();
    for (unsigned i = 0; i < 300; i++)
        assert_int_equal(type("x"), MONITOR_STAY);
    assert_int_equal(type("; poweroff\n"), MONITOR_STAY);
    assert_non_null(
        strstr(log_stub.text,
               "\nA line has at most 255 characters, and this one had 310: nothing was run.\n"));
}

/* --- screen_pages.h --- */

/* Give the kernel a screen of this width. The caller takes it back. */
static void open_screen(struct test_screen *screen, uint32_t width_pixels)
{
    struct kernel *kernel = &monitor_machine()->kernel;
    test_screen_open(screen, &pixel_formats[0], width_pixels, 480, 0);
    kernel->view.framebuffer = screen->framebuffer;
    kernel->has_screen = framebuffer_text_initialise(
        &kernel->screen, &kernel->view.framebuffer, screen->pixels, screen->canvas.font,
        kernel->screen_cells, sizeof kernel->screen_cells);
    assert_true(kernel->has_screen);
    framebuffer_text_clear(&kernel->screen);
}

static void close_screen(struct test_screen *screen)
{
    monitor_machine()->kernel.has_screen = false;
    monitor_machine()->kernel.shows_overview = false;
    free(screen->pixels);
}

/* The console is black in the corner, and the overview is not. */
static bool shows_overview(const struct test_screen *screen)
{
    const struct kernel *kernel = &monitor_machine()->kernel;
    assert_int_equal(*test_screen_pixel(screen, 0, 0) != 0, kernel->shows_overview);
    assert_int_equal(kernel->screen.is_hidden, kernel->shows_overview);
    return kernel->shows_overview;
}

static void test_keys_switch_the_page(void **state)
{
    (void)state;
    struct test_screen screen;
    struct monitor *monitor = &monitor_machine()->monitor;
    open_screen(&screen, 640);
    monitor_begin(monitor);
    assert_int_equal(monitor_take(monitor, KEY_F1), MONITOR_STAY);
    assert_true(shows_overview(&screen));
    assert_int_equal(monitor_take(monitor, KEY_F1), MONITOR_STAY);
    assert_false(shows_overview(&screen));
    (void)monitor_take(monitor, KEY_CONTROL('o'));
    assert_true(shows_overview(&screen));
    (void)type("fr");
    assert_false(shows_overview(&screen));
    (void)monitor_take(monitor, KEY_CONTROL('o'));
    log_stub_clear();
    (void)type("ames\n"); /* the line was kept */
    assert_non_null(strstr(log_stub.text, "All RAM of the machine"));
    expect("The overview is on the screen. The next key brings the log.\n", "overview");
    assert_true(shows_overview(&screen));
    close_screen(&screen);
}

static void test_overview_without_a_screen(void **state)
{
    (void)state;
    struct test_screen screen;
    expect("The kernel has no screen.\n", "overview");
    (void)monitor_take(&monitor_machine()->monitor, KEY_F1);
    assert_false(monitor_machine()->kernel.shows_overview);
    open_screen(&screen, 639);
    expect("The overview needs a screen of 640 x 480 pixels or more.\n", "overview");
    assert_false(shows_overview(&screen));
    close_screen(&screen);
}

/* On a screen of 40 columns, a line and its prompt have 39 of them. */
static void test_narrow_screen_bounds_the_line(void **state)
{
    (void)state;
    struct test_screen screen;
    struct monitor monitor = {0};
    open_screen(&screen, 320);
    monitor_initialise(&monitor, &monitor_machine()->kernel);
    assert_int_equal(monitor.editor.shown_limit, 30);
    close_screen(&screen);
    monitor_initialise(&monitor, &monitor_machine()->kernel);
    assert_int_equal(monitor.editor.shown_limit, LINE_EDITOR_SHOWN_COLUMNS);
}

/* --- overview_figures.h --- */

static void test_figures_of_the_overview(void **state)
{
    (void)state;
    static struct overview overview;
    struct kernel *kernel = &monitor_machine()->kernel;
    struct phys_addr frame;
    assert_true(frame_allocator_allocate(&kernel->frames, &frame));
    struct frame_allocator_statistics sum = frame_allocator_statistics(&kernel->frames);
    assert_true(sum.used_count > 0);
    overview_figures_read(kernel, &overview);
    frame_allocator_free(&kernel->frames, frame);
    assert_int_equal(overview.ram_bytes, sum.total_count * FRAME_SIZE_BYTES);
    assert_int_equal(overview.owner_bytes[OVERVIEW_FREE], sum.free_count * FRAME_SIZE_BYTES);
    assert_int_equal(overview.owner_bytes[OVERVIEW_IN_USE],
                     (sum.used_count + sum.cached_count) * FRAME_SIZE_BYTES);
    assert_true(overview.owner_bytes[OVERVIEW_KERNEL] >= 524288);
    uint64_t part_bytes = 0;
    for (size_t i = 0; i < overview.part_count; i++)
        part_bytes += overview.parts[i].size_bytes;
    assert_int_equal(part_bytes, overview.ram_bytes);
    assert_int_equal(overview.phase_count, 1);
    assert_int_equal(overview.total_us, 700);
    assert_int_equal(overview.loader_us, 700);
    assert_string_equal(overview.cpu_name, "Test CPU");
    assert_string_equal(overview.build, "ab010203040506cd");
    assert_int_equal(overview.heap.used_bytes, heap_brief(kernel->heap).used_bytes);
    void *block = kmalloc(5000);
    overview_figures_read(kernel, &overview);
    assert_true(overview.heap.used_bytes >= 5000);
    kfree(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_command_has_all_its_texts),
        cmocka_unit_test(test_physical_memory),
        cmocka_unit_test(test_views_of_the_heap),
        cmocka_unit_test(test_walk_of_a_large_heap_is_cut),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_space),
        cmocka_unit_test(test_peek_and_poke),
        cmocka_unit_test(test_peek_and_poke_never_fault),
        cmocka_unit_test(test_device_is_touched_only_by_force),
        cmocka_unit_test(test_boot),
        cmocka_unit_test(test_trials),
        cmocka_unit_test(test_end_of_the_machine),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_dialogue),
        cmocka_unit_test(test_long_line_is_refused),
        cmocka_unit_test(test_keys_switch_the_page),
        cmocka_unit_test(test_overview_without_a_screen),
        cmocka_unit_test(test_narrow_screen_bounds_the_line),
        cmocka_unit_test(test_figures_of_the_overview),
    };
    return cmocka_run_group_tests(tests, test_screen_make_font, NULL);
}
