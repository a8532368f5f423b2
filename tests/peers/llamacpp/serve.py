"""Runs the server of llama.cpp on 127.0.0.1 until it is ended by a signal.

serve.py MODEL PORT
"""

import signal
import sys

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.model_alias = {"lens-tiny"}
params.hostnames = ["127.0.0.1"]
params.port = int(sys.argv[2])
params.n_ctx = 4096
params.n_parallel = 2
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
params.n_threads_http = 40
params.warmup = False
params.fit_params = False
params.use_jinja = True
params.cache_ram_mib = 0
server = xllamacpp.Server(params)
print("listening", server.listening_address, flush=True)
signal.pause()
