#include "kernel/handoff/handoff_check_status.h"

#include "kernel/arch.h"

const char *handoff_check_status_text(enum handoff_check_status status)
{
    switch (status) {
    case HANDOFF_CHECK_OK:
        return "ok";
    case HANDOFF_CHECK_POINTER_NULL:
        return "the pointer to the handoff is NULL";
    case HANDOFF_CHECK_POINTER_MISALIGNED:
        return "the pointer to the handoff is not a multiple of the page";
    case HANDOFF_CHECK_POINTER_NON_CANONICAL:
        return "the pointer to the handoff is not canonical";
    case HANDOFF_CHECK_POINTER_OUTSIDE:
        return "the pointer to the handoff is not in the direct map";
    case HANDOFF_CHECK_MAGIC:
        return "bad magic: not a handoff";
    case HANDOFF_CHECK_MAJOR_VERSION:
        return "the major version is not 2: the loader and the kernel do not match";
    case HANDOFF_CHECK_SIZE:
        return "the size of the structure is impossible";
    case HANDOFF_CHECK_CHECKSUM:
        return "bad checksum: the handoff was changed after the loader wrote it";
    case HANDOFF_CHECK_MACHINE:
        return "the loader made it for another kind of CPU";
    case HANDOFF_CHECK_LOADER_NAME:
        return "the loader's name is not terminated";
    case HANDOFF_CHECK_DIRECT_MAP:
        return "the direct map is not at the address that the kernel expects, or is too large";
    case HANDOFF_CHECK_FLAGS:
        return arch_handoff_features_text();
    case HANDOFF_CHECK_PAGE_TABLE_ROOT:
        return "page_table_root is not the root of the page tables in use";
    case HANDOFF_CHECK_PAGE_TABLES:
        return "the block of page tables is misplaced or does not hold the root";
    case HANDOFF_CHECK_PAGE_TABLES_NOT_MAPPED:
        return "the page tables in use are not readable in the direct map";
    case HANDOFF_CHECK_DATA_BLOCK:
        return "the block of handoff data is misplaced or does not hold the handoff";
    case HANDOFF_CHECK_DATA_NOT_MAPPED:
        return "the block of handoff data is not readable in the direct map";
    case HANDOFF_CHECK_REGIONS:
        return "the array of regions is empty, misplaced or has a bad stride";
    case HANDOFF_CHECK_REGIONS_NOT_NORMALISED:
        return "the regions are not sorted, disjoint, aligned and non-empty";
    case HANDOFF_CHECK_REGIONS_FACTS:
        return "the facts of a region contradict each other, or its type";
    case HANDOFF_CHECK_REGIONS_OUTSIDE_DIRECT_MAP:
        return "a region of RAM lies outside the direct map";
    case HANDOFF_CHECK_REGIONS_NOT_MAPPED:
        return "a region of RAM is not mapped in the direct map as promised";
    case HANDOFF_CHECK_EFI_MAP:
        return "the EFI memory map is empty, misplaced or has a bad stride";
    case HANDOFF_CHECK_COMMAND_LINE:
        return "the command line is misplaced or not terminated";
    case HANDOFF_CHECK_LOG:
        return "the loader's log is misplaced or not terminated";
    case HANDOFF_CHECK_KERNEL_PATH:
        return "the kernel's path is misplaced or not terminated";
    case HANDOFF_CHECK_TIMELINE:
        return "the timeline is misplaced, has a bad stride or a name that is not terminated";
    case HANDOFF_CHECK_ARRAYS:
        return "an array is misplaced or has a bad stride";
    case HANDOFF_CHECK_DATA_REGION:
        return "the handoff data does not lie in regions of its type";
    case HANDOFF_CHECK_KERNEL_BASE:
        return "kernel_virtual_base is not the address at which the kernel was linked";
    case HANDOFF_CHECK_KERNEL_SIZE:
        return "kernel_size_bytes is not the size of the image as it was linked";
    case HANDOFF_CHECK_KERNEL_ENTRY:
        return "kernel_entry is not the kernel's entry";
    case HANDOFF_CHECK_KERNEL_SLIDE:
        return "kernel_slide is not the distance from the kernel's link address";
    case HANDOFF_CHECK_KERNEL_IMAGE:
        return "the kernel's image is misplaced or does not lie in regions of its type";
    case HANDOFF_CHECK_KERNEL_NOT_MAPPED:
        return "the kernel's image is not at kernel_physical_base, or a segment has other "
               "permissions";
    case HANDOFF_CHECK_STACK:
        return "the stack is misplaced or does not lie in regions of its type";
    case HANDOFF_CHECK_STACK_POINTER:
        return "the stack in use is not the stack in the handoff";
    case HANDOFF_CHECK_STACK_NOT_MAPPED:
        return "the stack is not at stack_physical_base, or has other permissions";
    case HANDOFF_CHECK_STACK_GUARD:
        return "the page below the stack is mapped";
    case HANDOFF_CHECK_PAGE_TABLES_REGION:
        return "the page tables do not lie in regions of their type";
    case HANDOFF_CHECK_LOADER:
        return "the loader's image is misplaced or does not lie in regions of its type";
    case HANDOFF_CHECK_CPU_TABLES:
        return arch_handoff_cpu_tables_text();
    case HANDOFF_CHECK_PROCESSOR_START:
        return "the page for starting processors is misplaced or does not lie in regions of its "
               "type";
    case HANDOFF_CHECK_BOOT_RECORD:
        return "the boot record is misplaced, too small or not in regions of its type";
    case HANDOFF_CHECK_KERNEL_SYMBOLS:
        return "the kernel's symbols are misplaced or have a bad stride";
    case HANDOFF_CHECK_PARKING:
        return "the block of the waiting processors is misplaced or not in regions of its type";
    case HANDOFF_CHECK_STRAY_REGION:
        return "a region of a type that the loader places lies outside of its block";
    case HANDOFF_CHECK_TEMP_HEAPS:
        return "a further temporary heap is misplaced or overlaps another";
    case HANDOFF_CHECK_MODULES:
        return "a module is empty, misplaced or overlaps another, or there are too many";
    case HANDOFF_CHECK_MODULE_TEXTS:
        return "the name or the command line of a module is misplaced or not terminated";
    }
    return "unknown status";
}
