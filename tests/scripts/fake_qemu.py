"""Replace QEMU in a test: print FAKE_SERIAL on the serial port and answer the monitor.

FAKE_END has the end: "stay", "off" (the guest powers off), or a number, the exit status."""

import json
import os
import socket
import sys
import threading
import time


def option(name):
    """Return the value of the argument with `name=`."""
    words = ",".join(sys.argv).split(",")
    return next(word.split("=", 1)[1] for word in words if word.startswith(name + "="))


MONITOR = socket.socket(fileno=int(option("fd")))


def say(message):
    MONITOR.sendall(json.dumps(message).encode() + b"\n")


def answer_monitor():
    for line in MONITOR.makefile():
        request = json.loads(line)
        if request["execute"] == "screendump":
            with open(request["arguments"]["filename"], "w", encoding="utf-8") as file:
                file.write(request["arguments"]["format"])
        say({"return": {}})
        if request["execute"] == "quit":
            os._exit(0)


def main():
    threading.Thread(target=answer_monitor, daemon=True).start()
    with open(option("path") + ".out", "wb", buffering=0) as serial:
        for part in os.environ["FAKE_SERIAL"].split("|"):
            serial.write(part.encode())
            time.sleep(0.05)
        end = os.environ["FAKE_END"]
        if end == "off":
            say({"event": "SHUTDOWN", "data": {"reason": "guest-shutdown"}})
            end = "stay" if "-no-shutdown" in sys.argv else "0"
        if end != "stay":
            time.sleep(0.1)
            os._exit(int(end))
        time.sleep(20)
        serial.write(b"nobody ended it\n")


main()
