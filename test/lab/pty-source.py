"""A host that talks as fast as its serial line takes it.

Usage: pty-source.py PATH

Links PATH to a pseudo-terminal in raw mode and prints "ready". A line with a number on standard input has it
write so many bytes, lines of text; it prints "done" when the last is written. Ends with standard input.
"""

import os
import sys
import tty

LINE = b"[    0.123456] a line as a kernel writes it when it starts, eighty characters of it\r\n"
BLOCK = LINE * 800


def main():
    master, slave = os.openpty()
    tty.setraw(slave)
    os.symlink(os.ttyname(slave), sys.argv[1])
    print("ready", flush=True)
    for line in sys.stdin:
        left = int(line)
        while left > 0:
            left -= os.write(master, BLOCK[:left])
        print("done", flush=True)
    os.unlink(sys.argv[1])


main()
