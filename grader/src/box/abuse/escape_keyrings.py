# Verdict: exit 0
from attack import *
for keyring in (-1, -2, -3, -4, -5):
    must_fail("add_key", b"user", b"crowdai", b"message", 7, keyring)
    must_fail("keyctl", 0, keyring, 1)
    must_fail("request_key", b"user", b"crowdai", None, keyring)
if os.path.exists("/proc/keys") and open("/proc/keys").read():
    escaped("keys of the machine")
