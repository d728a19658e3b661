"""Two pseudo-terminals and a cable between them, which stands for a serial line.

Usage: pty-pair.py DEVICE HOST

Links DEVICE and HOST to the two ends and prints "ready". Bytes are carried as they come, and are not
read on one side while the other does not take them. Ends with standard input; both ends hang up then,
as an adapter does that is unplugged.
"""

import contextlib
import os
import selectors
import sys
import tty

LARGEST = 4096


def end(link):
    """An end: its master, and its own slave, so that the line lives on when a program closes it."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    os.symlink(os.ttyname(slave), link)
    return master, slave


def main():
    links = sys.argv[1:3]
    ends = [end(link) for link in links]
    masters = [master for master, _ in ends]
    waiting = {masters[0]: b"", masters[1]: b""}
    other = {masters[0]: masters[1], masters[1]: masters[0]}
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    for master in masters:
        selector.register(master, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, events in selector.select():
            if key.fileobj is sys.stdin:
                for link in links:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(link)
                return
            master = key.fd
            if events & selectors.EVENT_READ and not waiting[other[master]]:
                waiting[other[master]] = os.read(master, LARGEST)
            if events & selectors.EVENT_WRITE:
                waiting[master] = waiting[master][os.write(master, waiting[master]):]
        for master in masters:
            wanted = selectors.EVENT_WRITE if waiting[master] else 0
            wanted |= 0 if waiting[other[master]] else selectors.EVENT_READ
            try:
                selector.unregister(master)
            except KeyError:
                pass
            if wanted:
                selector.register(master, wanted)


main()
