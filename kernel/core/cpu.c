#include "kernel/core/cpu.h"

PER_CPU struct cpu cpu_instance;
