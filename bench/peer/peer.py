"""The peer of `actionstream bench`: PyTorch, OpenCV and the pipeline that one would otherwise write.

One request a line (JSON) on standard input, one answer a line on standard output:
  {"do": "open", "width", "frames", "size", "stem", "motion", "classes", "threads", "mode"}   -> {"seconds"}
      mode: "eager" (what the documentation shows), "channels_last", "compiled" (inductor, frozen, channels_last)
  {"do": "clip"}                              -> {"ms", "cpuMs"}: one clip
  {"do": "version"}                           -> {"version"}: of torch and OpenCV
  {"do": "gemm"}                              -> {"gflops"}: float32 product of two 2048x2048 matrices
  {"do": "streams", "videos", "fps", "stride", "seconds", "warmup"}   -> what each clip's lag was
"""
import time

import torch

from s3dg import S3DG
from serve import serve


def open_network(state, width, frames, size, stem, motion, classes, threads, mode):
    started = time.perf_counter()
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network = S3DG(width, classes, stem, motion).eval()
    if mode != "eager":
        network = network.to(memory_format=torch.channels_last_3d)
        network.channels_last = True
    if mode == "compiled":
        import torch._inductor.config as inductor
        inductor.freezing = True
        network = torch.compile(network)
    state.update(network=network, frames=frames, size=size)
    state["pixels"] = torch.randint(0, 256, (frames, size, size, 3), dtype=torch.uint8)
    for _ in range(2):
        infer(state, state["pixels"])
    return {"seconds": time.perf_counter() - started}


@torch.no_grad()  # inductor freezes under no_grad only
def infer(state, pixels):
    return state["network"](pixels)


def clip(state):
    cpu, started = time.process_time(), time.perf_counter()
    infer(state, state["pixels"])
    return {"ms": 1e3 * (time.perf_counter() - started), "cpuMs": 1e3 * (time.process_time() - cpu)}


def version(_):
    try:
        import cv2
        return {"version": f"torch {torch.__version__}, OpenCV {cv2.__version__}"}
    except ImportError:
        return {"version": f"torch {torch.__version__}"}


def gemm(_):
    a, b = torch.rand(2048, 2048), torch.rand(2048, 2048)
    times = []
    for _ in range(6):
        started = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - started)
    return {"gflops": 2 * 2048 ** 3 / sorted(times[1:])[2] / 1e9}


def streams(state, **request):
    from pipeline import run_streams
    return run_streams(lambda pixels: infer(state, pixels), state["frames"], state["size"], **request)


HANDLERS = {"version": version, "open": open_network, "clip": clip, "gemm": gemm, "streams": streams}

if __name__ == "__main__":
    serve(HANDLERS)
