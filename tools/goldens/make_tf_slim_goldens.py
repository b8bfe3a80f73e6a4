"""S3D-G checkpoints as TensorFlow writes them under TF-slim's variable names, with TensorFlow's outputs.

    python tools/goldens/make_tf_slim_goldens.py        # needs tensorflow-cpu 2.15, tf_keras 2.15, tf_slim

The network is built from the layer table with slim's own layers, so names, batch norms and SAME padding are
slim's; its weights are random (seeded). TensorFlow's Saver writes the checkpoint, and the one line that
docs/models.md gives to users turns it into an npz. Writes test/fixtures/checkpoints/tf-slim-*.npz.gz and
cases-tf-slim.json."""

import gzip
import importlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import golden_weights
from layer_table import MIXED

# TensorFlow 2.15 looks for slim's batch norm where tf_keras 2.15 no longer keeps it.
sys.modules["tf_keras.legacy_tf_layers.normalization"] = importlib.import_module(
    "tf_keras.src.legacy_tf_layers.normalization"
)

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "test/fixtures/checkpoints"
WIDTH = 3 / 64
CLASSES = 7
SPANNING = ["2c", *MIXED]
CASES = (
    {
        "file": "tf-slim-s3dg.npz",
        "stem": 3,
        "temporal": "2c",
        "gates": True,
        "seed": 50,
        "size": (11, 39, 45),
    },
    {
        "file": "tf-slim-fast.npz",
        "stem": 1,
        "temporal": "5b",
        "gates": False,
        "seed": 51,
        "size": (9, 33, 40),
    },
)


def narrow(channels):
    return max(1, int(np.floor(channels * WIDTH + 0.5)))


def unit(x, out, kernel, scope, stride=1):
    norm = {"is_training": False, "epsilon": 1e-3, "fused": False}
    return slim.conv3d(
        x, out, kernel, stride=stride, normalizer_fn=slim.batch_norm, normalizer_params=norm, scope=scope
    )


def spanning(x, out, scope, separable):
    x = unit(x, out, [1, 3, 3], scope)
    return slim.conv3d(x, out, [3, 1, 1], scope=f"{scope}/temporal") if separable else x


def gate(x, scope, gated):
    if not gated:
        return x
    squeezed = tf.reduce_mean(x, [1, 2, 3], keepdims=True)
    options = {"activation_fn": None, "normalizer_fn": None, "biases_initializer": None}
    return x * tf.sigmoid(
        slim.conv3d(squeezed, x.shape[-1], 1, scope=f"{scope}/self_gating/transformer_W", **options)
    )


def network(x, stem, temporal, gates):
    separable = lambda layer: SPANNING.index(layer) >= SPANNING.index(temporal)
    pool = lambda x, kernel, stride: slim.max_pool3d(x, kernel, stride=stride, padding="SAME")
    with tf.variable_scope("InceptionV1"):
        x = pool(unit(x, narrow(64), [stem, 7, 7], "Conv2d_1a_7x7", 2), [1, 3, 3], [1, 2, 2])
        x = unit(x, narrow(64), 1, "Conv2d_2b_1x1")
        x = gate(spanning(x, narrow(192), "Conv2d_2c_3x3", separable("2c")), "Conv2d_2c_3x3", gates)
        x = pool(x, [1, 3, 3], [1, 2, 2])
        for block, channels in MIXED.items():
            if block in ("4b", "5b"):
                size = 3 if block == "4b" else 2
                x = pool(x, [size] * 3, [2] * 3)
            b0, r1, b1, r2, b2, b3 = map(narrow, channels)
            with tf.variable_scope(f"Mixed_{block}"):
                with tf.variable_scope("Branch_0"):
                    y0 = gate(unit(x, b0, 1, "Conv2d_0a_1x1"), "Conv2d_0a_1x1", gates)
                with tf.variable_scope("Branch_1"):
                    y1 = spanning(unit(x, r1, 1, "Conv2d_0a_1x1"), b1, "Conv2d_0b_3x3", separable(block))
                    y1 = gate(y1, "Conv2d_0b_3x3", gates)
                with tf.variable_scope("Branch_2"):
                    y2 = spanning(unit(x, r2, 1, "Conv2d_0a_1x1"), b2, "Conv2d_0b_3x3", separable(block))
                    y2 = gate(y2, "Conv2d_0b_3x3", gates)
                with tf.variable_scope("Branch_3"):
                    y3 = gate(unit(pool(x, [3] * 3, 1), b3, 1, "Conv2d_0b_1x1"), "Conv2d_0b_1x1", gates)
            x = tf.concat([y0, y1, y2, y3], -1)
        with tf.variable_scope("Logits"):
            window = [min(k, n) for k, n in zip((2, 7, 7), x.shape.as_list()[1:4])]
            x = slim.avg_pool3d(x, window, stride=1, padding="VALID")
            x = slim.conv3d(x, CLASSES, 1, activation_fn=None, normalizer_fn=None, scope="Conv2d_0c_1x1")
    return tf.reduce_mean(x, [1, 2, 3])


def value(variable, random, gain):
    """Numbers of eight bits, so that the file packs well; nothing is 0, 1 or symmetric."""
    name, shape = variable.op.name, variable.shape.as_list()
    if name.endswith("moving_variance"):
        values = random.uniform(0.5, 1.5, shape)
    elif name.endswith(("moving_mean", "beta", "biases")):
        values = random.normal(0, 0.15, shape)
    else:
        values = random.normal(0, (gain / np.prod(shape[:-1])) ** 0.5, shape)
    return (values.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


def documented_line():
    """The Python line of docs/models.md, so that what is tested is what users are told."""
    [line] = re.findall(r"^python -c '(.*)'.*$", (ROOT / "docs/models.md").read_text(), re.M)
    return line


def build(case, folder):
    tf.reset_default_graph()
    random = np.random.default_rng(case["seed"])
    pixels = golden_weights.pixels(case["seed"], *case["size"], 1)
    logits = network(
        tf.constant((pixels / 127.5 - 1)[None], tf.float32), case["stem"], case["temporal"], case["gates"]
    )
    weights = list(tf.global_variables())
    step = tf.train.get_or_create_global_step()
    # What a training run leaves in its checkpoints beside the weights.
    tf.train.MomentumOptimizer(0.1, 0.9).minimize(tf.reduce_sum(logits), global_step=step)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for variable in weights:
            # A gate halves what it lets through.
            variable.load(value(variable, random, 4 if case["gates"] else 1.8), session)
        outputs = session.run(logits)[0]
        checkpoint = tf.train.Saver().save(session, f"{folder}/model.ckpt", write_meta_graph=False)
    subprocess.run(
        [sys.executable, "-c", documented_line(), checkpoint, f"{folder}/{case['file']}"], check=True
    )
    return outputs, pathlib.Path(f"{folder}/{case['file']}").read_bytes()


def main():
    tf.disable_v2_behavior()
    written = []
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            outputs, npz = build(case, folder)
        (OUT / f"{case['file']}.gz").write_bytes(gzip.compress(npz, mtime=0))
        frames, height, width = case["size"]
        found = {"file": case["file"], "format": "tf-slim-s3dg", "seed": case["seed"]}
        written.append(
            {
                **found,
                "frames": frames,
                "height": height,
                "width": width,
                "outputs": [float(v) for v in outputs],
            }
        )
        print(case["file"], (OUT / f"{case['file']}.gz").stat().st_size, np.round(outputs, 3))
    (OUT / "cases-tf-slim.json").write_text(
        "[\n" + ",\n".join(json.dumps(case) for case in written) + "\n]\n"
    )


if __name__ == "__main__":
    main()
