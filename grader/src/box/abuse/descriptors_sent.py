# Verdict: exit 0
# Alone: it needs the output
import array, os, socket
try:
    output = socket.socket(fileno=os.dup(1))
    for _ in range(100):
        files = [os.open("/dev/null", os.O_RDONLY) for _ in range(50)]
        output.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))])
        for file in files:
            os.close(file)
except OSError:
    pass
