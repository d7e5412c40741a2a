# Verdict: exit 0
# Alone: its files are collected
import os
for name in ("tar", "find", "sh", "kill", "[", "echo"):
    for folder in ("/out", "/tmp"):
        with open(folder + "/" + name, "w") as file:
            file.write("#!/bin/sh\necho ESCAPED: %s ran\n" % name)
        os.chmod(folder + "/" + name, 0o755)
for name in (".profile", ".shrc", ".bashrc", ".tarrc"):
    open("/tmp/" + name, "w").write("echo ESCAPED: settings were read\n")
os.environ["TAR_OPTIONS"] = "--checkpoint=1 --checkpoint-action=exec=/tmp/sh"
