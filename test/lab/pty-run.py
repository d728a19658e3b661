"""Runs a command on a terminal of its own, as a person would.

Usage: pty-run.py COMMAND [ARGUMENT …]

Standard input is what is typed; standard output is what the terminal shows. A line "SIGNAME" on file
descriptor 3 sends that signal to the command. When the command has ended, a line of JSON on standard
error tells its exit status (128 + signal) and whether the terminal is as it was.
"""

import json
import os
import pty
import selectors
import signal
import sys
import termios

LARGEST = 4096


def main():
    child, master = pty.fork()
    if child == 0:
        os.close(3)
        os.execvp(sys.argv[1], sys.argv[1:])
    before = termios.tcgetattr(master)
    selector = selectors.DefaultSelector()
    for descriptor in (0, 3, master):
        selector.register(descriptor, selectors.EVENT_READ)
    while True:
        ready = [key.fd for key, _ in selector.select(0.05)]
        if 0 in ready:
            typed = os.read(0, LARGEST)
            if typed:
                os.write(master, typed)
            else:
                selector.unregister(0)
        if 3 in ready:
            names = os.read(3, LARGEST).decode().split()
            for name in names:
                os.kill(child, getattr(signal, name))
            if not names:
                selector.unregister(3)
        if master in ready:
            try:
                os.write(1, os.read(master, LARGEST))
            except OSError:
                selector.unregister(master)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
    after = termios.tcgetattr(master)
    os.set_blocking(master, False)
    try:
        while rest := os.read(master, LARGEST):
            os.write(1, rest)
    except OSError:
        pass
    code = os.waitstatus_to_exitcode(status)
    result = {"code": code if code >= 0 else 128 - code, "isSane": after[:4] == before[:4]}
    print(json.dumps(result), file=sys.stderr, flush=True)


main()
