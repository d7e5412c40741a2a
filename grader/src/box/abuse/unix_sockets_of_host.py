# Verdict: exit 0
from attack import *
import socket
for path in ("/run/dbus/system_bus_socket", "/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/systemd/private", "/run/systemd/journal/socket", "/dev/log", "/tmp/.X11-unix/X0", "/run/redis/redis-server.sock", "/var/run/postgresql/.s.PGSQL.5432"):
    must_raise(path, socket.socket(socket.AF_UNIX).connect, path)
