# Verdict: exit 0
import subprocess
subprocess.run(["/bin/true"] + ["x" * 100000] * 10, check=True)
