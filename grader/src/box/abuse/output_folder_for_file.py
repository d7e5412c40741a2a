# Verdict: exit 0
# Alone: its files are compared
import os
os.makedirs("/out/predictions.csv/inner")
open("/out/predictions.csv/inner/file", "w").write("x")
