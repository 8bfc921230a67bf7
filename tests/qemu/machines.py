"""Machines with many special properties at once. Each starts its firmware once, for all tests that need one of these
properties: they boot from its snapshot. `make test-all` boots a machine for each property instead (Lab.boot_machine).
"""

# Little memory (with less the firmware cannot connect a disk a second time); a CPU without page attributes, global
# pages and machine checks; several CPUs.
SMALL = {"memory": "64M", "cpu": "qemu64,-pat,-pge,-mce", "cpu_count": 4, "medium": "ahci", "graphics": "bochs"}
# A CPU without 1 GiB pages, five levels, SMEP and random numbers; memory above and below 4 GiB;
# no display.
PLAIN = {"memory": "3G", "cpu": "qemu64", "medium": "scsi", "graphics": "none", "random_device": False}
# A CPU without no-execute; a display without a linear framebuffer.
EXECUTABLE = {"memory": "512M", "cpu": "qemu64,-nx", "medium": "usb", "graphics": "virtio-gpu"}
# A disc; random numbers only from the CPU; every feature except five levels.
DISC = {"memory": "4G", "cpu": "max,la57=off", "medium": "iso", "graphics": "virtio", "random_device": False}
# The usual machine, with all features that QEMU emulates, also with KVM.
MODERN = {"cpu": "max"}
