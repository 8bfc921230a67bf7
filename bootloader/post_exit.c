#include "bootloader/post_exit.h"

#include "bootloader/arch.h"
#include "bootloader/pure/packed_font.h"
#include "shared/text/command_line.h"
#include "shared/text/text.h"

void post_exit_initialise(struct post_exit *post_exit,
                          const struct handoff_framebuffer *framebuffer, uint16_t serial_port,
                          const char *command_line)
{
    post_exit->framebuffer = *framebuffer;
    post_exit->page_table_root = phys_addr(0);
    post_exit->started = false;
    post_exit->pending = NULL;
    post_exit->serial_port = serial_port;
    post_exit->is_quiet = command_line_has(command_line, "quiet");
    if (!command_line_number(command_line, "debug-exit", &post_exit->debug_exit_device))
        post_exit->debug_exit_device = 0;
}

/* The firmware's tables map memory at its physical address. The bootstrap tables map it in the
 * direct map. */
static void *mapped_pointer(const struct post_exit *post_exit, uint64_t address)
{
    if (arch_page_table_root().value == post_exit->page_table_root.value)
        address += post_exit->direct_map_base;
    return (void *)address;
}

static const uint8_t *unpacked_font(void)
{
    static uint8_t font[PACKED_FONT_SIZE_BYTES];
    static bool is_unpacked;
    if (!is_unpacked)
        packed_font_unpack(packed_font, font);
    is_unpacked = true;
    return font;
}

static bool post_exit_open_screen(struct post_exit *post_exit)
{
    return framebuffer_text_initialise(&post_exit->text, &post_exit->framebuffer,
                                       mapped_pointer(post_exit, post_exit->framebuffer.base),
                                       unpacked_font(), post_exit->cells, sizeof(post_exit->cells));
}

static void post_exit_start(struct post_exit *post_exit)
{
    post_exit->started = true;
    post_exit->serial = arch_serial_initialise(post_exit->serial_port);
    post_exit->screen = post_exit_open_screen(post_exit);
    if (post_exit->screen)
        framebuffer_text_clear(&post_exit->text);
}

/* The screen comes first: it does not wait for a serial port that takes no byte. */
static void write_screen(struct post_exit *post_exit, const char *text, size_t length)
{
    if (!post_exit->screen)
        return;
    post_exit->pending = text;
    framebuffer_text_write(&post_exit->text, text, length);
    arch_flush_pixels(); /* the machine may stop at any time from here on */
    post_exit->pending = NULL;
}

void post_exit_write(struct post_exit *post_exit, const char *text)
{
    size_t length = text_length(text);
    if (!post_exit->started)
        post_exit_start(post_exit);
    write_screen(post_exit, text, length);
    if (post_exit->serial)
        arch_serial_write(text, length);
}

static void mark_serial(struct post_exit *post_exit, const char *text)
{
    if (post_exit->serial_marks)
        arch_serial_write(text, text_length(text));
}

/* The page tables, and so the address of the screen, may have changed since the last mark. A mark
 * that does not fit into the line is only on the serial port. */
static void mark_screen(struct post_exit *post_exit, const char *step, uint32_t length)
{
    struct framebuffer_text *text = &post_exit->text;
    if (post_exit->is_quiet || !post_exit_open_screen(post_exit) ||
        post_exit->mark_column + length > text->columns)
        return;
    text->row = text->rows - 1;
    text->column = post_exit->mark_column;
    framebuffer_text_write(text, step, length);
    arch_flush_pixels();
    post_exit->mark_column += length + 1;
}

void post_exit_mark(struct post_exit *post_exit, const char *step)
{
    if (!post_exit->is_marking) {
        post_exit->is_marking = true;
        post_exit->serial_marks = arch_serial_initialise(post_exit->serial_port);
    }
    mark_serial(post_exit, "[loader] progress: ");
    mark_serial(post_exit, step);
    mark_serial(post_exit, "\n");
    mark_screen(post_exit, step, (uint32_t)text_length(step));
    if (++post_exit->mark_count == post_exit->hang_at)
        arch_halt();
}

void post_exit_rescue(struct post_exit *post_exit)
{
    const char *text = post_exit->pending;
    post_exit->pending = NULL;
    post_exit->screen = false;
    if (text != NULL && post_exit->serial)
        arch_serial_write(text, text_length(text));
}

/* The kernel may have written a record, so both slots are read again. */
void post_exit_keep(const struct post_exit *post_exit, enum post_mortem_stage stage, uint32_t code,
                    const char *report)
{
    struct post_mortem_area area;
    struct post_mortem newest;
    enum post_mortem_status damage;
    if (post_exit->boot_record == NULL || post_exit->boot_record->bytes == NULL)
        return;
    const struct post_mortem record = {
        .stage = stage,
        .code = code,
        .log = post_exit->log->text,
        .log_size_bytes = post_exit->log->size_bytes,
        .report = report,
        .report_size_bytes = text_length(report),
    };
    area = *post_exit->boot_record;
    area.bytes = mapped_pointer(post_exit, (uint64_t)area.bytes);
    (void)!post_mortem_find(&area, &newest, &damage);
    post_mortem_write(&area, &record);
}

_Noreturn void post_exit_stop(struct post_exit *post_exit, uint32_t code)
{
    if (post_exit->debug_exit_device != 0)
        arch_debug_exit(post_exit->debug_exit_device, code);
    arch_halt();
}
