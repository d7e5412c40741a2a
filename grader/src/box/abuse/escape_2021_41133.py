# Verdict: exit 0
from attack import *
for name in ("clone3", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr"):
    if call(name, 0, 0, 0, 0, 0, 0) != -38:
        escaped(name + " exists")
