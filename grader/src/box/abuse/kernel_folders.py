# Verdict: exit 0
from attack import *
for path in ("/sys/kernel/debug", "/sys/kernel/tracing", "/sys/class", "/sys/devices", "/sys/firmware", "/boot", "/proc/acpi/x", "/proc/scsi/scsi", "/proc/kpageflags"):
    try:
        open(path).read(1) if not os.path.isdir(path) else escaped(path)
    except OSError:
        continue
    if os.path.isfile(path):
        escaped(path)
