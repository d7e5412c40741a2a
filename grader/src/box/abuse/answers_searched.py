# Verdict: exit 0
from attack import *
for folder, folders, names in os.walk("/"):
    if folder == "/":
        folders[:] = [name for name in folders if name not in ("proc", "usr", "lib", "lib64", "bin", "sbin", "lib32", "libx32", "abuse", "dev")]
    for name in names:
        try:
            if b"secret" == open(os.path.join(folder, name), "rb").read(100):
                escaped("the canary in " + folder)
        except OSError:
            pass
    if "private" in folders or ".git" in folders or ".ssh" in folders:
        escaped("private folders in " + folder)
