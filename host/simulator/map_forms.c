#include "host/simulator/map_forms.h"

#include <stddef.h>

#define DERIVED_NOTE                                                                               \
    "the kernel has changed this list; the BIOS-e820 lines of the same log have the firmware's "   \
    "list"

static const struct map_form FORMS[MAP_TEXT_FORM_COUNT] = {
    [MAP_TEXT_LINUX] = {"efi: mem lines of Linux", "efi:", map_lines_find_linux,
                        map_lines_read_linux, false, false, NULL},
    [MAP_TEXT_KERNEL_LOG] = {"[region] lines of this kernel", "[region]", map_lines_find_kernel_log,
                             map_lines_read_kernel_log, false, false, NULL},
    [MAP_TEXT_TABLE] = {"memmap of the UEFI shell or lsefimmap of GRUB", "MemoryMap,\"",
                        map_lines_find_table, map_lines_read_table, false, false, NULL},
    [MAP_TEXT_XEN_EFI] = {"EFI memory map of Xen", " type=", map_lines_find_xen, map_lines_read_xen,
                          false, false, NULL},
    [MAP_TEXT_E820] = {"BIOS-e820 lines of Linux", "BIOS-", map_lines_find_marked_e820,
                       map_lines_read_e820, false, true, NULL},
    [MAP_TEXT_LSMMAP] = {"lsmmap of GRUB", "base_addr", map_lines_find_lsmmap,
                         map_lines_read_lsmmap, false, false, NULL},
    [MAP_TEXT_SYSFS] = {"/sys/firmware/memmap of Linux", NULL, NULL, NULL, false, false, NULL},
    [MAP_TEXT_BARE_E820] = {"RAM map of Xen", NULL, map_lines_find_bare_e820, map_lines_read_e820,
                            true, true, NULL},
    [MAP_TEXT_XEN_DOMAIN] = {"Xen lines of Linux in a dom0", "Xen", map_lines_find_marked_e820,
                             map_lines_read_e820, false, true,
                             "this is the memory that Xen gave to one domain; xl dmesg has the "
                             "machine's own list"},
    [MAP_TEXT_USER] = {"user-defined lines of Linux", "user", map_lines_find_marked_e820,
                       map_lines_read_e820, false, true, DERIVED_NOTE},
    [MAP_TEXT_EXTENDED] = {"reserve setup_data lines of Linux", "setup_data",
                           map_lines_find_marked_e820, map_lines_read_e820, false, true,
                           DERIVED_NOTE},
    [MAP_TEXT_MODIFIED] = {"modified lines of Linux", "modified", map_lines_find_marked_e820,
                           map_lines_read_e820, false, true, DERIVED_NOTE},
    [MAP_TEXT_IOMEM] =
        {"/proc/iomem of Linux", NULL, map_lines_find_iomem, map_lines_read_iomem, false, true,
         "/proc/iomem does not show EFI types, attributes and the memory that the firmware used "
         "before the kernel, which counts as RAM here; dmesg of a boot with efi=debug shows them"},
    [MAP_TEXT_ROWS] = {"data rows", NULL, NULL, map_lines_read_data, false, false, NULL},
};

const struct map_form *map_form_of(enum map_text_form form)
{
    return &FORMS[form];
}

/* The search for a plain range is last, since every other list of E820 has one, too. */
enum map_text_form map_form_find(struct text_cursor *cursor)
{
    for (unsigned i = MAP_TEXT_LINUX; i < MAP_TEXT_FORM_COUNT; i++) {
        if (i != MAP_TEXT_BARE_E820 && FORMS[i].find != NULL &&
            FORMS[i].find(cursor, FORMS[i].mark))
            return (enum map_text_form)i;
    }
    return FORMS[MAP_TEXT_BARE_E820].find(cursor, NULL) ? MAP_TEXT_BARE_E820 : MAP_TEXT_NONE;
}
