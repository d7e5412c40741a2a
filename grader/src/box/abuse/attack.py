"""Helpers of the programs in this folder. A program prints ESCAPED when something worked that must not work."""

import ctypes
import os
import sys

# Things that the test has put on the machine for the programs to find: they get them as arguments.
PORT, CANARY, WORD, ABSTRACT, HOST_PID = (sys.argv[1:] + [""] * 5)[:5]

libc = ctypes.CDLL(None, use_errno=True)

NUMBERS = {
    "x86_64": dict(
        ptrace=101, syslog=103, personality=135, mount=165, umount2=166, pivot_root=155, chroot=161, sethostname=170,
        setdomainname=171, reboot=169, iopl=172, ioperm=173, init_module=175, delete_module=176, quotactl=179, acct=163,
        swapon=167, settimeofday=164, vhangup=153, adjtimex=159, kexec_load=246, add_key=248, request_key=249, keyctl=250,
        lookup_dcookie=212, unshare=272, clone=56, move_pages=279, perf_event_open=298, fanotify_init=300, name_to_handle_at=303,
        open_by_handle_at=304, clock_settime=227, setns=308, process_vm_readv=310, process_vm_writev=311, kcmp=312,
        finit_module=313, bpf=321, userfaultfd=323, capset=126, mknodat=259, modify_ldt=154, ioctl=16,
        seccomp=317, splice=275, timer_create=222, sched_setattr=314, ioprio_set=251, prlimit64=302,
    ),
    "aarch64": dict(
        ptrace=117, syslog=116, personality=92, mount=40, umount2=39, pivot_root=41, chroot=51, sethostname=161,
        setdomainname=162, reboot=142, init_module=105, delete_module=106, quotactl=60, acct=89, swapon=224,
        settimeofday=170, vhangup=58, adjtimex=171, kexec_load=104, add_key=217, request_key=218, keyctl=219,
        lookup_dcookie=18, unshare=97, clone=220, move_pages=239, perf_event_open=241, fanotify_init=262, name_to_handle_at=264,
        open_by_handle_at=265, clock_settime=112, setns=268, process_vm_readv=270, process_vm_writev=271, kcmp=272,
        finit_module=273, bpf=280, userfaultfd=282, capset=91, mknodat=33, ioctl=29,
        seccomp=277, splice=76, timer_create=107, sched_setattr=274, ioprio_set=30, prlimit64=261,
    ),
}[os.uname().machine]
# The same on all architectures.
NUMBERS.update(
    io_uring_setup=425, io_uring_enter=426, io_uring_register=427, open_tree=428, move_mount=429, fsopen=430, fsconfig=431,
    fsmount=432, fspick=433, pidfd_open=434, clone3=435, pidfd_getfd=438, process_madvise=440, mount_setattr=442, memfd_secret=447,
    quotactl_fd=443, process_mrelease=448, statmount=457, listmount=458, lsm_list_modules=461,
)


def call(name, *arguments):
    """Makes a system call. Returns its result, or the negative error number; -38 where this architecture lacks the call."""
    if name not in NUMBERS:
        return -38
    ctypes.set_errno(0)
    converted = [a if isinstance(a, bytes) or a is None else ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(NUMBERS[name]), *converted)
    return result if result >= 0 else -ctypes.get_errno()


def must_fail(name, *arguments):
    result = call(name, *arguments)
    if result >= 0:
        escaped(name)


def contents(path):
    """Returns the contents of a file, or nothing where this kernel does not have it."""
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def must_raise(what, work, *arguments):
    try:
        work(*arguments)
    except (OSError, ValueError, UnicodeError):
        return
    escaped(what)


def escaped(what):
    print("ESCAPED:", what, flush=True)
