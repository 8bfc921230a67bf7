# Handoff: a UEFI loader and an x86-64 kernel that agree on memory. `make help` lists the targets.

# The folder of all built files. BUILD=DIR, on the command line or in the environment, names another one. Then
# the boot volume is in DIR/esp, and nothing is written into the checkout.
BUILD ?= build
ifeq ($(strip $(BUILD)),)
override BUILD := build
endif
SIGNS := ' " : ; \ $$ % & ( ) < > | * ? ~ ` = \#
ifneq ($(words $(BUILD))$(foreach sign,$(SIGNS),$(findstring $(sign),$(value BUILD))),1$(foreach sign,$(SIGNS),))
$(error BUILD='$(value BUILD)' has blanks or special characters, which make does not support: name another folder)
endif
ifeq ($(abspath $(BUILD)),$(CURDIR))
$(error BUILD=$(BUILD) is the checkout itself: name another folder)
endif
ifeq ($(abspath $(BUILD)),$(abspath build))
ESP := esp
else
ESP := $(BUILD)/esp
endif
# `make UBSAN=1` builds a kernel that checks its own code for undefined behaviour: build/ubsan/kernel.elf.
# scripts/run.sh --kernel boots it. The plain kernel stays.
ifeq ($(UBSAN),1)
override BUILD := $(BUILD)/ubsan
endif
# `make KASAN=1` builds a kernel that checks its accesses to the heap: build/kasan/kernel.elf.
ifeq ($(KASAN),1)
override BUILD := $(BUILD)/kasan
endif
# `make PIE=1` builds the kernel as a static PIE: build/pie/kernel.elf. The loader maps it at a random address.
ifeq ($(PIE),1)
override BUILD := $(BUILD)/pie
endif
# With UBSAN, KASAN or PIE only the kernel is built. esp/ keeps the plain kernel.
CHECKED := $(filter 1,$(UBSAN) $(KASAN) $(PIE))
VERSION := $(shell cat VERSION)

# --- Tools (override on the command line: make CLANG=clang-16) ---------------------------------
CLANG ?= clang
LLD_LINK ?= lld-link
LD_LLD ?= ld.lld
LLVM_NM ?= llvm-nm
LLVM_DWARFDUMP ?= llvm-dwarfdump
LLVM_AR ?= llvm-ar
LLVM_OBJCOPY ?= llvm-objcopy
LLVM_COV ?= llvm-cov
LLVM_PROFDATA ?= llvm-profdata
CLANG_FORMAT ?= clang-format
# The script runs at the first use only, and never if no recipe needs Python.
ifeq ($(origin PYTHON),undefined)
PYTHON = $(eval PYTHON := $$(shell scripts/find-python.sh))$(PYTHON)
endif
# The folder of gnu-efi's headers (efi.h, x86_64/efibind.h).
EFI_INCLUDE ?= /usr/include/efi

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes
# scripts/test.sh sets WERROR=1. Other builds go on after a warning, because a newer clang has more warnings.
ifeq ($(WERROR),1)
WARNINGS += -Werror
endif
COMMON_CFLAGS := -std=c17 -I. $(WARNINGS) -DHANDOFF_VERSION_TEXT='"$(VERSION)"'
# The debug information of loader and kernel has names relative to the checkout, and the build id is a hash of it. So
# equal sources make equal files in every folder. gdb looks for the sources in the checkout (scripts/debug.sh). The
# loader's objects have no time (-mno-incremental-linker-compatible).
ANY_FOLDER := -fdebug-compilation-dir=. -ffile-prefix-map=$(BUILD)=build

# Print a line for each file. `make V=1` prints the commands.
ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:

# $(BUILD)/GROUP.flags contains the compiler and the flags for a group of objects. It is written only if they
# change. So another compiler or flag rebuilds the group and nothing else, and a user without write access can
# use a checkout that is already built.
define flags_file
$(BUILD)/$(1).flags: force
	@printf '%s\n' '$$(subst ','\'',$(2))' | cmp -s - $$@ || { mkdir -p $$(@D) 2>/dev/null && [ -w $$(@D) ] && \
	    printf '%s\n' '$$(subst ','\'',$(2))' >$$@.$$$$$$$$ && mv $$@.$$$$$$$$ $$@; } || \
	    { echo "$(BUILD) cannot be written: BUILD=DIR names another folder" >&2; exit 1; }
endef
.PHONY: force

# Each program is written to a temporary file, which is then renamed. So two builds at the same time never use
# an incomplete file of each other. (Linkers remove the old file first.)
NEW = $@.$$$$
RENAME = mv $(NEW) $@

# --- Sources -----------------------------------------------------------------------------------
SHARED_SOURCES := $(wildcard shared/*.c shared/text/*.c)
SHARED_ARCH_SOURCES := $(wildcard shared/arch/x86_64/*.c)
SHARED_ASSEMBLY := $(wildcard shared/arch/x86_64/*.S)

LOADER_PURE := $(wildcard bootloader/pure/*.c)
LOADER_SOURCES := $(wildcard bootloader/*.c bootloader/firmware/*.c bootloader/arch/x86_64/*.c) $(LOADER_PURE) \
                  $(SHARED_SOURCES) $(SHARED_ARCH_SOURCES)
LOADER_ASSEMBLY := $(wildcard bootloader/arch/x86_64/*.S) $(SHARED_ASSEMBLY)

# The heap: the framework, the policies, the layers, and the views.
HEAP_FOLDERS := kernel/mm/heap kernel/mm/heap/policies kernel/mm/heap/layers kernel/mm/heap/views
HEAP_SOURCES := $(wildcard $(HEAP_FOLDERS:%=%/*.c))
MM_SOURCES := $(wildcard kernel/mm/*.c kernel/mm/frames/*.c kernel/mm/paging/*.c) $(HEAP_SOURCES)
KERNEL_SOURCES := $(wildcard kernel/*.c kernel/boot/*.c kernel/core/*.c kernel/handoff/*.c kernel/diagnostics/*.c kernel/diagnostics/monitor/*.c \
                             kernel/input/*.c kernel/screen/*.c kernel/arch/x86_64/*.c) $(MM_SOURCES) $(SHARED_SOURCES) $(SHARED_ARCH_SOURCES)
KERNEL_ASSEMBLY := $(wildcard kernel/arch/x86_64/*.S) $(SHARED_ASSEMBLY)

# font.S finds the font in this folder.
ASSEMBLY_FLAGS := -I$(BUILD)

# Pure files have functions of their arguments only. Host tests compile them unmodified, without gnu-efi and
# without code for a CPU, so a broken boundary does not compile. All of shared/ is pure except the files that ask
# the CPU, and memory.c, which the C library replaces.
SHARED_IMPURE := $(patsubst %,shared/arch/x86_64/%.c,cpuid memory page_features serial_16550)
PURE_SOURCES := $(SHARED_SOURCES) $(filter-out $(SHARED_IMPURE),$(SHARED_ARCH_SOURCES)) $(LOADER_PURE) \
    $(wildcard kernel/handoff/*.c kernel/screen/*.c) $(MM_SOURCES) \
    $(patsubst %,kernel/core/%.c,acpi_sleep backtrace_fold command_words cpu fault guard interrupts line_table log_colour nearest \
        power_acpi spinlock timeline_summary) \
    $(wildcard kernel/diagnostics/monitor/*.c kernel/diagnostics/print_*.c) kernel/diagnostics/ownership.c \
    $(patsubst %,kernel/diagnostics/%.c,overview_figures screen_pages) $(patsubst %,kernel/input/%.c,scancode terminal_keys) $(patsubst %,kernel/arch/x86_64/%.c,exception_text handoff) \
    $(patsubst %,bootloader/arch/x86_64/%.c,confidential no_execute relocation_kinds)

# --- Loader: a PE image straight from clang and lld-link ----------------------------------------
# The linker compiles the loader's files together, because firmware reads the loader from slow media: this saves
# 3 %. clang and lld-link must then be of one version. `make LOADER_LTO=` builds without it.
LOADER_LTO ?= -flto
# Each of them saves 7 to 500 bytes, measured with LLVM 14: values are computed where they are used, and few
# functions are inlined. A version of LLVM without one of them can build with `make LOADER_SMALL=`.
LOADER_SMALL ?= -disable-machine-licm -sink-insts-to-avoid-spills -disable-lsr -enable-pre=0 -inline-threshold=-20 \
    -min-jump-table-entries=8 -tail-merge-size=2 -x86-cmov-converter=0
# The compiler inlines a function with one caller. The caller of most is boot(), whose stack frame then is large, and
# most accesses to it need three bytes more. These functions stay apart, for the compiler and for the linker, where that
# is smaller: each was tried. A name that is gone does no harm.
LOADER_APART := load_entry choose_entry kernel_image_read_headers screen_gather kernel_symbols_load \
    handoff_write_modules details_write acpi_timers_find folder_next start_options_read put_format make_plan \
    add_program_headers read_file claims_add entries_add_file build_tables table_pool_memory load_config run_sweep \
    load_module find_default lowest_place kernel_symbols_find apply_table convert_once write_placement parse_heap \
    note_key unpack add_entry drop_if_in_conflict smbios_add
LOADER_CFLAGS := --target=x86_64-unknown-windows -ffreestanding -fshort-wchar -mno-red-zone \
    -fno-stack-protector -fno-asynchronous-unwind-tables -mgeneral-regs-only -fno-builtin \
    -Oz -mtune=nocona $(LOADER_LTO) -ffunction-sections -fdata-sections -gdwarf -mno-incremental-linker-compatible \
    -isystem $(EFI_INCLUDE) -isystem $(EFI_INCLUDE)/x86_64 $(ANY_FOLDER) $(COMMON_CFLAGS) -DHANDOFF_PACKED_TEXT \
    $(LOADER_APART:%=-mllvm -force-attribute=%:noinline)
LOADER_OBJECTS := $(LOADER_SOURCES:%.c=$(BUILD)/loader/%.o) $(LOADER_ASSEMBLY:%.S=$(BUILD)/loader/%.S.o)

$(BUILD)/loader/%.o: %.c $(BUILD)/loader.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(LOADER_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/loader/%.S.o: %.S $(BUILD)/loader.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(LOADER_CFLAGS) $(ASSEMBLY_FLAGS) -MMD -MP -c $< -o $@

# Firmware that enforces memory protection, and Microsoft's signing rules, demand three properties: sections
# aligned to 4 KiB, no section both writable and executable, NX_COMPAT. BOOTX64.debug.efi has the debug
# information for gdb. BOOTX64.EFI does not have it. -opt: with debug information, too, so both have equal addresses.
# -merge: behind all of .rdata is the room for the packed texts.
LOADER_LDFLAGS := -subsystem:efi_application -entry:efi_main -nodefaultlib -nxcompat \
    -dynamicbase -timestamp:0 -opt:ref,icf -merge:.room=.rdata $(LOADER_SMALL:%=-mllvm:%) \
    $(LOADER_APART:%=-mllvm:-force-attribute=%:noinline)

$(eval $(call flags_file,loader,$$(CLANG) $$(LOADER_CFLAGS) $$(LLD_LINK) $$(LOADER_LDFLAGS)))

# Link the objects among the prerequisites, and compress the sentences (shared/text/packed_text.h).
define link_loader
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(LLD_LINK) $(LOADER_LDFLAGS) $(1) -out:$(NEW) $(filter %.o,$^) && \
	    $(PYTHON) scripts/pack-loader.py $(NEW) && $(RENAME)
endef

$(BUILD)/BOOTX64.debug.efi: $(LOADER_OBJECTS) scripts/pack-loader.py
	$(call link_loader,-debug:dwarf)

$(BUILD)/BOOTX64.EFI: $(LOADER_OBJECTS) $(BUILD)/BOOTX64.debug.efi
	$(call link_loader)

# --- Kernel: a static ELF in the higher half ----------------------------------------------------
KERNEL_CFLAGS := --target=x86_64-unknown-none-elf -ffreestanding -mcmodel=kernel -mno-red-zone \
    -mgeneral-regs-only -fno-stack-protector -fno-omit-frame-pointer -fno-pic -fno-builtin -O2 -g \
    $(ANY_FOLDER) $(COMMON_CFLAGS)
ifeq ($(UBSAN),1)
KERNEL_SOURCES += $(wildcard kernel/diagnostics/sanitizer/undefined*.c)
KERNEL_CFLAGS += -DHANDOFF_UBSAN -fsanitize=undefined
endif
ifeq ($(KASAN),1)
KERNEL_SOURCES += $(wildcard kernel/diagnostics/sanitizer/address*.c)
KERNEL_CFLAGS += -DHANDOFF_KASAN
# Functions check each access, instead of inlined code, so that code before the shadow exists works, too. The
# memory functions get the names of their checked versions.
KASAN_CFLAGS := -Xclang -fsanitize=kernel-address -Xclang -fsanitize-recover=kernel-address -mllvm -asan-instrumentation-with-call-threshold=0 \
    -mllvm -asan-stack=0 -mllvm -asan-globals=0 -Dmemcpy=__asan_memcpy -Dmemmove=__asan_memmove \
    -Dmemset=__asan_memset
KASAN_FREE := kernel/diagnostics/sanitizer/address.c kernel/diagnostics/monitor/command_bytes.c shared/arch/x86_64/memory.c $(HEAP_SOURCES)
endif
KERNEL_OBJECTS := $(KERNEL_SOURCES:%.c=$(BUILD)/kernel/%.o) $(KERNEL_ASSEMBLY:%.S=$(BUILD)/kernel/%.S.o)
KERNEL_LINKER_SCRIPT := kernel/arch/x86_64/kernel.ld
KERNEL_KIND := -static
ifeq ($(PIE),1)
KERNEL_CFLAGS += -fpie -fdirect-access-external-data
KERNEL_LINKER_SCRIPT := kernel/arch/x86_64/kernel-pie.ld
KERNEL_KIND := -pie --no-dynamic-linker -z text
endif
KERNEL_LDFLAGS := $(KERNEL_KIND) -nostdlib -z noexecstack -z max-page-size=4096 --build-id=fast -T $(KERNEL_LINKER_SCRIPT)

# Files whose code runs once or never are compiled for size. The image must fit into a small machine, whose
# free memory is fragmented (tests/qemu/test_early_heap.py).
KERNEL_COLD := $(wildcard kernel/boot/*.c kernel/screen/panic_*.c kernel/screen/qr_*.c kernel/screen/overview*.c kernel/diagnostics/print_*.c \
    kernel/diagnostics/monitor/*.c kernel/input/*.c kernel/diagnostics/lesson_absent.c) $(patsubst %,kernel/%.c,core/backtrace_fold core/command_words core/log_colour \
    core/fault core/line_table core/nearest core/panic core/panic_print core/panic_screen core/symbols core/timeline core/timeline_summary diagnostics/overview_figures diagnostics/panic_memory diagnostics/provoke diagnostics/screen_pages diagnostics/self_test \
    mm/heap_settings arch/x86_64/exception arch/x86_64/keyboard arch/x86_64/registers screen/base45 screen/deflate screen/report_text) shared/arch/x86_64/fault_text.c shared/page_fault.c

$(eval $(call flags_file,kernel,$$(CLANG) $$(KERNEL_CFLAGS) $$(LD_LLD) $$(KERNEL_LDFLAGS) $$(KERNEL_COLD)))

$(BUILD)/kernel/%.o: %.c $(BUILD)/kernel.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(KERNEL_CFLAGS) -MMD -MP -c $< -o $@

# (private: $(BUILD)/kernel.flags does not get it, whichever object comes first.)
$(KERNEL_COLD:%.c=$(BUILD)/kernel/%.o): private KERNEL_CFLAGS += -Oz
ifeq ($(KASAN),1)
$(patsubst %.c,$(BUILD)/kernel/%.o,$(filter-out $(KASAN_FREE),$(KERNEL_SOURCES))): \
    private KERNEL_CFLAGS += $(KASAN_CFLAGS)
endif
# The file that reports undefined behaviour must not check itself.
$(BUILD)/kernel/kernel/diagnostics/sanitizer/undefined.o: private KERNEL_CFLAGS += -fno-sanitize=undefined

$(BUILD)/kernel/%.S.o: %.S $(BUILD)/kernel.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(KERNEL_CFLAGS) $(ASSEMBLY_FLAGS) -MMD -MP -c $< -o $@

# The tables of symbols and lines for backtraces are a part of the image, so the kernel is linked twice: first to
# get the addresses, then with the tables. They are at the end of the image, so they move no address.
# kernel.debug.elf has the debug information for gdb. kernel.elf does not have it.
#   $(1)  the folder of intermediate files
#   $(2)  the folder of kernel.elf
#   $(3)  the objects, and the files that list them
define kernel_image
$(1)/symbols-empty.S: scripts/kernel-symbols.py scripts/kernel-lines.py
	@mkdir -p $$(@D)
	$(Q)$$(PYTHON) scripts/kernel-symbols.py </dev/null >$$(NEW) && \
	    $$(PYTHON) scripts/kernel-lines.py </dev/null >>$$(NEW) && $$(RENAME)

$(1)/symbols.S: $(1)/first-pass.elf scripts/kernel-symbols.py scripts/kernel-lines.py
	$$(say) NM $$@
	$(Q)$(LLVM_NM) --defined-only --numeric-sort $$< >$$(NEW).txt && \
	    $$(PYTHON) scripts/kernel-symbols.py <$$(NEW).txt >$$(NEW) && \
	    $(LLVM_DWARFDUMP) --debug-line $$< >$$(NEW).txt && \
	    $$(PYTHON) scripts/kernel-lines.py <$$(NEW).txt >>$$(NEW) && rm $$(NEW).txt && $$(RENAME)

$(1)/symbols-empty.o $(1)/symbols.o: %.o: %.S $(BUILD)/kernel.flags
	$$(say) CC $$@
	$(Q)$(CLANG) $$(KERNEL_CFLAGS) -g0 -c $$< -o $$@

$(1)/first-pass.elf: $(3) $(1)/symbols-empty.o $(KERNEL_LINKER_SCRIPT)
	$$(say) LINK $$@
	$(Q)$(LD_LLD) $(KERNEL_LDFLAGS) $$(filter %.o,$$^) -o $$(NEW) && $$(RENAME)

$(2)/kernel.debug.elf: $(3) $(1)/symbols.o $(KERNEL_LINKER_SCRIPT)
	$$(say) LINK $$@
	$(Q)$(LD_LLD) $(KERNEL_LDFLAGS) $$(filter %.o,$$^) -o $$(NEW) && $$(RENAME)

$(2)/kernel.elf: $(2)/kernel.debug.elf scripts/kernel-checksum.py
	$$(say) STRIP $$@
	$(Q)$(LLVM_OBJCOPY) --strip-all $$< $$(NEW) && $$(PYTHON) scripts/kernel-checksum.py $$(NEW) && $$(RENAME)
endef
$(eval $(call kernel_image,$(BUILD)/kernel,$(BUILD),$(KERNEL_OBJECTS)))

# --- The console font, from the distribution's package ------------------------------------------
FONT := $(BUILD)/font.bin
$(FONT): scripts/console-font.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) scripts/console-font.py $@

$(BUILD)/packed_font.bin: $(FONT) scripts/pack-font.py
	$(Q)$(PYTHON) scripts/pack-font.py $< $(NEW) && $(RENAME)

$(BUILD)/kernel/shared/arch/x86_64/font.S.o: $(FONT)
$(BUILD)/loader/shared/arch/x86_64/font.S.o: $(BUILD)/packed_font.bin

# --- esp/: the files of the boot volume ----------------------------------------------------------
$(ESP)/EFI/BOOT/BOOTX64.EFI: $(BUILD)/BOOTX64.EFI
	@mkdir -p $(@D)
	$(Q)cp $< $(NEW) && $(RENAME)

$(ESP)/kernel.elf: $(BUILD)/kernel.elf
	@mkdir -p $(@D)
	$(Q)cp $< $(NEW) && $(RENAME)

# A boot volume in another folder gets the configuration of the checkout.
ifneq ($(ESP),esp)
CONFIGURATION := $(patsubst esp/%,$(ESP)/%,$(wildcard esp/handoff.conf))
$(ESP)/handoff.conf: esp/handoff.conf
	@mkdir -p $(@D)
	$(Q)cp $< $(NEW) && $(RENAME)
endif

# --- check_boot: the loader's checks of a kernel and of a configuration, for this machine ----------
# scripts/run.sh runs it before it starts QEMU.
CHECK_BOOT_OBJECTS := $(patsubst %.c,$(BUILD)/check_boot/obj/%.o, \
    host/check_boot/check_boot.c $(patsubst %,bootloader/pure/%.c,config config_heap config_module config_value elf elf_note elf_text enrolment entries entry_name error inject integrity_rules kernel_base kernel_checksum kernel_demands relocation serial_choice sha256 text_part) \
    bootloader/arch/x86_64/relocation_kinds.c \
    shared/text/command_line.c shared/text/format.c shared/text/number.c shared/text/piece.c)
CHECK_BOOT_CFLAGS := -O1 -g -D_GNU_SOURCE $(COMMON_CFLAGS)

$(eval $(call flags_file,check_boot,$$(CLANG) $$(CHECK_BOOT_CFLAGS)))

$(BUILD)/check_boot/obj/%.o: %.c $(BUILD)/check_boot.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(CHECK_BOOT_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/check_boot/check_boot: $(CHECK_BOOT_OBJECTS)
	$(say) LINK $@
	$(Q)$(CLANG) $^ -o $(NEW) && $(RENAME)

.PHONY: errors
errors: $(BUILD)/check_boot/check_boot ## write the loader's causes, remedies and warnings into docs/ERRORS.md
	@$(PYTHON) scripts/error_page.py $<

ifneq ($(CHECKED),)
.PHONY: build
build: $(BUILD)/kernel.elf
else
.PHONY: build
build: $(ESP)/EFI/BOOT/BOOTX64.EFI $(ESP)/kernel.elf $(CONFIGURATION) $(BUILD)/check_boot/check_boot ## build the loader and the kernel into esp/
endif

# The kernels of UBSAN=1, KASAN=1 and PIE=1. The make of each shares the jobs of this one.
.PHONY: checked-kernels checked-UBSAN checked-KASAN checked-PIE
checked-kernels: checked-UBSAN checked-KASAN checked-PIE
checked-UBSAN checked-KASAN checked-PIE: checked-%:
	@$(MAKE) --no-print-directory build $*=1

# FILES=… enrols files that are not in the boot volume's folder, too.
.PHONY: sign
sign: build ## enrol the files of esp/ in the loader and sign it: make sign KEY=db.key CERT=db.pem [FILES="…"]
	@[ -n "$(KEY)" ] && [ -n "$(CERT)" ] || { echo "make sign KEY=FILE CERT=FILE: name a key and its certificate (docs/SECURE-BOOT.md makes both)" >&2; exit 2; }
	@$(PYTHON) scripts/sign.py --key '$(KEY)' --cert '$(CERT)' --loader $(BUILD)/BOOTX64.EFI --volume $(ESP) $(FILES)

# --- Unit tests: production files unmodified, ASan and UBSan -------------------------------------
# A report of a sanitizer has the file and the line. For the variables in gdb: `make HOST_DEBUG=-g`.
HOST_DEBUG ?= -gline-tables-only
HOST_CFLAGS := $(HOST_DEBUG) -O1 -fno-omit-frame-pointer $(COMMON_CFLAGS)
# The optimiser takes more than half of the time to compile a test, and the tests of most programs run for milliseconds.
# Production files and the oracles (tests/unit/support) keep -O1: they run millions of times. So do the tests whose own
# loops take seconds: with -O0 these four took 48 seconds of processor time, with -O1 ten.
TEST_CFLAGS := -O0
BUSY_TESTS := bit_tree heap_best_fit_random heap_hash heap_requests
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
# lld links the sanitizers in half the time of the usual linker. make runs a linker for each processor, so one thread
# is enough for each.
HOST_LDFLAGS := -fuse-ld=lld -Wl,--threads=1,-O0
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
# A whole kernel for the monitor's tests, which takes many files along. Two files have the name timeline.c, so the
# kernel's one is in no library.
MONITOR_MACHINE := tests/unit/support/monitor_machine.o kernel/core/timeline.o
UNIT_SUPPORT := $(filter-out $(MONITOR_MACHINE:%=$(BUILD)/unit/obj/%),\
    $(patsubst %.c,$(BUILD)/unit/obj/%.o,$(wildcard tests/unit/support/*.c)))
UNIT_PURE := $(PURE_SOURCES:%.c=$(BUILD)/unit/obj/%.o)

# The tests that take longest start first, so that all processors end at the same time. The flags name the busy tests,
# so that another list compiles them again.
FIRST_TESTS := $(patsubst %,$(BUILD)/unit/test_%,heap_policies heap_pointers heap_absent heap_guarded_memory heap_growth $(BUSY_TESTS))

$(eval $(call flags_file,unit,$$(CLANG) $$(HOST_CFLAGS) $$(TEST_CFLAGS) $$(SANITIZE) $$(BUSY_TESTS)))

$(filter-out $(BUSY_TESTS:%=$(BUILD)/unit/obj/tests/unit/test_%.o),$(UNIT_TESTS:$(BUILD)/unit/%=$(BUILD)/unit/obj/tests/unit/%.o)): \
    private HOST_CFLAGS += $(TEST_CFLAGS)

$(BUILD)/unit/obj/%.o: %.c $(BUILD)/unit.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(HOST_CFLAGS) $(SANITIZE) -MMD -MP -c $< -o $@

$(BUILD)/unit/libpure.a: $(UNIT_PURE)
	$(say) AR $@
	$(Q)$(LLVM_AR) rcs $(NEW) $^ && $(RENAME)

$(BUILD)/unit/test_%: $(BUILD)/unit/obj/tests/unit/test_%.o $(UNIT_SUPPORT) $(BUILD)/unit/libpure.a
	$(say) LINK $@
	$(Q)$(CLANG) $(HOST_LDFLAGS) $(SANITIZE) $(filter %.o,$^) $(BUILD)/unit/libpure.a -lcmocka $(LIBRARIES) -o $(NEW) && $(RENAME)

# zlib reads back what the kernel compresses.
ZLIB_TESTS := $(foreach name,deflate report_text,$(BUILD)/unit/test_$(name) $(BUILD)/coverage/test_$(name)) $(BUILD)/fuzz/fuzz_deflate
$(ZLIB_TESTS): LIBRARIES := -lz

$(BUILD)/unit/test_commands: $(MONITOR_MACHINE:%=$(BUILD)/unit/obj/%)

# The page tables and who builds them once more, with the entry format of a second CPU, for the tests
# test_*_aarch64.
SECOND_CPU := -DPAGE_ENTRY_FORMAT='"tests/unit/support/aarch64_page_entry.h"'
SECOND_CPU_TABLES := $(wildcard shared/page_table*.c shared/table_*.c kernel/mm/paging/*.c) \
    bootloader/pure/bootstrap_tables.c
SECOND_CPU_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*_aarch64.c))

$(SECOND_CPU_TESTS:%=$(BUILD)/unit/obj/tests/unit/%.o): private HOST_CFLAGS += $(SECOND_CPU)
$(SECOND_CPU_TESTS:%=$(BUILD)/unit/%): $(SECOND_CPU_TABLES:%.c=$(BUILD)/unit/aarch64/%.o)

$(BUILD)/unit/aarch64/%.o: %.c $(BUILD)/unit.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(HOST_CFLAGS) $(SECOND_CPU) $(SANITIZE) -MMD -MP -c $< -o $@

.PHONY: unit-tests
unit-tests: $(UNIT_TESTS)

.PHONY: test-unit
test-unit: unit-tests ## run the unit tests under ASan and UBSan
	@$(PYTHON) scripts/unit_tests.py $(filter $(FIRST_TESTS),$(UNIT_TESTS)) $(filter-out $(FIRST_TESTS),$(UNIT_TESTS))

# --- The long tests: millions of operations compared with the oracle, and long runs of the fuzzers -
# The policies run one after the other. HEAP_LAYERS=… adds layers.
LONG_OPERATIONS ?= 10000000
LONG_POLICIES := bump first-fit best-fit fast

$(BUILD)/long/%: $(BUILD)/unit/obj/tests/long/%.o $(UNIT_SUPPORT) $(BUILD)/unit/libpure.a
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CLANG) $(HOST_LDFLAGS) $(SANITIZE) $(filter %.o,$^) $(BUILD)/unit/libpure.a -lcmocka -o $(NEW) && $(RENAME)

.PHONY: long-programs
long-programs: $(BUILD)/long/heap_operations

.PHONY: test-long
test-long: test-long-heap fuzz-long ## compare ten million heap operations with an oracle; run each fuzzer for long

.PHONY: test-long-heap
test-long-heap: $(BUILD)/long/heap_operations ## run only the heap operations of test-long
	$(Q)for policy in $(LONG_POLICIES); do $< $$policy $(LONG_OPERATIONS) || exit 1; done

# --- Tests of other projects, on the preload library ---------------------------------------------
.PHONY: test-foreign
test-foreign: $(BUILD)/host/libheap_preload.so ## run the malloc() tests of glibc and mimalloc on the preload library
	$(Q)$(PYTHON) tests/foreign/run.py $(BUILD)/foreign

# --- Threads: the kernel's heap and its lock under TSan. Each thread stands for a CPU --------------
TSAN := -fsanitize=thread -DPER_CPU=_Thread_local
TSAN_OBJECTS := $(patsubst %.c,$(BUILD)/tsan/obj/%.o,$(wildcard tests/threads/*.c) \
    $(HEAP_SOURCES) kernel/mm/kmalloc.c kernel/core/cpu.c kernel/core/spinlock.c kernel/core/interrupts.c \
    tests/unit/support/arch_stub.c tests/unit/support/log_stub.c tests/unit/support/panic_stub.c)

$(eval $(call flags_file,tsan,$$(CLANG) $$(HOST_CFLAGS) $$(TSAN)))

$(BUILD)/tsan/obj/%.o: %.c $(BUILD)/tsan.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(HOST_CFLAGS) $(TSAN) -MMD -MP -c $< -o $@

$(BUILD)/tsan/test_kmalloc_threads: $(TSAN_OBJECTS)
	$(say) LINK $@
	$(Q)$(CLANG) $(HOST_LDFLAGS) $(TSAN) $^ -lcmocka -lpthread -o $(NEW) && $(RENAME)

.PHONY: thread-tests
thread-tests: $(BUILD)/tsan/test_kmalloc_threads

.PHONY: test-threads
test-threads: thread-tests ## run the heap's thread tests under TSan
	@$(PYTHON) scripts/unit_tests.py $(BUILD)/tsan/test_kmalloc_threads

# --- The simulator: the whole memory stack over a memory map that is given as text -----------------
# It has the production files of the unit tests, and files of the kernel that have state or write to the log.
SIMULATOR_PARSER := $(wildcard host/simulator/map_*.c) $(patsubst %,host/simulator/%.c,efi_names text_cursor)
SIMULATOR_OBJECTS := $(patsubst %.c,$(BUILD)/unit/obj/%.o,$(wildcard host/simulator/*.c) \
    tests/unit/support/memory_map_oracle.c tests/unit/support/arch_stub.c kernel/core/log.c kernel/diagnostics/ownership.c kernel/core/panic_names.c \
    kernel/diagnostics/self_test.c kernel/core/timeline.c kernel/core/boot_record.c)

$(BUILD)/simulator/simulate: $(SIMULATOR_OBJECTS) $(BUILD)/unit/libpure.a
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CLANG) $(HOST_LDFLAGS) $(SANITIZE) $^ -o $(NEW) && $(RENAME)

.PHONY: simulator
simulator: $(BUILD)/simulator/simulate ## build the simulator (scripts/simulate.sh runs it)

# --- Coverage of the pure files under the unit tests ----------------------------------------------
# Under ASan, which some of the tests ask.
COVERAGE := -fprofile-instr-generate -fcoverage-mapping -fsanitize=address
# Each program has all pure files, so that a file without a test is counted, too. A test does not define what the files
# call that it does not use. Loader and kernel each have a timeline.c, and no test calls both.
COVERAGE_LINK := -no-pie -Wl,--unresolved-symbols=ignore-all -Wl,--allow-multiple-definition
COVERAGE_TESTS := $(UNIT_TESTS:$(BUILD)/unit/%=$(BUILD)/coverage/%)

$(eval $(call flags_file,coverage,$$(CLANG) $$(HOST_CFLAGS) $$(COVERAGE)))

$(BUILD)/coverage/obj/%.o: %.c $(BUILD)/coverage.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(HOST_CFLAGS) $(COVERAGE) -MMD -MP -c $< -o $@

$(BUILD)/coverage/test_%: $(BUILD)/coverage/obj/tests/unit/test_%.o \
    $(UNIT_SUPPORT:$(BUILD)/unit/obj/%=$(BUILD)/coverage/obj/%) \
    $(UNIT_PURE:$(BUILD)/unit/obj/%=$(BUILD)/coverage/obj/%)
	$(say) LINK $@
	$(Q)$(CLANG) $(COVERAGE) $(COVERAGE_LINK) $^ -lcmocka $(LIBRARIES) -o $(NEW) && $(RENAME)

$(BUILD)/coverage/test_commands: $(MONITOR_MACHINE:%=$(BUILD)/coverage/obj/%)

# With the tables of the second CPU in the place of the first one's.
$(SECOND_CPU_TESTS:%=$(BUILD)/coverage/obj/tests/unit/%.o): private HOST_CFLAGS += $(SECOND_CPU)

$(BUILD)/coverage/aarch64/%.o: %.c $(BUILD)/coverage.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(HOST_CFLAGS) $(SECOND_CPU) $(COVERAGE) -MMD -MP -c $< -o $@

$(SECOND_CPU_TESTS:%=$(BUILD)/coverage/%): $(BUILD)/coverage/%: $(BUILD)/coverage/obj/tests/unit/%.o \
    $(UNIT_SUPPORT:$(BUILD)/unit/obj/%=$(BUILD)/coverage/obj/%) \
    $(patsubst %.c,$(BUILD)/coverage/obj/%.o,$(filter-out $(SECOND_CPU_TABLES),$(PURE_SOURCES))) \
    $(SECOND_CPU_TABLES:%.c=$(BUILD)/coverage/aarch64/%.o)
	$(say) LINK $@
	$(Q)$(CLANG) $(COVERAGE) $(COVERAGE_LINK) $^ -lcmocka $(LIBRARIES) -o $(NEW) && $(RENAME)

.PHONY: coverage
coverage: $(COVERAGE_TESTS) ## report the lines of the pure files that the unit tests execute
	@$(PYTHON) scripts/unit_coverage.py $(LLVM_PROFDATA) $(LLVM_COV) $(BUILD)/coverage $^

# --- Mutations: small mistakes in the production files, which a unit test must notice ------------------
# SEED=N takes another sample, COUNT=N a larger one, ALL=1 every mutation; WORD="bump.c relation" those with a word.
.PHONY: test-mutations
test-mutations: unit-tests thread-tests $(COVERAGE_TESTS) ## make one small mistake after the other in the memory stack, and see a test fail each time
	@$(PYTHON) tests/mutations/harness.py --profdata $(LLVM_PROFDATA) --cov $(LLVM_COV) $(SEED:%=--seed %) \
	    $(COUNT:%=--count %) $(patsubst 1,--all,$(filter 1,$(ALL))) $(patsubst 1,--list,$(filter 1,$(LIST))) $(WORD)

# --- Fuzzers: one for each parser of foreign bytes, and for the operations of each allocator -------
# tests/fuzz/fuzz_NAME.c runs with the pure files under libFuzzer. build/fuzz/corpus/NAME keeps the inputs that
# runs have found. tests/fuzz/seeds/NAME has the first inputs, and inputs that once failed. tests/fuzz/kept has
# inputs of long runs: the smallest set with the same coverage.
FUZZ_SECONDS ?= 60
FUZZ_SANITIZE := $(SANITIZE) -fsanitize=fuzzer-no-link
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_PROGRAMS := $(FUZZERS:%=$(BUILD)/fuzz/%)
FUZZ_COMMON := $(UNIT_SUPPORT:$(BUILD)/unit/obj/%=$(BUILD)/fuzz/obj/%) \
    $(SIMULATOR_PARSER:%.c=$(BUILD)/fuzz/obj/%.o) \
    $(UNIT_PURE:$(BUILD)/unit/obj/%=$(BUILD)/fuzz/obj/%)

$(eval $(call flags_file,fuzz,$$(CLANG) $$(HOST_CFLAGS) $$(FUZZ_SANITIZE)))

$(BUILD)/fuzz/obj/%.o: %.c $(BUILD)/fuzz.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(HOST_CFLAGS) $(FUZZ_SANITIZE) -MMD -MP -c $< -o $@

# The fuzzer must follow the code under test, not this oracle: its steps would take nine tenths of the time.
$(BUILD)/fuzz/obj/tests/unit/support/memory_map_oracle.o: private FUZZ_SANITIZE := $(SANITIZE)

$(BUILD)/fuzz/libpure.a: $(FUZZ_COMMON)
	$(say) AR $@
	$(Q)$(LLVM_AR) rcs $(NEW) $^ && $(RENAME)

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/obj/tests/fuzz/fuzz_%.o $(BUILD)/fuzz/libpure.a
	$(say) LINK $@
	$(Q)$(CLANG) $(HOST_LDFLAGS) $(SANITIZE) -fsanitize=fuzzer $(filter %.o,$^) $(BUILD)/fuzz/libpure.a $(LIBRARIES) -o $(NEW) && $(RENAME)

$(BUILD)/fuzz/fuzz_monitor: $(MONITOR_MACHINE:%=$(BUILD)/fuzz/obj/%)

.PHONY: fuzz-programs
fuzz-programs: $(FUZZ_PROGRAMS)

.PHONY: fuzz
fuzz: $(FUZZ_PROGRAMS) ## run each fuzzer for FUZZ_SECONDS (60) seconds
	@scripts/fuzz.sh $(BUILD)/fuzz $(FUZZ_SECONDS) $(FUZZERS)

# The fuzzers of what the loader reads: a count of runs. The others do too much in a run, so they get a time.
LONG_FUZZ_RUNS ?= 10000000
LONG_FUZZ_SECONDS ?= 600
COUNTED_FUZZERS := $(patsubst %,fuzz_%,config elf elf_note kernel_symbols memory_map inject post_mortem relocation \
    enrolment entries entry_name load_options madt menu)

.PHONY: fuzz-long
fuzz-long: $(FUZZ_PROGRAMS) ## run the fuzzers of the loader's inputs ten million times, the others for ten minutes
	@scripts/fuzz.sh $(BUILD)/fuzz runs=$(LONG_FUZZ_RUNS) $(COUNTED_FUZZERS)
	@scripts/fuzz.sh $(BUILD)/fuzz $(LONG_FUZZ_SECONDS) $(filter-out $(COUNTED_FUZZERS),$(FUZZERS))

.PHONY: fuzz-keep
fuzz-keep: $(FUZZ_PROGRAMS) ## keep the inputs that fuzz-long has found, in tests/fuzz/kept
	@scripts/fuzz.sh $(BUILD)/fuzz keep $(COUNTED_FUZZERS)

.PHONY: fuzz-short
fuzz-short: $(FUZZ_PROGRAMS) ## run each fuzzer for a few seconds, with the same inputs every time
	@scripts/fuzz.sh $(BUILD)/fuzz short $(FUZZERS)

# --- QEMU tests ----------------------------------------------------------------------------------
# The conductor is an EFI application. It makes firmware fail as the plan of a test says, then starts the
# unmodified loader. It is compiled as the loader is.
CONDUCTOR_OBJECTS := $(patsubst %.c,$(BUILD)/loader/%.o, \
    $(wildcard tests/qemu/conductor/*.c) $(SHARED_SOURCES) $(SHARED_ARCH_SOURCES)) \
    $(patsubst %.S,$(BUILD)/loader/%.S.o,$(wildcard tests/qemu/conductor/arch/x86_64/*.S))

$(BUILD)/qemu/CONDUCTOR.EFI: $(CONDUCTOR_OBJECTS)
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(LLD_LINK) -subsystem:efi_application -entry:efi_main -nodefaultlib -nxcompat \
	    -dynamicbase -out:$(NEW) $^ && $(RENAME)

# An EFI application that the loader starts, and that returns: it prints what it was given.
VISITOR_OBJECTS := $(patsubst %.c,$(BUILD)/loader/%.o,$(wildcard tests/qemu/visitor/*.c) tests/qemu/conductor/packed_text.c $(SHARED_SOURCES) $(SHARED_ARCH_SOURCES))

$(BUILD)/qemu/VISITOR.EFI: $(VISITOR_OBJECTS)
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(LLD_LINK) -subsystem:efi_application -entry:efi_main -nodefaultlib -nxcompat \
	    -dynamicbase -out:$(NEW) $^ && $(RENAME)

# --- The probe: a kernel that checks docs/HANDOFF.md ----------------------------------------------
# It has its own sources and its own linker script. Of the project it includes only shared/handoff.h.
PROBE_OBJECTS := $(patsubst %.c,$(BUILD)/kernel/%.o,$(wildcard tests/qemu/probe/*.c)) \
    $(patsubst %.S,$(BUILD)/kernel/%.S.o,$(wildcard tests/qemu/probe/arch/x86_64/*.S))
PROBE_LINKER_SCRIPT := tests/qemu/probe/arch/x86_64/probe.ld

$(BUILD)/probe/probe.elf: $(PROBE_OBJECTS) $(PROBE_LINKER_SCRIPT)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(LD_LLD) -static -nostdlib --strip-all -z noexecstack -z max-page-size=4096 \
	    -T $(PROBE_LINKER_SCRIPT) $(filter %.o,$^) -o $(NEW) && $(RENAME)

.PHONY: probe
probe: $(BUILD)/probe/probe.elf

# Kernels with one file each, as a reader of docs/HANDOFF.md would write first.
SMALL_KERNELS := $(patsubst tests/qemu/small_kernels/%.c,$(BUILD)/small_kernels/%.elf, \
    $(wildcard tests/qemu/small_kernels/*.c))

define link_small_kernel
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(LD_LLD) -static -nostdlib --strip-all -z noexecstack -z max-page-size=4096 -z separate-code \
	    --image-base=0xffffffff80000000 --entry=entry $< -o $(NEW) && $(RENAME)
endef

$(BUILD)/small_kernels/%.elf: $(BUILD)/kernel/tests/qemu/small_kernels/%.o
	$(link_small_kernel)

# A static PIE with its symbols, and one without symbols whose relocations are packed.
PIE_OBJECT := $(BUILD)/kernel/tests/qemu/small_kernels/pie.o
PIE_LDFLAGS := -pie --no-dynamic-linker -z text -nostdlib -z noexecstack -z max-page-size=4096 --entry=entry
SMALL_KERNELS += $(BUILD)/small_kernels/pie-relr.elf

$(PIE_OBJECT): private KERNEL_CFLAGS += -fpie

$(BUILD)/small_kernels/pie.elf: $(PIE_OBJECT)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(LD_LLD) $(PIE_LDFLAGS) $< -o $(NEW) && $(RENAME)

$(BUILD)/small_kernels/pie-relr.elf: $(PIE_OBJECT)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(LD_LLD) $(PIE_LDFLAGS) --strip-all --pack-dyn-relocs=relr $< -o $(NEW) && $(RENAME)

# Large kernels, for bench-boot.
BENCH_KERNELS := $(patsubst tests/bench/kernels/%.c,$(BUILD)/bench/kernels/%.elf,$(wildcard tests/bench/kernels/*.c))

$(BUILD)/bench/kernels/%.elf: $(BUILD)/kernel/tests/bench/kernels/%.o
	$(link_small_kernel)

# Loaders that are wrong on purpose, for the conformance kit: one file of the tests replaces bootloader/inject.c.
WRONG_LOADERS := $(patsubst tests/qemu/wrong_loaders/%.c,$(BUILD)/wrong_loaders/%.EFI, \
    $(wildcard tests/qemu/wrong_loaders/*.c))

$(BUILD)/wrong_loaders/%.EFI: $(BUILD)/loader/tests/qemu/wrong_loaders/%.o \
    $(filter-out $(BUILD)/loader/bootloader/inject.o,$(LOADER_OBJECTS)) scripts/pack-loader.py
	$(call link_loader)

.PHONY: qemu-programs
qemu-programs: build lesson-kernels $(BUILD)/qemu/CONDUCTOR.EFI $(BUILD)/qemu/VISITOR.EFI $(BUILD)/probe/probe.elf $(SMALL_KERNELS) $(WRONG_LOADERS)

.PHONY: test-qemu
test-qemu: qemu-programs ## run the tests in virtual machines with real UEFI firmware
	$(PYTHON) -m pytest -q -p no:cacheprovider -n $(shell getconf _NPROCESSORS_ONLN) tests/qemu

.PHONY: test
test: ## run all tests; the last line is `N passed, N failed`
	scripts/test.sh

.PHONY: test-all
test-all: ## run scripts/test.sh with every case, then the long tests
	@scripts/test.sh --all
	@$(MAKE) --no-print-directory test-long

# --- Lessons: the reader's answers, run by lessons/, in the kernel and on this machine ------------
# FOLDER has the answers. A missing one is taken from the solutions. The objects have the paths of their sources, so
# an answer is compiled once for all kernels.
EXERCISES := docs/learn/exercises
SOLUTIONS := docs/learn/solutions
FOLDER ?= $(if $(filter 1,$(SOLUTION)),$(SOLUTIONS),$(EXERCISES))
TESTED_FOLDERS := $(EXERCISES) $(SOLUTIONS) $(wildcard tests/learn/mistakes/* tests/learn/faults/*)
ANSWER_FOLDERS := $(sort $(FOLDER) $(TESTED_FOLDERS))
ANSWER_FILES := $(notdir $(wildcard $(SOLUTIONS)/lesson_*.c))
answers_of = $(foreach file,$(ANSWER_FILES),$(firstword $(wildcard $(1)/$(file)) $(SOLUTIONS)/$(file)))
ANSWERS := $(sort $(foreach folder,$(ANSWER_FOLDERS),$(call answers_of,$(folder))))
# Where the kernel and the program with the answers of a folder are: build/lessons/mistakes-1.
short_name = $(patsubst /%,%,$(patsubst tests/learn/%,%,$(patsubst docs/learn/%,%,$(1))))
lesson_folder = lessons/$(subst /,-,$(call short_name,$(1)))

LESSON_SOURCES := $(wildcard lessons/*.c)
LESSON_KERNEL_OBJECTS := $(filter-out %/lesson_absent.o,$(KERNEL_OBJECTS)) \
    $(patsubst %.c,$(BUILD)/kernel/%.o,$(LESSON_SOURCES) $(wildcard kernel/diagnostics/lessons/*.c kernel/arch/x86_64/lessons/*.c)) \
    $(patsubst %.S,$(BUILD)/kernel/%.S.o,$(wildcard kernel/arch/x86_64/lessons/*.S))
LESSON_HOST_OBJECTS := $(patsubst %.c,$(BUILD)/lessons/host/%.o,$(LESSON_SOURCES) $(wildcard host/lessons/*.c) \
    $(patsubst %,shared/%.c,text/format crc32 handoff_checksum))

# LESSON (lesson_04.c) is the answer that runs. If another one does not compile, its solution takes its place.
# The old date of the object makes the next call try again.
ANSWER_OR = $(if $(filter-out $(<F),$(LESSON)),2>/dev/null || { $(1) $(SOLUTIONS)/$(<F) -o $@ && touch -d @0 $@; })

$(ANSWERS:%.c=$(BUILD)/kernel/%.o): $(BUILD)/kernel/%.o: %.c $(BUILD)/kernel.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(KERNEL_CFLAGS) -MMD -MP -c $< -o $@ $(call ANSWER_OR,$(CLANG) $(KERNEL_CFLAGS) -c)

# A finding is said in words, and the code goes on as in the kernel (host/lessons/sanitizer_words.h).
LESSON_SANITIZE := -fsanitize=address,undefined

$(eval $(call flags_file,lessons-host,$$(CLANG) $$(HOST_CFLAGS) $$(LESSON_SANITIZE)))

$(LESSON_HOST_OBJECTS): $(BUILD)/lessons/host/%.o: %.c $(BUILD)/lessons-host.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(HOST_CFLAGS) $(LESSON_SANITIZE) -MMD -MP -c $< -o $@

$(ANSWERS:%.c=$(BUILD)/lessons/host/%.o): $(BUILD)/lessons/host/%.o: %.c $(BUILD)/lessons-host.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(HOST_CFLAGS) $(LESSON_SANITIZE) -MMD -MP -c $< -o $@ \
	    $(call ANSWER_OR,$(CLANG) $(HOST_CFLAGS) $(LESSON_SANITIZE) -c)

# $(1): the folder of the results, below the build folder; $(2): the answers
define lesson_results
$(call flags_file,$(1)/answers,$(2))

$(call kernel_image,$(BUILD)/$(1)/link,$(BUILD)/$(1),$(LESSON_KERNEL_OBJECTS) $(2:%.c=$(BUILD)/kernel/%.o) $(BUILD)/$(1)/answers.flags)

$(BUILD)/$(1)/lesson: $(LESSON_HOST_OBJECTS) $(2:%.c=$(BUILD)/lessons/host/%.o) $(BUILD)/$(1)/answers.flags
	$$(say) LINK $$@
	$(Q)$(CLANG) $(HOST_LDFLAGS) $(LESSON_SANITIZE) $$(filter %.o,$$^) -o $$(NEW) && $$(RENAME)
endef
$(foreach folder,$(ANSWER_FOLDERS),$(eval $(call lesson_results,$(call lesson_folder,$(folder)),$(call answers_of,$(folder)))))

# scripts/lesson.py builds one of these, and the tests build all.
.PHONY: lesson-kernel lesson-program lesson-kernels lesson-programs
lesson-kernel: $(BUILD)/$(call lesson_folder,$(FOLDER))/kernel.elf
lesson-program: $(BUILD)/$(call lesson_folder,$(FOLDER))/lesson
lesson-kernels: $(foreach folder,$(TESTED_FOLDERS),$(BUILD)/$(call lesson_folder,$(folder))/kernel.elf)
lesson-programs: $(foreach folder,$(TESTED_FOLDERS),$(BUILD)/$(call lesson_folder,$(folder))/lesson)

# LOG=1 prints the whole log of the boot. For lesson-host it prints the reports of the sanitizers, too.
LESSON_WORDS = '$(N)' --folder '$(FOLDER)' $(if $(filter 1,$(LOG)),--log) $(PICTURES:%=--pictures '%')

.PHONY: lesson
lesson: ## run your answer to a lesson in the kernel: make lesson N=4; SOLUTION=1 runs the solution
	@$(PYTHON) scripts/lesson.py $(LESSON_WORDS)

.PHONY: lesson-host
lesson-host: ## the same on this machine, in a second: make lesson-host N=4
	@$(PYTHON) scripts/lesson.py --host $(LESSON_WORDS)

# --- Booting, images, sticks ---------------------------------------------------------------------
.PHONY: run
run: ## build, and boot in QEMU; RUN="--memory 3G" passes options (RUN=--help lists them)
	scripts/run.sh $(RUN)

.PHONY: print-map
print-map: ## boot once and print all mappings; RUN="--memory 3G" passes options, as for run
	@scripts/print-map.sh $(if $(findstring --display,$(RUN)),,--display none) $(RUN)

.PHONY: debug
debug: build ## boot under gdb, with symbols, and stop at the kernel's first instruction
	scripts/debug.sh

# SECTOR=4096 is for disks with such sectors.
SECTOR ?= 512

.PHONY: image
image: build ## make a GPT disk image, build/handoff.img (SECTOR=4096 for disks with such sectors)
	@$(PYTHON) scripts/image.py disk $(ESP) $(BUILD)/handoff.img --sector '$(SECTOR)'

.PHONY: iso
iso: build ## make an ISO for discs and sticks, build/handoff.iso
	@$(PYTHON) scripts/image.py iso $(ESP) $(BUILD)/handoff.iso

# It builds the last commit in another folder. DIRTY=1 takes the work tree.
.PHONY: release
release: ## make a release of the last commit in build/release: an archive for authors of kernels, an image for a stick
	@BUILD= $(PYTHON) scripts/release.py --out $(BUILD)/release $(patsubst 1,--dirty,$(filter 1,$(DIRTY))) \
	    $(foreach name,CLANG LLD_LINK LD_LLD LLVM_NM LLVM_DWARFDUMP LLVM_OBJCOPY EFI_INCLUDE,'$(name)=$($(name))')

.PHONY: usb
usb: image ## write a USB stick: make usb DEV=/dev/sdX (asks before it writes)
	@$(PYTHON) scripts/usb.py $(BUILD)/handoff.img "$(DEV)"

# QEMU loads it, for `bench_boot.py --where`.
$(BUILD)/bench/where.so: tests/bench/where/where.c
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CLANG) -O2 $(COMMON_CFLAGS) -shared -fPIC -fvisibility=hidden $< -o $(NEW) && $(RENAME)

.PHONY: bench-boot
bench-boot: qemu-programs $(BENCH_KERNELS) $(BUILD)/bench/where.so ## count the guest instructions of the loader by kernel and medium, and of each phase
	@$(PYTHON) tests/bench/bench_boot.py

.PHONY: bench-kernel
bench-kernel: build ## count the guest instructions of the memory bring-up by RAM size, and of each operation
	@$(PYTHON) tests/bench/bench_kernel.py --json $(BUILD)/bench/kernel.json

# --- Benchmarks on this machine: unmodified production files with the kernel's optimisation ---------
# The valgrind of Debian 12 can read DWARF 4.
BENCH_CFLAGS := -O2 -gdwarf-4 $(COMMON_CFLAGS)

$(BUILD)/bench/obj/%.o: %.c Makefile VERSION
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(BENCH_CFLAGS) -MMD -MP -c $< -o $@

FRAMES_BENCH_OBJECTS := $(patsubst %.c,$(BUILD)/bench/obj/%.o, $(wildcard tests/bench/frames/*.c) \
    $(wildcard kernel/mm/frames/*.c) kernel/mm/early_heap.c kernel/mm/region_list.c shared/region.c \
    $(wildcard shared/page_table*.c shared/table_*.c) tests/unit/support/panic_stub.c)

$(BUILD)/bench/bench_frames: $(FRAMES_BENCH_OBJECTS)
	$(say) LINK $@
	$(Q)$(CLANG) $^ -o $(NEW) && $(RENAME)

.PHONY: bench-frames
bench-frames: $(BUILD)/bench/bench_frames ## compare the times of frames with a bitmap and a buddy: build/bench/frames.*
	$(BUILD)/bench/bench_frames $(BUILD)/bench/frames.json
	@$(PYTHON) tests/bench/plot_frames.py $(BUILD)/bench/frames.json $(BUILD)/bench/frames.svg
	@echo "bench-frames: $(BUILD)/bench/frames.json, $(BUILD)/bench/frames.svg"

LOCK_BENCH_OBJECTS := $(patsubst %.c,$(BUILD)/bench/obj/%.o,tests/bench/lock/bench_lock.c \
    kernel/core/cpu.c kernel/core/interrupts.c kernel/core/spinlock.c tests/unit/support/arch_stub.c tests/unit/support/panic_stub.c)

$(BUILD)/bench/bench_lock: $(LOCK_BENCH_OBJECTS)
	$(say) LINK $@
	$(Q)$(CLANG) $^ -o $(NEW) && $(RENAME)

.PHONY: bench-lock
bench-lock: $(BUILD)/bench/bench_lock ## compare the times of several ways to keep interrupts out
	$(BUILD)/bench/bench_lock $(BUILD)/bench/lock.json

# --- The heap for other projects: a library for kernels, and a malloc() for programs ----------------
HEAP_INCLUDE := kernel/mm/heap/include
HEAP_HEADERS := $(wildcard $(HEAP_INCLUDE)/handoff/*.h)
LIBRARY_OBJECTS := $(patsubst %.c,$(BUILD)/host/library/%.o,$(HEAP_SOURCES))
PRELOAD_OBJECTS := $(patsubst %.c,$(BUILD)/host/preload/%.o,$(wildcard host/preload/*.c) $(HEAP_SOURCES) \
    shared/text/format.c)
# The valgrind of Debian 12 can read DWARF 4, and the benchmarks link these objects.
LIBRARY_CFLAGS := -O2 -gdwarf-4 -ffreestanding -fno-builtin -mno-red-zone -mgeneral-regs-only \
    -ffunction-sections $(COMMON_CFLAGS)
PRELOAD_CFLAGS := -O2 -g -fPIC -fvisibility=hidden -fno-builtin -D_GNU_SOURCE -I$(HEAP_INCLUDE) $(COMMON_CFLAGS)

$(eval $(call flags_file,library,$$(CLANG) $$(LIBRARY_CFLAGS)))
$(eval $(call flags_file,preload,$$(CLANG) $$(PRELOAD_CFLAGS)))

$(BUILD)/host/library/%.o: %.c $(BUILD)/library.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(LIBRARY_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/host/preload/%.o: %.c $(BUILD)/preload.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(PRELOAD_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/host/libhandoffheap.a: $(LIBRARY_OBJECTS) $(HEAP_HEADERS)
	$(say) AR $@
	@rm -rf $(BUILD)/host/include
	$(Q)$(LLVM_AR) rcs $(NEW) $(filter %.o,$^) && $(RENAME)
	$(Q)for header in $(HEAP_HEADERS); do \
	    install -D -m 644 $$header $(BUILD)/host/include/handoff/$${header##*/}; done

$(BUILD)/host/libheap_preload.so: $(PRELOAD_OBJECTS)
	$(say) LINK $@
	$(Q)$(CLANG) -shared -Wl,-z,defs -Wl,-z,initfirst $^ -lpthread -o $(NEW) && $(RENAME)

.PHONY: lib
lib: $(BUILD)/host/libhandoffheap.a $(BUILD)/host/libheap_preload.so ## build the heap as libraries: build/host/

# For other CPUs the library is only compiled. It has no code for x86.
LIBRARY_TARGETS := aarch64-none-elf riscv64-none-elf powerpc64-none-elf

define library_target
$(BUILD)/host/targets/$(1)/%.o: %.c $(BUILD)/library.flags
	@mkdir -p $$(@D)
	$$(say) CC $$@
	$$(Q)$$(CLANG) --target=$(1) -O2 -ffreestanding -fno-builtin $$(COMMON_CFLAGS) -MMD -MP -c $$< -o $$@

$(BUILD)/host/targets/$(1).a: $$(patsubst %.c,$(BUILD)/host/targets/$(1)/%.o,$$(HEAP_SOURCES))
	$$(say) AR $$@
	$$(Q)$$(LLVM_AR) rcs $$(NEW) $$^ && $$(RENAME)
endef
$(foreach target,$(LIBRARY_TARGETS),$(eval $(call library_target,$(target))))

.PHONY: lib-targets
lib-targets: $(LIBRARY_TARGETS:%=$(BUILD)/host/targets/%.a)

$(BUILD)/host/%: tests/host/%.c Makefile
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CLANG) -O1 -g -D_GNU_SOURCE -fno-builtin $(COMMON_CFLAGS) $< -lpthread -o $(NEW) && $(RENAME)

# It draws the QR codes that the kernel encodes.
$(BUILD)/host/qr_pictures: $(BUILD)/unit/obj/tests/host/qr_pictures.o $(BUILD)/unit/libpure.a
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CLANG) $(HOST_LDFLAGS) $(SANITIZE) $^ -o $(NEW) && $(RENAME)

# It draws the overview.
$(BUILD)/host/overview_picture: $(patsubst %,$(BUILD)/unit/obj/tests/%.o,host/overview_picture unit/support/overview_sample) \
    $(BUILD)/unit/libpure.a $(FONT)
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CLANG) $(SANITIZE) $(filter-out $(FONT),$^) -o $(NEW) && $(RENAME)

# gdb reads the heaps of this program.
$(BUILD)/host/gdb_heaps: tests/host/gdb_heaps.c kernel/mm/heap_policies.c $(BUILD)/host/libhandoffheap.a Makefile
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CLANG) -O1 -g $(COMMON_CFLAGS) $(filter %.c %.a,$^) -o $(NEW) && $(RENAME)

.PHONY: host-programs
host-programs: $(BUILD)/host/gdb_heaps $(BUILD)/host/overview_picture $(BUILD)/host/qr_pictures $(BUILD)/host/misuse $(BUILD)/host/family $(BUILD)/host/forks $(BUILD)/host/edges \
    $(BUILD)/bench/bench_replay $(BUILD)/bench/bench_sizes $(BUILD)/bench/bench_mixes $(BUILD)/bench/bench_misuse \
    $(BUILD)/bench/bench_memory $(BUILD)/bench/libfast_unchecked.so

# --- The heap benchmark: every policy, compared with other allocators --------------------------------
# The heap is the freestanding library.
BENCH_HEAP := $(LIBRARY_OBJECTS)
BENCH_MAINS := $(patsubst %,$(BUILD)/bench/bench_%,heap limits replay sizes mixes misuse)
BENCH_STEPS := $(BUILD)/bench/obj/tests/unit/support/steps.o
BENCH_PROGRAMS := $(patsubst %.c,$(BUILD)/bench/obj/%.o,$(wildcard tests/bench/heap/*.c))
BENCH_COMMON := $(filter-out $(BENCH_MAINS:$(BUILD)/bench/%=$(BUILD)/bench/obj/tests/bench/heap/%.o), \
    $(BENCH_PROGRAMS))

# Newer versions of clang name the folder after the target.
CLANG_RESOURCES = $(shell $(CLANG) -print-resource-dir)
SCUDO = $(firstword $(wildcard $(CLANG_RESOURCES)/lib/linux/libclang_rt.scudo_standalone-x86_64.so \
    $(CLANG_RESOURCES)/lib/x86_64*/libclang_rt.scudo_standalone.so) no-library)

$(BUILD)/bench/obj/tests/bench/heap/allocator_scudo.o: BENCH_CFLAGS += -DSCUDO_LIBRARY='"$(SCUDO)"'

$(BENCH_PROGRAMS): $(BUILD)/bench/obj/%.o: %.c Makefile VERSION
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(BENCH_CFLAGS) -D_GNU_SOURCE -MMD -MP -c $< -o $@

$(BENCH_MAINS): $(BUILD)/bench/%: $(BUILD)/bench/obj/tests/bench/heap/%.o $(BENCH_COMMON) $(BENCH_HEAP) $(BENCH_STEPS)
	$(say) LINK $@
	$(Q)$(CLANG) -rdynamic $^ -ldl -o $(NEW) && $(RENAME)

# HEAP_CHECKS=off: the heap without its checks, as a peer, so that the tables have a row with the cost of the
# checks (kernel/mm/heap/heap_checks.h).
BENCH_UNCHECKED := $(BUILD)/bench/libfast_unchecked.so
UNCHECKED_OBJECTS := $(patsubst %.c,$(BUILD)/bench/unchecked/%.o,$(HEAP_SOURCES) \
    tests/bench/heap/unchecked/allocator_unchecked.c tests/bench/heap/allocator_handoff.c)
WITH_PEERS = HEAP_BENCH_PEERS=$(abspath $(BENCH_UNCHECKED))$${HEAP_BENCH_PEERS:+:$$HEAP_BENCH_PEERS}

$(BUILD)/bench/unchecked/%.o: %.c Makefile VERSION
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(BENCH_CFLAGS) -DHEAP_CHECKS=0 -D_GNU_SOURCE -fno-builtin -fPIC -fvisibility=hidden \
	    -mno-red-zone -mgeneral-regs-only -MMD -MP -c $< -o $@

$(BENCH_UNCHECKED): $(UNCHECKED_OBJECTS)
	$(say) LINK $@
	$(Q)$(CLANG) -shared $^ -o $(NEW) && $(RENAME)

.PHONY: bench
bench: bench-frames bench-lock bench-heap ## run bench-frames, bench-lock and bench-heap

# An ordinary program on malloc(). LD_PRELOAD chooses the allocator.
MEMORY_BENCH_OBJECTS := $(patsubst %.c,$(BUILD)/bench/obj/%.o,$(wildcard tests/bench/memory/*.c))

$(MEMORY_BENCH_OBJECTS): $(BUILD)/bench/obj/%.o: %.c Makefile VERSION
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(BENCH_CFLAGS) -fno-builtin -D_GNU_SOURCE -MMD -MP -c $< -o $@

$(BUILD)/bench/bench_memory: $(MEMORY_BENCH_OBJECTS)
	$(say) LINK $@
	$(Q)$(CLANG) $^ -o $(NEW) && $(RENAME)

.PHONY: bench-memory
bench-memory: $(BUILD)/bench/bench_memory $(BUILD)/host/libheap_preload.so ## compare resident with live memory, by pattern and allocator
	@$(PYTHON) tests/bench/bench_memory.py $^ --json $(BUILD)/bench/memory.json $(BENCH)

.PHONY: bench-traces
bench-traces: $(BUILD)/bench/bench_replay $(BUILD)/host/libheap_preload.so ## replay real programs on the heap and on others
	$(PYTHON) tests/bench/bench_traces.py $^ $(BUILD)/bench/traces --json $(BUILD)/bench/traces.json

# The plot is committed. Run the benchmark on an idle machine, with all other allocators that are available.
HEAP_PLOT := docs/images/heap-speed.svg

.PHONY: bench-heap-limits
bench-heap-limits: $(BUILD)/bench/bench_limits ## count the instructions of the fast policy's worst operation
	@$(PYTHON) tests/bench/bench_limits.py $< --json $(BUILD)/bench/limits.json

.PHONY: bench-heap-sizes
bench-heap-sizes: $(BUILD)/bench/bench_sizes $(BENCH_UNCHECKED) ## count the instructions of one allocation and one free, by size and allocator
	@$(WITH_PEERS) $(PYTHON) tests/bench/bench_sizes.py $< --json $(BUILD)/bench/sizes.json

# QUICK=1 counts a part of the operations only.
.PHONY: bench-heap-mixes
bench-heap-mixes: $(BUILD)/bench/bench_mixes $(BENCH_UNCHECKED) ## run workloads of other kernels, networks and textbooks on the heap and on others
	@$(WITH_PEERS) $(PYTHON) tests/bench/bench_mixes.py $< --json $(BUILD)/bench/mixes.json $(patsubst 1,--quick,$(filter 1,$(QUICK)))

.PHONY: bench-heap-misuse
bench-heap-misuse: $(BUILD)/bench/bench_misuse ## misuse the heap and other allocators, and print what each detects
	@$(PYTHON) tests/bench/bench_misuse.py $< --json $(BUILD)/bench/misuse.json $(patsubst 1,--quick,$(filter 1,$(QUICK)))

.PHONY: bench-heap
bench-heap: $(BUILD)/bench/bench_heap $(BENCH_UNCHECKED) bench-traces bench-heap-limits bench-heap-sizes bench-heap-mixes bench-heap-misuse ## compare the heap with others: build/bench/*.json
	$(WITH_PEERS) $(PYTHON) tests/bench/bench_heap.py $< --json $(BUILD)/bench/heap.json \
	    $(patsubst 1,--quick,$(filter 1,$(QUICK))) $(BENCH)
	@$(PYTHON) tests/bench/plot_heap.py $(BUILD)/bench/heap.json $(BUILD)/bench/mixes.json $(BUILD)/bench/traces.json $(HEAP_PLOT)
	@echo "bench-heap: $(BUILD)/bench/heap.json, $(BUILD)/bench/traces.json, $(HEAP_PLOT)"

# --- Which misuses the heap misses ------------------------------------------------------------------
# The heap is the library that programs link. The place of the program must not decide what it finds.
DETECTION_SOURCES := $(wildcard tests/detection/*.c) kernel/mm/heap_policies.c
DETECTION_HEADERS := $(wildcard tests/detection/*.h) tests/unit/support/random.h kernel/mm/heap_policies.h

$(BUILD)/detection/detection: $(DETECTION_SOURCES) $(DETECTION_HEADERS) $(BUILD)/host/libhandoffheap.a Makefile
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CLANG) -O2 -g -no-pie -D_GNU_SOURCE -I$(HEAP_INCLUDE) $(COMMON_CFLAGS) $(DETECTION_SOURCES) \
	    $(BUILD)/host/libhandoffheap.a -o $(NEW) && $(RENAME)

.PHONY: detection-program
detection-program: $(BUILD)/detection/detection

.PHONY: detection
detection: detection-program ## try each misuse of the heap many times, and write the share that it misses into docs
	@$(PYTHON) tests/detection/table.py $(BUILD)/detection/detection

# --- Housekeeping --------------------------------------------------------------------------------
.PHONY: doctor
doctor: ## list the missing tools and their packages
	@scripts/doctor.sh

FORMATTED := $(shell find bootloader kernel host lessons shared tests docs/learn/solutions -name '*.[ch]' 2>/dev/null)

.PHONY: format
format: ## format the C files with clang-format
	@scripts/require.sh $(CLANG_FORMAT)
	$(CLANG_FORMAT) -i $(FORMATTED)

.PHONY: lint
lint: compile_commands.json ## check the code: format, clang-tidy, cppcheck, shellcheck
	@scripts/lint.sh

.PHONY: boundary-objects
boundary-objects: $(KERNEL_OBJECTS) $(LESSON_KERNEL_OBJECTS) $(LOADER_OBJECTS) $(PRELOAD_OBJECTS)

# LANG is also the variable of the user's locale, so it counts only on the command line.
.PHONY: new-kernel
new-kernel: ## make a project for your own kernel in a new folder: make new-kernel DIR=../first LANG=c (or LANG=rust)
	@LANG=C scripts/new-kernel.sh '$(subst ','\'',$(DIR))' '$(if $(filter command,$(origin LANG)),$(subst ','\'',$(LANG)))'

.PHONY: learn
learn: ## fill listings, outputs and pictures of docs/learn; LEARN="--check" passes options (LEARN=--help lists them)
	@$(PYTHON) scripts/learn.py $(LEARN)

# PICTURE=docs/images/boot.png draws only this picture. ALL=1 also draws the plots of measurements.
.PHONY: screenshots
screenshots: build ## draw the pictures of the documents again (PICTURE=… only one; ALL=1 also the plots of measurements)
	@$(PYTHON) scripts/screenshots.py $(PICTURE) $(patsubst 1,--all,$(filter 1,$(ALL)))

.PHONY: check-boundaries
check-boundaries: boundary-objects ## what belongs to a CPU is under arch/, no files need each other in a circle
	@$(PYTHON) scripts/check_boundaries.py --build $(BUILD) --clang $(CLANG) --nm $(LLVM_NM) \
	    --efi-include $(EFI_INCLUDE)

.PHONY: compile_commands.json
compile_commands.json: $(FONT) ## write the list of compiler commands for editors and clang-tidy
	@$(MAKE) --no-print-directory -n -B build unit-tests | \
	    $(PYTHON) scripts/compile_commands.py $(CLANG) $@

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z][a-z_.-]*:.*## / { printf "%-24s%s\n", $$1, $$2 }' \
	    $(firstword $(MAKEFILE_LIST)) | sort

.PHONY: clean
clean: ## remove all built files
ifeq ($(ESP),esp)
	rm -rf build esp/EFI esp/kernel.elf compile_commands.json
else
	@echo "make clean removes only build/: remove $(BUILD) by hand" >&2; exit 1
endif

.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
