#include "bootloader/start_options.h"

#include "bootloader/firmware/boot_source.h"
#include "bootloader/firmware/variable.h"
#include "bootloader/pure/load_options.h"
#include "shared/memory.h"

void start_options_take(struct loader *loader)
{
    static char text[CONFIG_COMMAND_LINE_CAPACITY]; /* too large for the firmware's stack */
    const EFI_LOADED_IMAGE *image = loader->firmware.loaded_image;
    if (image->LoadOptions == NULL || image->LoadOptionsSize == 0)
        return;
    enum load_options_status status =
        load_options_parse(image->LoadOptions, image->LoadOptionsSize,
                           boot_source_is_shell(&loader->firmware), text, sizeof(text));
    const char *obstacle = load_options_obstacle(status);
    if (status == LOAD_OPTIONS_NONE)
        return;
    /* Nobody signs them. */
    if (obstacle == NULL && variable_is_secure_boot_on(&loader->firmware))
        obstacle = "Secure Boot is on";
    if (obstacle != NULL) {
        console_warn(&loader->console, "the load options are ignored: %s", obstacle);
        return;
    }
    memcpy(loader->config.command_line, text, sizeof(text));
    loader->start.command_line_source = "load options";
}

void start_options_log(struct loader *loader)
{
    const char *source = loader->start.command_line_source;
    if (loader->config.command_line[0] != '\0')
        console_log(&loader->console, "command line: from %s",
                    source != NULL ? source : "handoff.conf");
}
