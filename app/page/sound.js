// A short tone for a defect, made here: for browsers that show no notifications, and for eyes that are elsewhere.

const KEY = "casting.sound";
let context = null;

export const sounding = () => localStorage.getItem(KEY) === "on";

export function sound(on) {
  localStorage.setItem(KEY, on ? "on" : "off");
  if (on) beep();
}

export function beep() {
  if (!sounding() || !("AudioContext" in window)) return;
  context ??= new AudioContext();
  context.resume(); // browsers let a page sound only after it was clicked once
  const tone = context.createOscillator();
  const volume = context.createGain();
  const { currentTime: now } = context;
  tone.frequency.setValueAtTime(880, now);
  tone.frequency.setValueAtTime(660, now + 0.15);
  volume.gain.setValueAtTime(0.2, now);
  volume.gain.exponentialRampToValueAtTime(0.001, now + 0.4);
  tone.connect(volume).connect(context.destination);
  tone.start(now);
  tone.stop(now + 0.4);
}
