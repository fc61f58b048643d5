// The camera: choice of device, live preview, capture by button or space, or every so many seconds.

import { element, replace } from "./element.js";
import { text } from "./language.js";

export class Camera {
  constructor(taken) {
    this.taken = taken;
    this.place = element("div", { class: "camera" });
    this.button = element("button", { type: "button", onclick: () => this.on() }, text("inspect.camera"));
    this.onkey = (event) => {
      if (event.code === "Space" && !["INPUT", "BUTTON", "SELECT", "TEXTAREA", "A", "SUMMARY", "DIALOG"].includes(event.target.tagName)) {
        event.preventDefault();
        this.capture();
      }
    };
  }

  async on(deviceId) {
    this.off();
    try {
      const video = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "environment", width: { ideal: 1280 } };
      this.stream = await navigator.mediaDevices.getUserMedia({ video });
    } catch {
      replace(this.place, element("p", { class: "problem", role: "alert" }, text("inspect.camera_failed")));
      return;
    }
    this.video = element("video", { autoplay: true, muted: true, playsinline: true, srcObject: this.stream });
    const devices = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
    const current = this.stream.getVideoTracks()[0].getSettings().deviceId;
    this.button.hidden = true;
    replace(this.place, this.video, element("div", { class: "bar" },
      devices.length > 1 && element("select", { "aria-label": text("field.camera"), onchange: (event) => this.on(event.target.value) },
        devices.map((device, at) => element("option", { value: device.deviceId, selected: device.deviceId === current }, device.label || `${at + 1}`))),
      element("button", { type: "button", class: "primary", onclick: () => this.capture(), "aria-keyshortcuts": "Space" }, text("inspect.capture"), element("kbd", {}, text("key.space"))),
      element("label", {}, text("inspect.every"), element("input", { type: "number", min: "0", max: "3600", step: "0.5", value: "0",
        onchange: ({ target }) => this.#every(Number(target.value)) })),
      element("button", { type: "button", onclick: () => this.off() }, text("inspect.camera_off"))));
    addEventListener("keydown", this.onkey);
  }

  #every(seconds) {
    clearInterval(this.timer);
    if (seconds > 0) this.timer = setInterval(() => this.capture(), seconds * 1000);
  }

  capture() {
    if (!this.video.videoWidth) return; // it is still starting
    const canvas = element("canvas", { width: this.video.videoWidth, height: this.video.videoHeight });
    canvas.getContext("2d").drawImage(this.video, 0, 0);
    canvas.toBlob((blob) => blob && this.taken(new File([blob], `camera-${Date.now()}.png`, { type: "image/png" })), "image/png");
  }

  off() {
    removeEventListener("keydown", this.onkey);
    clearInterval(this.timer);
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.button.hidden = false;
    replace(this.place);
  }
}
