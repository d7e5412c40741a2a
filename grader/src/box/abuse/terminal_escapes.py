# Verdict: exit 0
import os
os.write(1, b"\x1b]0;title\x07\x1b[2J\x1b[31m\x1bP+q544e\x1b\\\x9b6n\x1b[?1049h\r\n")
