#include "bootloader/start_options.h"

#include "bootloader/firmware/boot_source.h"
#include "bootloader/integrity.h"
#include "bootloader/pure/load_options.h"
#include "shared/memory.h"

void start_options_read(struct loader *loader)
{
    char *text = loader->start.options;
    const EFI_LOADED_IMAGE *image = firmware.loaded_image;
    if (image->LoadOptions == NULL || image->LoadOptionsSize == 0)
        return;
    enum load_options_status status =
        load_options_parse(image->LoadOptions, image->LoadOptionsSize, boot_source_is_shell(), text,
                           sizeof(loader->start.options));
    const char *obstacle = load_options_obstacle(status);
    /* Nobody signs them. */
    if (status == LOAD_OPTIONS_TEXT && integrity_is_secure(loader))
        obstacle = PACKED("Secure Boot is on");
    if (obstacle == NULL)
        return;
    text[0] = '\0';
    console_warn("the load options are ignored: %s", obstacle);
}

void start_options_apply(struct loader *loader)
{
    if (loader->start.options[0] == '\0')
        return;
    memcpy(loader->config.command_line, loader->start.options, sizeof(loader->start.options));
    loader->start.command_line_source = "the load options";
}

void start_options_log(struct loader *loader)
{
    const char *source = loader->start.command_line_source;
    if (source == NULL)
        source = loader->entries.is_single ? "handoff.conf" : "the entry";
    if (loader->config.command_line[0] != '\0')
        console_log("command line: from %s", source);
}
