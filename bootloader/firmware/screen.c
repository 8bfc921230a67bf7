#include "bootloader/firmware/screen.h"

#include "bootloader/firmware/graphics_output.h"

/* On a machine with more outputs, no screen is used. A table of fixed size is simpler than memory
 * from the firmware. */
#define OUTPUT_LIMIT CONFIG_OUTPUT_LIMIT
/* Firmware has some tens of modes. A number above is an error. */
#define MODE_LIMIT 512u

struct outputs {
    size_t count;
    struct graphics_output list[OUTPUT_LIMIT];
};

static void find_outputs(struct outputs *ret_outputs)
{
    EFI_HANDLE handles[OUTPUT_LIMIT];
    UINTN size_bytes = sizeof(handles);

    ret_outputs->count = 0;
    if (EFI_ERROR(firmware.services->LocateHandle(ByProtocol, (EFI_GUID *)&guid_graphics_output,
                                                  NULL, &size_bytes, handles)))
        return;
    for (unsigned i = 0; i < size_bytes / sizeof(handles[0]); i++) {
        if (graphics_output_open(handles[i], i + 1, &ret_outputs->list[ret_outputs->count]))
            ret_outputs->count++;
    }
}

static void start_outputs(const struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        const struct graphics_output *output = &outputs->list[i];
        bool was_started;
        EFI_STATUS status = graphics_output_start(output, &was_started);
        if (EFI_ERROR(status))
            console_warn("output %u has no mode, and none can be started (%s): not used",
                         output->number, error_status_name(status));
        else if (!was_started)
            console_warn("output %u had no mode: mode %u is started", output->number,
                         output->protocol->Mode->Mode);
    }
}

/* --- The first output --- */

static bool describe(const struct graphics_output *output,
                     struct handoff_framebuffer *ret_framebuffer)
{
    struct framebuffer_mode mode;
    return graphics_output_read(output, &mode) && framebuffer_describe(&mode, ret_framebuffer);
}

static bool is_usable(const struct graphics_output *output)
{
    struct handoff_framebuffer ignored;
    return describe(output, &ignored);
}

/* An output without a linear framebuffer is no fault: it states no address, or another format. */
static void warn_of_places(const struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        const struct graphics_output *output = &outputs->list[i];
        struct framebuffer_mode mode;
        if (graphics_output_read(output, &mode) && mode.base != 0 && framebuffer_is_linear(&mode) &&
            !is_usable(output))
            console_warn("output %u is not handed over: its pixels cannot be at %llx",
                         output->number, mode.base);
    }
}

/* Find the output with this number, or of the console, or any one. The one that means "all screens"
 * often has no framebuffer (UEFI 2.10, section 12.9). */
static const struct graphics_output *find_usable(const struct outputs *outputs, unsigned number,
                                                 bool of_console)
{
    for (size_t i = 0; i < outputs->count; i++) {
        const struct graphics_output *output = &outputs->list[i];
        if ((number == 0 || output->number == number) && (!of_console || output->is_console) &&
            is_usable(output))
            return output;
    }
    return NULL;
}

/* Return NULL if no output has a linear framebuffer. */
static const struct graphics_output *choose_output(const struct outputs *outputs, unsigned number)
{
    const struct graphics_output *output = find_usable(outputs, number, number == 0);
    if (number != 0 && output == NULL) {
        console_warn("output = %u is not a usable screen: the console's is used", number);
        output = find_usable(outputs, 0, true);
    }
    return output != NULL ? output : find_usable(outputs, 0, false);
}

/* --- The resolution --- */

/* Return false if the mode stays. */
static bool wanted_size(const struct config *config, const struct graphics_output *output,
                        struct screen_size *ret_size)
{
    if (config->resolution == CONFIG_RESOLUTION_KEEP)
        return false;
    if (config->resolution == CONFIG_RESOLUTION_SIZE) {
        *ret_size = config->resolution_size;
        return true;
    }
    bool is_known = graphics_output_native_size(output, ret_size);
    if (!is_known)
        console_warn("resolution = native: output %u does not state its size (EDID): "
                     "give it as WIDTHxHEIGHT; the mode stays",
                     output->number);
    return is_known;
}

/* The mode in force comes first, and it is usable. So there always is a choice. */
static void choose_mode(const struct graphics_output *output, struct screen_choice *choice)
{
    const EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *current = output->protocol->Mode;
    struct framebuffer_mode mode;
    if (graphics_output_read(output, &mode))
        screen_choice_consider(choice, current->Mode, &mode);
    for (UINT32 i = 0; i < current->MaxMode && i < MODE_LIMIT; i++) {
        if (graphics_output_query(output, i, &mode))
            screen_choice_consider(choice, i, &mode);
    }
}

/* The mode may have another place, pitch and format than before, so it is read again. */
static void change_mode(struct screen *screen, const struct graphics_output *output,
                        UINT32 mode_number)
{
    EFI_GRAPHICS_OUTPUT_PROTOCOL *protocol = output->protocol;
    const struct screen old = {protocol, protocol->Mode->Mode};

    /* The console cannot be read in a mode that it did not set. */
    console_log_rare("output %u: setting mode %u", output->number, mode_number);
    console_show();
    EFI_STATUS status = protocol->SetMode(protocol, mode_number);
    *screen = old;
    if (!EFI_ERROR(status) && is_usable(output))
        return;
    screen_restore(screen);
    console_warn("output %u: mode %u cannot be set (%s): the old mode %s", output->number,
                 mode_number,
                 EFI_ERROR(status) ? error_status_name(status) : "no linear framebuffer",
                 is_usable(output) ? "stays" : "is lost, too");
}

static void set_resolution(struct screen *screen, const struct config *config,
                           const struct graphics_output *output)
{
    struct screen_choice choice = {.has_mode = false};
    if (!wanted_size(config, output, &choice.wanted))
        return;
    choose_mode(output, &choice);
    if (!screen_choice_is_exact(&choice))
        console_warn("output %u has no mode of %ux%u: the nearest is %ux%u", output->number,
                     choice.wanted.width_pixels, choice.wanted.height_pixels,
                     choice.size.width_pixels, choice.size.height_pixels);
    if (choice.mode_number != output->protocol->Mode->Mode)
        change_mode(screen, output, choice.mode_number);
}

void screen_restore(struct screen *screen)
{
    if (screen->changed != NULL)
        screen->changed->SetMode(screen->changed, screen->old_mode);
    screen->changed = NULL;
}

/* --- The list --- */

/* The framebuffers of the list, each with its output. */
struct found {
    struct framebuffer_list *list;
    const struct graphics_output *outputs[FRAMEBUFFER_LIMIT];
};

static void add(struct found *found, const struct graphics_output *output)
{
    struct framebuffer_mode mode;
    struct handoff_framebuffer framebuffer;
    size_t count = found->list->count;
    if (!graphics_output_read(output, &mode) || !framebuffer_describe(&mode, &framebuffer))
        return;
    if (!framebuffer_list_add(found->list, &framebuffer))
        console_warn("output %u is not handed over: there are too many", output->number);
    if (found->list->count == count)
        return;
    found->outputs[count] = output;
    if (framebuffer_size_is_short(&mode, &framebuffer))
        console_warn("output %u has only %llu bytes, says the firmware: %llu are used",
                     output->number, mode.size_bytes, framebuffer.size_bytes);
}

/* A user of several screens needs the numbers for `output` in handoff.conf. */
static void log_outputs(const struct found *found)
{
    for (size_t i = 0; i < found->list->count && found->list->count > 1; i++)
        console_log("output %u: %ux%u at %llx%s", found->outputs[i]->number,
                    found->list->list[i].width_pixels, found->list->list[i].height_pixels,
                    found->list->list[i].base,
                    found->outputs[i]->is_console ? ", the console's" : "");
}

void screen_gather(struct screen *screen, const struct config *config,
                   struct framebuffer_list *ret_list)
{
    static struct outputs outputs; /* too large for the firmware's stack */
    struct found found = {.list = ret_list};

    ret_list->count = 0;
    find_outputs(&outputs);
    start_outputs(&outputs);
    warn_of_places(&outputs);
    const struct graphics_output *first = choose_output(&outputs, config->output_number);
    if (first == NULL) {
        console_log_rare("no linear framebuffer: the kernel has only the serial line");
        return;
    }
    set_resolution(screen, config, first);
    add(&found, first);
    for (size_t i = 0; i < outputs.count; i++)
        add(&found, &outputs.list[i]);
    log_outputs(&found);
}
