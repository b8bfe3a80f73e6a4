"""Many files replayed at the pace at which they were filmed, with OpenCV and one network: a thread a camera decodes, keeps
every n-th frame at the network's size, and hands over sliding windows; the network takes the newest window of each camera
in turn. A window that was not taken when the next one is ready is dropped, and counted.
"""
import threading
import time

import cv2
import numpy as np
import torch


class Camera(threading.Thread):
    def __init__(self, video, frames, size, fps, stride, stop):
        super().__init__(daemon=True)
        self.video, self.frames, self.size, self.fps, self.stride, self.stop = video, frames, size, fps, stride, stop
        self.lock, self.window, self.dropped, self.shown = threading.Lock(), None, 0, 0

    def run(self):
        ring, since_last = [], 0
        started, shown = time.monotonic(), 0  # frames shown before this round of the video
        while not self.stop.is_set():
            capture = cv2.VideoCapture(self.video)
            rate = capture.get(cv2.CAP_PROP_FPS) or 25.0
            index, taken = 0, 0
            while not self.stop.is_set():
                if not capture.grab():
                    break
                wait = started + (shown + index) / rate - time.monotonic()
                if wait > 0:
                    self.stop.wait(wait)
                index += 1
                if (index - 1) / rate < taken / self.fps:
                    continue
                taken += 1
                ok, picture = capture.retrieve()
                if not ok:
                    continue
                picture = cv2.cvtColor(cv2.resize(picture, (self.size, self.size)), cv2.COLOR_BGR2RGB)
                ring = (ring + [picture])[-self.frames:]
                since_last += 1
                if len(ring) == self.frames and since_last >= self.stride:
                    since_last = 0
                    self.offer(np.stack(ring))
            capture.release()
            started, shown, ring = time.monotonic(), 0, []  # the next round is a new recording

    def offer(self, pixels):
        with self.lock:
            self.dropped += self.window is not None
            self.window = (time.monotonic(), pixels)

    def take(self):
        with self.lock:
            window, self.window = self.window, None
        return window


def run_streams(infer, frames, size, videos, fps, stride, seconds, warmup):
    cv2.setNumThreads(1)
    stop = threading.Event()
    cameras = [Camera(video, frames, size, fps, stride, stop) for video in videos]
    # Cameras are not switched on at the same instant.
    for index, camera in enumerate(cameras):
        camera.start()
        time.sleep(stride / fps / len(cameras))
    begun = time.monotonic() + frames / fps + warmup
    lags, dropped_before = [], None
    while time.monotonic() < begun + seconds:
        if dropped_before is None and time.monotonic() >= begun:
            dropped_before = sum(camera.dropped for camera in cameras)
        idle = True
        for camera in cameras:
            window = camera.take()
            if window is None:
                continue
            idle = False
            ready, pixels = window
            infer(torch.from_numpy(pixels))
            if time.monotonic() >= begun:
                lags.append(1e3 * (time.monotonic() - ready))
        if idle:
            time.sleep(0.002)
    dropped = sum(camera.dropped for camera in cameras) - (dropped_before or 0)
    stop.set()
    for camera in cameras:
        camera.join(5)
    return {"lagsMs": lags, "clips": len(lags), "dropped": dropped}
