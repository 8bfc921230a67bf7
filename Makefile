# Handoff: a UEFI loader and an x86-64 kernel that agree on memory. `make help` lists what there is.

# Where everything that is built goes: BUILD=DIR, on the command line or in the environment, names another
# folder. What boots then lies in DIR/esp, so that nothing at all is written into the checkout.
BUILD ?= build
ifeq ($(strip $(BUILD)),)
override BUILD := build
endif
SIGNS := ' " : ; \ $$ % & ( ) < > | * ? ~ ` = \#
ifneq ($(words $(BUILD))$(foreach sign,$(SIGNS),$(findstring $(sign),$(value BUILD))),1$(foreach sign,$(SIGNS),))
$(error BUILD='$(value BUILD)' has blanks or signs of the shell in it, which make cannot take: name another folder)
endif
ifeq ($(abspath $(BUILD)),$(CURDIR))
$(error BUILD=$(BUILD) is the checkout itself: name another folder)
endif
ifeq ($(abspath $(BUILD)),$(abspath build))
ESP := esp
else
ESP := $(BUILD)/esp
endif
# `make UBSAN=1`: a kernel whose own code is checked for undefined behaviour, beside the plain one, in
# build/ubsan/kernel.elf (scripts/run.sh --kernel boots it).
ifeq ($(UBSAN),1)
override BUILD := $(BUILD)/ubsan
endif
# `make KASAN=1`: the same for accesses to the heap, in build/kasan/kernel.elf.
ifeq ($(KASAN),1)
override BUILD := $(BUILD)/kasan
endif
# A checked kernel is a kernel alone; esp/ keeps the plain one.
CHECKED := $(filter 1,$(UBSAN) $(KASAN))
VERSION := $(shell cat VERSION)

# --- Tools (override on the command line: make CLANG=clang-16) ---------------------------------
CLANG ?= clang
LLD_LINK ?= lld-link
LD_LLD ?= ld.lld
LLVM_NM ?= llvm-nm
LLVM_AR ?= llvm-ar
LLVM_OBJCOPY ?= llvm-objcopy
LLVM_COV ?= llvm-cov
LLVM_PROFDATA ?= llvm-profdata
CLANG_FORMAT ?= clang-format
PYTHON ?= $(shell scripts/find-python.sh)
# Where gnu-efi's headers are (efi.h, x86_64/efibind.h).
EFI_INCLUDE ?= /usr/include/efi

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes
# scripts/test.sh sets it. A build alone goes on: a newer clang warns of what this one does not know.
ifeq ($(WERROR),1)
WARNINGS += -Werror
endif
COMMON_CFLAGS := -std=c17 -I. $(WARNINGS) -DHANDOFF_VERSION_TEXT='"$(VERSION)"'

# A line a file; `make V=1` shows the commands.
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

# $(BUILD)/GROUP.flags holds how a group of objects is compiled. It changes only if the text does, so
# that another compiler or another flag rebuilds what it has to, and nothing else. Where it does not
# change nothing is written, so that a user who may only read a built checkout can use it.
define flags_file
$(BUILD)/$(1).flags: force
	@printf '%s\n' '$$(subst ','\'',$(2))' | cmp -s - $$@ || { mkdir -p $$(@D) 2>/dev/null && [ -w $$(@D) ] && \
	    printf '%s\n' '$$(subst ','\'',$(2))' >$$@.$$$$$$$$ && mv $$@.$$$$$$$$ $$@; } || \
	    { echo "$(BUILD) cannot be written: BUILD=DIR names another folder" >&2; exit 1; }
endef
.PHONY: force

# A program is written under a name of its own and then renamed: of two builds at the same time none
# sees what the other has not finished (linkers remove the old file first).
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

# The heap: the framework, the policies, the layers over them, the views on them.
HEAP_FOLDERS := kernel/mm/heap kernel/mm/heap/policies kernel/mm/heap/layers kernel/mm/heap/views
HEAP_SOURCES := $(wildcard $(HEAP_FOLDERS:%=%/*.c))
MM_SOURCES := $(wildcard kernel/mm/*.c kernel/mm/frames/*.c kernel/mm/paging/*.c) $(HEAP_SOURCES)
KERNEL_SOURCES := $(wildcard kernel/*.c kernel/boot/*.c kernel/core/*.c kernel/handoff/*.c kernel/diagnostics/*.c \
                             kernel/arch/x86_64/*.c) $(MM_SOURCES) $(SHARED_SOURCES) $(SHARED_ARCH_SOURCES)
KERNEL_ASSEMBLY := $(wildcard kernel/arch/x86_64/*.S) $(SHARED_ASSEMBLY)

# The folder in which font.S finds the font.
ASSEMBLY_FLAGS := -I$(BUILD)

# Pure files: bytes and numbers in, a struct out. Host tests compile them as they are, without
# gnu-efi or a CPU, so that a broken boundary fails to compile. Of shared/, what asks the CPU is not
# pure, and memory.c, which the C library replaces there.
SHARED_IMPURE := $(patsubst %,shared/arch/x86_64/%.c,cpuid memory page_features serial_16550)
PURE_SOURCES := $(SHARED_SOURCES) $(filter-out $(SHARED_IMPURE),$(SHARED_ARCH_SOURCES)) $(LOADER_PURE) \
    $(wildcard kernel/handoff/*.c) $(MM_SOURCES) \
    $(patsubst %,kernel/core/%.c,backtrace_fold command_words cpu fault guard interrupts nearest spinlock timeline_summary) \
    kernel/boot/ready_keys.c $(patsubst %,kernel/arch/x86_64/%.c,exception_text scancode)

# --- Loader: a PE image straight from clang and lld-link ----------------------------------------
LOADER_CFLAGS := --target=x86_64-unknown-windows -ffreestanding -fshort-wchar -mno-red-zone \
    -fno-stack-protector -fno-asynchronous-unwind-tables -mgeneral-regs-only -fno-builtin \
    -Oz -ffunction-sections -fdata-sections -gdwarf \
    -isystem $(EFI_INCLUDE) -isystem $(EFI_INCLUDE)/x86_64 $(COMMON_CFLAGS)
LOADER_OBJECTS := $(LOADER_SOURCES:%.c=$(BUILD)/loader/%.o) $(LOADER_ASSEMBLY:%.S=$(BUILD)/loader/%.S.o)

$(BUILD)/loader/%.o: %.c $(BUILD)/loader.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(LOADER_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/loader/%.S.o: %.S $(BUILD)/loader.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(LOADER_CFLAGS) $(ASSEMBLY_FLAGS) -MMD -MP -c $< -o $@

# 4 KiB section alignment, no section both writable and executable, NX_COMPAT: what firmware that
# enforces memory protection (and Microsoft's signing rules) demand. BOOTX64.debug.efi keeps the
# debug information for gdb; what boots does not carry it.
LOADER_LDFLAGS := -subsystem:efi_application -entry:efi_main -nodefaultlib -nxcompat \
    -dynamicbase -Brepro

$(eval $(call flags_file,loader,$$(CLANG) $$(LOADER_CFLAGS) $$(LLD_LINK) $$(LOADER_LDFLAGS)))

$(BUILD)/BOOTX64.debug.efi: $(LOADER_OBJECTS)
	$(say) LINK $@
	$(Q)$(LLD_LINK) $(LOADER_LDFLAGS) -debug:dwarf -out:$(NEW) $^ && $(RENAME)

$(BUILD)/BOOTX64.EFI: $(LOADER_OBJECTS) $(BUILD)/BOOTX64.debug.efi
	$(say) LINK $@
	$(Q)$(LLD_LINK) $(LOADER_LDFLAGS) -out:$(NEW) $(LOADER_OBJECTS) && $(RENAME)

# --- Kernel: a static ELF in the higher half ----------------------------------------------------
KERNEL_CFLAGS := --target=x86_64-unknown-none-elf -ffreestanding -mcmodel=kernel -mno-red-zone \
    -mgeneral-regs-only -fno-stack-protector -fno-omit-frame-pointer -fno-pic -fno-builtin -O2 -g \
    $(COMMON_CFLAGS)
ifeq ($(UBSAN),1)
KERNEL_SOURCES += $(wildcard kernel/diagnostics/sanitizer/undefined*.c)
KERNEL_CFLAGS += -DHANDOFF_UBSAN -fsanitize=undefined
endif
ifeq ($(KASAN),1)
KERNEL_SOURCES += $(wildcard kernel/diagnostics/sanitizer/address*.c)
KERNEL_CFLAGS += -DHANDOFF_KASAN
# Calls instead of inlined look-ups, so that code which runs before there is a shadow works, too; and
# the memory functions by the names under which they are checked.
KASAN_CFLAGS := -Xclang -fsanitize=kernel-address -Xclang -fsanitize-recover=kernel-address -mllvm -asan-instrumentation-with-call-threshold=0 \
    -mllvm -asan-stack=0 -mllvm -asan-globals=0 -Dmemcpy=__asan_memcpy -Dmemmove=__asan_memmove \
    -Dmemset=__asan_memset
KASAN_FREE := kernel/diagnostics/sanitizer/address.c shared/arch/x86_64/memory.c $(HEAP_SOURCES)
endif
KERNEL_OBJECTS := $(KERNEL_SOURCES:%.c=$(BUILD)/kernel/%.o) $(KERNEL_ASSEMBLY:%.S=$(BUILD)/kernel/%.S.o)
KERNEL_LINKER_SCRIPT := kernel/arch/x86_64/kernel.ld
KERNEL_LDFLAGS := -static -nostdlib -z noexecstack -z max-page-size=4096 -T $(KERNEL_LINKER_SCRIPT)

# What runs once or never is compiled for size: the image has to find its place in a small machine,
# whose free memory is in pieces (tests/qemu/test_early_heap.py).
KERNEL_COLD := $(wildcard kernel/boot/*.c kernel/diagnostics/print_*.c) $(patsubst %,kernel/%.c,core/backtrace_fold core/command_words \
    core/fault core/nearest core/panic core/timeline core/timeline_summary diagnostics/provoke diagnostics/self_test \
    mm/heap_settings arch/x86_64/exception arch/x86_64/keys arch/x86_64/scancode) shared/arch/x86_64/fault_text.c

$(eval $(call flags_file,kernel,$$(CLANG) $$(KERNEL_CFLAGS) $$(LD_LLD) $$(KERNEL_LDFLAGS) $$(KERNEL_COLD)))

$(BUILD)/kernel/%.o: %.c $(BUILD)/kernel.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(KERNEL_CFLAGS) -MMD -MP -c $< -o $@

$(KERNEL_COLD:%.c=$(BUILD)/kernel/%.o): KERNEL_CFLAGS += -Oz
ifeq ($(KASAN),1)
$(patsubst %.c,$(BUILD)/kernel/%.o,$(filter-out $(KASAN_FREE),$(KERNEL_SOURCES))): \
    KERNEL_CFLAGS += $(KASAN_CFLAGS)
endif
# What reports must not report itself.
$(BUILD)/kernel/kernel/diagnostics/sanitizer/undefined.o: KERNEL_CFLAGS += -fno-sanitize=undefined

$(BUILD)/kernel/%.S.o: %.S $(BUILD)/kernel.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(KERNEL_CFLAGS) $(ASSEMBLY_FLAGS) -MMD -MP -c $< -o $@

# The symbol table for backtraces is part of the image, so the kernel is linked twice: once to learn
# the addresses, once with them. The table lies behind everything else, so no address moves.
$(BUILD)/kernel/symbols-empty.S: scripts/kernel-symbols.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) scripts/kernel-symbols.py </dev/null >$(NEW) && $(RENAME)

$(BUILD)/kernel/symbols.S: $(BUILD)/kernel/first-pass.elf scripts/kernel-symbols.py
	$(say) NM $@
	$(Q)$(LLVM_NM) --defined-only --numeric-sort $< >$(NEW).txt && \
	    $(PYTHON) scripts/kernel-symbols.py <$(NEW).txt >$(NEW) && rm $(NEW).txt && $(RENAME)

$(BUILD)/kernel/symbols%.o: $(BUILD)/kernel/symbols%.S $(BUILD)/kernel.flags
	$(say) CC $@
	$(Q)$(CLANG) $(KERNEL_CFLAGS) -c $< -o $@

$(BUILD)/kernel/symbols.o: $(BUILD)/kernel/symbols.S $(BUILD)/kernel.flags
	$(say) CC $@
	$(Q)$(CLANG) $(KERNEL_CFLAGS) -c $< -o $@

$(BUILD)/kernel/first-pass.elf: $(KERNEL_OBJECTS) $(BUILD)/kernel/symbols-empty.o $(KERNEL_LINKER_SCRIPT)
	$(say) LINK $@
	$(Q)$(LD_LLD) $(KERNEL_LDFLAGS) $(filter %.o,$^) -o $(NEW) && $(RENAME)

# kernel.debug.elf keeps the debug information for gdb; what boots does not carry it.
$(BUILD)/kernel.debug.elf: $(KERNEL_OBJECTS) $(BUILD)/kernel/symbols.o $(KERNEL_LINKER_SCRIPT)
	$(say) LINK $@
	$(Q)$(LD_LLD) $(KERNEL_LDFLAGS) $(filter %.o,$^) -o $(NEW) && $(RENAME)

$(BUILD)/kernel.elf: $(BUILD)/kernel.debug.elf
	$(say) STRIP $@
	$(Q)$(LLVM_OBJCOPY) --strip-all $< $(NEW) && $(RENAME)

# --- The console font, from the distribution's package ------------------------------------------
FONT := $(BUILD)/font.bin
$(FONT): scripts/console-font.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) scripts/console-font.py $@

$(BUILD)/loader/shared/arch/x86_64/font.S.o $(BUILD)/kernel/shared/arch/x86_64/font.S.o: $(FONT)

# --- esp/: what a USB stick gets -----------------------------------------------------------------
$(ESP)/EFI/BOOT/BOOTX64.EFI: $(BUILD)/BOOTX64.EFI
	@mkdir -p $(@D)
	$(Q)cp $< $(NEW) && $(RENAME)

$(ESP)/kernel.elf: $(BUILD)/kernel.elf
	@mkdir -p $(@D)
	$(Q)cp $< $(NEW) && $(RENAME)

# The checkout's configuration, where the volume lies elsewhere.
ifneq ($(ESP),esp)
CONFIGURATION := $(patsubst esp/%,$(ESP)/%,$(wildcard esp/handoff.conf))
$(ESP)/handoff.conf: esp/handoff.conf
	@mkdir -p $(@D)
	$(Q)cp $< $(NEW) && $(RENAME)
endif

# --- The loader's judgement of kernel and configuration, as a program for this machine: scripts/run.sh
# asks it before it starts QEMU ----------------------------------------------------------------------
JUDGE_OBJECTS := $(patsubst %.c,$(BUILD)/judge/obj/%.o,host/judge/judge.c bootloader/pure/config.c bootloader/pure/elf.c \
    shared/text/command_line.c shared/text/number.c shared/text/piece.c)
JUDGE_CFLAGS := -O1 -g -D_GNU_SOURCE $(COMMON_CFLAGS)

$(eval $(call flags_file,judge,$$(CLANG) $$(JUDGE_CFLAGS)))

$(BUILD)/judge/obj/%.o: %.c $(BUILD)/judge.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(JUDGE_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/judge/judge: $(JUDGE_OBJECTS)
	$(say) LINK $@
	$(Q)$(CLANG) $^ -o $(NEW) && $(RENAME)

ifneq ($(CHECKED),)
.PHONY: build
build: $(BUILD)/kernel.elf
else
.PHONY: build
build: $(ESP)/EFI/BOOT/BOOTX64.EFI $(ESP)/kernel.elf $(CONFIGURATION) $(BUILD)/judge/judge ## build the loader and the kernel into esp/
endif

# --- Unit tests: production files unmodified, ASan and UBSan -------------------------------------
HOST_CFLAGS := -g -O1 -fno-omit-frame-pointer $(COMMON_CFLAGS)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
UNIT_SUPPORT := $(patsubst %.c,$(BUILD)/unit/obj/%.o,$(wildcard tests/unit/support/*.c))
UNIT_PURE := $(PURE_SOURCES:%.c=$(BUILD)/unit/obj/%.o)

$(eval $(call flags_file,unit,$$(CLANG) $$(HOST_CFLAGS) $$(SANITIZE)))

$(BUILD)/unit/obj/%.o: %.c $(BUILD)/unit.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(HOST_CFLAGS) $(SANITIZE) -MMD -MP -c $< -o $@

$(BUILD)/unit/libpure.a: $(UNIT_PURE)
	$(say) AR $@
	$(Q)$(LLVM_AR) rcs $(NEW) $^ && $(RENAME)

$(BUILD)/unit/test_%: $(BUILD)/unit/obj/tests/unit/test_%.o $(UNIT_SUPPORT) $(BUILD)/unit/libpure.a
	$(say) LINK $@
	$(Q)$(CLANG) $(SANITIZE) $(filter %.o,$^) $(BUILD)/unit/libpure.a -lcmocka -o $(NEW) && $(RENAME)

# The page tables and who builds them once more, with the entry format of a second CPU, for the tests
# test_*_aarch64.
SECOND_CPU := -DPAGE_ENTRY_FORMAT='"tests/unit/support/aarch64_page_entry.h"'
SECOND_CPU_TABLES := $(wildcard shared/page_table*.c shared/table_*.c kernel/mm/paging/*.c) \
    bootloader/pure/bootstrap_tables.c
SECOND_CPU_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*_aarch64.c))

$(SECOND_CPU_TESTS:%=$(BUILD)/unit/obj/tests/unit/%.o): HOST_CFLAGS += $(SECOND_CPU)
$(SECOND_CPU_TESTS:%=$(BUILD)/unit/%): $(SECOND_CPU_TABLES:%.c=$(BUILD)/unit/aarch64/%.o)

$(BUILD)/unit/aarch64/%.o: %.c $(BUILD)/unit.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(HOST_CFLAGS) $(SECOND_CPU) $(SANITIZE) -MMD -MP -c $< -o $@

.PHONY: unit-tests
unit-tests: $(UNIT_TESTS)

.PHONY: test-unit
test-unit: unit-tests ## run the unit tests on this machine, under ASan and UBSan
	@$(PYTHON) scripts/unit_tests.py $(UNIT_TESTS)

# --- The long tests: millions of operations beside the oracle, and every fuzzer for long -----------
# Policies one after the other; HEAP_LAYERS=… switches on what lies over a policy.
LONG_OPERATIONS ?= 10000000
LONG_FUZZ_SECONDS ?= 600
LONG_POLICIES := bump first-fit best-fit fast

$(BUILD)/long/%: $(BUILD)/unit/obj/tests/long/%.o $(UNIT_SUPPORT) $(BUILD)/unit/libpure.a
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CLANG) $(SANITIZE) $(filter %.o,$^) $(BUILD)/unit/libpure.a -lcmocka -o $(NEW) && $(RENAME)

.PHONY: long-programs
long-programs: $(BUILD)/long/heap_operations

.PHONY: test-long
test-long: test-long-heap ## ten million operations on each heap policy beside an oracle, ten minutes for each fuzzer
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=$(LONG_FUZZ_SECONDS)

.PHONY: test-long-heap
test-long-heap: $(BUILD)/long/heap_operations ## the first half of it
	$(Q)for policy in $(LONG_POLICIES); do $< $$policy $(LONG_OPERATIONS) || exit 1; done

# --- Tests of others, on the preload library -----------------------------------------------------
.PHONY: test-foreign
test-foreign: $(BUILD)/host/libheap_preload.so ## the malloc() tests of glibc and mimalloc, fetched with apt-get, on the preload library
	$(Q)$(PYTHON) tests/foreign/run.py $(BUILD)/foreign

# --- Mutations: the heap broken on purpose, in a copy of the tree ----------------------------------
.PHONY: test-mutations
test-mutations: unit-tests thread-tests ## make one mistake after the other in heap and frames, and see a test fail each time
	@$(PYTHON) tests/mutations/run.py $(MUTATIONS)

# --- Threads: the kernel's heap and its lock under TSan, each thread a CPU -------------------------
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
	$(Q)$(CLANG) $(TSAN) $^ -lcmocka -lpthread -o $(NEW) && $(RENAME)

.PHONY: thread-tests
thread-tests: $(BUILD)/tsan/test_kmalloc_threads

.PHONY: test-threads
test-threads: thread-tests ## run the heap's thread tests on this machine, under TSan
	@$(PYTHON) scripts/unit_tests.py $(BUILD)/tsan/test_kmalloc_threads

# --- The simulator: the whole memory stack on this machine, over a memory map given as text --------
# The production files as the unit tests have them, and those of the kernel that are not pure only
# because they keep state or log.
SIMULATOR_PARSER := $(wildcard host/simulator/map_*.c) $(patsubst %,host/simulator/%.c,efi_names text_cursor)
SIMULATOR_OBJECTS := $(patsubst %.c,$(BUILD)/unit/obj/%.o,$(wildcard host/simulator/*.c) \
    tests/unit/support/memory_map_oracle.c tests/unit/support/arch_stub.c kernel/core/log.c kernel/diagnostics/ownership.c kernel/core/panic_names.c \
    kernel/diagnostics/self_test.c kernel/core/timeline.c)

$(BUILD)/simulator/simulate: $(SIMULATOR_OBJECTS) $(BUILD)/unit/libpure.a
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CLANG) $(SANITIZE) $^ -o $(NEW) && $(RENAME)

.PHONY: simulator
simulator: $(BUILD)/simulator/simulate ## build the simulator (scripts/simulate.sh runs it)

# --- Coverage of the pure files under the unit tests ----------------------------------------------
COVERAGE := -fprofile-instr-generate -fcoverage-mapping
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
	$(Q)$(CLANG) $(COVERAGE) $^ -lcmocka -o $(NEW) && $(RENAME)

# With the tables of the second CPU in the place of the first one's.
$(SECOND_CPU_TESTS:%=$(BUILD)/coverage/obj/tests/unit/%.o): HOST_CFLAGS += $(SECOND_CPU)

$(BUILD)/coverage/aarch64/%.o: %.c $(BUILD)/coverage.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(HOST_CFLAGS) $(SECOND_CPU) $(COVERAGE) -MMD -MP -c $< -o $@

$(SECOND_CPU_TESTS:%=$(BUILD)/coverage/%): $(BUILD)/coverage/%: $(BUILD)/coverage/obj/tests/unit/%.o \
    $(UNIT_SUPPORT:$(BUILD)/unit/obj/%=$(BUILD)/coverage/obj/%) \
    $(patsubst %.c,$(BUILD)/coverage/obj/%.o,$(filter-out $(SECOND_CPU_TABLES),$(PURE_SOURCES))) \
    $(SECOND_CPU_TABLES:%.c=$(BUILD)/coverage/aarch64/%.o)
	$(say) LINK $@
	$(Q)$(CLANG) $(COVERAGE) $^ -lcmocka -o $(NEW) && $(RENAME)

.PHONY: coverage
coverage: $(COVERAGE_TESTS) ## report which lines of the pure files the unit tests reach
	@$(PYTHON) scripts/unit_coverage.py $(LLVM_PROFDATA) $(LLVM_COV) $(BUILD)/coverage $^

# --- Fuzzers: one for each parser of foreign bytes and each allocator's operations -----------------
# tests/fuzz/fuzz_NAME.c with the pure files, under libFuzzer. What a run has learned stays in
# build/fuzz/corpus/NAME; tests/fuzz/seeds/NAME holds what it starts from, and what once failed.
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

$(BUILD)/fuzz/libpure.a: $(FUZZ_COMMON)
	$(say) AR $@
	$(Q)$(LLVM_AR) rcs $(NEW) $^ && $(RENAME)

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/obj/tests/fuzz/fuzz_%.o $(BUILD)/fuzz/libpure.a
	$(say) LINK $@
	$(Q)$(CLANG) $(SANITIZE) -fsanitize=fuzzer $< $(BUILD)/fuzz/libpure.a -o $(NEW) && $(RENAME)

.PHONY: fuzz-programs
fuzz-programs: $(FUZZ_PROGRAMS)

.PHONY: fuzz
fuzz: $(FUZZ_PROGRAMS) ## fuzz each parser and allocator for FUZZ_SECONDS (60) seconds
	@scripts/fuzz.sh $(BUILD)/fuzz $(FUZZ_SECONDS) $(FUZZERS)

.PHONY: fuzz-short
fuzz-short: $(FUZZ_PROGRAMS) ## fuzz each for a few seconds, the same inputs every time
	@scripts/fuzz.sh $(BUILD)/fuzz short $(FUZZERS)

# --- QEMU tests ----------------------------------------------------------------------------------
# The conductor is an EFI application that misbehaves as a test's plan says, then starts the
# unmodified loader. It is compiled as the loader is.
CONDUCTOR_OBJECTS := $(patsubst %.c,$(BUILD)/loader/%.o, \
    $(wildcard tests/qemu/conductor/*.c) $(SHARED_SOURCES) $(SHARED_ARCH_SOURCES))

$(BUILD)/qemu/CONDUCTOR.EFI: $(CONDUCTOR_OBJECTS)
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(LLD_LINK) -subsystem:efi_application -entry:efi_main -nodefaultlib -nxcompat \
	    -dynamicbase -out:$(NEW) $^ && $(RENAME)

# --- The probe: a kernel that re-derives docs/HANDOFF.md ------------------------------------------
# Own sources, own linker script; of the project it includes shared/handoff.h alone.
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

# Kernels of one file each, as a reader of docs/HANDOFF.md would begin.
SMALL_KERNELS := $(patsubst tests/qemu/small_kernels/%.c,$(BUILD)/small_kernels/%.elf, \
    $(wildcard tests/qemu/small_kernels/*.c))

$(BUILD)/small_kernels/%.elf: $(BUILD)/kernel/tests/qemu/small_kernels/%.o
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(LD_LLD) -static -nostdlib --strip-all -z noexecstack -z max-page-size=4096 -z separate-code \
	    --image-base=0xffffffff80000000 --entry=entry $< -o $(NEW) && $(RENAME)

.PHONY: qemu-programs
qemu-programs: build $(BUILD)/qemu/CONDUCTOR.EFI $(BUILD)/probe/probe.elf $(SMALL_KERNELS)

.PHONY: test-qemu
test-qemu: qemu-programs ## run the tests on virtual machines (real UEFI firmware)
	$(PYTHON) -m pytest -q -p no:cacheprovider -n $(shell getconf _NPROCESSORS_ONLN) tests/qemu

.PHONY: test
test: ## run every test: the last line is `N passed, N failed`
	scripts/test.sh

# --- Booting, images, sticks ---------------------------------------------------------------------
.PHONY: run
run: ## build and boot in QEMU; RUN="--memory 3G" passes options (RUN=--help lists them)
	scripts/run.sh $(RUN)

.PHONY: print-map
print-map: ## boot once and print what is mapped, and how; RUN="--memory 3G" as for run
	@scripts/print-map.sh $(if $(findstring --display,$(RUN)),,--display none) $(RUN)

.PHONY: debug
debug: build ## boot with gdb at the kernel's entry, symbols loaded
	scripts/debug.sh

# SECTOR=4096 is for disks with such sectors.
SECTOR ?= 512

.PHONY: image
image: build ## make a GPT disk image with an EFI System Partition: build/handoff.img (SECTOR=4096 for 4Kn)
	@$(PYTHON) scripts/image.py disk $(ESP) $(BUILD)/handoff.img --sector '$(SECTOR)'

.PHONY: iso
iso: build ## make an ISO for discs and sticks: build/handoff.iso
	@$(PYTHON) scripts/image.py iso $(ESP) $(BUILD)/handoff.iso

.PHONY: usb
usb: image ## write a stick: make usb DEV=/dev/sdX (asks before it writes)
	@$(PYTHON) scripts/usb.py $(BUILD)/handoff.img "$(DEV)"

.PHONY: bench-boot
bench-boot: build ## guest instructions of each phase of the boot
	@$(PYTHON) tests/bench/bench_boot.py

.PHONY: bench-kernel
bench-kernel: build ## guest instructions of the memory bring-up by RAM size, and of each operation
	@$(PYTHON) tests/bench/bench_kernel.py --json $(BUILD)/bench/kernel.json

# --- Benchmarks on this machine: production files unmodified, as fast as the kernel's ---------------
# DWARF 4, which the valgrind of Debian 12 can read.
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
bench-frames: $(BUILD)/bench/bench_frames ## time frames and pages beside a bitmap and a buddy: build/bench/frames.*
	$(BUILD)/bench/bench_frames $(BUILD)/bench/frames.json
	@$(PYTHON) tests/bench/plot_frames.py $(BUILD)/bench/frames.json $(BUILD)/bench/frames.svg
	@echo "bench-frames: $(BUILD)/bench/frames.json, $(BUILD)/bench/frames.svg"

LOCK_BENCH_OBJECTS := $(patsubst %.c,$(BUILD)/bench/obj/%.o,tests/bench/lock/bench_lock.c \
    kernel/core/cpu.c kernel/core/interrupts.c kernel/core/spinlock.c tests/unit/support/arch_stub.c tests/unit/support/panic_stub.c)

$(BUILD)/bench/bench_lock: $(LOCK_BENCH_OBJECTS)
	$(say) LINK $@
	$(Q)$(CLANG) $^ -o $(NEW) && $(RENAME)

.PHONY: bench-lock
bench-lock: $(BUILD)/bench/bench_lock ## time what keeping interrupts out costs, by its alternatives
	$(BUILD)/bench/bench_lock $(BUILD)/bench/lock.json

# --- The heap for others: a library for any kernel, and one that serves a program's malloc() --------
HEAP_HEADERS := $(wildcard $(HEAP_FOLDERS:%=%/*.h)) shared/power_of_two.h shared/memory.h shared/text/text.h
LIBRARY_OBJECTS := $(patsubst %.c,$(BUILD)/host/library/%.o,$(HEAP_SOURCES))
PRELOAD_OBJECTS := $(patsubst %.c,$(BUILD)/host/preload/%.o,$(wildcard host/preload/*.c) $(HEAP_SOURCES) \
    shared/text/format.c)
LIBRARY_CFLAGS := -O2 -g -ffreestanding -fno-builtin -mno-red-zone -mgeneral-regs-only \
    -ffunction-sections $(COMMON_CFLAGS)
PRELOAD_CFLAGS := -O2 -g -fPIC -fvisibility=hidden -fno-builtin -D_GNU_SOURCE $(COMMON_CFLAGS)

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
	    install -D -m 644 $$header $(BUILD)/host/include/$$header; done

$(BUILD)/host/libheap_preload.so: $(PRELOAD_OBJECTS)
	$(say) LINK $@
	$(Q)$(CLANG) -shared -Wl,-z,defs -Wl,-z,initfirst $^ -lpthread -o $(NEW) && $(RENAME)

.PHONY: lib
lib: $(BUILD)/host/libhandoffheap.a $(BUILD)/host/libheap_preload.so ## the heap as a library, and as a malloc() for programs: build/host/

# For other CPUs it is compiled alone: nothing in it is of x86.
LIBRARY_TARGETS := aarch64-none-elf riscv64-none-elf powerpc64-none-elf

define library_target
$(BUILD)/host/targets/$(1)/%.o: %.c $(BUILD)/library.flags
	@mkdir -p $$(@D)
	$$(say) CC $$@
	$$(Q)$$(CLANG) --target=$(1) -O2 -g -ffreestanding -fno-builtin $$(COMMON_CFLAGS) -MMD -MP -c $$< -o $$@

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

.PHONY: host-programs
host-programs: $(BUILD)/host/misuse $(BUILD)/host/family $(BUILD)/host/forks $(BUILD)/host/edges \
    $(BUILD)/bench/bench_replay

# --- The heap benchmark: every policy beside other allocators ---------------------------------------
# The heap is compiled as a freestanding library would be.
BENCH_HEAP := $(patsubst %.c,$(BUILD)/bench/obj/%.o,$(HEAP_SOURCES))
BENCH_MAINS := $(BUILD)/bench/bench_heap $(BUILD)/bench/bench_limits $(BUILD)/bench/bench_replay
BENCH_STEPS := $(BUILD)/bench/obj/tests/unit/support/steps.o
BENCH_PROGRAMS := $(patsubst %.c,$(BUILD)/bench/obj/%.o,$(wildcard tests/bench/heap/*.c))
BENCH_COMMON := $(filter-out $(BENCH_MAINS:$(BUILD)/bench/%=$(BUILD)/bench/obj/tests/bench/heap/%.o), \
    $(BENCH_PROGRAMS))

$(BENCH_HEAP): $(BUILD)/bench/obj/%.o: %.c Makefile VERSION
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(BENCH_CFLAGS) -ffreestanding -fno-builtin -mno-red-zone -mgeneral-regs-only \
	    -MMD -MP -c $< -o $@

$(BENCH_PROGRAMS): $(BUILD)/bench/obj/%.o: %.c Makefile VERSION
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(BENCH_CFLAGS) -D_GNU_SOURCE -MMD -MP -c $< -o $@

$(BENCH_MAINS): $(BUILD)/bench/%: $(BUILD)/bench/obj/tests/bench/heap/%.o $(BENCH_COMMON) $(BENCH_HEAP) $(BENCH_STEPS)
	$(say) LINK $@
	$(Q)$(CLANG) -rdynamic $^ -ldl -o $(NEW) && $(RENAME)

.PHONY: bench
bench: bench-frames bench-lock bench-heap ## time frames, pages, lock and heap beside others: bench-frames, bench-lock, bench-heap

.PHONY: bench-traces
bench-traces: $(BUILD)/bench/bench_replay $(BUILD)/host/libheap_preload.so ## record real programs and replay them on the heap and others
	$(PYTHON) tests/bench/bench_traces.py $^ $(BUILD)/bench/traces --json $(BUILD)/bench/traces.json

# The plot is committed: run it where nothing else runs, with the peers that can be had.
HEAP_PLOT := docs/images/heap-speed.svg

.PHONY: bench-heap-limits
bench-heap-limits: $(BUILD)/bench/bench_limits ## the worst operation of the fast policy, in instructions, by the heap's limit
	@$(PYTHON) tests/bench/bench_limits.py $< --json $(BUILD)/bench/limits.json

.PHONY: bench-heap
bench-heap: $(BUILD)/bench/bench_heap bench-traces bench-heap-limits ## time the heap's policies beside others: build/bench/*.json, docs/images/heap-speed.svg
	$(PYTHON) tests/bench/bench_heap.py $< --json $(BUILD)/bench/heap.json $(BENCH)
	@$(PYTHON) tests/bench/plot_heap.py $(BUILD)/bench/heap.json $(BUILD)/bench/traces.json $(HEAP_PLOT)
	@echo "bench-heap: $(BUILD)/bench/heap.json, $(BUILD)/bench/traces.json, $(HEAP_PLOT)"

# --- Housekeeping --------------------------------------------------------------------------------
.PHONY: doctor
doctor: ## say which tools are missing, and which package has them
	@scripts/doctor.sh

FORMATTED := $(shell find bootloader kernel host shared tests -name '*.[ch]' 2>/dev/null)

.PHONY: format
format: ## lay out the C files as .clang-format says
	@scripts/require.sh $(CLANG_FORMAT)
	$(CLANG_FORMAT) -i $(FORMATTED)

.PHONY: lint
lint: compile_commands.json ## look for trouble: format, clang-tidy, cppcheck, shellcheck
	@scripts/lint.sh

.PHONY: boundary-objects
boundary-objects: $(KERNEL_OBJECTS) $(LOADER_OBJECTS) $(PRELOAD_OBJECTS)

.PHONY: check-boundaries
check-boundaries: boundary-objects ## what belongs to a CPU is under arch/, no files need each other in a circle
	@$(PYTHON) scripts/check_boundaries.py --build $(BUILD) --clang $(CLANG) --nm $(LLVM_NM) \
	    --efi-include $(EFI_INCLUDE)

.PHONY: compile_commands.json
compile_commands.json: $(FONT) ## tell editors and clang-tidy how each file is compiled
	@$(MAKE) --no-print-directory -n -B build unit-tests | \
	    $(PYTHON) scripts/compile_commands.py $(CLANG) $@

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z_.-]*:.*## / { printf "%-24s%s\n", $$1, $$2 }' \
	    $(firstword $(MAKEFILE_LIST)) | sort

.PHONY: clean
clean: ## remove everything that was built
ifeq ($(ESP),esp)
	rm -rf build esp/EFI esp/kernel.elf compile_commands.json
else
	@echo "make clean: it removes build/ only; remove $(BUILD) by hand" >&2; exit 1
endif

.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
