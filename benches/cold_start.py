"""Measures how long Lambda functions take from exec to their first poll of the runtime API, and how much memory.

    cargo build --release && cargo build --release --manifest-path benches/Cargo.toml --example bare
    python3 benches/cold_start.py target/release/ingest benches/target/release/examples/bare

It starts each program in turn, so that a busy machine slows all of them alike, and prints medians and their ratio to the
last program. It needs Linux and Python 3.10 or later.
"""

import argparse
import http.server
import os
import statistics
import subprocess
import sys
import threading
import time

# What the functions read when they start. Nothing is called: the runtime API never hands out an event.
ENVIRONMENT = {
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_LAMBDA_FUNCTION_NAME": "measured",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_LAMBDA_LOG_GROUP_NAME": "measured",
    "AWS_LAMBDA_LOG_STREAM_NAME": "measured",
}
TIMEOUT_S = 10


class RuntimeApi(http.server.ThreadingHTTPServer):
    """A runtime API that notes the first poll and leaves it unanswered."""

    daemon_threads = True

    def __init__(self):
        self.polled, self.at = threading.Event(), 0.0
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if not self.server.polled.is_set():
            self.server.at = time.perf_counter()
            self.server.polled.set()
        time.sleep(TIMEOUT_S)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        sys.exit(f"{self.path}: {body.decode(errors='replace')}")

    def log_message(self, *_):
        pass


def start(program, environment):
    """Milliseconds to the first poll, and the most memory until then in KiB."""
    api = RuntimeApi()
    threading.Thread(target=api.serve_forever, daemon=True).start()
    environment = ENVIRONMENT | environment | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}"}
    begun = time.perf_counter()
    process = subprocess.Popen([program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        if not api.polled.wait(TIMEOUT_S):
            process.kill()
            sys.exit(f"{program} did not poll: {process.stdout.read().decode(errors='replace')}")
        with open(f"/proc/{process.pid}/status") as status:
            memory = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
        return (api.at - begun) * 1000, memory
    finally:
        process.kill()
        process.wait()
        api.shutdown()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="+", help="the last is what the others are compared with")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    environment = dict(pair.split("=", 1) for pair in options.env)
    found = {program: [] for program in options.programs}
    for _ in range(options.runs):
        for program in options.programs:
            found[program].append(start(program, environment))
    base = statistics.median(ms for ms, _ in found[options.programs[-1]])
    for program, runs in found.items():
        ms = statistics.median(ms for ms, _ in runs)
        memory = statistics.median(memory for _, memory in runs) / 1024
        size = os.path.getsize(program) / 1e6
        print(f"{os.path.basename(program):>12}  {ms:6.1f} ms  {ms / base:4.1f} x  {memory:5.1f} MiB  {size:5.1f} MB")


if __name__ == "__main__":
    main()
