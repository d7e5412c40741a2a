# Verdict: exit 0
from attack import *
import site
for folder in [*sys.path, *site.getsitepackages(), "/usr/local/lib/python3.11", "/usr/local/bin", "/usr/lib/node_modules"]:
    if os.path.isdir(folder) and folder.startswith("/usr"):
        must_raise("a file in " + folder, open, os.path.join(folder, "sitecustomize.py"), "w")
        must_raise("a folder in " + folder, os.mkdir, os.path.join(folder, "box-test"))
