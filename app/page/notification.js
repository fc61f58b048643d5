// Desktop notifications: whether they can be had, asking for them, showing one.

// "default" (may be asked for), "granted", "denied", or "insecure": browsers give them only over HTTPS or on this computer.
export function permission() {
  if (!isSecureContext || !("Notification" in window)) return "insecure";
  return Notification.permission;
}

export async function ask() {
  if (permission() === "default") await Notification.requestPermission();
}

export function notify(title, body, onclick) {
  if (permission() !== "granted") return;
  try {
    const notification = new Notification(title, { body, tag: "casting-defect", renotify: true, icon: "/page/icon.svg" });
    notification.onclick = () => {
      window.focus();
      notification.close();
      onclick();
    };
  } catch {
    // Phones show notifications only through a service worker; the alert stands in the page anyway.
  }
}
