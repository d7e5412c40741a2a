"""Runs programs of this folder one after the other in one box, each in a process of its own, and prints what each did as JSON."""

import json
import os
import runpy
import signal
import sys
import time
import traceback


def run(path, arguments, patience):
    files = [os.memfd_create(name) for name in ("stdout", "stderr")]
    pid = os.fork()
    if pid == 0:
        for number, file in enumerate(files, 1):
            os.dup2(file, number)
            os.close(file)
        sys.argv = [path, *arguments]
        code = 0
        try:
            runpy.run_path(path, run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    deadline = time.monotonic() + patience
    status = None
    while status is None:
        done, found = os.waitpid(pid, os.WNOHANG)
        if done:
            status = os.waitstatus_to_exitcode(found)
        elif time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            status = "hang"
        else:
            time.sleep(0.002)
    texts = [os.pread(file, 100000, 0).decode("utf-8", "replace") for file in files]
    for file in files:
        os.close(file)
    return status, texts


names, patience, arguments = sys.argv[1].split(","), float(sys.argv[2]), sys.argv[3:]
for name in names:
    status, (stdout, stderr) = run("/abuse/" + name, arguments, patience)
    print(json.dumps({"name": name, "code": status, "stdout": stdout, "stderr": stderr}), flush=True)
