# Verdict: exit 0
from attack import *
for name in ("tcp", "tcp6", "udp", "unix"):
    text = contents("/proc/net/" + name)
    if ":%04X" % int(PORT) in text or ABSTRACT in text:
        escaped("sockets of the machine in /proc/net/" + name)
for name in ("route", "arp", "fib_trie"):
    if "169.254" in contents("/proc/net/" + name):
        escaped("routes of the machine")
