"""Settings of gunicorn: each worker says when it listens to signals.

A worker that was just forked off still has the master's handlers. If the master is told to end at that moment, the worker puts
its SIGTERM into its own copy of the master's queue, which nobody reads, and is killed when the master's patience ends.
"""


def post_worker_init(worker):
    worker.log.info("this worker is ready")
