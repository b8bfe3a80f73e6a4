"""The peer of `bench/gpu.ts`: S3D-G in PyTorch on a GPU, with the product's weights, in every mode that one would try.

One request a line (JSON) on standard input, one answer a line on standard output:
  {"do": "open", "device", "weights", "pixels", "size": [t, h, w], "width", "stem", "motion", "classes"}   -> {"version", "device"}
  {"do": "warm", "mode", "batch", "stride", "rough"} -> {"logits", "seconds"}: of the first clip; compiles, captures. `rough`: while
                                                        others use the card, so without trying cuDNN's algorithms; warm once more then
  {"do": "clip", "mode", "batch", "stride", "reps"}  -> {"ms", "deviceMs"}: lists; from pixels of the host to logits of the host, and with
                                                        pixels that lie on the device already
`stride` n: every n-th time step goes past Conv_2b, as the sampler `uniform` keeps them.
"""
import time

import torch
import torch._dynamo
from safetensors.torch import load_file
from torch import nn

from s3dg import S3DG, Conv, Gate
from serve import serve

# TF32 is what PyTorch's convolutions use unless told otherwise; `fp32` forbids it, as our engines do.
EAGER = {"tf32": True, "layout": torch.contiguous_format, "benchmark": False, "dtype": None, "autocast": None, "how": "eager"}
TUNED = EAGER | {"layout": torch.channels_last_3d, "benchmark": True}
MODES = {
    "eager": EAGER,
    "eager fp32": EAGER | {"tf32": False},
    "channels_last": TUNED,
    "channels_last fp32": TUNED | {"tf32": False},
    "autocast fp16": TUNED | {"autocast": torch.float16},
    "autocast bf16": TUNED | {"autocast": torch.bfloat16},
    "graph": TUNED | {"how": "graph"},
    "graph fp32": TUNED | {"how": "graph", "tf32": False},
    "graph fp32 contiguous": EAGER | {"how": "graph", "tf32": False, "benchmark": True},
    "graph fp16": TUNED | {"how": "graph", "dtype": torch.float16},
    "compiled": TUNED | {"how": "reduce-overhead"},
    "compiled fp32": TUNED | {"how": "reduce-overhead", "tf32": False},
    "compiled fp16": TUNED | {"how": "reduce-overhead", "dtype": torch.float16},
    "compiled max-autotune": TUNED | {"how": "max-autotune"},
}


class Clips(nn.Module):
    """uint8 clips [n, t, h, w, 3] -> logits [n, classes]"""

    def __init__(self, network):
        super().__init__()
        self.lower, self.upper = network.body[:3], network.body[3:]
        self.fc, self.motion = network.fc, network.motion
        self.register_buffer("mean", network.mean)
        self.register_buffer("std", network.std)
        self.register_buffer("luma", torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1, 1))

    def forward(self, pixels, stride, layout):
        x = self.encode(pixels.permute(0, 4, 1, 2, 3).float() / 255)
        x = self.lower(x.to(self.fc.weight.dtype).contiguous(memory_format=layout))
        if stride > 1:
            x = x[:, :, ::stride]
        for layer in self.upper:
            if isinstance(layer, nn.MaxPool3d) and layer.kernel_size == 2 and x.shape[2] == 1:
                x = torch.cat([x, x], 2)  # one step: the window holds it alone
            x = layer(x)
        steps = x.mean((3, 4))
        if steps.shape[2] > 1:  # the published head: a mean over windows of two steps
            steps = (steps[:, :, 1:] + steps[:, :, :-1]) / 2
        return self.fc(steps.mean(2))

    def encode(self, x):
        if not self.motion:
            return (x - self.mean) / self.std
        grey = ((x * self.luma).sum(1, keepdim=True) - 0.5) / 0.25
        change = torch.diff(grey, dim=2, prepend=grey[:, :, :1])
        return torch.cat([grey, change, change.abs()], 1)


def open_network(state, device, weights, pixels, size, width, stem, motion, classes):
    network = S3DG(width, classes, stem, motion)
    load_weights(network, {name: tensor.float() for name, tensor in load_file(weights).items()})
    clip = torch.frombuffer(bytearray(open(pixels, "rb").read()), dtype=torch.uint8).view(1, *size, 3)
    state.update(device=device, network=Clips(network).eval(), pixels=clip, runs={})
    name = torch.cuda.get_device_name() if device == "cuda" else device
    return {"version": f"torch {torch.__version__}", "device": name}


def load_weights(network, tensors):
    """Both list their layers in the same order; a wrong shape is refused by copy_, a wrong order shows in the scores."""
    convs = [name[: -len(".weight")] for name, tensor in tensors.items() if tensor.dim() == 5]
    gates = [name[: -len(".weight")] for name in tensors if name.endswith("gate.weight")]
    with torch.no_grad():
        for module, name in zip([m for m in network.modules() if isinstance(m, Conv)], convs, strict=True):
            module[0].weight.copy_(tensors[f"{name}.weight"])
            for part in ("weight", "bias", "running_mean", "running_var"):
                getattr(module[1], part).copy_(tensors[f"{name}.bn.{part}"])
        for module, name in zip([m for m in network.modules() if isinstance(m, Gate)], gates, strict=True):
            module.fc.weight.copy_(tensors[f"{name}.weight"])
            module.fc.bias.copy_(tensors[f"{name}.bias"])
        head = next(name for name in tensors if name.startswith("Head") and name.endswith(".weight"))
        network.fc.weight.copy_(tensors[head])
        network.fc.bias.copy_(tensors[head.replace(".weight", ".bias")])


def warm(state, mode, batch, stride, rough=False):
    started = time.perf_counter()
    torch._dynamo.reset()
    pixels = state["pixels"].repeat(batch, 1, 1, 1, 1)
    use_flags(MODES[mode] | {"benchmark": MODES[mode]["benchmark"] and not rough})
    run = prepare(state, MODES[mode], pixels.to(state["device"]), stride)
    for _ in range(3):
        logits = run(pixels.to(state["device"])).float().cpu()
    state["runs"][mode, batch, stride] = run, pixels, pixels.to(state["device"])
    return {"logits": logits[0].tolist(), "seconds": time.perf_counter() - started}


def use_flags(mode):
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = mode["tf32"]
    torch.backends.cudnn.benchmark = mode["benchmark"]


def prepare(state, mode, sample, stride):
    """A function from pixels on the device to logits there."""
    network = network_of(state, mode["layout"], mode["dtype"])

    def forward(pixels):
        if mode["autocast"]:
            with torch.autocast(state["device"], mode["autocast"]):
                return network(pixels, stride, mode["layout"])
        return network(pixels, stride, mode["layout"])

    if mode["how"] == "eager":
        return forward
    if mode["how"] == "graph":
        return captured(forward, sample)
    return torch.compile(forward, mode=mode["how"], dynamic=False)


def network_of(state, layout, dtype):
    key = layout, dtype
    if key not in state:
        import copy
        state[key] = copy.deepcopy(state["network"]).to(state["device"], dtype or torch.float32, memory_format=layout)
        state[key].mean, state[key].std, state[key].luma = (part.float() for part in (state[key].mean, state[key].std, state[key].luma))
    return state[key]


def captured(forward, sample):
    """One CUDA graph for the whole clip."""
    if not sample.is_cuda:
        raise ValueError("CUDA graphs need a CUDA device")
    pixels, side = sample.clone(), torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            forward(pixels)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        logits = forward(pixels)

    def replay(new):
        pixels.copy_(new)
        graph.replay()
        return logits

    return replay


def clip(state, mode, batch, stride, reps):
    run, host, resident = state["runs"][mode, batch, stride]
    use_flags(MODES[mode])
    ms, device_ms = [], []
    for _ in range(reps):
        started = time.perf_counter()
        run(host.to(state["device"])).float().cpu()
        ms.append(1e3 * (time.perf_counter() - started))
        started = time.perf_counter()
        run(resident)
        if state["device"] == "cuda":
            torch.cuda.synchronize()
        device_ms.append(1e3 * (time.perf_counter() - started))
    return {"ms": ms, "deviceMs": device_ms}


HANDLERS = {"open": open_network, "warm": warm, "clip": clip}


if __name__ == "__main__":
    with torch.no_grad():
        serve(HANDLERS)
