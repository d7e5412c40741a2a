# Verdict: exit 0
# Alone: its files are compared
for name in (b"new\nline", b"-rf", b"--checkpoint-action=exec=sh", b"\xff\xfe", b"x" * 255, b"back\\slash", b" ", b"\xe2\x80\xae", b"..."):
    open(b"/out/" + name, "w").write("x")
