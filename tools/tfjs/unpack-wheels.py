"""Takes out of TensorFlow's wheels what the Node addon needs: unpack-wheels.py FOLDER_OF_WHEELS DEPS_FOLDER

DEPS/include: the C API's headers. DEPS/lib: the libraries, under the names that the addon's build asks for.
DEPS/nvidia: NVIDIA's libraries, where TensorFlow's own run path looks for them ($ORIGIN/../nvidia).
"""

import sys
import zipfile
from pathlib import Path

HEADERS = tuple(
    f"tensorflow/include/{part}/" for part in ("tensorflow/c", "tensorflow/core/platform", "tsl", "tensorflow/tsl")
)
LIBRARIES = ("tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2")
LINKS = {
    "libtensorflow.so": "libtensorflow_cc.so.2",
    "libtensorflow.so.2": "libtensorflow_cc.so.2",
    "libtensorflow_framework.so": "libtensorflow_framework.so.2",
}


def target_of(name: str) -> str | None:
    if name in LIBRARIES:
        return name.replace("tensorflow/", "lib/", 1)
    if name.startswith(HEADERS):
        return name.replace("tensorflow/include/", "include/", 1)
    if name.startswith("nvidia/") and ("/lib/" in name or "/bin/" in name):
        return name
    return None


def main(wheels: Path, deps: Path) -> None:
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                target = target_of(entry.filename)
                if target is None or entry.is_dir():
                    continue
                entry.filename = target
                archive.extract(entry, deps)
    for link, library in LINKS.items():
        path = deps / "lib" / link
        path.unlink(missing_ok=True)
        path.symlink_to(library)


main(Path(sys.argv[1]), Path(sys.argv[2]))
